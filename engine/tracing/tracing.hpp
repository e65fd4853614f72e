// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What traces an engine: the tracer, which makes spans, and the exporter,
/// which sends them to the collector.

#include "actors/tracer.hpp"
#include "engine/directory.hpp"
#include "engine/options.hpp"
#include "engine/tracing/trace_exporter.hpp"

#include <chrono>
#include <memory>

namespace fanfare {

class tracing {
public:
  /// Null if the options have no collector. Both must outlive it. Throws as the
  /// exporter.
  [[nodiscard]] static std::unique_ptr<tracing>
  make(const checked_options& options, const directory& names);

  tracing(const checked_options& options, const directory& names);

  /// For the crew; it must end before this.
  [[nodiscard]] tracer& spans() {
    return tracer_;
  }
  /// What waits is sent, for some seconds at most. Once the crew has ended. Any
  /// thread.
  void stop();
  /// Any thread.
  [[nodiscard]] const span_counts& counts() const {
    return exporter_.counts();
  }

private:
  trace_exporter exporter_;
  tracer tracer_;
};

} // namespace fanfare
