// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The options of an engine, checked once: complete, within their limits, and
/// with their files and texts read.

#include "engine/tracing/trace_settings.hpp"
#include "fanfare/error.hpp"
#include "fanfare/options.hpp"
#include "protocol/client/egress.hpp"
#include "protocol/client/tls.hpp"
#include "protocol/security/vault.hpp"
#include "protocol/target/address_policy.hpp"
#include "protocol/target/host_list.hpp"

#include <memory>

namespace fanfare {

struct checked_options {
  /// With a clock, a log, a number of threads and no secret keys; neither `log`
  /// nor `on_fatal` throws.
  engine_options given;
  protocol::address_policy policy;
  protocol::vault vault; ///< made of the secret keys
  /// Null: calls go directly.
  std::shared_ptr<const protocol::proxy> proxy;
  /// What is called without the proxy; null: nothing.
  std::shared_ptr<const protocol::host_list> no_proxy;
  std::shared_ptr<protocol::tls_settings> tls;
  trace_settings traces;
};

/// The options that can change while the engine runs: what engine::
/// change_options documents, with its errors.
[[nodiscard]] result<protocol::address_policy>
check_changeable(const engine_options& wanted);

/// The errors that engine::start documents. Reads files.
[[nodiscard]] result<checked_options> check_options(engine_options options);

} // namespace fanfare
