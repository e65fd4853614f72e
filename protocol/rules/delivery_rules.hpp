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
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::protocol {

namespace delivery_limits {

// Numbers are doubles because they are compared with JSON's.
inline constexpr std::chrono::milliseconds timeout_limit{300'000};
inline constexpr std::chrono::milliseconds age_limit = std::chrono::days{30};
inline constexpr std::chrono::milliseconds period_limit = std::chrono::days{1};
inline constexpr std::size_t schedule_limit = 100;
inline constexpr std::size_t final_statuses_limit = 20;
inline constexpr double least_final_status = 300;
inline constexpr double most_final_status = 599;
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
inline constexpr std::size_t webhook_name_limit = 64;

} // namespace delivery_limits

/// Whether a webhook may have these settings. invalid_argument with the field
/// "delivery.KEY". Sealed secrets were checked before they were sealed; only a
/// client key is opened with `seals`, to see whether it fits its certificate.
/// Any thread.
[[nodiscard]] result<void> check_delivery(const delivery_settings& settings,
                                          const vault& seals);

/// Seals the secrets that are not sealed yet.
void seal_secrets(delivery_settings& settings, const vault& seals);

/// Whether client certificate and key belong together; field "tls".
[[nodiscard]] result<void>
check_papers(const delivery_settings::tls_material& papers,
             const std::string& key);

/// What is wrong with the placeholders in prefix and template of the legacy
/// signature: the template needs {body}, and a word in braces that nothing
/// replaces would be sent and signed as it stands. A sentence that names the
/// member.
[[nodiscard]] std::optional<std::string>
placeholder_fault(const legacy_signature& how);

/// Why no answer with that status may be final: out of range, or 410, which
/// disables the webhook anyway. A sentence.
[[nodiscard]] std::optional<std::string> final_status_fault(double status);

/// Whether no step may take longer than the whole attempt, which would end it
/// before: `whole` is the total of a webhook that has none of its own. Field
/// "delivery.timeouts". Only what the webhook sets is compared.
[[nodiscard]] result<void>
check_timeouts(const delivery_settings::timeout_settings& settings,
               std::chrono::milliseconds whole);

/// Whether the proxy, if it is given as a plain text, is one that is asked for
/// addresses; field "delivery.proxy".
[[nodiscard]] result<void> check_proxy_asked(const secret_text& url);

/// Whether a webhook can have this name: never one that could be a number.
[[nodiscard]] bool is_webhook_name(std::string_view name);
inline constexpr std::string_view webhook_name_rule =
  "A name has at most 64 characters: a letter, then letters, digits, '-', '_' "
  "and '.'.";

/// Whether the legacy signature's header differs from all others; field
/// "signing".
[[nodiscard]] result<void>
check_signing_header(const delivery_settings& settings);

} // namespace fanfare::protocol
