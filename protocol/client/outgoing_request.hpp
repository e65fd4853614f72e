// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The request of one exchange as it goes out: its buffers, and how far they
/// are written. No network. INTERNAL to client_connection.

#include "protocol/client/transport.hpp"

#include <boost/asio/buffer.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

namespace fanfare::protocol {

class outgoing_request {
public:
  /// Head, headers of this attempt, Content-Length, body.
  using buffers = std::array<boost::asio::const_buffer, 4>;
  /// The same in the two writes that TLS makes of it.
  using records = std::array<boost::asio::const_buffer, 2>;

  enum class state : std::uint8_t {
    waiting, ///< nothing of it was written
    sending, ///< a part may be out
    sent,    ///< to its last byte
    broken,  ///< the connection did not take all
  };

  /// Begins another request, which must live until it is no longer `sending`.
  /// The buffers point into it and into this object.
  [[nodiscard]] buffers begin(const exchange_request& request);

  /// The same in the absolute form for a proxy that forwards it (RFC 9112,
  /// 3.2.2). `credentials`: of Proxy-Authorization; empty: none.
  [[nodiscard]] buffers begin_forwarded(const exchange_request& request,
                                        const std::string& credentials);

  /// TLS makes a record of every buffer, so small ones are copied together.
  [[nodiscard]] records in_records(const buffers& all);

  void ended(bool completely) noexcept {
    state_ = completely ? state::sent : state::broken;
  }
  [[nodiscard]] bool sent() const noexcept {
    return state_ == state::sent;
  }

  /// Releases memory left from a large request.
  void shrink();

private:
  buffers assemble(const exchange_request& request, const std::string& head);

  state state_ = state::waiting;
  std::array<char, 48> length_line_;
  std::string flat_;
  std::string head_; // in the absolute form
};

} // namespace fanfare::protocol
