// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/serve_options.hpp"

#include "cli/config_file.hpp"
#include "cli/duration.hpp"
#include "cli/numbers.hpp"
#include "cli/public_url.hpp"
#include "protocol/rules/nearest_name.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <charconv>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

namespace fanfare::cli {

namespace {

constexpr auto schedule_type = "DURATION,…";

/// A CLI11 option whose value one of our functions parses.
template <class T, class Parse>
CLI::Option* add_parsed(CLI::App& app, const std::string& name, T& target,
                        Parse parse, const std::string& help,
                        const std::string& type,
                        const std::string& shown_default) {
  return app
    .add_option_function<std::string>(
      name,
      [&target, parse, name](const std::string& text) {
        auto value = parse(text);
        if (!value)
          throw CLI::ValidationError(name, value.error().detail);
        target = std::move(*value);
      },
      help)
    ->type_name(type)
    ->default_str(shown_default);
}

result<std::chrono::milliseconds> parse_backup_period(std::string_view text) {
  auto period = parse_duration(text);
  // Backups are named after their second.
  if (period && *period < std::chrono::seconds{1})
    return error{ec::invalid_argument, "must be at least 1s"};
  return period;
}

/// From 0 to 1.
result<double> parse_ratio(std::string_view text) {
  double value = 0;
  const auto* end = text.data() + text.size();
  const auto [read, code] = std::from_chars(text.data(), end, value,
                                            std::chars_format::fixed);
  if (code != std::errc{} || read != end || !(value >= 0 && value <= 1))
    return error{ec::invalid_argument,
                 "must be a number from 0 to 1, such as 0.05"};
  return value;
}

void add_tracing_options(CLI::App& serve, tracing_options& t) {
  serve
    .add_option("--otlp-endpoint", t.endpoint,
                "Send traces to this OpenTelemetry collector by OTLP over "
                "HTTP, to /v1/traces below this URL unless it ends so: "
                "http://localhost:4318. Without it nothing is traced")
    ->type_name("URL");
  serve
    .add_option("--otlp-header", t.headers,
                "A header of the requests to it; may be repeated")
    ->type_name("NAME=VALUE")
    ->allow_extra_args(false);
  serve
    .add_option("--otlp-header-file", t.header_file,
                "Read further ones from this file, which only its owner may "
                "read: NAME=VALUE, one per line; lines that begin with # are "
                "comments")
    ->type_name("FILE");
  add_parsed(serve, "--otlp-sample", t.sample, parse_ratio,
             "How many of the traces that begin here are recorded, 0 to 1; "
             "those that publishers have begun are as their traceparent says",
             "RATIO", "1");
  serve
    .add_option("--otlp-queue", t.queue,
                "Spans that wait for it in memory, about 1 KiB each; further "
                "ones push out the oldest")
    ->transform(decimal())
    ->check(CLI::Range(1, 1'000'000))
    ->capture_default_str();
  add_parsed(serve, "--otlp-timeout", t.timeout, parse_duration,
             "Timeout of a request to it", "DURATION", "10s");
}

} // namespace

void add_serve_options(CLI::App& serve, serve_options& options) {
  auto& e = options.engine;
  serve
    .add_option("--config", options.config,
                "Read options from this file (TOML, the names below without "
                "dashes); the command line wins")
    ->type_name("FILE");
  serve.add_option("--data", e.data, "Directory of the store")
    ->type_name("DIR")
    ->capture_default_str();
  serve
    .add_option("--listen", options.listen,
                "Address of the API; port 0 takes a free one")
    ->type_name("HOST:PORT")
    ->capture_default_str();
  add_parsed(
    serve, "--public-url", options.public_url, parse_public_url,
    "What links in answers begin with, if clients reach the server by another "
    "address than they name in their requests: https://hooks.example.com, or "
    "with a path that the proxy in front of it takes away",
    "URL", "");
  serve
    .add_option(
      "--trusted-proxy", options.trusted_proxies,
      "Believe proxies in this network what X-Forwarded-For, "
      "X-Forwarded-Proto and X-Forwarded-Host say of the client; may be "
      "repeated. Without it the client is whoever connects")
    ->type_name("CIDR")
    ->allow_extra_args(false);
  serve
    .add_option("--metrics-listen", options.metrics_listen,
                "Serve /metrics on this address too, there without a token "
                "and over HTTP, and nothing else; port 0 takes a free one. "
                "Without it /metrics is on --listen only, for tokens that may "
                "read it")
    ->type_name("HOST:PORT");
  serve
    .add_option("--tls-cert", options.tls_cert,
                "Serve HTTPS with this certificate: PEM, the server's own "
                "first, then those of the authorities between it and the "
                "root; goes with --tls-key. Read again on SIGHUP")
    ->type_name("FILE");
  serve
    .add_option("--tls-key", options.tls_key,
                "Its private key: PEM without a passphrase")
    ->type_name("FILE");
  serve
    .add_option("--allow-network", e.network.allow,
                "Deliver to this network although it is not public; may be "
                "repeated. Without it "
                "private, loopback and link-local targets are refused")
    ->type_name("CIDR")
    ->allow_extra_args(false);
  serve
    .add_option(
      "--deny-network", e.network.deny,
      "Never deliver to this network, or to this name and all below it "
      "(.NAME: only those below), whatever else allows it; may be "
      "repeated")
    ->type_name("CIDR|HOST")
    ->allow_extra_args(false);
  serve
    .add_option(
      "--proxy", e.network.proxy,
      "Deliver through this proxy: http://HOST:PORT (CONNECT) or "
      "socks5://HOST:PORT, with USER:PASSWORD@ if it asks for them. "
      "Receivers are looked up and checked here all the same, but see "
      "--proxy-resolves")
    ->type_name("URL");
  serve.add_flag(
    "--proxy-resolves", e.network.proxy_resolves,
    "Ask --proxy for names, and let webhooks have socks5h:// proxies, for "
    "servers that can ask no name server. Where a name leads is then not "
    "checked here: only hosts that are addresses are, and names that "
    "--deny-network lists. The proxy has to refuse the rest");
  serve
    .add_option("--no-proxy", e.network.no_proxy,
                "Deliver to this host without --proxy: a name and all below it "
                "(.NAME: only those below), or a network; may be repeated. "
                "Webhooks with a proxy of their own still use that")
    ->type_name("HOST|CIDR")
    ->allow_extra_args(false);
  serve
    .add_option("--dns-server", e.network.dns_servers,
                "Ask this name server instead of the system's; may be repeated")
    ->type_name("ADDRESS[:PORT]")
    ->allow_extra_args(false);
  serve
    .add_option(
      "--secret-key-file", e.secrets.key_file,
      "Encrypt secrets on disk with the keys in this file, which only its "
      "owner may read: one per line, 32 bytes as 64 hexadecimal digits or as "
      "base64 (lines that begin with # are comments), or 32 bytes as they are. "
      "The first key encrypts, all decrypt. Without it, or FANFARE_SECRET_KEY, "
      "they are stored as they are")
    ->type_name("FILE");
  serve
    .add_option("--threads", e.threads,
                "I/O threads for delivery; 0: one per core")
    ->transform(decimal())
    ->capture_default_str();
  serve
    .add_option("--ca-file", e.network.ca_file,
                "PEM file of the authorities that receivers are "
                "verified with, instead of the system's")
    ->type_name("FILE");
  add_parsed(serve, "--schedule", e.retries.schedule, parse_schedule,
             "Delays between the attempts, up to 10 % is added at random",
             schedule_type, "5s,30s,1m,5m,20m,1h,4h,6h,12h,12h,24h");
  add_parsed(serve, "--max-age", e.retries.max_age, parse_duration,
             "Age since publish beyond which nothing is retried", "DURATION",
             "3d");
  add_parsed(serve, "--retention", e.store.retention, parse_duration,
             "How long notifications and calls are kept", "DURATION", "30d");
  add_parsed(serve, "--retention-interval", e.store.retention_interval,
             parse_duration, "How often expired ones are removed", "DURATION",
             "1m");
  serve
    .add_option("--max-in-flight", e.concurrency.max_in_flight,
                "Attempts of one webhook in flight at the same time")
    ->transform(decimal())
    ->check(CLI::Range(1, 64))
    ->capture_default_str();
  serve
    .add_option(
      "--max-per-destination", e.concurrency.max_per_destination,
      "Attempts to one scheme, host and port at the same time, shared evenly "
      "by the I/O threads, each with as many as --max-in-flight at least; "
      "those that take longer than a second do not count")
    ->transform(decimal())
    ->check(CLI::Range(1, 65'536))
    ->capture_default_str();
  serve
    .add_option("--max-per-organizer", e.concurrency.max_per_organizer,
                "The same for the webhooks of one organizer")
    ->transform(decimal())
    ->check(CLI::Range(1, 65'536))
    ->capture_default_str();
  serve
    .add_option("--breaker-failures", e.retries.breaker_failures,
                "Failures of a webhook in a row after which nothing is "
                "attempted for a pause; 0: no circuit breaker")
    ->transform(decimal())
    ->check(CLI::Range(0, 1'000'000))
    ->capture_default_str();
  add_parsed(serve, "--breaker-pause", e.retries.breaker_pause, parse_duration,
             "The first pause; it doubles while probes fail, up to a minute",
             "DURATION", "2s");
  add_parsed(serve, "--disable-after", e.retries.disable_after, parse_duration,
             "Disable a webhook that has only failed for that long; 0s: never",
             "DURATION", "5d");
  serve.add_flag(
    "--without-builtin-types", options.without_builtin_types,
    "Do not register the action types of pretix, for servers whose vocabulary "
    "is their own. Those that an earlier start has registered stay, with the "
    "webhooks that use them");
  serve
    .add_option("--window", e.concurrency.window,
                "Notifications of one webhook held in memory")
    ->transform(decimal())
    ->check(CLI::Range(1, 65'536))
    ->capture_default_str();
  add_parsed(serve, "--dns-timeout", e.timeouts.dns, parse_duration,
             "Timeout for looking up a receiver's name", "DURATION", "5s");
  add_parsed(serve, "--connect-timeout", e.timeouts.connect, parse_duration,
             "Timeout for connecting to a receiver", "DURATION", "5s");
  add_parsed(serve, "--tls-timeout", e.timeouts.tls, parse_duration,
             "Timeout for the TLS handshake with a receiver", "DURATION", "5s");
  add_parsed(serve, "--first-byte-timeout", e.timeouts.first_byte,
             parse_duration,
             "Timeout from the request to the first byte of the answer",
             "DURATION", "30s");
  add_parsed(serve, "--total-timeout", e.timeouts.total, parse_duration,
             "Timeout for a whole attempt", "DURATION", "30s");
  add_parsed(serve, "--checkpoint-interval", e.store.checkpoint_interval,
             parse_duration, "How often progress is saved", "DURATION", "2s");
  add_parsed(serve, "--max-store-size", e.store.max_size, parse_size,
             "Maximum size of the store, at least 4M; publishes are refused "
             "shortly before",
             "SIZE", "64G");
  serve
    .add_option("--backup-dir", options.backups.directory,
                "Make backups into this directory, which is made if there is "
                "none; the newest that is there says when the next one is due")
    ->type_name("DIR");
  add_parsed(serve, "--backup-every", options.backups.every,
             parse_backup_period,
             "How often; one that failed is tried again after 5m, or sooner",
             "DURATION", "24h");
  serve
    .add_option("--backup-keep", options.backups.keep,
                "How many of them to keep; older ones are removed")
    ->transform(decimal())
    ->check(CLI::Range(1, 100'000))
    ->capture_default_str();
  add_parsed(
    serve, "--backup-rate", options.backups.bytes_per_second, parse_size,
    "Bytes per second at most, so that deliveries have the disk; 0: no "
    "limit",
    "SIZE", "32M");
  add_tracing_options(serve, e.tracing);
  serve
    .add_option("--failed-logins", options.failed_logins,
                "Wrong keys of one address in a row before it must wait; 0: "
                "no limit")
    ->transform(decimal())
    ->check(CLI::Range(0, 1'000'000))
    ->capture_default_str();
  serve.add_option("--log-level", options.log_level, "What to log to stderr")
    ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
    ->capture_default_str();
  serve
    .add_option("--log-format", options.log_format,
                "Lines for people, or objects of JSON, one per line")
    ->check(CLI::IsMember({"text", "json"}))
    ->capture_default_str();
  serve.footer(
    std::string{duration_help} + '\n' + size_help
    + "\n\n"
      "Environment:\n"
      "  FANFARE_ADMIN_TOKEN  the admin token (at least 16 characters); "
      "without "
      "it DIR/admin.token is used,\n"
      "                       made at the first start\n"
      "  FANFARE_SECRET_KEY   the key itself, in place of --secret-key-file: "
      "64 "
      "hexadecimal digits or base64\n"
      "  FANFARE_OTLP_HEADERS more of --otlp-header: NAME=VALUE, separated by "
      "commas\n"
      "  OTEL_SERVICE_NAME    the name of this server in traces; fanfare "
      "without it\n\n"
      "SIGTERM and SIGINT stop it: attempts in flight have "
    + std::to_string(drain_deadline.count())
    + " s to end, the others are made again at the next\n"
      "start; a disk that does not answer is given up on after "
    + std::to_string(last_deadline.count())
    + " s. A second signal ends it at once.\n"
      "SIGHUP reads --config, --tls-cert and --tls-key again. The log says "
      "what "
      "has changed, and what\n"
      "needs a restart; if anything is wrong, nothing changes.");
}

namespace {

/// Those that a file can set, without dashes.
std::vector<std::string> option_names(const CLI::App& serve) {
  std::vector<std::string> out;
  for (const auto* option : serve.get_options())
    for (const auto& name : option->get_lnames())
      if (name != "config" && name != "help" && name != "help-all")
        out.push_back(name);
  return out;
}

/// Whether the value is one that numbers are written without quotes for.
bool takes_numbers(const CLI::Option& option) {
  const auto type = option.get_type_name();
  return !type.starts_with("DIR") && !type.starts_with("FILE")
      && !type.starts_with("URL") && !type.starts_with("CIDR")
      && !type.starts_with("HOST") && !type.starts_with("ADDRESS")
      && !type.starts_with("TEXT");
}

/// The values as the command line would have them, or why not.
result<std::vector<std::string>> values_for(const CLI::Option& option,
                                            const config_entry& entry) {
  const bool is_switch = option.get_expected_max() == 0;
  if (is_switch != entry.truth || (is_switch && entry.list))
    return error{
      ec::invalid_argument,
      "the value of \"" + entry.name + "\" "
        + (is_switch ? "has to be true or false" : "cannot be true or false")};
  if (entry.numbers && !takes_numbers(option))
    return error{ec::invalid_argument, "the value of \"" + entry.name
                                         + "\" has to be a text in "
                                           "quotes"};
  if (!entry.list || option.get_items_expected_max() > 1)
    return entry.values;
  if (option.get_type_name() != schedule_type)
    return error{ec::invalid_argument,
                 "\"" + entry.name + "\" takes one value, no array"};
  return std::vector{CLI::detail::join(entry.values, ",")};
}

[[noreturn]] void refuse(const std::string& place, const std::string& why) {
  throw CLI::ConfigError(place + ": " + why);
}

/// An entry that values_for() has values of.
void take(CLI::Option& option, const config_entry& entry) {
  auto values = values_for(option, entry);
  if (!values || values->empty())
    return; // an empty array
  try {
    for (auto& value : *values)
      option.add_result(std::move(value));
    option.run_callback();
  } catch (const CLI::ParseError& e) {
    refuse(entry.place, e.what());
  }
}

/// The option behind a member of `engine_options`, or of `serve_options`.
std::string option_of(std::string_view member) {
  static constexpr std::pair<std::string_view, std::string_view> others[] = {
    {"trusted_proxies", "trusted-proxy"},
    {"network.allow", "allow-network"},
    {"network.deny", "deny-network"},
    {"network.dns_servers", "dns-server"},
    {"secrets.key_file", "secret-key-file"},
    {"store.max_size", "max-store-size"},
    {"timeouts.dns", "dns-timeout"},
    {"timeouts.connect", "connect-timeout"},
    {"timeouts.tls", "tls-timeout"},
    {"timeouts.first_byte", "first-byte-timeout"},
    {"timeouts.total", "total-timeout"},
    {"tracing.endpoint", "otlp-endpoint"},
    {"tracing.headers", "otlp-header"},
    {"tracing.header_file", "otlp-header-file"},
    {"tracing.sample", "otlp-sample"},
    {"tracing.queue", "otlp-queue"},
    {"tracing.timeout", "otlp-timeout"},
  };
  for (const auto& [ours, name] : others)
    if (member == ours)
      return std::string{name};
  std::string name{member.substr(member.find('.') + 1)};
  std::ranges::replace(name, '_', '-');
  return name;
}

} // namespace

// CLI11 reads such files only for the whole program, not for a sub-command, and
// takes for values what is no TOML.
void read_config(CLI::App& serve, serve_options& options) {
  const auto entries = read_config_file(options.config);
  if (!entries)
    throw CLI::ConfigError(entries.error().detail);
  const auto known = option_names(serve);
  for (const auto& entry : *entries) {
    const auto full = entry.section.empty() ? entry.name
                                            : entry.section + '.' + entry.name;
    if ((!entry.section.empty() && entry.section != "serve")
        || !std::ranges::count(known, entry.name)) {
      refuse(entry.place, "there is no option \"" + full
                            + "\"; the nearest one is \""
                            + protocol::nearest_name(entry.name, known) + '"');
    }
    // Also if the command line has it: the file is wrong all the same.
    if (const auto values = values_for(*serve.get_option("--" + entry.name),
                                       entry);
        !values)
      refuse(entry.place, values.error().detail);
    if (!options.places.emplace(entry.name, entry.place).second)
      refuse(entry.place, '"' + entry.name + "\" was set before, at "
                            + options.places[entry.name]);
  }
  // After all are known to be good names: what it says first is what is first.
  for (const auto& entry : *entries) {
    auto& option = *serve.get_option("--" + entry.name);
    if (option.empty())
      take(option, entry);
    else
      options.places.erase(entry.name); // the command line has it
  }
}

// -- again --------------------------------------------------------------------

option_texts given_texts(const CLI::App& serve) {
  option_texts out;
  for (const auto* option : serve.get_options())
    if (!option->empty() && !option->get_lnames().empty())
      out[option->get_lnames().front()] = option->results();
  return out;
}

option_texts all_texts(const CLI::App& serve) {
  option_texts out;
  for (const auto& name : option_names(serve)) {
    const auto* option = serve.get_option("--" + name);
    auto& values = out[name];
    if (!option->empty())
      values = option->results();
    else if (const auto usual = option->get_default_str(); !usual.empty())
      values = {usual};
  }
  return out;
}

result<read_options> read_again(const option_texts& command_line) {
  read_options out{.value = {}, .command_line = command_line, .texts = {}};
  CLI::App program;
  auto& serve = *program.add_subcommand("serve");
  add_serve_options(serve, out.value);
  try {
    for (const auto& [name, values] : command_line) {
      auto& option = *serve.get_option("--" + name);
      for (const auto& value : values)
        option.add_result(value);
      option.run_callback();
    }
    if (!out.value.config.empty())
      read_config(serve, out.value);
  } catch (const CLI::Error& e) {
    return error{ec::invalid_argument, e.what()};
  }
  out.texts = all_texts(serve);
  return out;
}

error explain_option(const serve_options& options, error of) {
  const auto name = option_of(of.field);
  // Whoever typed --max-age has not heard of "retries.max_age".
  if (const auto at = of.detail.find(of.field);
      at != std::string::npos && of.field.find('.') != std::string::npos)
    of.detail.replace(at, of.field.size(), name);
  if (const auto found = options.places.find(name);
      found != options.places.end())
    of.detail = found->second + ": " + of.detail;
  return of;
}

} // namespace fanfare::cli
