// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The answer of one exchange while it comes in: its bytes, its parser, its
/// limits, and the verdict. No network and no clock. INTERNAL to
/// client_connection.

#include "protocol/client/answer_buffer.hpp"
#include "protocol/client/answer_parser.hpp"
#include "protocol/client/transport.hpp"

#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <optional>
#include <string>

namespace fanfare::protocol {

/// Its life: `begin`, then `take` for the bytes of each read until it is over,
/// or `end` if the connection ends before. Then the result is complete.
class incoming_answer {
public:
  enum class progress : bool { more, over };

  /// `out` and `limits` must stay until it is over. A read into `space()` may
  /// already be under way.
  void begin(exchange_result& out, const exchange_limits& limits);

  /// Where the next read puts its bytes.
  [[nodiscard]] boost::asio::mutable_buffer space() noexcept {
    return bytes_.space();
  }

  /// So many bytes have come into `space()`. Over: `status` and `reason` of the
  /// result are final.
  [[nodiscard]] progress take(std::size_t bytes);

  /// The connection ended within the answer. `orderly`: the receiver closed it;
  /// else `why` says how it broke ("connection reset by peer").
  void end(bool orderly, const std::string& why);

  /// Makes ready for the next exchange.
  void clear() noexcept {
    bytes_.clear();
  }

  /// Bytes that have come, also of interim answers.
  [[nodiscard]] std::size_t received() const noexcept {
    return received_;
  }

  /// It is over, and the connection can serve another exchange.
  [[nodiscard]] bool reusable() const noexcept {
    return reusable_;
  }

private:
  /// False if this cannot be the beginning of an answer.
  bool check_beginning();
  progress complete();
  progress cut();
  progress fail(std::string reason);

  exchange_result* out_ = nullptr;
  const exchange_limits* limits_ = nullptr;
  std::optional<answer_parser> parser_;
  std::size_t received_ = 0;
  std::size_t head_ = 0; // bytes taken as head, also of interim answers
  std::size_t body_ = 0; // bytes taken as body, with the headers of its chunks
  unsigned interim_ = 0; // 1xx answers so far
  bool reusable_ = false;
  answer_buffer bytes_;
};

} // namespace fanfare::protocol
