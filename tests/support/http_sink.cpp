// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/http_sink.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <type_traits>

namespace fanfare::test {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;

namespace {

std::string render(const response_plan& plan, bool with_body, bool close) {
  if (plan.raw)
    return *plan.raw;
  auto reason = http::obsolete_reason(http::int_to_status(plan.status));
  std::string result = "HTTP/1.1 " + std::to_string(plan.status) + ' '
                     + std::string{reason} + "\r\n";
  bool has_length = false;
  for (const auto& [name, value] : plan.headers) {
    result += name + ": " + value + "\r\n";
    has_length = has_length || boost::beast::iequals(name, "Content-Length")
              || boost::beast::iequals(name, "Transfer-Encoding");
  }
  if (!has_length && plan.status != 204 && plan.status != 304
      && plan.status >= 200)
    result += "Content-Length: " + std::to_string(plan.body.size()) + "\r\n";
  if (close)
    result += "Connection: close\r\n";
  result += "\r\n";
  if (with_body)
    result += plan.body;
  return result;
}

} // namespace

std::optional<std::string> request_record::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (boost::beast::iequals(key, name))
      return value;
  return std::nullopt;
}

response_plan response_plan::answer(unsigned status, std::string body) {
  return {.status = status, .body = std::move(body)};
}

response_plan response_plan::late(std::chrono::milliseconds delay) {
  return {.delay = delay};
}

response_plan response_plan::hanging() {
  return {.hang = true};
}

response_plan response_plan::bytes(std::string raw) {
  return {.raw = std::move(raw), .after = ending::close};
}

response_plan response_plan::resetting() {
  return {.cut_after = 0, .after = ending::reset};
}

response_plan response_plan::closing() {
  return {.cut_after = 0, .after = ending::close};
}

response_plan response_plan::redirect(std::string location, unsigned status) {
  return {.status = status, .headers = {{"Location", std::move(location)}}};
}

struct http_sink::impl {
  /// One accepted connection, everything of it on one strand.
  struct connection {
    connection(size_t number_, tcp::socket socket_)
      : number{number_},
        socket{std::move(socket_)},
        pause{socket.get_executor()} {
      // nop
    }

    size_t number;
    tcp::socket socket;
    /// Delays, drips and hangs.
    asio::steady_timer pause;
    bool hanging = false;
  };

  using connection_ptr = std::shared_ptr<connection>;

  impl(handler on_request, sink_options options_)
    : options{std::move(options_)},
      decide{std::move(on_request)},
      acceptor{asio::make_strand(io)} {
    tcp::endpoint endpoint{asio::ip::make_address(options.address),
                           options.port};
    acceptor.open(endpoint.protocol());
    acceptor.set_option(tcp::acceptor::reuse_address{true});
    acceptor.bind(endpoint);
    acceptor.listen();
    port = acceptor.local_endpoint().port();
    asio::co_spawn(acceptor.get_executor(), accept(), asio::detached);
    for (size_t i = 0; i < std::max<size_t>(options.threads, 1); ++i)
      threads.emplace_back([this] { io.run(); });
  }

  ~impl() {
    io.stop();
    for (auto& thread : threads)
      thread.join();
  }

  // -- coroutines -------------------------------------------------------------

  asio::awaitable<void> accept() {
    for (;;) {
      boost::system::error_code error;
      auto socket = co_await acceptor.async_accept(
        asio::any_io_executor{asio::make_strand(io)},
        asio::redirect_error(asio::use_awaitable, error));
      if (!acceptor.is_open())
        co_return;
      if (error)
        continue;
      auto conn = add(std::move(socket));
      auto welcome = options.on_connect ? options.on_connect(conn->number)
                                        : sink_options::greeting::serve;
      switch (welcome) {
        case sink_options::greeting::serve:
          asio::co_spawn(conn->socket.get_executor(), serve(conn),
                         [this, conn](std::exception_ptr) { remove(conn); });
          break;
        case sink_options::greeting::reset:
          reset(conn->socket);
          [[fallthrough]];
        case sink_options::greeting::close:
          close(conn->socket);
          remove(conn);
          break;
        case sink_options::greeting::ignore:
          break; // stays open until the sink stops
      }
    }
  }

