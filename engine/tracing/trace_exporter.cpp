// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/tracing/trace_exporter.hpp"

#include "fanfare/version.hpp"
#include "protocol/dns/resolver.hpp"
#include "protocol/otlp/span.hpp"

#include <boost/asio/ip/host_name.hpp>
#include <boost/asio/post.hpp>

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <random>
#include <utility>

namespace fanfare {

namespace {

/// Between two lines that say that the collector is in trouble: one that comes
/// and goes must not fill the log.
constexpr std::chrono::minutes telling_interval{1};
/// Between two lines about spans that it does not want.
constexpr std::chrono::minutes warning_interval{10};

/// The operator has chosen where the collector is.
protocol::address_policy everywhere() {
  using boost::asio::ip::address_v4;
  using boost::asio::ip::address_v6;
  return protocol::address_policy{
    {{.base = address_v4{}, .prefix = 0}, {.base = address_v6{}, .prefix = 0}}};
}

protocol::http_client_options wire_options(boost::asio::io_context& io,
                                           const checked_options& options) {
  protocol::http_client_options out;
  out.policy = everywhere();
  out.tls = options.tls;
  out.names = protocol::make_system_resolver(
    io, {.servers = options.given.network.dns_servers});
  out.max_idle = 1;
  return out;
}

/// A random UUID (RFC 9562, version 4): this start of this engine.
std::string new_instance() {
  std::random_device device;
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx";
  for (auto& c : out)
    if (c == 'x')
      c = digits[device() & 15];
    else if (c == 'y')
      c = digits[8 | (device() & 3)];
  return out;
}

std::string describe_engine(const tracing_options& options) {
  boost::system::error_code failed;
  auto host = boost::asio::ip::host_name(failed);
  std::vector<protocol::otlp::attribute> out{
    {"service.name", options.service_name},
    {"service.version", std::string{version}},
    {"service.instance.id", new_instance()},
    {"process.pid", std::int64_t{::getpid()}}};
  if (!failed && !host.empty())
    out.push_back({"host.name", std::move(host)});
  return encode_resource(out);
}

std::string reason_of(const protocol::exchange_result& exchange) {
  return exchange.status == 0
         ? exchange.reason
         : "it answered " + std::to_string(exchange.status);
}

} // namespace

trace_exporter::trace_exporter(const checked_options& options)
  : options_(options),
    resource_(describe_engine(options.given.tracing)),
    queue_(options.given.tracing.queue, options.given.tracing.batch),
    work_(io_.get_executor()),
    wire_(
      std::make_unique<protocol::http_client>(io_, wire_options(io_, options))),
    timer_(io_),
    deadline_(io_),
    pace_(std::random_device{}()),
    thread_([this] { run(); }) {}

trace_exporter::~trace_exporter() {
  stop({});
}

// -- any thread ---------------------------------------------------------------

void trace_exporter::offer(std::string span) {
  if (queue_.push(std::move(span)))
    boost::asio::post(io_, [this] { look(); });
}

void trace_exporter::stop(std::chrono::milliseconds patience) {
  const std::lock_guard guard{joining_};
  if (!thread_.joinable())
    return;
  boost::asio::post(io_, [this, patience] { begin_stop(patience); });
  thread_.join();
}

// -- its own thread -----------------------------------------------------------

void trace_exporter::run() noexcept {
  try {
    io_.run();
  } catch (const std::exception& e) {
    options_.given.log(log_level::error,
                       std::string{"nothing is traced any more: "} + e.what());
  }
}

void trace_exporter::look() {
  const bool may_send = doing_ == activity::resting
                     || doing_ == activity::collecting;
  if (may_send && queue_.has_batch())
    send_next();
  else if (doing_ == activity::resting) {
    doing_ = activity::collecting;
    wait(options_.given.tracing.interval);
  }
}

void trace_exporter::wait(std::chrono::milliseconds time) {
  timer_.expires_after(time);
  timer_.async_wait([this](const boost::system::error_code& failed) {
    if (!failed
        && (doing_ == activity::collecting || doing_ == activity::pausing))
      send_next();
  });
}

void trace_exporter::send_next() {
  timer_.cancel();
  if (!request_) {
    const auto spans = queue_.take();
    if (spans.empty()) {
      doing_ = activity::resting;
      if (stopping_)
        end();
      return;
    }
    auto made = std::make_shared<notification>();
    made->body = protocol::otlp::export_request(resource_, spans);
    request_ = std::move(made);
    in_request_ = spans.size();
    pace_.begin(options_.given.clock->now());
  }
  send();
}

void trace_exporter::send() {
  doing_ = activity::sending;
  const auto time = options_.given.tracing.timeout;
  wire_->send({.to = options_.traces.collector,
               .what = request_,
               .limits = {.dns = time,
                          .connect = time,
                          .tls = time,
                          .first_byte = time,
                          .total = time}},
              [this](protocol::exchange_result&& exchange) {
                on_answered(std::move(exchange));
              });
}

void trace_exporter::on_answered(protocol::exchange_result&& exchange) {
  if (doing_ == activity::ended)
    return;
  switch (judge(exchange)) {
    case export_end::taken: on_taken(exchange); break;
    case export_end::refused:
      tell_of_failure(exchange);
      give_up();
      break;
    case export_end::again: {
      const auto next = pace_.failed(exchange, options_.given.clock->now());
      tell_of_failure(exchange);
      if (next.gives_up)
        give_up();
      if (stopping_)
        return end();
      doing_ = activity::pausing;
      return wait(next.wait);
    }
  }
  if (stopping_ || queue_.has_batch())
    return send_next();
  doing_ = activity::resting;
  if (queue_.size() != 0)
    look();
}

void trace_exporter::on_taken(const protocol::exchange_result& exchange) {
  pace_.succeeded();
  const auto answer = protocol::otlp::read_response(exchange.response_body);
  const auto rejected = std::min<std::uint64_t>(answer.rejected, in_request_);
  auto& counts = queue_.counts();
  counts.exported.fetch_add(in_request_ - rejected);
  counts.failed.fetch_add(rejected);
  request_.reset();
  in_request_ = 0;
  if (failing_) {
    failing_ = false;
    const auto lost = counts.dropped.load() + counts.failed.load()
                    - lost_before_;
    options_.given.log(log_level::info, "traces are exported to "
                                          + options_.traces.shown + " again; "
                                          + std::to_string(lost)
                                          + " spans were lost meanwhile");
  }
  const auto now = std::chrono::steady_clock::now();
  if ((rejected == 0 && answer.message.empty())
      || now - warned_ < warning_interval)
    return;
  warned_ = now;
  options_.given.log(log_level::warning,
                     "the collector at " + options_.traces.shown
                       + " has not taken " + std::to_string(rejected)
                       + " spans of a request"
                       + (answer.message.empty() ? "" : ": " + answer.message));
}

void trace_exporter::tell_of_failure(
  const protocol::exchange_result& exchange) {
  const auto now = std::chrono::steady_clock::now();
  if (failing_ || now - told_ < telling_interval)
    return;
  failing_ = true;
  told_ = now;
  const auto& counts = queue_.counts();
  lost_before_ = counts.dropped.load() + counts.failed.load();
  options_.given.log(
    log_level::warning,
    "traces cannot be exported to " + options_.traces.shown + ": "
      + reason_of(exchange) + ". Deliveries go on; "
      + std::to_string(options_.given.tracing.queue)
      + " spans wait for it at most, then the oldest are lost");
}

void trace_exporter::give_up() {
  queue_.counts().failed.fetch_add(in_request_);
  request_.reset();
  in_request_ = 0;
}

// -- stop ---------------------------------------------------------------------

void trace_exporter::begin_stop(std::chrono::milliseconds patience) {
  if (doing_ == activity::ended)
    return;
  stopping_ = true;
  deadline_.expires_after(patience);
  deadline_.async_wait([this](const boost::system::error_code& failed) {
    if (!failed)
      end();
  });
  if (doing_ != activity::sending)
    send_next();
}

void trace_exporter::end() {
  if (doing_ == activity::ended)
    return;
  doing_ = activity::ended;
  auto lost = in_request_;
  give_up();
  while ((in_request_ = queue_.take().size()) != 0) {
    lost += in_request_;
    give_up();
  }
  if (lost != 0)
    options_.given.log(log_level::warning,
                       std::to_string(lost)
                         + " spans could not be exported before the stop");
  timer_.cancel();
  deadline_.cancel();
  work_.reset();
  // Not within a callback of its own.
  boost::asio::post(io_, [this] { wire_->close(); });
}

} // namespace fanfare
