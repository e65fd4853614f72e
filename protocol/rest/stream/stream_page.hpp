// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A piece of a stream: a page of a feed as text.

#include "fanfare/error.hpp"
#include "model/feed.hpp"
#include "protocol/rest/service.hpp"
#include "protocol/rest/stream/stream_query.hpp"

#include <string>

namespace fanfare::protocol::rest {

struct stream_page {
  std::string text{}; ///< empty: nothing that the stream shows
  feed_place next{};
  bool more = false;
};

/// May wait for the disk. Its size has a bound.
[[nodiscard]] result<stream_page> make_stream_page(service& of,
                                                   const stream_query& what,
                                                   const feed_place& after);

} // namespace fanfare::protocol::rest
