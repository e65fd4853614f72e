// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What an engine counts, in a form that any metrics library can take.

#include "fanfare/export.hpp"

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace fanfare {

/// One figure at one moment. Names and units follow the conventions of
/// Prometheus: "fanfare_calls_total", seconds, bytes.
struct metric {
  enum class kind : std::uint8_t {
    counter, ///< only grows, and begins at 0 with each engine
    gauge,   ///< goes up and down
  };
  std::string name;
  std::string help; ///< one sentence; the same for all of one name
  kind type = kind::gauge;
  std::vector<std::pair<std::string, std::string>> labels = {};
  double value = 0;
  bool operator==(const metric&) const = default;
};

/// Where an engine announces its figures. Implement it over the library that
/// your program uses: `add` keeps the collector, a scrape calls it.
class FANFARE_API metrics_registry {
public:
  /// The figures of now, all of a name next to each other. Any thread; takes a
  /// few microseconds and never waits for the disk.
  using collector = std::function<std::vector<metric>()>;

  metrics_registry() = default;
  metrics_registry(const metrics_registry&) = delete;
  metrics_registry& operator=(const metrics_registry&) = delete;
  virtual ~metrics_registry();

  /// Called once by engine::start. `who` is the engine, as a key for `remove`.
  virtual void add(const void* who, collector figures) = 0;
  /// Called once before the engine ends. When it has returned, the collector
  /// must not be called any more.
  virtual void remove(const void* who) noexcept = 0;
};

/// The text that Prometheus scrapes (exposition format 0.0.4, to be served as
/// "text/plain; version=0.0.4"). Figures of one name must stand next to each
/// other. Any thread.
[[nodiscard]] FANFARE_API std::string
prometheus_text(std::span<const metric> figures);

} // namespace fanfare
