// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/write_queue.hpp"

#include <algorithm>
#include <utility>

namespace fanfare::protocol::server {

std::string& write_queue::text() {
  if (next_.empty() || sealed_) {
    next_.emplace_back();
    committed_ = 0;
    sealed_ = false;
  }
  return next_.back();
}

void write_queue::commit() {
  const auto size = next_.back().size();
  count_in(size - committed_);
  committed_ = size;
}

void write_queue::push_body(std::string&& body) {
  if (body.size() <= small_body) {
    text() += body;
    return commit();
  }
  (void)text(); // what the body follows may be none of ours
  commit();
  count_in(body.size());
  next_.push_back(std::move(body));
  sealed_ = true;
}

std::span<const boost::asio::const_buffer> write_queue::front(pieces& into) {
  if (index_ == out_.size()) {
    // One piece of modest size is kept for the next answers.
    out_.resize(std::min<std::size_t>(out_.size(), 1));
    if (!out_.empty()) {
      out_.front().clear();
      if (out_.front().capacity() > 2 * small_body)
        out_.clear();
    }
    out_.swap(next_);
    committed_ = 0;
    sealed_ = false;
    index_ = offset_ = 0;
  }
  std::size_t count = 0;
  auto offset = offset_;
  for (auto i = index_; i < out_.size() && count < into.size(); ++i) {
    into[count++] = boost::asio::buffer(out_[i]) + offset;
    offset = 0;
  }
  return {into.data(), count};
}

void write_queue::consume(std::size_t count) {
  size_ -= count;
  total_ -= count;
  while (index_ < out_.size()) {
    const auto rest = out_[index_].size() - offset_;
    if (count < rest) {
      offset_ += count;
      return;
    }
    count -= rest;
    offset_ = 0;
    ++index_;
  }
}

} // namespace fanfare::protocol::server
