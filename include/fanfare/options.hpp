// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The options of an engine. Each defaults like the server's option for the
/// same thing, if any.
///
/// Durations go up to 36,500 days, which means "forever". Durations, sizes and
/// numbers must be positive unless stated otherwise.

#include "fanfare/clock.hpp"
#include "fanfare/log.hpp"
#include "fanfare/metrics.hpp"
#include "fanfare/types.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fanfare {

/// Routes to receivers.
struct network_options {
  /// Networks ("10.0.0.0/8") in which targets may be although they are not
  /// public.
  std::vector<std::string> allow = {};
  /// Networks that they may not be in, whatever else allows it, and names
  /// ("internal.example" and all below it, ".internal.example" for those below
  /// only) that may not be called.
  std::vector<std::string> deny = {};
  /// "http://[USER:PASSWORD@]HOST:PORT", "socks5://…", or "socks5h://…", which
  /// needs `proxy_resolves`: all calls go through it, except those of webhooks
  /// with a proxy of their own. Empty: directly.
  std::string proxy = {};
  /// Hosts that are called without it: "internal.example" and all below it,
  /// ".internal.example" for those below only, networks. A name is in a network
  /// if all its addresses are.
  std::vector<std::string> no_proxy = {};
  /// `proxy` is asked for names, which it looks up, and webhooks may have
  /// socks5h:// proxies, which do so too. Where a name leads is then not
  /// checked here: the proxy has to refuse what must not be reached. Needed
  /// only where no name server can be asked.
  bool proxy_resolves = false;
  /// "ADDRESS" or "ADDRESS:PORT"; empty: the system's.
  std::vector<std::string> dns_servers = {};
  /// PEM file of the authorities that verify receivers; empty: the
  /// system's.
  std::string ca_file = {};
};

/// The keys that encrypt secrets on disk. Without them secrets stay plain, and
/// the log says so.
struct secret_options {
  /// A key per line: 32 bytes as 64 hexadecimal digits or as base64, or a
  /// single key of 32 raw bytes. The first one seals, all of them open. Lines
  /// that begin with '#' are comments. `start` erases its copy.
  std::string keys = {};
  /// A file with them, instead of `keys`; only its owner may have access to
  /// it.
  std::string key_file = {};
};

