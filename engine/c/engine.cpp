// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Starting and stopping an engine, and its figures.

#include "engine/c/boundary.hpp"
#include "engine/c/calls.hpp"

namespace fanfare::c {

namespace {

fanfare_options default_options() {
  const engine_options standard;
  fanfare_options to{};
  to.max_age = standard.retries.max_age.count();
  to.retention = standard.store.retention.count();
  to.max_in_flight = static_cast<std::uint32_t>(
    standard.concurrency.max_in_flight);
  to.max_per_destination = static_cast<std::uint32_t>(
    standard.concurrency.max_per_destination);
  to.max_per_organizer = static_cast<std::uint32_t>(
    standard.concurrency.max_per_organizer);
  to.breaker_failures = standard.retries.breaker_failures;
  to.breaker_pause = standard.retries.breaker_pause.count();
  to.disable_after = standard.retries.disable_after.count();
  to.window = static_cast<std::uint32_t>(standard.concurrency.window);
  to.dns_timeout = standard.timeouts.dns.count();
  to.connect_timeout = standard.timeouts.connect.count();
  to.tls_timeout = standard.timeouts.tls.count();
  to.first_byte_timeout = standard.timeouts.first_byte.count();
  to.total_timeout = standard.timeouts.total.count();
  to.max_store_size = standard.store.max_size;
  to.publish_patience = standard.publish_patience.count();
  to.trace_sample = standard.tracing.sample;
  return to;
}

/// The options of C++ are grouped, those of C are not.
constexpr std::pair<std::string_view, std::string_view> option_names[] = {
  {"retries.max_age", "max_age"},
  {"store.retention", "retention"},
  {"concurrency.max_in_flight", "max_in_flight"},
  {"concurrency.max_per_destination", "max_per_destination"},
  {"concurrency.max_per_organizer", "max_per_organizer"},
  {"retries.breaker_failures", "breaker_failures"},
  {"retries.breaker_pause", "breaker_pause"},
  {"retries.disable_after", "disable_after"},
  {"concurrency.window", "window"},
  {"timeouts.dns", "dns_timeout"},
  {"timeouts.connect", "connect_timeout"},
  {"timeouts.tls", "tls_timeout"},
  {"timeouts.first_byte", "first_byte_timeout"},
  {"timeouts.total", "total_timeout"},
  {"store.max_size", "max_store_size"},
  {"network.allow", "allow_networks"},
  {"network.deny", "deny_networks"},
  {"network.dns_servers", "dns_servers"},
  {"network.proxy", "proxy"},
  {"network.no_proxy", "no_proxy"},
  {"network.ca_file", "ca_file"},
  {"secrets.keys", "secret_keys"},
  {"secrets.key_file", "secret_key_file"},
  {"retries.schedule", "schedule"},
  {"tracing.endpoint", "trace_endpoint"},
  {"tracing.headers", "trace_headers"},
  {"tracing.sample", "trace_sample"},
  {"tracing.service_name", "trace_service_name"},
};

/// An error of engine::start with the names that options have in C.
error in_c(error of) {
  for (const auto& [in_cpp, name] : option_names) {
    if (of.field == in_cpp)
      of.field = name;
    if (const auto at = of.detail.find(in_cpp); at != std::string::npos)
      of.detail.replace(at, in_cpp.size(), name);
  }
  return of;
}

result<engine_options> read_options(const fanfare_options* given) {
  auto from = default_options();
  if (auto taken = take(given, from, "options"); !taken)
    return taken.error();
  if (to_text(from.data).empty())
    return bad("data", "Name the directory of the store.");
  engine_options to;
  to.data = from.data;
  to.threads = from.threads;
  to.network.allow = split(from.allow_networks, ',');
  to.network.deny = split(from.deny_networks, ',');
  to.network.dns_servers = split(from.dns_servers, ',');
  to.network.proxy = to_text(from.proxy);
  to.network.no_proxy = split(from.no_proxy, ',');
  to.network.proxy_resolves = from.proxy_resolves != 0;
  to.network.ca_file = to_text(from.ca_file);
  to.builtin_types = from.without_builtin_types == 0;
  to.secrets.keys = to_text(from.secret_keys);
  to.secrets.key_file = to_text(from.secret_key_file);
  if (from.schedule != nullptr)
    for (std::size_t i = 0; i < from.schedule_count; ++i)
      to.retries.schedule.emplace_back(from.schedule[i]);
  to.retries.max_age = milliseconds{from.max_age};
  to.store.retention = milliseconds{from.retention};
  to.concurrency.max_in_flight = from.max_in_flight;
  to.concurrency.max_per_destination = from.max_per_destination;
  to.concurrency.max_per_organizer = from.max_per_organizer;
  to.retries.breaker_failures = from.breaker_failures;
  to.retries.breaker_pause = milliseconds{from.breaker_pause};
  to.retries.disable_after = milliseconds{from.disable_after};
  to.concurrency.window = from.window;
  to.timeouts.dns = milliseconds{from.dns_timeout};
  to.timeouts.connect = milliseconds{from.connect_timeout};
  to.timeouts.tls = milliseconds{from.tls_timeout};
  to.timeouts.first_byte = milliseconds{from.first_byte_timeout};
  to.timeouts.total = milliseconds{from.total_timeout};
  to.store.max_size = from.max_store_size;
  to.publish_patience = milliseconds{from.publish_patience};
  to.tracing.endpoint = to_text(from.trace_endpoint);
  to.tracing.headers = split(from.trace_headers, '\n');
  to.tracing.sample = from.trace_sample;
  if (auto name = to_text(from.trace_service_name); !name.empty())
    to.tracing.service_name = std::move(name);
  if (from.log != nullptr)
    to.log = [log = from.log, user = from.log_user](log_level level,
                                                    const std::string& line) {
      log(user, static_cast<std::int32_t>(level), line.c_str());
    };
  if (from.on_fatal != nullptr)
    to.on_fatal = [announce = from.on_fatal, user = from.on_fatal_user](
                    const std::string& why) { announce(user, why.c_str()); };
  if (from.on_call != nullptr)
    to.call_observers.emplace_back(
      [show = from.on_call, user = from.on_call_user](const call& made) {
        auto shown = c::to_c(made);
        shown.size = sizeof shown;
        show(user, &shown);
      });
  return to;
}

fanfare_statistics to_c(const engine_statistics& from) {
  fanfare_statistics to{};
  to.registered_webhooks = from.registered_webhooks;
  to.active_webhooks = from.active_webhooks;
  to.in_flight = from.in_flight;
  to.newest_notification = from.tail;
  to.routed_notification = from.routed_upto;
  to.newest_call = from.last_call;
  to.store_bytes = from.store_bytes;
  return to;
}

} // namespace

} // namespace fanfare::c

