// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The input of a publish.

#include <concepts>
#include <string>
#include <type_traits>
#include <vector>

namespace fanfare {

/// A notification to publish.
struct publication {
  /// A registered action type, or a name under a registered wildcard:
  /// "shop.order.placed" if "shop.order.*" is registered.
  std::string action;
  /// Slug; an unknown one is registered. Empty: about the organizer
  /// itself.
  std::string event = {};
  /// The text of a JSON object. Its members become those of the request body,
  /// after `notification_id`, `organizer` and `event` and before `action`.
  /// These names, and "payload", are reserved: `notification_id` is left out,
  /// `event` and `action` must match the publication. At most 32 levels deep.
  /// Empty: no further members.
  std::string payload = {};
  /// W3C Trace Context, passed on to receivers: "TRACEPARENT" or
  /// "TRACEPARENT\nTRACESTATE"; empty: none.
  std::string trace = {};
  /// Instead of `payload`, for programs that render themselves: the request
  /// body after `{"notification_id": N`, including the closing brace:
  /// `, "code": "A1"}`, or only `}`. It is sent unchecked and unchanged, and
  /// `payload` is ignored. At most 1 MiB.
  std::string rest = {};
};

/// Several publications, published all or none: exactly a
/// std::vector<publication>, so `{.action = …}` is always a single one. (GCC 12
/// ignores designators when it resolves overloads, and takes two texts for the
/// iterator pair of a vector's constructor.)
template <class T>
concept publication_list = std::same_as<std::remove_cvref_t<T>,
                                        std::vector<publication>>;

} // namespace fanfare
