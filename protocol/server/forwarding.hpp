// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Who asked, and for which address, if a proxy passed the request on: what
/// X-Forwarded-For, -Proto and -Host say. Only proxies that are trusted may say
/// so; from anybody else these headers mean nothing. Any thread.

#include "protocol/server/http_handler.hpp"
#include "protocol/target/network.hpp"

#include <boost/asio/ip/address.hpp>

#include <vector>

namespace fanfare::protocol::server {

/// Whether a proxy in one of these networks has that address.
[[nodiscard]] bool is_trusted(const std::vector<network>& trusted,
                              const boost::asio::ip::address& address);

/// Corrects a request that a trusted proxy passed on. The client is the last
/// address of X-Forwarded-For that is not a trusted proxy's: what stands before
/// it is only what that client claims. Of the other two headers those values
/// count that the same proxy added; the host takes the place of the Host
/// header. What cannot be read is ignored. Doing it twice changes nothing.
void read_forwarding(http_request& request,
                     const std::vector<network>& trusted);

} // namespace fanfare::protocol::server
