// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What options of `fanfare serve` stand for: the files that they name, and the
/// networks. At the start and when they are read again.

#include "cli/serve_options.hpp"
#include "fanfare/error.hpp"
#include "protocol/server/tls_identity.hpp"
#include "protocol/target/network.hpp"

#include <memory>
#include <vector>

namespace fanfare::cli {

/// The server's certificate and key; null without TLS. Errors say where the
/// option was set.
[[nodiscard]] result<std::shared_ptr<protocol::tls_identity>>
load_identity(const serve_options& options);

/// Those of --trusted-proxy. Errors say where it was set.
[[nodiscard]] result<std::vector<protocol::network>>
read_trusted_proxies(const serve_options& options);

} // namespace fanfare::cli
