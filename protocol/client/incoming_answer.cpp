// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/incoming_answer.hpp"

#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>

namespace fanfare::protocol {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr unsigned most_interim_answers = 16;

} // namespace

void incoming_answer::begin(exchange_result& out,
                            const exchange_limits& limits) {
  out_ = &out;
  limits_ = &limits;
  parser_.emplace(out, limits);
  out.response_body.clear();
  received_ = head_ = body_ = 0;
  interim_ = 0;
  reusable_ = false;
}

incoming_answer::progress incoming_answer::take(std::size_t bytes) {
  received_ += bytes;
  bytes_.add(bytes);
  while (!bytes_.empty()) {
    if (parser_->status() == 0 && !check_beginning())
      return fail("malformed answer: it does not begin with HTTP/1");
    const bool in_body = parser_->is_header_done();
    auto offered = bytes_.size();
    if (in_body && offered > limits_->body_limit - body_)
      offered = limits_->body_limit - body_;
    if (offered == 0)
      break;
    error_code code;
    const auto used = parser_->put(asio::buffer(bytes_.begin(), offered), code);
    bytes_.remove(used);
    (in_body ? body_ : head_) += used;
    if (code && code != http::error::need_more)
      return fail("malformed answer: " + code.message());
    const auto more_of_head = parser_->is_header_done() ? 0 : bytes_.size();
    if (head_ + more_of_head > limits_->head_limit)
      return fail("too large: the head of the answer exceeds "
                  + std::to_string(limits_->head_limit) + " bytes");
    if (!in_body && parser_->is_header_done())
      parser_->eager(true);
    if (parser_->is_done()) {
      const auto status = parser_->status();
      if (status >= 200 || status == 101 || status < 100)
        return complete();
      if (++interim_ > most_interim_answers)
        return fail("malformed answer: more than "
                    + std::to_string(most_interim_answers)
                    + " interim answers");
      parser_.emplace(*out_, *limits_);
      continue;
    }
    if (code || used == 0)
      break; // it needs more
  }
  if (parser_->is_header_done() && bytes_.size() > limits_->body_limit - body_)
    return cut();
  bytes_.make_space();
  return progress::more;
}

bool incoming_answer::check_beginning() {
  constexpr std::string_view expected = "HTTP/1.";
  // Other protocols in which the server speaks first (SSH, SMTP) may never end
  // what would be the head: refuse it now instead of timing out.
  if (std::memcmp(bytes_.begin(), expected.data(),
                  std::min(bytes_.size(), expected.size()))
      != 0)
    return false;
  // "HTTP/1.1 200" without the space before an empty reason is common; the
  // parser insists on it.
  constexpr std::size_t behind_status = 12;
  if (bytes_.size() > behind_status && bytes_.begin()[behind_status] == '\r') {
    if (bytes_.space().size() == 0)
      bytes_.make_space();
    auto* gap = bytes_.begin() + behind_status;
    std::memmove(gap + 1, gap, bytes_.size() - behind_status);
    *gap = ' ';
    bytes_.add(1);
  }
  return true;
}

void incoming_answer::end(bool orderly, const std::string& why) {
  if (!parser_->is_header_done()) {
    fail(orderly ? "malformed answer: connection closed within the head"
                 : "reset: " + why + " within the head of the answer");
    return;
  }
  if (parser_->need_eof() && orderly) {
    complete();
    return;
  }
  auto amount = std::to_string(parser_->body_bytes());
  if (const auto whole = parser_->content_length())
    amount += " of " + std::to_string(*whole);
  fail(orderly ? "malformed answer: body ended after " + amount + " bytes"
               : "reset: " + why + " after " + amount + " bytes of the body");
}

// -- verdicts -----------------------------------------------------------------

incoming_answer::progress incoming_answer::complete() {
  const auto status = parser_->status();
  if (status < 100)
    return fail("malformed answer: status below 100");
  out_->status = static_cast<std::uint16_t>(status);
  reusable_ = bytes_.empty() && status != 101 && parser_->is_done()
           && parser_->keep_alive();
  return progress::over;
}

incoming_answer::progress incoming_answer::cut() {
  out_->status = static_cast<std::uint16_t>(parser_->status());
  out_->reason = "too large: body cut at " + std::to_string(limits_->body_limit)
               + " bytes";
  return progress::over;
}

incoming_answer::progress incoming_answer::fail(std::string reason) {
  out_->status = 0;
  out_->reason = std::move(reason);
  return progress::over;
}

} // namespace fanfare::protocol
