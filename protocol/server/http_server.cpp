// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/http_server.hpp"

#include "protocol/server/admission.hpp"
#include "protocol/server/body_budget.hpp"
#include "protocol/server/stream.hpp"
#include "protocol/server/worker.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>

#include <mutex>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::protocol {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using server::admission;
using acceptor = asio::basic_socket_acceptor<tcp, server::executor>;

/// Before the next try after the process or the machine ran out of something.
constexpr std::chrono::milliseconds accept_pause{100};

std::string in_url(const std::string& host) {
  return host.find(':') == std::string::npos ? host : '[' + host + ']';
}

/// What the operator can do about it.
std::string_view advice(const error_code& ec) {
  if (ec == asio::error::address_in_use)
    return "another program listens there: stop it or choose another port";
  if (ec == asio::error::access_denied)
    return "ports below 1024 need privileges: choose a higher one";
  if (ec == boost::system::errc::address_not_available)
    return "this machine does not have that address: use one of its own, "
           "127.0.0.1 or 0.0.0.0";
  if (ec == asio::error::address_family_not_supported)
    return "this machine does not speak that kind of address: try an IPv4 one";
  return "choose another address or port";
}

result<void> check(const http_server_options& options) {
  const auto positive = [](auto value) { return value > decltype(value){}; };
  const auto bad = [](const char* field, const char* what) -> result<void> {
    return error{ec::invalid_argument, std::string{field} + ' ' + what, field};
  };
  constexpr auto zero = "must be greater than 0";
  if (options.host.empty())
    return bad("host", "is empty: use 127.0.0.1 for this machine only, 0.0.0.0 "
                       "for all networks");
  if (!positive(options.threads))
    return bad("threads", zero);
  if (options.head_limit < 256)
    return bad("head_limit", "must be at least 256");
  if (!positive(options.target_limit))
    return bad("target_limit", zero);
  if (!positive(options.handshake_timeout))
    return bad("handshake_timeout", zero);
  if (!positive(options.head_timeout))
    return bad("head_timeout", zero);
  if (!positive(options.body_timeout))
    return bad("body_timeout", zero);
  if (!positive(options.idle_timeout))
    return bad("idle_timeout", zero);
  if (!positive(options.open_body_timeout))
    return bad("open_body_timeout", zero);
  if (!positive(options.max_connections))
    return bad("max_connections", zero);
  if (!positive(options.max_connections_per_address))
    return bad("max_connections_per_address", zero);
  if (!positive(options.max_pipelined))
    return bad("max_pipelined", zero);
  return {};
}

class http_server_implementation final : public http_server {
public:
  http_server_implementation(http_server_options options, http_handler& handler)
    : options_(std::move(options)),
      admission_(options_),
      budget_(options_.body_budget) {
    // "[::1]", as in a URL, will do too.
    if (auto& host = options_.host;
        host.size() > 2 && host.front() == '[' && host.back() == ']')
      host = host.substr(1, host.size() - 2);
    for (std::size_t i = 0; i < options_.threads; ++i)
      workers_.push_back(
        std::make_unique<server::worker>(options_, handler, budget_));
    acceptor_.emplace(workers_.front()->io().get_executor());
    pause_.emplace(workers_.front()->io().get_executor());
  }

  ~http_server_implementation() override {
    stop_now(std::chrono::milliseconds{0});
  }

  result<void> listen() {
    const auto where = in_url(options_.host) + ':'
                     + std::to_string(options_.port);
    const auto failed = [&where](const error_code& why,
                                 std::string_view todo) -> result<void> {
      return error{ec::bind_failed, "cannot listen on " + where + ": "
                                      + why.message() + "; "
                                      + std::string{todo}};
    };
    error_code first;
    tcp::resolver resolver{workers_.front()->io()};
    const auto found = resolver.resolve(
      options_.host, std::to_string(options_.port),
      tcp::resolver::passive | tcp::resolver::numeric_service, first);
    if (first || found.empty())
      return failed(
        first,
        "give an IP address, or a name that resolves to one of this machine");
    for (const auto& entry : found) {
      const auto why = bind(entry.endpoint());
      if (!why)
        return {};
      if (!first)
        first = why;
    }
    return failed(first, advice(first));
  }

