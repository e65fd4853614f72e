// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/serve.hpp"

#include "cli/admin_token.hpp"
#include "cli/backup_schedule.hpp"
#include "cli/log.hpp"
#include "cli/option_values.hpp"
#include "cli/reload.hpp"
#include "cli/serve_options.hpp"
#include "cli/service_manager.hpp"
#include "cli/sink.hpp"
#include "engine/rest_service.hpp"
#include "fanfare/engine.hpp"
#include "fanfare/version.hpp"
#include "protocol/rest/metrics/metrics_listener.hpp"
#include "protocol/rest/rest_api.hpp"
#include "protocol/security/credentials.hpp"
#include "protocol/server/http_server.hpp"
#include "protocol/server/request_log.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include <CLI/CLI.hpp>
#include <spdlog/spdlog.h>

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace fanfare::cli {

namespace {

using namespace std::chrono_literals;

/// Threads for requests that wait for the disk.
constexpr std::size_t blocking_threads = 4;
constexpr std::size_t writing_threads = 4;
constexpr auto http_deadline = 1s;
/// Some scrapers, and a few to spare.
constexpr std::size_t metrics_connections = 64;

/// Every connection is a file: raise the limit as far as the system allows.
void raise_file_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0
      && limit.rlim_cur < limit.rlim_max) {
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
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

/// The key in the environment, which takes the place of a key file.
result<std::string> take_secret_key() {
  const char* given = std::getenv("FANFARE_SECRET_KEY");
  std::string text = given != nullptr ? given : "";
  unsetenv("FANFARE_SECRET_KEY"); // child processes must not inherit it
  if (given != nullptr && text.empty())
    return error{ec::invalid_argument,
                 "FANFARE_SECRET_KEY is empty: give a key or unset it"};
  return text;
}

/// What the environment says of traces. Secrets among it are taken out.
void read_trace_environment(tracing_options& to) {
  if (const char* name = std::getenv("OTEL_SERVICE_NAME");
      name != nullptr && *name != '\0')
    to.service_name = name;
  const char* given = std::getenv("FANFARE_OTLP_HEADERS");
  std::string_view rest = given != nullptr ? given : "";
  while (!rest.empty()) {
    const auto end = std::min(rest.find(','), rest.size());
    if (end != 0)
      to.headers.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  unsetenv("FANFARE_OTLP_HEADERS"); // child processes must not inherit it
}

/// Threads for requests that must not run on the server's own.
class request_threads {
public:
  [[nodiscard]] protocol::rest::workers workers() {
    const auto on = [](boost::asio::thread_pool& threads) {
      return [&threads](std::function<void()> job) {
        boost::asio::post(threads, std::move(job));
      };
    };
    return {.blocking = on(blocking_),
            .writing = on(writing_),
            .parsing = on(parsing_)};
  }
  /// Waits for what they have begun.
  void join() {
    parsing_.join();
    writing_.join();
    blocking_.join();
  }

private:
  boost::asio::thread_pool blocking_{blocking_threads};
  boost::asio::thread_pool writing_{writing_threads};
  boost::asio::thread_pool parsing_{1};
};

/// Whichever way the server ends, no request outlives what it needs.
class end_of_requests {
public:
  end_of_requests(protocol::http_server& api,
                  std::unique_ptr<protocol::http_server>& metrics,
                  request_threads& threads)
    : api_{api},
      metrics_{metrics},
      threads_{threads} {}
  end_of_requests(const end_of_requests&) = delete;
  end_of_requests& operator=(const end_of_requests&) = delete;
  ~end_of_requests() {
    api_.stop({});
    if (metrics_)
      metrics_->stop({});
    threads_.join();
  }

private:
  protocol::http_server& api_;
  std::unique_ptr<protocol::http_server>& metrics_;
  request_threads& threads_;
};

/// The API may use an eighth of the files, deliveries the rest.
protocol::http_server_options http_options() {
  protocol::http_server_options http;
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
    const auto share = std::max<std::size_t>(16, files.rlim_cur / 8);
    http.max_connections = std::min(http.max_connections, share);
    http.max_connections_per_address = std::min(
      http.max_connections_per_address, share);
  }
  return http;
}

/// Streams keep their connections: half of them, at most, and four fifths of
/// these for one organizer.
protocol::rest::stream_limits
stream_share(const protocol::http_server_options& http) {
  protocol::rest::stream_limits out;
  out.most = std::min(out.most, http.max_connections / 2);
  out.most_of_organizer = std::min(out.most_of_organizer, out.most * 4 / 5);
  return out;
}

/// Where /metrics is served beside the API; null: nowhere.
result<std::unique_ptr<protocol::http_server>>
start_metrics(const std::optional<listen_address>& at,
              protocol::rest::metrics_listener& handler) {
  if (!at)
    return std::unique_ptr<protocol::http_server>{};
  protocol::http_server_options http;
  http.host = at->host;
  http.port = at->port;
  http.max_connections = metrics_connections;
  http.max_connections_per_address = metrics_connections;
  http.body_limit = 0;
  auto started = protocol::http_server::start(http, handler);
  if (started)
    spdlog::info("metrics are served on {}/metrics", (*started)->url());
  return started;
}

/// Reads --metrics-listen; nothing if it is not given.
result<std::optional<listen_address>>
parse_metrics_address(const serve_options& options) {
  if (options.metrics_listen.empty())
    return std::optional<listen_address>{};
  auto parsed = parse_listen_address(options.metrics_listen);
  if (parsed)
    return std::optional{std::move(*parsed)};
  auto why = std::move(parsed.error());
  if (constexpr std::string_view name = "--listen";
      why.detail.starts_with(name))
    why.detail.replace(0, name.size(), "--metrics-listen");
  why.field = "metrics_listen";
  return why;
}

/// Ends the process on a second signal, or if the disk does not answer: what
/// was acknowledged is on disk.
void limit_the_stop(const sigset_t& signals) {
  std::thread{[signals] {
    const timespec patience{.tv_sec = last_deadline.count(), .tv_nsec = 0};
    const bool signalled = sigtimedwait(&signals, nullptr, &patience) >= 0;
    if (!signalled)
      spdlog::error("the disk did not answer in time; ended without the last "
                    "checkpoint, what was acknowledged is on disk");
    _exit(signalled ? 130 : 1);
  }}.detach();
}

int run(read_options read) {
  auto& options = read.value;
  // The log goes to stderr: stdout has the one line that scripts wait for.
  open_log(options.log_format == "json" ? log_format::json : log_format::text,
           options.log_level);
  // Blocked before the first thread starts: all inherit it, so that only the
  // wait below sees these signals.
  const auto manager = service_manager::from_environment();
  const auto signals = stop_signals();
  auto all_signals = signals;
  sigaddset(&all_signals, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &all_signals, nullptr);
  raise_file_limit();

  const auto listen = parse_listen_address(options.listen);
  if (!listen)
    return fail(explain_option(
      options, {listen.error().code, listen.error().detail, "listen"}));
  const auto metrics_at = parse_metrics_address(options);
  if (!metrics_at)
    return fail(explain_option(options, metrics_at.error()));
  auto identity = load_identity(options);
  if (!identity)
    return fail(identity.error());
  auto proxies = read_trusted_proxies(options);
  if (!proxies)
    return fail(proxies.error());
  auto key = take_secret_key();
  if (!key && options.engine.secrets.key_file.empty())
    return fail(key.error());
  if (key)
    options.engine.secrets.keys = std::move(*key);
  options.engine.builtin_types = !options.without_builtin_types;
  read_trace_environment(options.engine.tracing);
  options.engine.log = write_log;
  // A fatal error ends the server through the same wait for signals.
  static volatile std::sig_atomic_t failed = 0;
  options.engine.on_fatal = [](const std::string&) {
    failed = 1;
    kill(getpid(), SIGTERM);
  };
  auto started = engine::start(options.engine);
  if (!started && started.error().field == "secrets.keys")
    return fail(
      {started.error().code,
       "--secret-key-file or FANFARE_SECRET_KEY: " + started.error().detail});
  if (!started)
    return fail(explain_option(options, started.error()));
  auto& engine = **started;
  const auto token = find_admin_token(options.engine.data);
  if (!token)
    return fail(token.error());
  if (token->made_now)
    spdlog::info("the admin token was made and stands in {}",
                 token->file.string());

  request_threads threads;
  const auto service = make_rest_service(engine);
  const auto connections = std::make_shared<protocol::server_counters>();
  auto http = http_options();
  protocol::rest::rest_api api{
    *service,
    {.admin_token_hash = protocol::hash_token_key(token->key),
     .run = threads.workers(),
     .local_names = !options.engine.network.allow.empty(),
     .public_url = options.public_url,
     .failed_logins = options.failed_logins,
     .more_figures = [connections] { return connections->figures(); },
     .streams = stream_share(http)}};
  http.counters = connections;
  http.host = listen->host;
  http.port = listen->port;
  http.identity = std::move(*identity);
  http.trusted_proxies = std::move(*proxies);
  protocol::request_log requests{api, tell_of_requests(), tells_of_requests};
  auto server = protocol::http_server::start(http, requests);
  if (!server)
    return fail(server.error());
  protocol::rest::metrics_listener metrics{api.figures(),
                                           threads.workers().blocking};
  std::unique_ptr<protocol::http_server> metrics_server;
  const end_of_requests whatever_follows{**server, metrics_server, threads};
  if (auto begun = start_metrics(*metrics_at, metrics))
    metrics_server = std::move(*begun);
  else
    return fail(begun.error());

  std::unique_ptr<backup_schedule> backups;
  if (!options.backups.directory.empty()) {
    if (auto made = backup_schedule::prepare(options.backups); !made)
      return fail(explain_option(options, made.error()));
    backups = backup_schedule::begin(engine, options.backups);
  }

  const auto found = engine.statistics();
  spdlog::info("fanfare {} with {} notifications in {}, {} calls since the "
               "last checkpoint",
               version, found.tail, options.engine.data.string(),
               found.calls_replayed);
  std::cout << "listening on " << (*server)->url() << std::endl;
  const auto status = "listening on " + (*server)->url();
  manager.ready(status);
  watchdog dog{manager, [&engine](std::chrono::milliseconds patience) {
                 return engine.responds(patience);
               }};

  option_reloader reloader{read};
  int signal = 0;
  while (sigwait(&all_signals, &signal) == 0 && signal == SIGHUP) {
    manager.reloading();
    const bool reloaded = reloader.reload(
      {.engine = engine, .api = api, .server = **server, .backups = backups});
    manager.ready(reloaded ? status
                           : status
                               + "; the last reload changed nothing, the "
                                 "log says why");
  }
  spdlog::info("stopping; a second signal ends it at once");
  manager.stopping("stopping");
  limit_the_stop(signals);
  dog.rest();
  engine.stop(drain_deadline);
  (*server)->stop(http_deadline);
  if (metrics_server)
    metrics_server->stop(http_deadline);
  backups.reset();
  threads.join();
  spdlog::info("stopped");
  spdlog::default_logger()->flush();
  // The detached thread is still waiting: exit without running destructors.
  std::cout.flush();
  _exit(failed != 0 ? 1 : 0);
}

} // namespace

void add_serve_command(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<serve_options>();
  auto* serve = app.add_subcommand("serve",
                                   "Serve the REST API and deliver webhooks");
  add_serve_options(*serve, *options);
  serve->callback([serve, options, &exit_code] {
    auto command_line = given_texts(*serve);
    if (!options->config.empty())
      read_config(*serve, *options);
    exit_code = run({.value = std::move(*options),
                     .command_line = std::move(command_line),
                     .texts = all_texts(*serve)});
  });
}

} // namespace fanfare::cli
