// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/outgoing_request.hpp"

#include "protocol/target/target.hpp"

#include <algorithm>
#include <cassert>
#include <charconv>
#include <string_view>

namespace fanfare::protocol {

namespace {

namespace asio = boost::asio;

// Bodies up to this size share a TLS record with their head.
constexpr std::size_t small_body = 12 * 1024;

} // namespace

outgoing_request::buffers
outgoing_request::begin(const exchange_request& request) {
  return assemble(request, request.to->head());
}

outgoing_request::buffers
outgoing_request::begin_forwarded(const exchange_request& request,
                                  const std::string& credentials) {
  constexpr std::string_view standard_port = ":80";
  auto where = std::string_view{request.to->destination()};
  if (where.ends_with(standard_port))
    where.remove_suffix(standard_port.size());
  head_ = request.to->head();
  head_.insert(head_.find(' ') + 1, where);
  if (!credentials.empty())
    head_ += "Proxy-Authorization: " + credentials + "\r\n";
  return assemble(request, head_);
}

outgoing_request::buffers
outgoing_request::assemble(const exchange_request& request,
                           const std::string& head) {
  constexpr std::string_view name = "Content-Length: ";
  assert(state_ != state::sending);
  state_ = state::sending;
  const auto& body = request.what->body;
  auto* out = std::copy(name.begin(), name.end(), length_line_.data());
  out = std::to_chars(out, length_line_.data() + length_line_.size(),
                      body.size())
          .ptr;
  out = std::copy_n("\r\n\r\n", 4, out);
  return {asio::buffer(head), asio::buffer(request.extra_head),
          asio::buffer(length_line_.data(),
                       static_cast<std::size_t>(out - length_line_.data())),
          asio::buffer(body)};
}

outgoing_request::records outgoing_request::in_records(const buffers& all) {
  const auto& body = all.back();
  const bool together = body.size() <= small_body;
  flat_.clear();
  for (const auto& each : all)
    if (together || &each != &body)
      flat_.append(static_cast<const char*>(each.data()), each.size());
  return {asio::buffer(flat_), together ? asio::const_buffer{} : body};
}

void outgoing_request::shrink() {
  if (flat_.capacity() > 2 * small_body)
    std::string{}.swap(flat_); // assigning {} would keep the memory
}

} // namespace fanfare::protocol
