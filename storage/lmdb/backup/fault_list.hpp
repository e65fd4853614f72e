// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The faults that a check has found, as far as anybody would read them.

#include "fanfare/backup.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace fanfare::storage::lmdb {

class fault_list {
public:
  /// More of them say nothing new.
  static constexpr std::size_t limit = 1'000;

  /// `remedy`: what to do about all that are added.
  fault_list(data_report& to, std::string remedy)
    : to_(to),
      remedy_(std::move(remedy)) {}

  void add(std::string place, std::string key, std::string what) {
    if (to_.faults.size() < limit)
      to_.faults.push_back(
        {std::move(place), std::move(key), std::move(what), remedy_});
    else
      to_.more_faults = true;
  }
  [[nodiscard]] bool empty() const {
    return to_.faults.empty();
  }
  /// So many records were looked at.
  void count(std::uint64_t records) {
    to_.records += records;
  }

private:
  data_report& to_;
  std::string remedy_;
};

} // namespace fanfare::storage::lmdb
