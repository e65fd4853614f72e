// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Values on the heap that copy, move and read like values in place. Most
/// operations of a batch are calls, and all have the size of the largest:
/// large, rare values live behind a pointer.

#include "fanfare/error.hpp"

#include <memory>
#include <utility>

namespace fanfare::storage {

/// Not to be read after a move from it.
template <class T>
class boxed {
public:
  boxed() : value_(std::make_unique<T>()) {}
  boxed(T value) : value_(std::make_unique<T>(std::move(value))) {}
  boxed(const boxed& other) : value_(std::make_unique<T>(*other)) {}
  boxed(boxed&&) noexcept = default;
  boxed& operator=(const boxed& other) {
    value_ = std::make_unique<T>(*other);
    return *this;
  }
  boxed& operator=(boxed&&) noexcept = default;
  ~boxed() = default;

  [[nodiscard]] T& operator*() {
    return *value_;
  }
  [[nodiscard]] const T& operator*() const {
    return *value_;
  }
  [[nodiscard]] T* operator->() {
    return value_.get();
  }
  [[nodiscard]] const T* operator->() const {
    return value_.get();
  }

private:
  std::unique_ptr<T> value_;
};

/// The same for `result<T>`.
template <class T>
class boxed_result {
public:
  boxed_result(result<T> value) : value_(std::move(value)) {}
  boxed_result(fanfare::error e) : value_(result<T>{std::move(e)}) {}
  boxed_result(T value) : value_(result<T>{std::move(value)}) {}

  explicit operator bool() const {
    return value_->has_value();
  }
  operator result<T>() const& {
    return *value_;
  }
  operator result<T>() && {
    return std::move(*value_);
  }
  [[nodiscard]] T& operator*() {
    return **value_;
  }
  [[nodiscard]] const T& operator*() const {
    return **value_;
  }
  [[nodiscard]] T* operator->() {
    return &**value_;
  }
  [[nodiscard]] const T* operator->() const {
    return &**value_;
  }
  [[nodiscard]] T& value() {
    return value_->value();
  }
  [[nodiscard]] fanfare::error error() const {
    return value_->error();
  }

private:
  boxed<result<T>> value_;
};

} // namespace fanfare::storage
