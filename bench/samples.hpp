// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the benchmarks of single parts work on: always the same, and shaped
/// like what a ticket shop publishes and what nginx answers.

#include "actors/subscription_index.hpp"
#include "actors/webhook/delivery_plan.hpp"
#include "model/payload_filter.hpp"
#include "model/records.hpp"
#include "protocol/client/transport.hpp"

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace fanfare::bench {

/// What happened, to whom and about what in all samples.
inline constexpr organizer_id owner = 1;
inline constexpr action_type_id type = 3;
inline constexpr event_id event = 7;

inline constexpr timestamp published{
  std::chrono::milliseconds{1'790'000'000'000}};

inline constexpr std::string_view hmac_secret = "whsec_"
                                                "MfKQ9r8GKYqrTwjUPD8ILPZIo2La"
                                                "LaSw";
inline constexpr std::string_view ed25519_secret = "whsk_"
                                                   "AAECAwQFBgcICQoLDA0ODxAREh"
                                                   "MUFRYXGBkaGxwdHh8=";

/// W3C Trace Context as a publisher passes it on.
inline constexpr std::string_view trace = "00-0af7651916cd43dd8448eb211c80319c-"
                                          "b7ad6b7169203331-01";

/// An order of about 400 bytes.
[[nodiscard]] notification order_placed(position id);

/// A filter on it that holds: two comparisons, a list and a nested key.
[[nodiscard]] std::shared_ptr<const payload_filter> filter();

/// So many webhooks of `owner` and as many of others; a hundredth of them wants
/// what `order_placed` is about.
[[nodiscard]] subscription_index index_of(std::size_t webhooks);

/// A webhook with a secret per text.
[[nodiscard]] webhook_record
signed_webhook(std::initializer_list<std::string_view> secrets);

/// What nginx answers to a delivery: 200 with a short text.
inline constexpr std::string_view answer = "HTTP/1.1 200 OK\r\n"
                                           "Server: nginx/1.22.1\r\n"
                                           "Date: Tue, 22 Sep 2026 13:33:20 "
                                           "GMT\r\n"
                                           "Content-Type: text/plain\r\n"
                                           "Content-Length: 3\r\n"
                                           "Connection: keep-alive\r\n"
                                           "\r\n"
                                           "ok\n";

/// Reads a whole answer as the HTTP client does: first the head, then the body.
/// Its status is 0 if it is malformed.
[[nodiscard]] protocol::exchange_result
read_answer(std::string_view bytes, const protocol::exchange_limits& limits);

/// The entry of the log for such an answer.
[[nodiscard]] call delivered(webhook_id hook, position subject);

} // namespace fanfare::bench
