// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What is published.

#include <concepts>
#include <string>
#include <type_traits>
#include <vector>

namespace fanfare {

/// A notification to be published.
struct publication {
  /// A registered action type, or a name under a registered wildcard:
  /// "shop.order.placed" if "shop.order.*" is registered.
  std::string action;
  /// Slug; one that is not known is registered. Empty: about the organizer
  /// itself.
  std::string event = {};
  /// The text of a JSON object. Its members become those of the request body,
  /// behind `notification_id`, `organizer` and `event` and before `action`.
  /// These names, and "payload", are not for it: `notification_id` is left out,
  /// `event` and `action` must say the same as the publication. At most 32
  /// levels deep. Empty: no further members.
  std::string payload = {};
  /// W3C Trace Context, passed on to receivers: "TRACEPARENT" or
  /// "TRACEPARENT\nTRACESTATE"; empty: none.
  std::string trace = {};
  /// In place of `payload`, for those who render themselves: the request body
  /// behind `{"notification_id": N`, up to and with the closing brace. It is
  /// sent as it is, and not looked at, nor is `payload`. At most 1 MiB.
  std::string rest = {};
};

/// Several publications, which are published together or not at all: exactly an
/// std::vector<publication>, so that `{.action = …}` is always a single one.
/// (GCC 12 ignores designators when it chooses between overloads, and takes two
/// texts for the two iterators that a vector can be made of.)
template <class T>
concept publication_list = std::same_as<std::remove_cvref_t<T>,
                                        std::vector<publication>>;

} // namespace fanfare
