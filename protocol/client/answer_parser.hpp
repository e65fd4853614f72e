// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Reads one HTTP/1.x answer and keeps of it what the call log shows: bounded
/// excerpts of head and body. Everything else is looked at and forgotten.

#include "protocol/client/transport.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string_view>

namespace fanfare::protocol {

/// Most bytes of an answer's header fields that are kept.
inline constexpr std::size_t kept_head = 8 * 1024;
/// Longest value of Retry-After that can mean something: a date has 29.
inline constexpr std::size_t kept_retry_after = 128;

class answer_parser final : public boost::beast::http::basic_parser<false> {
public:
  /// Writes into `out`, which must outlive it.
  /// Stops at the end of the head unless it is eager: the caller counts bytes.
  answer_parser(exchange_result& out, const exchange_limits& limits)
    : out_(&out),
      keep_(limits.keep_limit) {
    header_limit(std::numeric_limits<std::uint32_t>::max() - 8);
    body_limit(boost::none);
  }

  /// Of the head; 0 until its first line was read.
  [[nodiscard]] unsigned status() const noexcept {
    return status_;
  }
  [[nodiscard]] std::uint64_t body_bytes() const noexcept {
    return body_bytes_;
  }

private:
  using error_code = boost::beast::error_code;
  using string_view = boost::beast::string_view;
  using field = boost::beast::http::field;

  void on_request_impl(boost::beast::http::verb, string_view, string_view, int,
                       error_code&) override {}

  void on_response_impl(int code, string_view, int, error_code&) override {
    status_ = static_cast<unsigned>(code);
    out_->response_head.clear(); // of an interim answer
    out_->retry_after.clear();
  }

  void on_field_impl(field which, string_view name, string_view value,
                     error_code&) override {
    // Trailers come when the head is done; they are not part of it.
    if (is_header_done())
      return;
    if (which == field::retry_after && out_->retry_after.empty()
        && value.size() <= kept_retry_after)
      out_->retry_after.assign(value.data(), value.size());
    auto& head = out_->response_head;
    if (head.size() + name.size() + value.size() + 4 > kept_head)
      return;
    if (head.empty())
      head.reserve(256);
    head.append(name.data(), name.size()).append(": ", 2);
    head.append(value.data(), value.size()).append("\r\n", 2);
  }

  void on_header_impl(error_code&) override {}
  void on_body_init_impl(const boost::optional<std::uint64_t>&,
                         error_code&) override {}

  std::size_t on_body_impl(string_view bytes, error_code&) override {
    keep(bytes);
    return bytes.size();
  }

  void on_chunk_header_impl(std::uint64_t, string_view, error_code&) override {}

  std::size_t on_chunk_body_impl(std::uint64_t, string_view bytes,
                                 error_code&) override {
    keep(bytes);
    return bytes.size();
  }

  void on_finish_impl(error_code&) override {}

  void keep(string_view bytes) {
    body_bytes_ += bytes.size();
    auto& body = out_->response_body;
    if (body.size() < keep_)
      body.append(bytes.data(), std::min(bytes.size(), keep_ - body.size()));
  }

  exchange_result* out_;
  std::size_t keep_;
  std::uint64_t body_bytes_ = 0;
  unsigned status_ = 0;
};

} // namespace fanfare::protocol