  void run() {
    for (auto& worker : workers_)
      worker->start();
    asio::post(workers_.front()->io(), [this] { accept_next(); });
  }

  std::uint16_t port() const override {
    return port_;
  }

  std::string url() const override {
    return (options_.identity ? "https://" : "http://") + in_url(options_.host)
         + ':' + std::to_string(port_);
  }

  void change_identity(std::shared_ptr<const tls_identity> identity) override {
    const std::lock_guard guard{identity_mutex_};
    identity_ = std::move(identity);
  }

  void change_trusted_proxies(std::vector<network> proxies) override {
    admission_.trust(std::move(proxies));
  }

  void stop(std::chrono::milliseconds deadline) override {
    stop_now(deadline);
  }

private:
  error_code bind(const tcp::endpoint& where) {
    error_code ec;
    const auto step = [&](auto&& action) {
      if (!ec)
        action();
    };
    step([&] { acceptor_->open(where.protocol(), ec); });
    // A restart must not wait until the kernel has forgotten the connections
    // of the last run.
    step([&] {
      acceptor_->set_option(asio::socket_base::reuse_address{true}, ec);
    });
    step([&] { acceptor_->bind(where, ec); });
    step([&] {
      acceptor_->listen(asio::socket_base::max_listen_connections, ec);
    });
    step([&] { port_ = acceptor_->local_endpoint(ec).port(); });
    if (ec) {
      error_code ignored;
      acceptor_->close(ignored);
    }
    return ec;
  }

  void accept_next() {
    if (!acceptor_->is_open())
      return;
    auto& worker = *workers_[turn_++ % workers_.size()];
    acceptor_->async_accept(
      worker.io().get_executor(),
      [this, &worker](const error_code& why, server::tcp_socket socket) {
        if (why == asio::error::operation_aborted)
          return;
        if (why && why != asio::error::connection_aborted) {
          // Out of descriptors or memory, most likely: the next try would fail
          // at once as well.
          pause_->expires_after(accept_pause);
          pause_->async_wait([this](const error_code& cancelled) {
            if (!cancelled)
              accept_next();
          });
          return;
        }
        if (!why)
          admit(worker, std::move(socket));
        accept_next();
      });
  }

  void admit(server::worker& worker, server::tcp_socket socket) {
    error_code ec;
    const auto from = socket.remote_endpoint(ec).address();
    if (ec)
      return; // it is gone already
    auto pass = admission_.admit(from);
    if (pass.how() == admission::verdict::dropped)
      return;
    asio::dispatch(worker.io(), [&worker, pass = std::move(pass),
                                 identity = identity(),
                                 socket = std::move(socket)]() mutable {
      worker.adopt(std::move(socket), std::move(pass), identity.get());
    });
  }

  std::shared_ptr<const tls_identity> identity() {
    if (!options_.identity)
      return nullptr;
    const std::lock_guard guard{identity_mutex_};
    return identity_;
  }

  void stop_now(std::chrono::milliseconds deadline) {
    const std::lock_guard guard{stopping_};
    if (std::exchange(stopped_, true))
      return;
    asio::post(workers_.front()->io(), [this] {
      error_code ignored;
      acceptor_->close(ignored);
      pause_->cancel();
    });
    for (auto& worker : workers_)
      worker->drain();
    admission_.wait_empty(deadline);
    for (auto& worker : workers_)
      worker->finish();
  }

  http_server_options options_;
  admission admission_;
  server::body_budget budget_;
  std::vector<std::unique_ptr<server::worker>> workers_;
  // On the thread of the first worker.
  std::optional<acceptor> acceptor_;
  std::optional<server::timer> pause_;
  std::size_t turn_ = 0;
  std::uint16_t port_ = 0;
  std::mutex identity_mutex_;
  std::shared_ptr<const tls_identity> identity_ = options_.identity;
  std::mutex stopping_;
  bool stopped_ = false;
};

} // namespace

result<std::unique_ptr<http_server>>
http_server::start(const http_server_options& options, http_handler& handler) {
  if (auto checked = check(options); !checked)
    return checked.error();
  auto made = std::make_unique<http_server_implementation>(options, handler);
  if (auto listening = made->listen(); !listening)
    return listening.error();
  made->run();
  return std::unique_ptr<http_server>{std::move(made)};
}

} // namespace fanfare::protocol