using namespace fanfare::c;
using fanfare::result;

void fanfare_options_init(fanfare_options* options, size_t size) {
  initialize(options, size, default_options());
}

fanfare_code fanfare_start(const fanfare_options* options,
                           fanfare_engine** engine, fanfare_error* error) {
  return guarded(error, [&]() -> result<void> {
    if (engine == nullptr)
      return bad_null("engine");
    auto read = read_options(options);
    if (!read)
      return read.error();
    auto started = fanfare::engine::start(*std::move(read));
    if (!started)
      return in_c(started.error());
    *engine = new fanfare_engine{std::move(*started)};
    return {};
  });
}

void fanfare_stop(fanfare_engine* engine, int64_t deadline) {
  with_engine(engine, nullptr, [&](fanfare::engine& it) -> result<void> {
    it.stop(milliseconds{std::max<std::int64_t>(deadline, 0)});
    return {};
  });
}

void fanfare_free(fanfare_engine* engine) {
  guarded(nullptr, [&]() -> result<void> {
    delete engine;
    return {};
  });
}

int fanfare_ready(const fanfare_engine* engine) {
  return engine != nullptr && engine->it->ready() ? 1 : 0;
}

void fanfare_wake(fanfare_engine* engine) {
  with_engine(engine, nullptr, [](fanfare::engine& it) -> result<void> {
    it.wake();
    return {};
  });
}

fanfare_code fanfare_change_options(fanfare_engine* engine,
                                    const fanfare_options* options,
                                    fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) -> result<void> {
    const auto read = read_options(options);
    if (!read)
      return read.error();
    const auto changed = it.change_options(*read);
    return changed ? changed : in_c(changed.error());
  });
}

fanfare_code fanfare_get_statistics(const fanfare_engine* engine,
                                    fanfare_statistics* out,
                                    fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return give(to_c(it.statistics()), out, "out");
  });
}

fanfare_code fanfare_get_metrics(const fanfare_engine* engine, char** text,
                                 fanfare_error* error) {
  return with_engine(engine, error, [&](fanfare::engine& it) {
    return give_text(fanfare::prometheus_text(it.metrics()), text);
  });
}
