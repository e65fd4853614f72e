// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The notifications of calls, each loaded only once.

#include "fanfare/error.hpp"
#include "fanfare/types.hpp"
#include "model/search.hpp"
#include "protocol/rest/service.hpp"

#include <algorithm>
#include <cstddef>
#include <unordered_map>
#include <utility>

namespace fanfare::protocol::rest {

/// May wait for the disk. One thread.
class subjects {
public:
  subjects(service& of, organizer_id owner) : service_{of}, owner_{owner} {}

  /// Null if it has expired.
  result<notification_ptr> find(position id) {
    if (const auto i = found_.find(id); i != found_.end())
      return i->second;
    auto loaded = service_.find_notification(owner_, id);
    if (!loaded && loaded.error().code != ec::not_found)
      return std::move(loaded).error();
    if (found_.size() > most)
      found_.clear(); // bodies may be large
    auto value = loaded ? std::move(*loaded) : nullptr;
    read_ += std::max(least_read, value ? value->body.size() : 0);
    found_.emplace(id, value);
    return value;
  }

  /// Bytes, about.
  [[nodiscard]] std::size_t read() const {
    return read_;
  }

private:
  /// That are kept.
  static constexpr std::size_t most = 200;

  service& service_;
  organizer_id owner_;
  std::size_t read_ = 0;
  std::unordered_map<position, notification_ptr> found_;
};

} // namespace fanfare::protocol::rest
