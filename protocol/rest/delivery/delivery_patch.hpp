// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A change of a webhook's delivery settings, read from JSON and applied later
/// to what is stored.

#include "fanfare/error.hpp"
#include "fanfare/types.hpp"

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::protocol::rest {

/// Shown in place of a secret. A PATCH that sends it back keeps the secret.
inline constexpr std::string_view kept_secret = "***";

/// Each top-level key that was sent replaces the stored value.
class delivery_patch {
public:
  /// An error names the key that contradicts what is stored.
  using edit = std::function<result<void>(webhook&)>;

  void add(edit one) {
    edits_.push_back(std::move(one));
  }
  [[nodiscard]] bool empty() const {
    return edits_.empty();
  }
  [[nodiscard]] result<void> apply(webhook& to) const;

private:
  std::vector<edit> edits_;
};

/// Key and sentence of each fault.
using delivery_faults = std::vector<std::pair<std::string, std::string>>;

} // namespace fanfare::protocol::rest
