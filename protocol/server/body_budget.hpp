// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Room for large bodies: a budget for all I/O threads, a queue per thread for
/// bodies that wait for room, a share for each body that has it.

#include <atomic>
#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

namespace fanfare::protocol::server {

class connection;

/// Bytes of large bodies, over all threads. Any thread.
class body_budget {
public:
  explicit body_budget(std::size_t limit) : limit_(limit) {}

  /// False: there is no room. One body always has room, whatever its size.
  [[nodiscard]] bool try_take(std::size_t bytes);
  /// Takes it with or without room.
  void take(std::size_t bytes) {
    used_.fetch_add(bytes);
  }
  void give_back(std::size_t bytes) {
    used_.fetch_sub(bytes);
  }

private:
  std::size_t limit_;
  std::atomic<std::size_t> used_{0};
};

class body_share;

/// One I/O thread's access to the budget: bodies without room wait here, in
/// order of arrival. That thread only.
class body_queue {
public:
  /// `wake` is called when it may be a waiting body's turn, not again before
  /// next() is called, and must not call back.
  body_queue(body_budget& budget, std::function<void()> wake)
    : budget_(budget),
      wake_(std::move(wake)) {}

  /// Room now, or an empty share: next() then names `who` later.
  [[nodiscard]] body_share reserve(std::weak_ptr<connection> who,
                                   std::size_t bytes);
  /// For a body that is in memory anyway.
  void take(std::size_t bytes) {
    budget_.take(bytes);
  }
  void give_back(std::size_t bytes);

  struct turn;
  /// The next waiting body, if there is room for it.
  [[nodiscard]] std::optional<turn> next();

private:
  struct waiting {
    std::weak_ptr<connection> who;
    std::size_t bytes = 0;
  };

  body_budget& budget_;
  std::function<void()> wake_;
  std::deque<waiting> waiting_;
  bool woken_ = false;
};

/// A body's part of the budget, until it is destroyed. On the thread of its
/// queue, which must outlive it.
class body_share {
public:
  body_share() = default;
  body_share(body_queue& from, std::size_t bytes)
    : from_(&from),
      bytes_(bytes) {}
  body_share(body_share&& other) noexcept
    : from_(std::exchange(other.from_, nullptr)),
      bytes_(other.bytes_) {}
  body_share& operator=(body_share&& other) noexcept {
    std::swap(from_, other.from_);
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~body_share() {
    if (from_)
      from_->give_back(bytes_);
  }

  /// The bytes, which the caller must return from now on.
  [[nodiscard]] std::size_t detach() {
    return std::exchange(from_, nullptr) ? bytes_ : 0;
  }
  explicit operator bool() const {
    return from_ != nullptr;
  }

private:
  body_queue* from_ = nullptr;
  std::size_t bytes_ = 0;
};

struct body_queue::turn {
  std::shared_ptr<connection> who;
  body_share share;
};

} // namespace fanfare::protocol::server
