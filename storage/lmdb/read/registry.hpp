// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The registry of the LMDB store: see storage/registry.hpp for what it
/// promises.

#include "storage/lmdb/file/environment.hpp"
#include "storage/lmdb/file/table.hpp"
#include "storage/registry.hpp"

#include <string_view>

namespace fanfare::storage::lmdb {

class registry final : public storage::registry {
public:
  explicit registry(environment& env) : env_(env) {}

  [[nodiscard]] result<std::vector<organizer>> organizers() const override;
  [[nodiscard]] result<std::vector<event>> events() const override;
  [[nodiscard]] result<std::vector<token>> tokens() const override;
  [[nodiscard]] result<std::vector<action_type>> action_types() const override;
  [[nodiscard]] result<webhook_record>
  find_webhook(webhook_id id) const override;
  [[nodiscard]] result<webhook_record>
  find_webhook(organizer_id owner, std::string_view name) const override;
  [[nodiscard]] result<std::vector<webhook_record>>
  webhooks(organizer_id owner, std::optional<bool> enabled, std::size_t offset,
           std::size_t limit) const override;
  [[nodiscard]] result<std::size_t>
  count_webhooks(organizer_id owner,
                 std::optional<bool> enabled) const override;
  result<void> for_each_webhook(
    const std::function<bool(const webhook_record&)>& visit) const override;

private:
  /// `name`: that of a record, for errors.
  template <class T>
  result<std::vector<T>> read_all(table in, std::string_view name) const;

  environment& env_;
};

} // namespace fanfare::storage::lmdb
