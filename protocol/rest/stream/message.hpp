// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The text of a stream: Server-Sent Events (HTML Living Standard, 9.2), and
/// the places that are their ids.

#include "model/feed.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace fanfare::protocol::rest {

/// "1207.88.3.18f2c": call, notification, change and run.
[[nodiscard]] std::string to_text(const feed_place& place);
/// Nothing if it is none.
[[nodiscard]] std::optional<feed_place> read_place(std::string_view text);

/// A message. `data` has no line break. `id`: the place after it; empty: that
/// of the one before it holds on.
void append_message(std::string& to, std::string_view type, std::string_view id,
                    std::string_view data);
/// No message, but a place to go on from.
void append_id(std::string& to, std::string_view id);
/// A line that clients ignore.
void append_comment(std::string& to, std::string_view text);

} // namespace fanfare::protocol::rest
