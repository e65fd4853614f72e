// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a webhook's settings mean for its calls, worked out once per change:
/// the target, the way to it, limits, signing keys, headers.

#include "actors/webhook/backoff.hpp"
#include "actors/webhook/pace.hpp"
#include "model/records.hpp"
#include "protocol/client/egress.hpp"
#include "protocol/client/transport.hpp"
#include "protocol/security/signature.hpp"
#include "protocol/security/vault.hpp"
#include "protocol/target/target.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fanfare {

/// For a webhook whose settings say nothing.
struct delivery_defaults {
  backoff_policy backoff;
  protocol::exchange_limits limits;
  pace_policy pace;
  /// A webhook that has only failed for that long is disabled; 0: never.
  std::chrono::milliseconds disable_after = std::chrono::days{5};
  /// Opens sealed settings. Null: none is encrypted.
  const protocol::vault* vault = nullptr;
  /// The fence of an organizer with networks of its own; null for others, and
  /// if this is empty.
  struct fence {
    std::shared_ptr<const protocol::address_policy> policy;
    std::uint64_t generation = 0; ///< another one after each change
  };
  std::function<fence(organizer_id)> fence_of = {};
  /// Proxies of webhooks may look up names.
  bool proxies_resolve = false;
};

class delivery_plan {
public:
  delivery_plan() = default;
  delivery_plan(const webhook_record& hook, const delivery_defaults& defaults);

  /// Null: `error` says why nothing can be sent.
  std::shared_ptr<const protocol::target> to;
  std::string error;
  /// It is something of this engine's that is missing, such as a key: nothing
  /// of the receiver's or its owner's.
  bool lacking = false;
  std::shared_ptr<const protocol::egress> by; ///< null: the engine's way
  backoff_policy backoff;
  protocol::exchange_limits limits;
  pace_policy pace;
  std::chrono::milliseconds disable_after{0}; ///< as the defaults have it
  bool thin = false;
  bool ordered = false;
  bool paused = false;
  std::optional<delivery_settings::batching> batch;
  std::vector<std::uint16_t> final_statuses;
  /// End of its last pause: notifications from before count as published then.
  timestamp resumed{};

  /// Whether it is the target of calls that start now.
  [[nodiscard]] bool calls(const protocol::target& other) const {
    return to
        && (to.get() == &other
            || (other.head() == to->head() && other.key() == to->key()));
  }
  /// Whether what was published then was held by a pause.
  [[nodiscard]] bool resumes(timestamp published) const {
    return published <= resumed;
  }

  /// The headers of one attempt: signatures and trace, each with its CRLF.
  /// `id`: of the message, the same in all attempts.
  [[nodiscard]] std::string headers(std::string_view id, std::string_view body,
                                    std::string_view trace, timestamp now) {
    return keys_.empty() && trace.empty()
           ? std::string{}
           : render_headers(id, body, trace, now);
  }

private:
  std::string render_headers(std::string_view id, std::string_view body,
                             std::string_view trace, timestamp now);
  void read_secrets(const webhook_record& hook, const protocol::vault& vault);
  void read_egress(const webhook_record& hook,
                   const delivery_defaults& defaults,
                   const protocol::vault& vault);
  protocol::request_style style(const webhook_record& hook,
                                const protocol::vault& vault);

  std::vector<protocol::signing_key> keys_; ///< newest first
  std::vector<std::optional<timestamp>> expire_;
  std::optional<legacy_signature> legacy_;
  std::string secret_; ///< its text, for the legacy header
};

} // namespace fanfare
