// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/log/block_buffer.hpp"

#include <algorithm>
#include <cstring>

namespace fanfare::storage::log {

void block_buffer::begin(std::size_t lead, bool with_tail) {
  if (with_tail)
    std::memcpy(data(), tail_.data(), lead);
  size_ = lead;
}

std::size_t block_buffer::add(std::string_view bytes) {
  const auto taken = std::min(bytes.size(), capacity - size_);
  std::memcpy(data() + size_, bytes.data(), taken);
  size_ += taken;
  return taken;
}

void block_buffer::pad() {
  const auto whole = (size_ + block - 1) / block * block;
  std::memset(data() + size_, 0, whole - size_);
  size_ = whole;
}

void block_buffer::written(int file, std::size_t at) {
  std::memcpy(tail_.data(), data() + size_ - block, block);
  file_ = file;
  tail_at_ = at + size_ - block;
  size_ = 0;
}

} // namespace fanfare::storage::log
