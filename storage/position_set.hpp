// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A set of positions in a bounded range of the journal, one bit each: ten
/// million notifications take 1.25 MB.

#include "fanfare/types.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace fanfare::storage {

class position_set {
public:
  position_set() = default;
  /// Room for the positions after `after`, up to and including `upto`.
  position_set(position after, position upto)
    : after_(after),
      words_(upto > after ? (upto - after + 63) / 64 : 0) {}

  /// Positions outside the range are ignored.
  void insert(position p) {
    if (holds(p))
      words_[word(p)] |= bit(p);
  }
  void erase(position p) {
    if (holds(p))
      words_[word(p)] &= ~bit(p);
  }
  [[nodiscard]] bool contains(position p) const {
    return holds(p) && (words_[word(p)] & bit(p)) != 0;
  }

  /// The first one after `p`.
  [[nodiscard]] std::optional<position> next_after(position p) const {
    auto at = p < after_ ? 0 : p - after_;
    for (auto w = at / 64; w < words_.size(); ++w, at = w * 64)
      if (const auto rest = words_[w] >> (at % 64); rest != 0)
        return after_ + 1 + at + static_cast<position>(std::countr_zero(rest));
    return std::nullopt;
  }

  [[nodiscard]] std::size_t count() const {
    std::size_t n = 0;
    for (const auto w : words_)
      n += static_cast<std::size_t>(std::popcount(w));
    return n;
  }

private:
  [[nodiscard]] bool holds(position p) const {
    return p > after_ && word(p) < words_.size();
  }
  [[nodiscard]] std::size_t word(position p) const {
    return (p - after_ - 1) / 64;
  }
  [[nodiscard]] std::uint64_t bit(position p) const {
    return std::uint64_t{1} << ((p - after_ - 1) % 64);
  }

  position after_ = 0;
  std::vector<std::uint64_t> words_;
};

} // namespace fanfare::storage
