// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Counts the API's answers by route and class of status: as many figures as
/// there are routes, whatever clients ask for.

#include "fanfare/metrics.hpp"

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace fanfare::protocol::rest {

/// Any thread.
class request_counts {
public:
  /// `routes`: the patterns of their paths.
  explicit request_counts(std::vector<std::string> routes);

  /// `route`: its place among those; beyond the last: none of them.
  void count(std::size_t route, std::uint16_t status);

  [[nodiscard]] std::vector<metric> figures() const;

private:
  static constexpr std::size_t classes = 5; // 1xx to 5xx
  using row = std::array<std::atomic<std::uint64_t>, classes>;

  std::vector<std::string> routes_;
  std::vector<row> rows_; ///< by route; the last one for other paths
};

} // namespace fanfare::protocol::rest
