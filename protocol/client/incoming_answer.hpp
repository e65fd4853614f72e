// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The answer of one exchange as it arrives: its bytes, and the parser that
/// reads them. No network and no clock. INTERNAL to client_connection.

#include "protocol/client/answer_buffer.hpp"
#include "protocol/client/answer_parser.hpp"
#include "protocol/client/transport.hpp"

#include <boost/asio/buffer.hpp>

#include <cstddef>
#include <optional>
#include <string_view>

namespace fanfare::protocol {

/// Its life: `begin`, then `take` for the bytes of each read until it is over,
/// or `end` or `cut` if nothing more will come. Then the result is complete.
class incoming_answer {
public:
  enum class progress : bool { more, over };

  /// `out` must live until it is over. A read into `space()` may already be in
  /// progress.
  void begin(exchange_result& out, const exchange_limits& limits) {
    out.status = 0;
    out.reason.clear();
    out.response_body.clear();
    parser_.emplace(out, limits);
    total_ = 0;
  }

  /// Where the next read puts its bytes.
  [[nodiscard]] boost::asio::mutable_buffer space() noexcept {
    return bytes_.space();
  }

  /// `bytes` arrived in `space()`. Over: `status` and `reason` of the result
  /// are final.
  [[nodiscard]] progress take(std::size_t bytes) {
    total_ += bytes;
    bytes_.add(bytes);
    bytes_.remove(parser_->take(bytes_.view(), bytes_.full()));
    if (parser_->done())
      return progress::over;
    bytes_.make_space();
    return progress::more;
  }

  /// The receiver closed the connection.
  void end() {
    parser_->end(bytes_.view());
  }
  /// The connection broke: `why` says how.
  void break_off(std::string_view why) {
    parser_->break_off(why, bytes_.view());
  }
  /// Nothing more will be read: `why` is for the log.
  void cut(std::string_view why) {
    parser_->cut(why);
  }

  /// Prepares for the next exchange.
  void clear() noexcept {
    bytes_.clear();
  }

  /// Bytes received of the final answer, from its status line on; 0 without a
  /// verdict.
  [[nodiscard]] std::size_t received() const noexcept {
    return has_verdict() ? total_ - parser_->before() : 0;
  }
  /// The status line was read: the rest cannot make it a failure.
  [[nodiscard]] bool has_verdict() const noexcept {
    return parser_ && parser_->has_verdict();
  }
  /// More than empty lines came.
  [[nodiscard]] bool has_begun() const noexcept {
    return parser_ && parser_->has_begun(bytes_.view());
  }
  /// An interim answer came, as only to a request that was read.
  [[nodiscard]] bool had_interim() const noexcept {
    return parser_ && parser_->had_interim();
  }
  /// Nothing of it is to come.
  [[nodiscard]] bool over() const noexcept {
    return parser_->done();
  }
  /// It announces the end of the connection.
  [[nodiscard]] bool announces_end() const noexcept {
    return parser_->announces_end();
  }
  /// Bytes came that do not belong to it. Only once it is over.
  [[nodiscard]] bool has_surplus() const noexcept {
    return !bytes_.empty();
  }
  /// It is over, and the connection can serve another exchange.
  [[nodiscard]] bool reusable() const noexcept {
    return parser_->reusable() && bytes_.empty();
  }

private:
  std::optional<answer_parser> parser_;
  std::size_t total_ = 0; // interim answers included
  answer_buffer bytes_;
};

} // namespace fanfare::protocol
