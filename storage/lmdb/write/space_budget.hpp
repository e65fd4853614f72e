// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// How much of the store's maximum size may still be used, and by whom: the
/// last part is kept for what was accepted before, and of that the last part
/// for making room.

#include "fanfare/error.hpp"
#include "storage/operations.hpp"

#include <cstddef>
#include <span>

namespace fanfare::storage::lmdb {

/// What publishing will take in the file, roughly and rather too much.
[[nodiscard]] std::size_t estimate(const append_notifications& op);
[[nodiscard]] std::size_t estimate(const remember_answer& op);
/// The same of a call.
[[nodiscard]] std::size_t estimate(const call& c);

/// What publishing may still take in one transaction.
class publishing_room {
public:
  explicit publishing_room(std::size_t size) : left_(size) {}
  [[nodiscard]] bool has(std::size_t size) const {
    return size <= left_;
  }
  void take(std::size_t size) {
    left_ -= size;
  }
  /// The answer to what finds no room.
  [[nodiscard]] static error refusal();

private:
  std::size_t left_;
};

class space_budget {
public:
  /// `for_tables`: what publishing may fill of `max_size`, the rest of which is
  /// the log's. Others may fill all of it or, if that is more, what was
  /// `allocated` before the maximum was lowered.
  space_budget(std::size_t for_tables, std::size_t max_size,
               std::size_t allocated);

  [[nodiscard]] std::size_t max_size() const noexcept {
    return max_size_;
  }
  /// Whether publishing may not take the store beyond so many bytes.
  [[nodiscard]] bool exceeded(std::size_t size) const {
    return size > max_size_ - reserve_;
  }
  /// Bytes that publishing may still take.
  [[nodiscard]] std::size_t for_publishing(std::size_t used) const;
  /// Whether there is room for so many bytes besides what makes room.
  [[nodiscard]] bool can_grow(std::size_t used, std::size_t by) const {
    return used + by + last_reserve() < limit_;
  }

  /// Sum of the estimates.
  [[nodiscard]] static std::size_t
  wanted(std::span<const operation> operations);
  /// Bytes that all of them may add to the file, roughly and rather too many;
  /// publishes count only if `with_publishing`.
  [[nodiscard]] static std::size_t weight(std::span<const operation> operations,
                                          bool with_publishing);
  /// Whether any of them is refused for want of room, alone, before others are.
  [[nodiscard]] static bool publish(std::span<const operation> operations);
  /// Whether any of them removes old entries.
  [[nodiscard]] static bool removes(std::span<const operation> operations);
  /// Whether they take more room than they give, apart from publishing.
  [[nodiscard]] static bool grow(std::span<const operation> operations);

private:
  [[nodiscard]] std::size_t last_reserve() const {
    return reserve_ / 4;
  }

  std::size_t max_size_;
  std::size_t limit_;
  std::size_t reserve_; ///< what publishing leaves to everything else
};

} // namespace fanfare::storage::lmdb
