// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/read_buffer.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace fanfare::protocol::server {

namespace {

constexpr std::size_t small_capacity = 4 * 1024;
constexpr std::size_t body_capacity = 32 * 1024;

} // namespace

boost::asio::mutable_buffer
read_buffer::prepare(std::optional<std::uint64_t> body_rest) {
  auto wanted = std::max(capacity_, small_capacity);
  if (empty()) {
    begin_ = end_ = 0;
    if (!body_rest)
      wanted = small_capacity;
  }
  if (body_rest && *body_rest > small_capacity)
    wanted = std::max(wanted, body_capacity);
  if (begin_ > 0 && capacity_ - end_ < capacity_ / 4) {
    std::memmove(bytes_.get(), bytes_.get() + begin_, size());
    end_ -= begin_;
    begin_ = 0;
  }
  if (capacity_ == wanted && capacity_ - end_ < capacity_ / 4)
    wanted *= 2; // bounded, since heads and chunk headers are
  if (capacity_ != wanted)
    resize(wanted);
  return boost::asio::buffer(bytes_.get() + end_, capacity_ - end_);
}

void read_buffer::resize(std::size_t capacity) {
  auto bytes = std::make_unique_for_overwrite<char[]>(capacity);
  if (!empty())
    std::memcpy(bytes.get(), bytes_.get() + begin_, size());
  end_ -= begin_;
  begin_ = 0;
  bytes_ = std::move(bytes);
  capacity_ = capacity;
}

} // namespace fanfare::protocol::server
