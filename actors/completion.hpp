// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What is called when an operation is durable or was refused. It can only be
/// moved, so whoever made its receiver may go on looking at it until the
/// completion is handed over.

#include "storage/operations.hpp"

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace fanfare {

class completion {
public:
  class receiver {
  public:
    receiver() = default;
    receiver(const receiver&) = delete;
    receiver& operator=(const receiver&) = delete;
    virtual ~receiver() = default;
    /// `failure` null: the operation is durable and its `done` is valid. On the
    /// thread that writes: must not block.
    virtual void complete(storage::operation& op, const error* failure) = 0;
  };

  completion() = default;
  completion(std::nullptr_t) {}
  completion(std::unique_ptr<receiver> to) : to_(std::move(to)) {}
  template <class F>
    requires(
      !std::same_as<
        std::remove_cvref_t<F>,
        completion> && std::invocable<std::remove_cvref_t<F>&, storage::operation&, const error*>)
  completion(F&& call)
    : to_(std::make_unique<function<std::remove_cvref_t<F>>>(
      std::forward<F>(call))) {}

  [[nodiscard]] explicit operator bool() const {
    return to_ != nullptr;
  }
  void operator()(storage::operation& op, const error* failure) const {
    to_->complete(op, failure);
  }

private:
  template <class F>
  class function final : public receiver {
  public:
    explicit function(F call) : call_(std::move(call)) {}
    void complete(storage::operation& op, const error* failure) override {
      call_(op, failure);
    }

  private:
    F call_;
  };

  std::unique_ptr<receiver> to_;
};

} // namespace fanfare
