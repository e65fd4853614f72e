// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/serve.hpp"

#include "cli/admin_token.hpp"
#include "cli/duration.hpp"
#include "cli/sink.hpp"
#include "engine/rest_service.hpp"
#include "fanfare/engine.hpp"
#include "fanfare/version.hpp"
#include "protocol/rest/rest_api.hpp"
#include "protocol/security/credentials.hpp"
#include "protocol/server/http_server.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <CLI/CLI.hpp>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

namespace fanfare::cli {

namespace {

using namespace std::chrono_literals;

/// Threads for requests that wait for the disk.
constexpr std::size_t blocking_threads = 4;
constexpr std::size_t writing_threads = 4;
/// SIGTERM is answered within 15 s: this for attempts under way, the rest for
/// the last commit.
constexpr auto drain_deadline = 8s;
constexpr auto http_deadline = 1s;
/// A disk that does not answer must not keep the process.
constexpr std::chrono::seconds last_deadline{14};

struct serve_options {
  engine_options engine;
  std::string listen = "127.0.0.1:8080";
  std::string tls_cert;
  std::string tls_key;
  std::string log_level = "info";
  std::size_t failed_logins = protocol::rest::rest_api_options{}.failed_logins;
  std::string config;
};

/// Every connection is a file: take as many as the system lets us have.
void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0
      && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
  }
}

void write_log(log_level level, const std::string& text) {
  switch (level) {
    case log_level::debug: spdlog::debug(text); break;
    case log_level::info: spdlog::info(text); break;
    case log_level::warning: spdlog::warn(text); break;
    case log_level::error: spdlog::error(text); break;
  }
}

int fail(const error& e) {
  spdlog::error("{} ({})", e.detail, to_string(e.code));
  return e.code == ec::invalid_argument ? 2 : 1;
}

sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

/// Who the server is; null without TLS.
result<std::shared_ptr<protocol::tls_identity>>
load_identity(const serve_options& options) {
  if (options.tls_cert.empty() && options.tls_key.empty())
    return std::shared_ptr<protocol::tls_identity>{};
  if (options.tls_cert.empty() || options.tls_key.empty())
    return error{ec::invalid_argument,
                 "--tls-cert and --tls-key go together: give both for HTTPS, "
                 "none for HTTP"};
  return protocol::tls_identity::load(options.tls_cert, options.tls_key);
}

/// The key that the environment gives, for which there is no file.
result<std::string> take_secret_key() {
  const char* given = std::getenv("FANFARE_SECRET_KEY");
  std::string text = given != nullptr ? given : "";
  unsetenv("FANFARE_SECRET_KEY"); // not for what this process may start
  if (given != nullptr && text.empty())
    return error{ec::invalid_argument,
                 "FANFARE_SECRET_KEY is empty: give a key or unset it"};
  return text;
}

void reload_identity(const serve_options& options,
                     protocol::http_server& server) {
  if (options.tls_cert.empty())
    return spdlog::debug("SIGHUP is ignored: there is no certificate to load");
  auto identity = load_identity(options);
  if (!identity)
    return spdlog::error("the old certificate stays in use: {}",
                         identity.error().detail);
  server.change_identity(std::move(*identity));
  spdlog::info("new connections see the certificate that is now in {}",
               options.tls_cert);
}

