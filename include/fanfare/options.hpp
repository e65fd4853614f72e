// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The options of an engine. Each has the default of the server's option of
/// that name, if there is one.
///
/// Durations go up to 36,500 days, which stands for "for ever". They, sizes and
/// numbers must be greater than zero where nothing else is said.

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

/// How receivers are reached.
struct network_options {
  /// Networks ("10.0.0.0/8") that targets may be in although they are not
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
  /// PEM file of the authorities that receivers are verified with; empty: the
  /// system's.
  std::string ca_file = {};
};

/// What secrets are encrypted with on disk. Without either they are not, and
/// the log says so.
struct secret_options {
  /// A key per line: 32 bytes as 64 hexadecimal digits or as base64, or a
  /// single one of 32 bytes as they are. The first one seals, all of them open.
  /// Lines that begin with '#' are comments. `start` erases its copy.
  std::string keys = {};
  /// A file with them, in place of `keys`; nobody but its owner may be allowed
  /// to use it.
  std::string key_file = {};
};

/// How often and for how long a failed call is tried again, and what failures
/// do to a webhook.
struct retry_options {
  /// Delays after the attempts 1, 2, …, at most 100, which may be 0; up to 10 %
  /// is added at random. Empty: 5 s to 24 h, 12 attempts.
  std::vector<std::chrono::milliseconds> schedule = {};
  /// Age since publish beyond which nothing is tried again.
  std::chrono::milliseconds max_age = std::chrono::hours{72};
  /// Failures of a webhook in a row after which nothing is attempted for a
  /// pause, which doubles up to `breaker_longest`, if that is longer; 0: never.
  std::uint32_t breaker_failures = 50;
  std::chrono::milliseconds breaker_pause{2'000};
  std::chrono::milliseconds breaker_longest{60'000};
  /// A webhook that has only failed for that long is disabled; 0: never.
  std::chrono::milliseconds disable_after = std::chrono::days{5};
};

/// How much goes on at the same time.
struct concurrency_options {
  /// Attempts of one webhook in flight; at most 1,000,000.
  std::size_t max_in_flight = 8;
  /// Quick attempts of one destination, and of one organizer, in flight. Each
  /// I/O thread has its share of them, but lets every webhook have
  /// `max_in_flight` and an organizer no more than 1,024: with many threads it
  /// may be more of a destination, or less of an organizer.
  std::size_t max_per_destination = 128;
  std::size_t max_per_organizer = 1'024;
  /// Notifications of one webhook that wait in memory; at most 1,000,000.
  std::size_t window = 256;
};

/// Limits of one attempt.
struct timeout_options {
  std::chrono::milliseconds dns{5'000};         ///< the look-up of the host
  std::chrono::milliseconds connect{5'000};     ///< the connection
  std::chrono::milliseconds tls{5'000};         ///< the handshake
  std::chrono::milliseconds first_byte{30'000}; ///< from request to answer
  std::chrono::milliseconds total{30'000};      ///< all of it
};

/// What is kept on disk, for how long, and how often it is written.
struct store_options {
  /// Most bytes the store may take, 1 MiB (less means that) to 64 TiB;
  /// publishes are refused before it is full.
  std::size_t max_size = std::size_t{64} << 30;
  /// Notifications and calls older than that are removed.
  std::chrono::milliseconds retention = std::chrono::hours{24 * 30};
  /// How often that is looked after.
  std::chrono::milliseconds retention_interval = std::chrono::minutes{1};
  /// How often progress is saved: bounds the calls that are replayed at a
  /// start.
  std::chrono::milliseconds checkpoint_interval{2'000};
  /// Checkpoints after which an idle webhook's actor is ended; 0: at the next
  /// one.
  std::size_t idle_checkpoints = 15;
  /// How long finished calls wait for others to share a commit with; 0: not at
  /// all.
  std::chrono::microseconds commit_linger{2'000};
};

struct engine_options {
  /// The directory of the store; made if it does not exist.
  std::filesystem::path data = "data";
  /// I/O threads, at most 256; 0: as many as the machine has cores.
  std::size_t threads = 0;
  network_options network = {};
  secret_options secrets = {};
  retry_options retries = {};
  concurrency_options concurrency = {};
  timeout_options timeouts = {};
  store_options store = {};
  /// How long `publish` waits for room before it is `overloaded`; 0: not at
  /// all.
  std::chrono::milliseconds publish_patience{30'000};

  // -- lent by the program ----------------------------------------------------
  //
  // What these refer to must live until the engine's destructor has returned.

  /// What an operator should know, one line each; without it nothing is logged.
  /// Any thread, several at once; must not block, and must not call the engine.
  std::function<void(log_level, const std::string&)> log = {};
  /// The engine cannot go on and wants to be stopped; the sentence says why.
  /// From then on publishes and changes are refused and nothing is attempted.
  /// Any thread; it must not stop the engine itself, but have somebody do it.
  std::function<void(const std::string&)> on_fatal = {};
  /// Called with each finished call once it is on disk, in the order of the log
  /// and one at a time, on the engine's committer thread: every commit waits
  /// for an observer to return. It may publish by `try_publish`; calls that
  /// block would wait for themselves. The call is valid until it returns.
  /// Calls that are tests, and those that a stop cut short, are among them;
  /// what had been logged before a start is not told again.
  std::vector<std::function<void(const call&)>> call_observers = {};
  /// The time of day; null: the machine's. After it was set, call
  /// `engine::wake`. Asked on any thread; it must not throw.
  std::shared_ptr<const wall_clock> clock = {};
  /// Where the engine's figures go; null: only `engine::metrics` has them.
  std::shared_ptr<metrics_registry> metrics = {};
};

} // namespace fanfare
