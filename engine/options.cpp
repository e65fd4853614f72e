// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/options.hpp"

#include "engine/networks.hpp"
#include "protocol/client/exchange_clock.hpp"
#include "protocol/dns/resolver.hpp"

#include <string.h> // NOLINT(modernize-deprecated-headers): explicit_bzero

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace fanfare {

namespace {

/// Of all durations, and in effect for ever: no sum with a time overflows.
constexpr std::chrono::days longest{36'500};
/// Of what is counted in memory.
constexpr std::size_t most_in_memory = 1'000'000;
/// Delays of a schedule, as of a webhook's.
constexpr std::size_t longest_schedule = 100;
/// Half of what its log leaves is kept for what was accepted; the other half
/// takes one notification of 1 MiB, the largest there is.
constexpr std::size_t smallest_store = std::size_t{4} << 20;
/// What a process can map.
constexpr std::size_t largest_store = std::size_t{1} << 46;
constexpr std::size_t most_threads = 256;

// -- limits -------------------------------------------------------------------

error out_of_range(std::string_view name, std::string_view rule) {
  return {ec::invalid_argument,
          std::string{name} + " must be " + std::string{rule},
          std::string{name}};
}

template <class Duration>
result<void> not_negative(std::string_view name, Duration value) {
  if (value < Duration::zero())
    return out_of_range(name, "zero or more");
  if (value > longest)
    return out_of_range(name, "at most 36500 days");
  return {};
}

template <class Duration>
result<void> positive(std::string_view name, Duration value) {
  if (value <= Duration::zero())
    return out_of_range(name, "greater than zero");
  return not_negative(name, value);
}

result<void>
positive(std::string_view name, std::size_t value,
         std::size_t most = std::numeric_limits<std::size_t>::max()) {
  if (value == 0)
    return out_of_range(name, "greater than zero");
  if (value > most)
    return out_of_range(name, "at most " + std::to_string(most));
  return {};
}

result<void> check_smallest(std::size_t max_size) {
  if (max_size >= smallest_store)
    return {};
  return out_of_range("store.max_size",
                      "at least 4 MiB (4194304): the log and what was accepted "
                      "need most of it, and a notification may have 1 MiB");
}

/// A step that is longer than the whole would end with it. Those that nobody
/// has set do: only the whole was meant.
result<void> check_steps(const timeout_options& given) {
  const timeout_options defaults;
  const std::pair<const char*, std::chrono::milliseconds timeout_options::*>
    steps[] = {{"timeouts.dns", &timeout_options::dns},
               {"timeouts.connect", &timeout_options::connect},
               {"timeouts.tls", &timeout_options::tls},
               {"timeouts.first_byte", &timeout_options::first_byte}};
  for (const auto& [name, step] : steps)
    if (given.*step > given.total && given.*step != defaults.*step)
      return error{ec::invalid_argument,
                   std::string{name} + " (" + protocol::in_seconds(given.*step)
                     + ") is longer than timeouts.total ("
                     + protocol::in_seconds(given.total)
                     + "), which would end the attempt before: set "
                       "timeouts.total (--total-timeout) to at least as much",
                   name};
  return {};
}

result<void> check_limits(const engine_options& o) {
  for (auto checked :
       {positive("retries.max_age", o.retries.max_age),
        positive("store.retention", o.store.retention),
        positive("store.retention_interval", o.store.retention_interval),
        positive("concurrency.max_in_flight", o.concurrency.max_in_flight,
                 most_in_memory),
        positive("concurrency.window", o.concurrency.window, most_in_memory),
        positive("concurrency.max_per_destination",
                 o.concurrency.max_per_destination),
        positive("concurrency.max_per_organizer",
                 o.concurrency.max_per_organizer),
        positive("retries.breaker_pause", o.retries.breaker_pause),
        positive("retries.breaker_longest", o.retries.breaker_longest),
        positive("timeouts.dns", o.timeouts.dns),
        positive("timeouts.connect", o.timeouts.connect),
        positive("timeouts.tls", o.timeouts.tls),
        positive("timeouts.first_byte", o.timeouts.first_byte),
        positive("timeouts.total", o.timeouts.total),
        positive("store.checkpoint_interval", o.store.checkpoint_interval),
        positive("store.max_size", o.store.max_size, largest_store),
        check_smallest(o.store.max_size),
        not_negative("retries.disable_after", o.retries.disable_after),
        not_negative("store.commit_linger", o.store.commit_linger),
        not_negative("publish_patience", o.publish_patience)})
    if (!checked)
      return checked;
  if (auto checked = check_steps(o.timeouts); !checked)
    return checked;
  if (o.threads > most_threads)
    return out_of_range("threads", "at most " + std::to_string(most_threads));
  if (o.retries.schedule.size() > longest_schedule)
    return out_of_range("retries.schedule", "of at most "
                                              + std::to_string(longest_schedule)
                                              + " delays");
  for (auto delay : o.retries.schedule)
    if (auto checked = not_negative("retries.schedule", delay); !checked)
      return checked;
  return {};
}

result<void> check_texts(const engine_options& o) {
  if (o.data.empty() || o.data.native().find('\0') != std::string::npos)
    return error{ec::invalid_argument, "data must be the path of a directory",
                 "data"};
  for (const auto& text : o.network.dns_servers)
    if (!protocol::is_name_server(text))
      return error{ec::invalid_argument,
                   "\"" + text
                     + "\" is no name server: give its address, with "
                       "a port if it is not 53",
                   "network.dns_servers"};
  return {};
}

// -- what they stand for ------------------------------------------------------

result<protocol::address_policy> read_policy(const engine_options& o) {
  auto allowed = read_networks(o.network.allow, "network.allow");
  if (!allowed)
    return allowed.error();
  std::vector<std::string> networks;
  std::vector<std::string> names;
  for (const auto& text : o.network.deny)
    (protocol::is_host_text(text) ? names : networks).push_back(text);
  auto denied = read_networks(networks, "network.deny");
  if (!denied)
    return denied.error();
  auto denied_names = protocol::host_list::parse(names);
  if (!denied_names)
    return error{denied_names.error().code, denied_names.error().detail,
                 "network.deny"};
  return protocol::address_policy{std::move(*allowed), std::move(*denied),
                                  std::move(*denied_names)};
}

/// Erases the keys in the options.
result<protocol::vault> read_vault(engine_options& o) {
  auto& keys = o.secrets.keys;
  const bool in_file = !o.secrets.key_file.empty();
  if (in_file && !keys.empty())
    return error{ec::invalid_argument,
                 "Give secrets.keys or secrets.key_file, not both.",
                 "secrets.key_file"};
  if (!in_file && keys.empty())
    return protocol::vault{};
  auto made = in_file ? protocol::vault::from_file(o.secrets.key_file)
                      : protocol::vault::from_text(keys);
  ::explicit_bzero(keys.data(), keys.size());
  keys.clear();
  if (!made)
    return error{made.error().code, made.error().detail,
                 in_file ? "secrets.key_file" : "secrets.keys"};
  return made;
}

result<std::shared_ptr<const protocol::proxy>>
read_proxy(const engine_options& o) {
  if (o.network.proxy.empty())
    return std::shared_ptr<const protocol::proxy>{};
  auto parsed = protocol::proxy::parse(o.network.proxy);
  if (!parsed)
    return error{parsed.error().code, parsed.error().detail, "network.proxy"};
  if (parsed->resolves && !o.network.proxy_resolves)
    return error{ec::invalid_argument,
                 "a socks5h:// proxy looks up names where they cannot be "
                 "checked: allow that with proxy_resolves (--proxy-resolves), "
                 "or write socks5://",
                 "network.proxy"};
  parsed->resolves = o.network.proxy_resolves;
  parsed->fenced = false; // its operator knows where it is
  return std::make_shared<const protocol::proxy>(std::move(*parsed));
}

result<std::shared_ptr<const protocol::host_list>>
read_no_proxy(const engine_options& o) {
  const auto& given = o.network.no_proxy;
  if (given.empty())
    return std::shared_ptr<const protocol::host_list>{};
  if (o.network.proxy.empty())
    return error{ec::invalid_argument,
                 "network.no_proxy means nothing without a proxy for all: give "
                 "that too, or leave it out",
                 "network.no_proxy"};
  auto parsed = protocol::host_list::parse(given);
  if (!parsed)
    return error{parsed.error().code, parsed.error().detail,
                 "network.no_proxy"};
  return std::make_shared<const protocol::host_list>(std::move(*parsed));
}

// -- what the program lends ---------------------------------------------------

result<void> check_observers(const engine_options& o) {
  for (const auto& observer : o.call_observers)
    if (!observer)
      return error{ec::invalid_argument, "a call observer is empty",
                   "call_observers"};
  return {};
}

/// Exceptions of the log and of `on_fatal` have nowhere to go.
void complete(engine_options& o) {
  if (!o.clock)
    o.clock = std::make_shared<const system_wall_clock>();
  o.log = [to = std::move(o.log)](log_level level, const std::string& line) {
    try {
      if (to)
        to(level, line);
    } catch (...) { // NOLINT(bugprone-empty-catch)
    }
  };
  o.on_fatal = [to = std::move(o.on_fatal)](const std::string& why) {
    try {
      if (to)
        to(why);
    } catch (...) { // NOLINT(bugprone-empty-catch)
    }
  };
  if (o.threads == 0)
    o.threads = std::clamp<std::size_t>(std::thread::hardware_concurrency(), 1,
                                        most_threads);
}

} // namespace

result<protocol::address_policy>
check_changeable(const engine_options& wanted) {
  engine_options those;
  those.retries = wanted.retries;
  those.timeouts = wanted.timeouts;
  those.concurrency.max_in_flight = wanted.concurrency.max_in_flight;
  those.store.retention = wanted.store.retention;
  those.store.retention_interval = wanted.store.retention_interval;
  if (auto checked = check_limits(those); !checked)
    return checked.error();
  return read_policy(wanted);
}

result<checked_options> check_options(engine_options options) {
  for (auto* check : {check_texts, check_limits, check_observers})
    if (auto checked = check(options); !checked)
      return checked.error();
  checked_options out;
  auto policy = read_policy(options);
  if (!policy)
    return policy.error();
  out.policy = std::move(*policy);
  auto vault = read_vault(options);
  if (!vault)
    return vault.error();
  out.vault = *vault;
  auto proxy = read_proxy(options);
  if (!proxy)
    return proxy.error();
  out.proxy = std::move(*proxy);
  auto no_proxy = read_no_proxy(options);
  if (!no_proxy)
    return no_proxy.error();
  out.no_proxy = std::move(*no_proxy);
  auto tls = protocol::tls_settings::make(options.network.ca_file);
  if (!tls)
    return error{tls.error().code, tls.error().detail, "network.ca_file"};
  out.tls = std::move(*tls);
  auto traces = read_trace_settings(options.tracing);
  if (!traces)
    return traces.error();
  out.traces = std::move(*traces);
  complete(options);
  out.given = std::move(options);
  return out;
}

} // namespace fanfare