  asio::awaitable<void> serve(connection_ptr conn) {
    conn->socket.set_option(tcp::no_delay{true});
    if (options.tls) {
      asio::ssl::stream<tcp::socket&> stream{conn->socket, *options.tls};
      co_await stream.async_handshake(asio::ssl::stream_base::server,
                                      asio::use_awaitable);
      if (co_await converse(conn, stream)) {
        boost::system::error_code ignored;
        co_await stream.async_shutdown(
          asio::redirect_error(asio::use_awaitable, ignored));
      }
    } else {
      co_await converse(conn, conn->socket);
    }
    close(conn->socket);
  }

  /// Answers requests until one ends the connection. Returns whether that end
  /// is an orderly one. Throws when the client goes away.
  template <class Stream>
  asio::awaitable<bool> converse(connection_ptr conn, Stream& stream) {
    using ending = response_plan::ending;
    boost::beast::flat_buffer buffer;
    for (;;) {
      http::request_parser<http::string_body> parser;
      parser.body_limit(boost::none);
      parser.header_limit(1024 * 1024);
      co_await http::async_read(stream, buffer, parser, asio::use_awaitable);
      const auto request = parser.release();
      auto record = make_record(*conn, request);
      if constexpr (!std::is_same_v<Stream, tcp::socket>) {
        if (const char* name = SSL_get_servername(stream.native_handle(),
                                                  TLSEXT_NAMETYPE_host_name))
          record.server_name = name;
        record.session_reused = SSL_session_reused(stream.native_handle()) == 1;
      }
      auto [answer_with, release_count] = keep(record);
      auto plan = answer_with ? answer_with(record) : response_plan{};
      if (plan.hang)
        co_await hang(*conn, release_count);
      if (plan.delay.count() > 0)
        co_await sleep(*conn, plan.delay);
      auto last = plan.after != ending::keep_alive || !request.keep_alive();
      auto bytes = render(plan, request.method() != http::verb::head, last);
      auto cut = plan.cut_after && *plan.cut_after < bytes.size();
      if (cut)
        bytes.resize(*plan.cut_after);
      co_await send(*conn, stream, bytes, plan);
      if (!cut)
        count_answer();
      if (plan.after == ending::reset) {
        reset(conn->socket);
        co_return false;
      }
      if (last || cut)
        co_return !cut;
    }
  }

  template <class Stream>
  asio::awaitable<void> send(connection& conn, Stream& stream,
                             std::string_view bytes,
                             const response_plan& plan) {
    auto step = plan.drip_size == 0 ? bytes.size() : plan.drip_size;
    while (!bytes.empty()) {
      auto piece = bytes.substr(0, step);
      co_await asio::async_write(stream, asio::buffer(piece),
                                 asio::use_awaitable);
      bytes.remove_prefix(piece.size());
      if (!bytes.empty())
        co_await sleep(conn, plan.drip_pause);
    }
  }

  static asio::awaitable<void> sleep(connection& conn,
                                     std::chrono::milliseconds time) {
    conn.pause.expires_after(time);
    co_await conn.pause.async_wait(asio::use_awaitable);
  }

  /// Waits for the next release after the one of that number. Checks first: it
  /// may have happened since the request arrived. A later one posts to our
  /// strand.
  asio::awaitable<void> hang(connection& conn, size_t release_count) {
    if (releases_so_far() > release_count)
      co_return;
    conn.hanging = true;
    conn.pause.expires_at(asio::steady_timer::time_point::max());
    boost::system::error_code woken;
    co_await conn.pause.async_wait(
      asio::redirect_error(asio::use_awaitable, woken));
    conn.hanging = false;
  }

  // -- connections ------------------------------------------------------------

  connection_ptr add(tcp::socket socket) {
    std::lock_guard guard{mutex};
    auto conn = std::make_shared<connection>(accepted++, std::move(socket));
    open.emplace(conn->number, conn);
    return conn;
  }

  void remove(const connection_ptr& conn) {
    close(conn->socket);
    std::lock_guard guard{mutex};
    open.erase(conn->number);
  }

  static void reset(tcp::socket& socket) {
    boost::system::error_code ignored;
    socket.set_option(asio::socket_base::linger{true, 0}, ignored);
    socket.close(ignored);
  }

  static void close(tcp::socket& socket) {
    boost::system::error_code ignored;
    socket.shutdown(tcp::socket::shutdown_send, ignored);
    socket.close(ignored);
  }

  template <class F>
  void for_each_connection(F f) {
    std::lock_guard guard{mutex};
    for (auto& [number, conn] : open)
      asio::post(conn->socket.get_executor(), [f, conn = conn] { f(*conn); });
  }

