// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The engine: publish once, delivered to every subscriber, nothing lost. This
/// is the one face of all that lies below it; the server and the command line
/// use nothing else.
///
///     auto engine = fanfare::engine::start({.data = "data"});
///     (*engine)->publish(owner, {std::move(item)}, [](auto ids) { … });
///     (*engine)->stop(std::chrono::seconds{10});

#include "fanfare/engine.hpp"
#include "fanfare/error.hpp"
#include "fanfare/types.hpp"
#include "protocol/vault.hpp"

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fanfare {

enum class log_level { debug, info, warning, error };

struct engine_options {
  /// The directory of the store; made if it does not exist.
  std::filesystem::path data = "data";
  /// I/O threads; 0: as many as the machine has cores.
  std::size_t threads = 0;
  /// Networks ("10.0.0.0/8") that targets may be in although they are not
  /// public.
  std::vector<std::string> allow_networks;
  /// Networks that they may not be in, whatever else allows it.
  std::vector<std::string> deny_networks;
  /// "http://[USER:PASSWORD@]HOST:PORT" or "socks5://…": all calls go through
  /// it but those of webhooks with one of their own. Empty: directly.
  std::string proxy;
  /// "ADDRESS" or "ADDRESS:PORT"; empty: the system's.
  std::vector<std::string> dns_servers;
  /// What secrets are encrypted with on disk. Without a key they are not.
  protocol::vault vault;
  /// PEM file of the authorities that receivers are verified with; empty: the
  /// system's.
  std::string ca_file;

  /// Delays after the attempts 1, 2, …; up to 10 % is added at random.
  std::vector<std::chrono::milliseconds>
    schedule; ///< empty: 5 s to 24 h, 12 attempts
  /// Age since publish beyond which nothing is tried again.
  std::chrono::milliseconds max_age = std::chrono::hours{72};
  /// Notifications and calls older than that are removed.
  std::chrono::milliseconds retention = std::chrono::hours{24 * 30};
  std::chrono::milliseconds retention_interval = std::chrono::minutes{1};

  /// Attempts of one webhook at the same time.
  std::size_t max_in_flight = 8;
  /// Quick attempts of one destination, and of one organizer, at the same time.
  std::size_t max_per_destination = 128;
  std::size_t max_per_organizer = 1'024;
  /// Failures of a webhook in a row after which nothing is attempted for a
  /// pause, which doubles up to `breaker_longest`; 0: never.
  std::uint32_t breaker_failures = 50;
  std::chrono::milliseconds breaker_pause{2'000};
  std::chrono::milliseconds breaker_longest{60'000};
  /// A webhook that has only failed for that long is disabled; 0: never.
  std::chrono::milliseconds disable_after = std::chrono::days{5};
  /// Notifications of one webhook that wait in memory.
  std::size_t window = 256;
  std::chrono::milliseconds dns_timeout{5'000};
  std::chrono::milliseconds connect_timeout{5'000};
  std::chrono::milliseconds tls_timeout{5'000};
  std::chrono::milliseconds first_byte_timeout{30'000};
  std::chrono::milliseconds total_timeout{30'000};

  /// How often progress is saved: bounds the calls that are replayed at a
  /// start.
  std::chrono::milliseconds checkpoint_interval{2'000};
  /// How long finished calls wait for others to share a commit with.
  std::chrono::microseconds commit_linger{2'000};
  /// Checkpoints after which an idle webhook's actor is ended.
  std::size_t idle_checkpoints = 15;
  /// Most bytes the store may take; publishes are refused before it is full.
  std::size_t max_store_size = std::size_t{64} << 30;

  /// What an operator should know, one line each. Any thread.
  std::function<void(log_level, const std::string&)> log;
  /// The engine cannot go on and wants to be stopped; the sentence says why.
  /// Any thread.
  std::function<void(const std::string&)> on_fatal;
};

/// Figures of a running engine.
struct engine_statistics {
  std::size_t registered_webhooks = 0;
  std::size_t active_webhooks = 0; ///< with an actor
  std::size_t in_flight = 0;       ///< attempts under way
  position tail = 0;               ///< newest notification
  position routed_upto = 0;        ///< newest that was fanned out
  call_id last_call = 0;
  std::size_t calls_replayed = 0; ///< at the start
  std::size_t store_bytes = 0;
};

class engine : public service {
public:
  /// Opens the store, recovers, and delivers from now on. Errors: those of the
  /// data directory (store_…, io_error), invalid_argument for the options.
  static result<std::unique_ptr<engine>> start(engine_options options);

  /// stop(0 s), if it was not stopped before.
  ~engine() override = default;

  /// Refuses publishes at once, starts no further attempts, waits up to
  /// `deadline` for those under way, and saves where it was. Attempts that did
  /// not end are made again at the next start. Blocks; idempotent; not from a
  /// callback of the engine.
  virtual void stop(std::chrono::milliseconds deadline) = 0;

  /// Any thread.
  [[nodiscard]] virtual engine_statistics statistics() const = 0;
};

} // namespace fanfare