int run(serve_options options) {
  // The log goes to stderr: stdout carries the one line that scripts wait for.
  spdlog::set_default_logger(spdlog::stderr_color_mt("fanfare"));
  spdlog::set_level(spdlog::level::from_str(options.log_level));
  spdlog::flush_on(spdlog::level::info);
  // Before the first thread: all inherit it, so that only the wait below sees
  // these signals.
  const auto signals = stop_signals();
  auto all_signals = signals;
  sigaddset(&all_signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &all_signals, nullptr);
  raise_file_limit();

  const auto listen = parse_listen_address(options.listen);
  if (!listen)
    return fail(listen.error());
  auto identity = load_identity(options);
  if (!identity)
    return fail(identity.error());
  auto key = take_secret_key();
  if (!key && options.engine.secret_key_file.empty())
    return fail(key.error());
  if (key)
    options.engine.secret_keys = std::move(*key);
  options.engine.log = write_log;
  // The wait for signals is also where a fatal error ends the server.
  static volatile std::sig_atomic_t failed = 0;
  options.engine.on_fatal = [](const std::string&) {
    failed = 1;
    kill(getpid(), SIGTERM);
  };
  auto started = engine::start(options.engine);
  if (!started && started.error().field == "secret_keys")
    return fail(
      {started.error().code, "FANFARE_SECRET_KEY: " + started.error().detail});
  if (!started)
    return fail(started.error());
  auto& engine = **started;
  const auto token = find_admin_token(options.engine.data);
  if (!token)
    return fail(token.error());
  if (token->made_now)
    spdlog::info("the admin token was made and stands in {}",
                 token->file.string());

  boost::asio::thread_pool blocking{blocking_threads};
  boost::asio::thread_pool writing{writing_threads};
  boost::asio::thread_pool parsing{1};
  protocol::rest::rest_api_options rest;
  rest.admin_token_hash = protocol::hash_token_key(token->key);
  rest.run.blocking = [&blocking](std::function<void()> job) {
    boost::asio::post(blocking, std::move(job));
  };
  rest.run.writing = [&writing](std::function<void()> job) {
    boost::asio::post(writing, std::move(job));
  };
  rest.run.parsing = [&parsing](std::function<void()> job) {
    boost::asio::post(parsing, std::move(job));
  };
  rest.failed_logins = options.failed_logins;
  const auto service = make_rest_service(engine);
  protocol::rest::rest_api api{*service, std::move(rest)};
  protocol::http_server_options http;
  http.host = listen->host;
  http.port = listen->port;
  http.identity = std::move(*identity);
  // An eighth of the files is for the API, the rest for deliveries.
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    const auto share = std::max<std::size_t>(16, files.rlim_cur / 8);
    http.max_connections = std::min(http.max_connections, share);
    http.max_connections_per_address = std::min(
      http.max_connections_per_address, share);
  }
  auto server = protocol::http_server::start(http, api);
  if (!server)
    return fail(server.error());

  const auto found = engine.statistics();
  spdlog::info("fanfare {} with {} notifications in {}, {} calls replayed",
               version, found.tail, options.engine.data.string(),
               found.calls_replayed);
  std::cout << "listening on " << (*server)->url() << std::endl;

  int signal = 0;
  while (sigwait(&all_signals, &signal) == 0 && signal == SIGHUP)
    reload_identity(options, **server);
  spdlog::info("stopping; a second signal ends it at once");
  // A second signal, like a disk that does not answer, is not waited for: what
  // was acknowledged is on disk.
  std::thread{[signals] {
    const timespec patience{.tv_sec = last_deadline.count(), .tv_nsec = 0};
    const bool signalled = sigtimedwait(&signals, nullptr, &patience) >= 0;
    if (!signalled)
      spdlog::error("the disk did not answer in time; ended without the last "
                    "checkpoint, what was acknowledged is on disk");
    _exit(signalled ? 130 : 1);
  }}.detach();
  engine.stop(drain_deadline);
  (*server)->stop(http_deadline);
  parsing.join();
  writing.join();
  blocking.join();
  server->reset();
  spdlog::info("stopped");
  spdlog::default_logger()->flush();
  // The detached thread still waits: end without running into its destructors.
  std::cout.flush();
  _exit(failed != 0 ? 1 : 0);
}

/// A CLI11 option of a type that is parsed by one of ours.
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

