// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which settings of delivery a webhook may have. docs/delivery.md lists them
/// for users.

#include "fanfare/error.hpp"
#include "fanfare/types.hpp"
#include "protocol/security/vault.hpp"

#include <chrono>
#include <cstddef>

namespace fanfare::protocol {

namespace delivery_limits {

// Numbers are doubles because they are compared with JSON's.
inline constexpr std::chrono::milliseconds timeout_limit{300'000};
inline constexpr std::chrono::milliseconds age_limit = std::chrono::days{30};
inline constexpr std::chrono::milliseconds period_limit = std::chrono::days{1};
inline constexpr std::size_t schedule_limit = 100;
inline constexpr double in_flight_limit = 64;
inline constexpr double rate_limit = 1'000'000;
inline constexpr double min_rate_limit = 1'000'000'000;
inline constexpr double least_header_bytes = 256;
inline constexpr double header_bytes_limit_of_answer = 256 * 1024;
inline constexpr double body_bytes_limit = 16 * 1024 * 1024;
inline constexpr double batch_limit = 100;
inline constexpr double batch_wait_limit = 60'000;
inline constexpr std::size_t suffix_limit = 128;
inline constexpr std::size_t prefix_limit = 64;
inline constexpr std::size_t template_limit = 256;
inline constexpr std::size_t pem_limit = std::size_t{64} * 1024;
inline constexpr std::size_t proxy_limit = 1'024;

} // namespace delivery_limits

/// Whether a webhook may have these settings. invalid_argument with the field
/// "delivery.KEY". Secrets that are sealed were checked before they were; a
/// client key among them is opened by `seals` to see whether it fits its
/// certificate. Any thread.
[[nodiscard]] result<void> check_delivery(const delivery_settings& settings,
                                          const vault& seals);

/// Seals the secrets that are not.
void seal_secrets(delivery_settings& settings, const vault& seals);

/// Whether the papers fit each other; field "tls".
[[nodiscard]] result<void>
check_papers(const delivery_settings::tls_material& papers,
             const std::string& key);

/// Whether receivers could tell the legacy signature from the other headers;
/// field "signing".
[[nodiscard]] result<void>
check_signing_header(const delivery_settings& settings);

} // namespace fanfare::protocol
