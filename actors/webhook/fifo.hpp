// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A first-in first-out queue that is empty most of the time. Unlike
/// std::deque, which takes more than half a kilobyte even when it holds
/// nothing, it takes memory with its first element and gives it back with its
/// last. Its elements are contiguous. Not thread-safe.

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace fanfare {

template <class T>
class fifo {
public:
  [[nodiscard]] bool empty() const {
    return first_ == items_.size();
  }
  [[nodiscard]] std::size_t size() const {
    return items_.size() - first_;
  }
  [[nodiscard]] T* begin() {
    return items_.data() + first_;
  }
  [[nodiscard]] T* end() {
    return items_.data() + items_.size();
  }
  [[nodiscard]] const T* begin() const {
    return items_.data() + first_;
  }
  [[nodiscard]] const T* end() const {
    return items_.data() + items_.size();
  }
  /// Of the `at`th from the front; constant time.
  [[nodiscard]] T& operator[](std::size_t at) {
    return items_[first_ + at];
  }
  [[nodiscard]] const T& operator[](std::size_t at) const {
    return items_[first_ + at];
  }
  [[nodiscard]] T& front() {
    return items_[first_];
  }
  [[nodiscard]] const T& front() const {
    return items_[first_];
  }
  [[nodiscard]] T& back() {
    return items_.back();
  }

  /// Elements that there is memory for.
  [[nodiscard]] std::size_t capacity() const {
    return items_.capacity();
  }

  /// Amortized constant time. Moves elements.
  void push_back(T item) {
    // What was taken off leaves room before there is more.
    if (items_.size() == items_.capacity() && first_ >= items_.size() / 2)
      drop_taken();
    items_.push_back(std::move(item));
  }

  void pop_front() {
    items_[first_++] = T{};
    if (empty())
      clear();
  }

  /// Linear time; returns how many went.
  template <class Predicate>
  std::size_t erase_if(Predicate unwanted) {
    drop_taken();
    const auto gone = std::erase_if(items_, unwanted);
    if (items_.empty())
      clear();
    return gone;
  }

  /// A few elements' room is kept: most queues are filled again soon.
  void clear() {
    first_ = 0;
    if (items_.capacity() * sizeof(T) > kept_bytes)
      std::vector<T>{}.swap(items_);
    else
      items_.clear();
  }

private:
  static constexpr std::size_t kept_bytes = 128;

  void drop_taken() {
    items_.erase(items_.begin(),
                 items_.begin() + static_cast<std::ptrdiff_t>(first_));
    first_ = 0;
  }

  std::vector<T> items_;
  std::size_t first_ = 0; ///< those before it were taken off
};

} // namespace fanfare
