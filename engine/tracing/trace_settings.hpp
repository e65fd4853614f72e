// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The options of tracing, checked once.

#include "fanfare/error.hpp"
#include "fanfare/options.hpp"
#include "protocol/target/target.hpp"

#include <memory>

namespace fanfare {

struct trace_settings {
  /// What requests go to, with all their headers. Null: nothing is traced.
  std::shared_ptr<const protocol::target> collector;
  /// Without the endpoint's secrets: for the log.
  std::string shown;
};

/// Reads `header_file`, and erases what may be secret from the options.
/// invalid_argument and io_error, with the field ("tracing.endpoint").
[[nodiscard]] result<trace_settings> read_trace_settings(tracing_options& o);

} // namespace fanfare
