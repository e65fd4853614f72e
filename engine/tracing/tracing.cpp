// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/tracing/tracing.hpp"

#include <string>
#include <utility>

namespace fanfare {

namespace {

/// For the last spans, at a stop.
constexpr std::chrono::seconds stop_patience{2};

} // namespace

std::unique_ptr<tracing> tracing::make(const checked_options& options,
                                       const directory& names) {
  return options.traces.collector ? std::make_unique<tracing>(options, names)
                                  : nullptr;
}

tracing::tracing(const checked_options& options, const directory& names)
  : exporter_(options),
    tracer_(
      {.clock = options.given.clock.get(),
       .sample = options.given.tracing.sample,
       .offer = [this](std::string span) { exporter_.offer(std::move(span)); },
       .organizer_of =
         [&names](organizer_id id) { return names.find_slug(id); },
       .event_of =
         [&names](event_id id) {
           const auto found = names.find_event(id);
           return found ? found->slug : std::string{};
         }}) {}

void tracing::stop() {
  exporter_.stop(stop_patience);
}

} // namespace fanfare