/// Takes from the file what the command line does not say. CLI11 itself reads
/// such files for the whole program only, not for one of its commands.
void read_config(CLI::App& serve, const std::string& file) {
  std::error_code failed;
  if (!std::filesystem::is_regular_file(file, failed))
    throw CLI::FileError::Missing(file);
  for (const auto& item : CLI::ConfigTOML{}.from_file(file)) {
    if (item.name == "++" || item.name == "--") // begin and end of a section
      continue;
    auto* option = serve.get_option_no_throw("--" + item.name);
    const bool ours = item.parents.empty()
                   || item.parents == std::vector<std::string>{"serve"};
    if (!ours || option == nullptr || item.name == "config"
        || item.name == "help")
      throw CLI::ConfigError(file + ": there is no option \"" + item.fullname()
                             + "\"");
    if (option->empty()) {
      // A list for an option that takes one value is its commas' way to say it.
      if (option->get_items_expected_max() == 1)
        option->add_result(CLI::detail::join(item.inputs, ","));
      else
        option->add_result(item.inputs);
      option->run_callback();
    }
  }
}

} // namespace

void add_serve_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<serve_options>();
  auto& e = options->engine;
  auto* serve = app.add_subcommand("serve", "Serve the REST API and deliver");
  serve
    ->add_option("--config", options->config,
                 "Read options from this file (TOML or INI, the names below "
                 "without dashes); the command line wins")
    ->type_name("FILE");
  serve->add_option("--data", e.data, "Directory of the store")
    ->type_name("DIR")
    ->capture_default_str();
  serve
    ->add_option("--listen", options->listen,
                 "Address of the API; port 0 takes a free one")
    ->type_name("HOST:PORT")
    ->capture_default_str();
  serve
    ->add_option("--tls-cert", options->tls_cert,
                 "Serve HTTPS with this certificate: PEM, the server's own "
                 "first, then those of the authorities between it and the "
                 "root; goes with --tls-key. Read again on SIGHUP")
    ->type_name("FILE");
  serve
    ->add_option("--tls-key", options->tls_key,
                 "Its private key: PEM without a passphrase")
    ->type_name("FILE");
  serve
    ->add_option("--allow-network", e.allow_networks,
                 "Deliver to this network although it is not public; may be "
                 "repeated. Without it "
                 "private, loopback and link-local targets are refused")
    ->type_name("CIDR")
    ->allow_extra_args(false);
  serve
    ->add_option("--deny-network", e.deny_networks,
                 "Never deliver to this network, whatever else allows it; may "
                 "be repeated")
    ->type_name("CIDR")
    ->allow_extra_args(false);
  serve
    ->add_option("--proxy", e.proxy,
                 "Deliver through this proxy: http://HOST:PORT (CONNECT) or "
                 "socks5://HOST:PORT, with USER:PASSWORD@ if it asks for them. "
                 "Receivers are looked up and checked here all the same")
    ->type_name("URL");
  serve
    ->add_option(
      "--dns-server", e.dns_servers,
      "Ask this name server instead of the system's; may be repeated")
    ->type_name("ADDRESS[:PORT]")
    ->allow_extra_args(false);
  serve
    ->add_option(
      "--secret-key-file", e.secret_key_file,
      "Encrypt secrets on disk with the keys in this file, which only its "
      "owner may read: one per line, 32 bytes as 64 hexadecimal digits or as "
      "base64 (lines that begin with # are comments), or 32 bytes as they are. "
      "The first key encrypts, all decrypt. Without it, or FANFARE_SECRET_KEY, "
      "they are stored as they are")
    ->type_name("FILE");
  serve
    ->add_option("--threads", e.threads,
                 "I/O threads for delivery; 0: one per core")
    ->capture_default_str();
  serve
    ->add_option("--ca-file", e.ca_file,
                 "PEM file of the authorities that receivers are "
                 "verified with, instead of the system's")
    ->type_name("FILE");
  add_parsed(*serve, "--schedule", e.schedule, parse_schedule,
             "Delays between the attempts, up to 10 % is added at random",
             "DURATION,…", "5s,30s,1m,5m,20m,1h,4h,6h,12h,12h,24h");
  add_parsed(*serve, "--max-age", e.max_age, parse_duration,
             "Age since publish beyond which nothing is tried again",
             "DURATION", "3d");
  add_parsed(*serve, "--retention", e.retention, parse_duration,
             "How long notifications and calls are kept", "DURATION", "30d");
  add_parsed(*serve, "--retention-interval", e.retention_interval,
             parse_duration, "How often old ones are looked for", "DURATION",
             "1m");
  serve
    ->add_option("--max-in-flight", e.max_in_flight,
                 "Attempts of one webhook at the same time")
    ->check(CLI::Range(1, 64))
    ->capture_default_str();
  serve
    ->add_option(
      "--max-per-destination", e.max_per_destination,
      "Attempts to one scheme, host and port at the same time, shared evenly "
      "by the I/O threads, each with as many as --max-in-flight at least; "
      "those that take longer than a second do not count")
    ->check(CLI::Range(1, 65'536))
    ->capture_default_str();
  serve
    ->add_option("--max-per-organizer", e.max_per_organizer,
                 "The same for the webhooks of one organizer")
    ->check(CLI::Range(1, 65'536))
    ->capture_default_str();
  serve
    ->add_option("--breaker-failures", e.breaker_failures,
                 "Failures of a webhook in a row after which nothing is "
                 "attempted for a pause; 0: no circuit breaker")
    ->check(CLI::Range(0, 1'000'000))
    ->capture_default_str();
  add_parsed(*serve, "--breaker-pause", e.breaker_pause, parse_duration,
             "The first pause; it doubles while probes fail, up to a minute",
             "DURATION", "2s");
  add_parsed(*serve, "--disable-after", e.disable_after, parse_duration,
             "Disable a webhook that has only failed for that long; 0s: never",
             "DURATION", "5d");
  serve
    ->add_option("--window", e.window,
                 "Notifications of one webhook that wait in memory")
    ->check(CLI::Range(1, 65'536))
    ->capture_default_str();
  add_parsed(*serve, "--dns-timeout", e.dns_timeout, parse_duration,
             "For looking up a receiver's name", "DURATION", "5s");
  add_parsed(*serve, "--connect-timeout", e.connect_timeout, parse_duration,
             "For connecting to a receiver", "DURATION", "5s");
  add_parsed(*serve, "--tls-timeout", e.tls_timeout, parse_duration,
             "For the TLS handshake with a receiver", "DURATION", "5s");
  add_parsed(*serve, "--first-byte-timeout", e.first_byte_timeout,
             parse_duration, "From the request to the first byte of the answer",
             "DURATION", "30s");
  add_parsed(*serve, "--total-timeout", e.total_timeout, parse_duration,
             "For a whole attempt", "DURATION", "30s");
  add_parsed(*serve, "--checkpoint-interval", e.checkpoint_interval,
             parse_duration, "How often progress is saved", "DURATION", "2s");
  add_parsed(
    *serve, "--max-store-size", e.max_store_size, parse_size,
    "Most bytes the store may take; publishes are refused shortly before",
    "SIZE", "64G");
  serve
    ->add_option("--failed-logins", options->failed_logins,
                 "Wrong keys of one address in a row before it must wait; 0: "
                 "no limit")
    ->check(CLI::Range(0, 1'000'000))
    ->capture_default_str();
  serve->add_option("--log-level", options->log_level, "What to log to stderr")
    ->check(CLI::IsMember({"debug", "info", "warning", "error"}))
    ->capture_default_str();
  serve->footer(
    "Environment:\n  FANFARE_ADMIN_TOKEN  the admin token (at "
    "least 16 characters); "
    "without it DIR/admin.token is used,\n                       "
    "made at the first "
    "start\n  FANFARE_SECRET_KEY   the key itself, in place of "
    "--secret-key-file: 64 hexadecimal digits or base64\n\nSIGTERM and SIGINT "
    "drain and stop; a second one ends "
    "it at once.\nSIGHUP reads --tls-cert and --tls-key again, for new "
    "connections; if they are bad the\nold ones stay in use.");
  serve->callback([serve, options, &exit_code] {
    if (!options->config.empty())
      read_config(*serve, options->config);
    exit_code = run(std::move(*options));
  });
}

} // namespace fanfare::cli