/// How often and for how long a failed call is retried, and how failures affect
/// a webhook.
struct retry_options {
  /// Delays after attempts 1, 2, …, at most 100, which can be 0; up to 10 % is
  /// added at random. Empty: 5 s to 24 h, 12 attempts.
  std::vector<std::chrono::milliseconds> schedule = {};
  /// Age since publish beyond which nothing is retried.
  std::chrono::milliseconds max_age = std::chrono::hours{72};
  /// Consecutive failures of a webhook after which attempts pause; the pause
  /// doubles up to `breaker_longest`, if that is longer; 0: never.
  std::uint32_t breaker_failures = 50;
  std::chrono::milliseconds breaker_pause{2'000};
  std::chrono::milliseconds breaker_longest{60'000};
  /// A webhook that has only failed for that long is disabled; 0: never.
  std::chrono::milliseconds disable_after = std::chrono::days{5};
};

/// Limits of concurrency.
struct concurrency_options {
  /// Attempts of one webhook in flight; at most 1,000,000.
  std::size_t max_in_flight = 8;
  /// Quick attempts of one destination, and of one organizer, in flight. Each
  /// I/O thread has its share of them, but lets every webhook have
  /// `max_in_flight` and an organizer at most 1,024: with many threads a
  /// destination can exceed its limit, or an organizer fall short of it.
  std::size_t max_per_destination = 128;
  std::size_t max_per_organizer = 1'024;
  /// Notifications of one webhook that wait in memory; at most 1,000,000.
  std::size_t window = 256;
};

/// Limits of one attempt. None may be set to more than `total`.
struct timeout_options {
  std::chrono::milliseconds dns{5'000};         ///< the look-up of the host
  std::chrono::milliseconds connect{5'000};     ///< the connection
  std::chrono::milliseconds tls{5'000};         ///< the handshake
  std::chrono::milliseconds first_byte{30'000}; ///< from request to answer
  std::chrono::milliseconds total{30'000};      ///< all of it
};

/// Size, retention and write intervals of the store.
struct store_options {
  /// Maximum bytes of the store, 4 MiB to 64 TiB; publishes are refused before
  /// it is full.
  std::size_t max_size = std::size_t{64} << 30;
  /// Older notifications and calls are removed.
  std::chrono::milliseconds retention = std::chrono::hours{24 * 30};
  /// How often they are removed.
  std::chrono::milliseconds retention_interval = std::chrono::minutes{1};
  /// How often progress is saved: bounds the calls replayed at a
  /// start.
  std::chrono::milliseconds checkpoint_interval{2'000};
  /// Checkpoints after which an idle webhook's actor ends; 0: at the next
  /// one.
  std::size_t idle_checkpoints = 15;
  /// How long calls wait for others to share a commit; 0: not at
  /// all.
  std::chrono::microseconds commit_linger{2'000};
};

/// Traces, as OpenTelemetry has them: a span for each notification published
/// and for each request to a receiver, sent to a collector by OTLP over HTTP.
struct tracing_options {
  /// "http://HOST:4318": the collector, which gets the spans at "/v1/traces"
  /// below this, unless it ends with that. Empty: nothing is traced.
  std::string endpoint = {};
  /// Further headers of each request to it, "NAME=VALUE". `start` erases its
  /// copy.
  std::vector<std::string> headers = {};
  /// A file with further ones, one per line; only its owner may have access to
  /// it.
  std::string header_file = {};
  /// How many of the traces that begin here are recorded, 0 to 1. Those that
  /// publishers have begun are recorded if their `traceparent` says so.
  double sample = 1;
  std::string service_name = "fanfare"; ///< in the collector
  /// Spans that wait for it in memory, at most 1,000,000; further ones push out
  /// the oldest.
  std::size_t queue = 16'384;
  /// Spans in one request, at most 10,000.
  std::size_t batch = 512;
  /// How long spans wait for others to share a request.
  std::chrono::milliseconds interval{1'000};
  std::chrono::milliseconds timeout{10'000}; ///< of one request
};

struct engine_options {
  /// The directory of the store; created if missing.
  std::filesystem::path data = "data";
  /// I/O threads, at most 256; 0: one per core.
  std::size_t threads = 0;
  network_options network = {};
  secret_options secrets = {};
  retry_options retries = {};
  concurrency_options concurrency = {};
  timeout_options timeouts = {};
  store_options store = {};
  /// Register the action types of pretix at the start, unless they are there
  /// already. Without them the vocabulary is the program's own; those of an
  /// earlier start stay.
  bool builtin_types = true;
  tracing_options tracing = {};
  /// How long `publish`, `publish_later` and `publish_once` wait while 4 MiB
  /// wait for the disk; then they are `overloaded` only beyond 64 MiB. 0: not.
  std::chrono::milliseconds publish_patience{30'000};

  // -- lent by the program ----------------------------------------------------
  //
  // Objects that these refer to must outlive the engine.

  /// Messages for the operator, one line each; without it nothing is logged.
  /// Any thread, several at once; must not block or call the engine.
  std::function<void(log_level, const std::string&)> log = {};
  /// The engine cannot continue and must be stopped; the sentence says why.
  /// From then on publishes and changes are refused and nothing is attempted.
  /// Any thread; it must have another thread stop the engine.
  std::function<void(const std::string&)> on_fatal = {};
  /// Gets each call once it is on disk, in log order and one at a time, on the
  /// engine's committer thread: every commit waits for an observer to return.
  /// It may publish by `try_publish`; functions that block would wait for
  /// themselves. The call is valid until it returns. Calls of tests, and those
  /// that a stop cut short, are included; calls logged before a start are not
  /// repeated.
  std::vector<std::function<void(const call&)>> call_observers = {};
  /// The time of day; null: the machine's. After setting it, call
  /// `engine::wake`. Read on any thread; it must not throw.
  std::shared_ptr<const wall_clock> clock = {};
  /// Receives the engine's figures; null: only `engine::metrics` has them.
  std::shared_ptr<metrics_registry> metrics = {};
};

} // namespace fanfare
