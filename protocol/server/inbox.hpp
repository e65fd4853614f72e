// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Answers from other threads for the connections of one I/O thread. It
/// outlives the server as long as an answer can still arrive.

#include "protocol/server/http_handler.hpp"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace fanfare::protocol::server {

class connection;

class inbox {
public:
  struct entry {
    std::weak_ptr<connection> to;
    std::uint64_t number = 0;            ///< of the request
    std::optional<http_response> answer; ///< absent: no answer will come
    std::size_t body_bytes = 0;          ///< of the budget, to return
  };

  /// `wake` is called for the first entry since collect(), from any thread, and
  /// must not call back.
  explicit inbox(std::function<void()> wake) : wake_(std::move(wake)) {}

  /// Any thread.
  void put(entry what);
  /// Moves all entries into the empty `into`.
  void collect(std::vector<entry>& into);
  /// From now on answers are discarded, and `wake` is not called.
  void close();

  /// The calling thread is the one that receives the answers; call it before
  /// any.
  void belong_to_this_thread() {
    owner_ = std::this_thread::get_id();
  }
  [[nodiscard]] bool belongs_to_this_thread() const {
    return owner_ == std::this_thread::get_id();
  }

private:
  std::mutex mutex_;
  std::function<void()> wake_; // empty once closed
  std::vector<entry> entries_;
  std::thread::id owner_;
};

} // namespace fanfare::protocol::server
