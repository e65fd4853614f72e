// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Beast's parser, filling an `http_request`, with the checks that it leaves to
/// its users (RFC 9112, 3.2 and 6). It sees complete heads only.

#include "protocol/server/http_handler.hpp"
#include "protocol/server/refusal.hpp"

#include <boost/beast/http/basic_parser.hpp>
#include <boost/optional/optional.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace fanfare::protocol::server {

class request_parser final : public boost::beast::http::basic_parser<true> {
public:
  explicit request_parser(std::size_t body_limit) {
    header_limit(0xffff'ffff); // the scanner has checked it
    this->body_limit(std::uint64_t{body_limit});
    eager(true);
    request.headers.reserve(8);
  }

  /// The answer to `ec`, which put() returned.
  [[nodiscard]] refusal why(const boost::system::error_code& ec) const;

  http_request request;
  bool http11 = true;
  bool expects_continue = false;

private:
  using field = boost::beast::http::field;
  using verb = boost::beast::http::verb;
  using text = boost::beast::string_view;
  using error_code = boost::beast::error_code;

  void on_request_impl(verb, text method, text target, int version,
                       error_code& ec) override;
  void on_response_impl(int, text, int, error_code&) override {}
  void on_field_impl(field name, text name_text, text value,
                     error_code& ec) override;
  void on_header_impl(error_code& ec) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length,
                         error_code& ec) override;
  std::size_t on_body_impl(text body, error_code& ec) override;
  void on_chunk_header_impl(std::uint64_t, text, error_code& ec) override {
    ec = {};
  }
  std::size_t on_chunk_body_impl(std::uint64_t, text body,
                                 error_code& ec) override;
  void on_finish_impl(error_code& ec) override {
    ec = {};
  }

  void refuse(error_code& ec, std::uint16_t status, std::string_view detail);

  refusal refusal_;
  std::uint16_t hosts_ = 0;
  bool in_body_ = false; // fields are trailers then
};

} // namespace fanfare::protocol::server
