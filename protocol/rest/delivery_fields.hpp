// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The settings of delivery as JSON: times are seconds as numbers, fractions
/// count down to the millisecond, null means "as the engine does". Any thread.
///
/// Limits: timeouts 0.001 to 300 s; max_in_flight 1 to 64; schedule up to 100
/// delays of 0 s to 30 days; max_age 0.001 s to 30 days.

#include "model/types.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string>
#include <utility>
#include <vector>

namespace fanfare::protocol::rest {

/// A change of settings: each top-level key that was sent replaces what is
/// stored.
struct delivery_patch {
  delivery_settings value;
  bool timeouts = false;
  bool max_in_flight = false;
  bool schedule = false;
  bool max_age = false;

  void apply(delivery_settings& to) const;
};

/// Key and sentence of each fault.
using delivery_faults = std::vector<std::pair<std::string, std::string>>;

[[nodiscard]] delivery_faults read_delivery(const boost::json::object& json,
                                            delivery_patch& out);

[[nodiscard]] boost::json::object to_json(const delivery_settings& settings);

} // namespace fanfare::protocol::rest
