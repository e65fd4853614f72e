// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// An engine's figures, in a form for any metrics library.

#include "fanfare/export.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace fanfare {

/// One figure at one moment. Names and units follow Prometheus conventions:
/// "fanfare_calls_total", seconds, bytes.
struct metric {
  enum class kind : std::uint8_t {
    counter,   ///< only grows; starts at 0 in each engine
    gauge,     ///< goes up and down
    histogram, ///< how many values there were, by size; counts as a counter
               ///< does
  };
  /// Of a histogram: how many of its values are no larger than `upto`, those
  /// of the smaller buckets included.
  struct bucket {
    double upto = 0;
    std::uint64_t count = 0;
    bool operator==(const bucket&) const = default;
  };
  std::string name;
  std::string help; ///< one sentence; the same for all of a name
  kind type = kind::gauge;
  std::vector<std::pair<std::string, std::string>> labels = {};
  /// Of a histogram: how many values there were.
  double value = 0;
  std::vector<bucket> buckets = {}; ///< of a histogram, ascending, all finite
  double sum = 0;                   ///< of a histogram's values
  bool operator==(const metric&) const = default;
};

/// Where an engine registers its figures. Implement it over your program's
/// library: `add` keeps the collector, a scrape calls it.
class FANFARE_API metrics_registry {
public:
  /// The current figures, grouped by name. Any thread; takes well below a
  /// millisecond, however many webhooks there are, but as `statistics` it may
  /// wait some for the store's tables.
  using collector = std::function<std::vector<metric>()>;

  metrics_registry() = default;
  metrics_registry(const metrics_registry&) = delete;
  metrics_registry& operator=(const metrics_registry&) = delete;
  virtual ~metrics_registry();

  /// Called once by engine::start. `who` is the engine, as a key for `remove`.
  virtual void add(const void* who, collector figures) = 0;
  /// Called once before the engine ends. The collector must not be called after
  /// it returns.
  virtual void remove(const void* who) noexcept = 0;
};

/// The text that Prometheus scrapes (exposition format 0.0.4; serve it as
/// "text/plain; version=0.0.4"). Figures must be grouped by name. Any
/// thread.
[[nodiscard]] FANFARE_API std::string
prometheus_text(std::span<const metric> figures);

/// The same in OpenMetrics 1.0, with units; serve it as
/// "application/openmetrics-text; version=1.0.0; charset=utf-8".
[[nodiscard]] FANFARE_API std::string
openmetrics_text(std::span<const metric> figures);

} // namespace fanfare
