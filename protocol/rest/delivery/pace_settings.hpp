// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Settings of when calls are made, how many at a time, and when they are
/// retried.

#include "protocol/rest/delivery/setting.hpp"

namespace fanfare::protocol::rest::settings {

extern const setting max_in_flight;
extern const setting rate_limit;
extern const setting resume_rate;
extern const setting batch;
extern const setting schedule;
extern const setting max_age;
extern const setting final_statuses;
extern const setting ordered;
extern const setting paused;

} // namespace fanfare::protocol::rest::settings
