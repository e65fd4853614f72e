// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The spans of an engine: one per notification, one per request to a receiver.
/// Nothing about them is kept: the ids of spans follow from what is stored with
/// a notification, and from the attempt. So a trace goes on after a restart
/// (docs/decisions/0030-ids-of-spans-are-computed.md).

#include "actors/webhook/attempt.hpp"
#include "fanfare/clock.hpp"
#include "fanfare/types.hpp"
#include "model/records.hpp"
#include "protocol/otlp/span.hpp"
#include "protocol/payload/trace_context.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace fanfare {

struct tracer_config {
  const wall_clock* clock = nullptr;
  /// How many of the traces that begin here are recorded, 0 to 1.
  double sample = 1;
  /// Takes an encoded span. Any thread; must not block.
  std::function<void(std::string)> offer;
  /// Name an organizer and an event; empty: unknown. Any thread.
  std::function<std::string(organizer_id)> organizer_of;
  std::function<std::string(event_id)> event_of;
};

/// A request to a receiver, as far as its span's id follows from it.
struct traced_request {
  const notification& what;
  const std::vector<notification_ptr>& members; ///< of a batch; else none
  webhook_id to = 0;
  std::uint16_t attempt = 1;
  timestamp started;
};

class tracer {
public:
  explicit tracer(tracer_config config);

  // -- by the thread with the turn to write -----------------------------------

  /// The trace of a notification that has none, in the form of
  /// `notification::trace`. Whether it is recorded is decided here, once.
  [[nodiscard]] std::string begin();
  /// They are on disk.
  void published(const std::vector<notification_ptr>& what) const;

  // -- any thread -------------------------------------------------------------

  /// What the receiver is told, in the form of `notification::trace`.
  [[nodiscard]] std::string trace_of(const traced_request& request) const;
  /// Of a request that has ended; nothing if it is not recorded. `end` takes
  /// it, once it is known what follows.
  [[nodiscard]] std::optional<protocol::otlp::span>
  span_of(const attempt_result& r, const webhook_record& hook) const;
  void end(protocol::otlp::span&& one, outcome came_of_it) const;

private:
  struct position_in_trace;
  [[nodiscard]] std::optional<position_in_trace>
  place(const traced_request& request) const;
  void publish_span(const notification& what, timestamp now) const;

  tracer_config config_;
  std::mt19937_64 random_; ///< for begin()
  std::uint64_t seed_;     ///< of the ids of batches
};

} // namespace fanfare