  // -- records ----------------------------------------------------------------

  template <class Request>
  static request_record
  make_record(const connection& conn, const Request& request) {
    request_record record;
    record.connection = conn.number;
    record.method = std::string{request.method_string()};
    record.target = std::string{request.target()};
    for (const auto& field : request)
      record.headers.emplace_back(std::string{field.name_string()},
                                  std::string{field.value()});
    record.body = request.body();
    record.time = std::chrono::steady_clock::now();
    return record;
  }

  /// Numbers and stores the record; returns the handler that answers it, and
  /// how many releases came before it.
  std::pair<handler, size_t> keep(request_record& record) {
    std::lock_guard guard{mutex};
    record.number = arrived++;
    records.push_back(record);
    changed.notify_all();
    return {decide, releases};
  }

  size_t releases_so_far() const {
    std::lock_guard guard{mutex};
    return releases;
  }

  void count_answer() {
    std::lock_guard guard{mutex};
    ++answered;
  }

  const sink_options options;
  mutable std::mutex mutex;
  mutable std::condition_variable changed;
  handler decide;
  std::vector<request_record> records;
  size_t arrived = 0;
  size_t answered = 0;
  size_t accepted = 0;
  size_t releases = 0;
  std::uint16_t port = 0;
  // The connections' sockets must go before the context they belong to.
  asio::io_context io;
  std::map<size_t, connection_ptr> open;
  tcp::acceptor acceptor;
  std::vector<std::thread> threads;
};

http_sink::http_sink(handler on_request, sink_options options)
  : impl_{std::make_unique<impl>(std::move(on_request), std::move(options))} {
  // nop
}

http_sink::~http_sink() = default;

std::uint16_t http_sink::port() const noexcept {
  return impl_->port;
}

std::string http_sink::url(std::string_view path, std::string_view host) const {
  std::string name{host};
  if (name.empty())
    name = impl_->options.address;
  if (name.find(':') != std::string::npos)
    name = '[' + name + ']';
  return (impl_->options.tls ? "https://" : "http://") + name + ':'
       + std::to_string(impl_->port) + std::string{path};
}

void http_sink::set_handler(handler on_request) {
  std::lock_guard guard{impl_->mutex};
  impl_->decide = std::move(on_request);
}

void http_sink::release() {
  {
    std::lock_guard guard{impl_->mutex};
    ++impl_->releases;
  }
  impl_->for_each_connection([](impl::connection& conn) {
    if (conn.hanging)
      conn.pause.cancel();
  });
}

void http_sink::stop() {
  std::mutex mutex;
  std::condition_variable closed;
  bool done = false;
  asio::post(impl_->acceptor.get_executor(), [&] {
    boost::system::error_code ignored;
    impl_->acceptor.close(ignored);
    std::lock_guard guard{mutex};
    done = true;
    closed.notify_all();
  });
  std::unique_lock lock{mutex};
  closed.wait(lock, [&] { return done; });
  impl_->for_each_connection([this](impl::connection& conn) {
    impl::close(conn.socket);
    conn.pause.cancel();
    std::lock_guard guard{impl_->mutex};
    impl_->open.erase(conn.number);
    impl_->changed.notify_all();
  });
  std::unique_lock all{impl_->mutex};
  impl_->changed.wait(all, [&] { return impl_->open.empty(); });
}

std::vector<request_record> http_sink::records() const {
  std::lock_guard guard{impl_->mutex};
  return impl_->records;
}

size_t http_sink::size() const {
  std::lock_guard guard{impl_->mutex};
  return impl_->records.size();
}

bool http_sink::wait_for(size_t count, std::chrono::milliseconds limit) const {
  std::unique_lock lock{impl_->mutex};
  return impl_->changed.wait_for(
    lock, limit, [&] { return impl_->records.size() >= count; });
}

size_t http_sink::answered() const {
  std::lock_guard guard{impl_->mutex};
  return impl_->answered;
}

size_t http_sink::connections() const {
  std::lock_guard guard{impl_->mutex};
  return impl_->accepted;
}

size_t http_sink::open_connections() const {
  std::lock_guard guard{impl_->mutex};
  return impl_->open.size();
}

void http_sink::clear() {
  std::lock_guard guard{impl_->mutex};
  impl_->records.clear();
}

} // namespace fanfare::test
