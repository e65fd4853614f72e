// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/api_client.hpp"

#include "fanfare/version.hpp"
#include "protocol/client/tls.hpp"
#include "protocol/target/target.hpp"

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <boost/system/result.hpp>

#include <algorithm>
#include <optional>

namespace fanfare::protocol {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;
using std::chrono::steady_clock;

error refuse_url(std::string_view url, const std::string& why) {
  return {ec::invalid_argument,
          "\"" + mask_url(url) + "\" is no address of a server: " + why, "url"};
}

result<std::shared_ptr<const target>> parse_server(std::string_view url) {
  auto parsed = target::parse(url);
  if (!parsed)
    return refuse_url(url, parsed.error().detail);
  auto rest = url.substr(url.find("://") + 3);
  if (rest.find('@') != std::string_view::npos)
    return refuse_url(url, "the token says who you are, leave out what stands "
                           "before the @");
  const auto path = rest.find_first_of("/?#");
  if (path != std::string_view::npos && rest.substr(path) != "/")
    return refuse_url(url, "write http://HOST:PORT or https://HOST:PORT, "
                           "without a path");
  return parsed;
}

bool is_header_text(std::string_view text) {
  return std::ranges::all_of(
    text, [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

bool is_safe_to_repeat(const api_request& request) {
  return request.method == "GET"
      || std::ranges::any_of(request.headers, [](const auto& field) {
           return beast::iequals(field.first, "Idempotency-Key");
         });
}

} // namespace

std::string_view api_response::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (beast::iequals(key, {name.data(), name.size()}))
      return value;
  return {};
}

result<std::string> api_origin(std::string_view url) {
  const auto server = parse_server(url);
  if (!server)
    return server.error();
  return (*server)->destination();
}

struct api_client::impl {
  using tcp_stream = beast::basic_stream<asio::ip::tcp,
                                         asio::io_context::executor_type>;
  using tls_stream = beast::ssl_stream<tcp_stream>;

  /// How an attempt to send failed.
  struct failure {
    error why;
    bool connection_was_kept = false; ///< so the server may have closed it
                                      ///< meanwhile
  };

  impl(api_client_options given, std::shared_ptr<const target> where,
       std::shared_ptr<tls_settings> trusted)
    : options{std::move(given)},
      server{std::move(where)},
      tls{std::move(trusted)},
      origin{server->destination()} {
    host_field = origin.substr(origin.find("://") + 3);
  }

  ~impl() {
    close();
  }

  tcp_stream& tcp() {
    return secure ? secure->next_layer() : *plain;
  }

  /// Runs an asynchronous operation to its end or until the deadline.
  template <class Start>
  error_code run(Start start) {
    error_code outcome = asio::error::timed_out;
    bool done = false;
    start([&](error_code code, auto&&...) {
      outcome = code;
      done = true;
    });
    io.restart();
    io.run_until(deadline);
    if (!done) {
      // The handler refers to this frame: let it run before returning.
      resolver.cancel();
      if (plain || secure)
        tcp().cancel();
      io.restart();
      io.run();
      return asio::error::timed_out;
    }
    return outcome;
  }

  void close() {
    if (secure)
      end_tls(secure->native_handle());
    secure.reset();
    plain.reset();
    buffer.clear();
  }

  error unreachable(const std::string& why) {
    close();
    return {ec::io_error, "cannot reach " + origin + ": " + why};
  }

  std::string reason_of(error_code code) const {
    if (code == asio::error::timed_out)
      return "no answer in time";
    if (code == http::error::end_of_stream
        || code == http::error::partial_message || code == asio::error::eof
        || code == asio::ssl::error::stream_truncated)
      return "the server closed the connection";
    if (code == http::error::body_limit)
      return "the answer is larger than "
           + std::to_string(options.answer_limit >> 20) + " MiB";
    if (code.category()
        == http::make_error_code(http::error::bad_version).category())
      return "what answers there does not speak HTTP; is it a Fanfare server?";
    return code.message();
  }

  result<void> connect() {
    const auto port = std::to_string(server->port());
    std::vector<asio::ip::tcp::endpoint> places;
    if (const auto& literal = server->literal()) {
      places.emplace_back(*literal, server->port());
    } else {
      const auto failed = run([&](auto done) {
        resolver.async_resolve(
          server->host(), port,
          [&places, done](error_code code, const auto& found) mutable {
            for (const auto& entry : found)
              places.push_back(entry.endpoint());
            done(code);
          });
      });
      if (failed)
        return unreachable("the name cannot be resolved: " + failed.message());
    }
    if (server->secure())
      secure.emplace(tcp_stream{io.get_executor()}, tls->context());
    else
      plain.emplace(io.get_executor());
    const auto failed = run([&](auto done) {
      asio::async_connect(tcp().socket(), places, std::move(done));
    });
    if (failed == asio::error::connection_refused)
      return unreachable("connection refused; is the server running?");
    if (failed)
      return unreachable(reason_of(failed));
    tcp().socket().set_option(asio::ip::tcp::no_delay{true});
    if (secure) {
      if (!prepare_tls(secure->native_handle(), server->host(),
                       server->literal().has_value(), sessions))
        return unreachable("out of memory");
      const auto refused = run([&](auto done) {
        secure->async_handshake(asio::ssl::stream_base::client,
                                std::move(done));
      });
      if (refused)
        return unreachable(
          refused == asio::error::timed_out
            ? "the TLS handshake was not done in time"
            : tls_failure(secure->native_handle(), refused, server->host()));
    }
    return {};
  }

  http::request<http::string_body> rendered(const api_request& request) const {
    http::request<http::string_body> out;
    out.version(11);
    out.method_string({request.method.data(), request.method.size()});
    out.target({request.target.data(), request.target.size()});
    out.set(http::field::host, host_field);
    out.set(http::field::user_agent, "fanfare/" + std::string{version});
    out.set(http::field::accept, "application/json");
    if (!options.token.empty())
      out.set(http::field::authorization, "Token " + options.token);
    if (!request.body.empty())
      out.set(http::field::content_type, "application/json");
    for (const auto& [name, value] : request.headers)
      out.set(name, value);
    out.body() = request.body;
    if (request.method != "GET")
      out.content_length(request.body.size());
    return out;
  }

  template <class Stream>
  error_code exchange(Stream& stream,
                      const http::request<http::string_body>& request,
                      http::response_parser<http::string_body>& parser) {
    // A server may refuse a body before it has read all of it: its answer says
    // more than the failed write.
    const auto unsent = run(
      [&](auto done) { http::async_write(stream, request, std::move(done)); });
    if (unsent == asio::error::timed_out)
      return unsent;
    const auto unread = run([&](auto done) {
      http::async_read(stream, buffer, parser, std::move(done));
    });
    return unread && unsent ? unsent : unread;
  }

  boost::system::result<api_response, failure>
  try_once(const api_request& request) {
    const bool kept = plain || secure;
    if (!kept)
      if (auto connected = connect(); !connected)
        return failure{connected.error()};
    const auto message = rendered(request);
    http::response_parser<http::string_body> parser;
    parser.body_limit(options.answer_limit);
    const auto failed = secure ? exchange(*secure, message, parser)
                               : exchange(*plain, message, parser);
    if (failed) {
      const bool lost = failed != asio::error::timed_out
                     && !parser.is_header_done();
      close();
      return failure{
        {ec::io_error, "no answer from " + origin + ": " + reason_of(failed)},
        kept && lost};
    }
    auto answer = parser.release();
    api_response out;
    out.status = answer.result_int();
    out.body = std::move(answer.body());
    for (const auto& field : answer)
      out.headers.emplace_back(field.name_string(), field.value());
    if (!answer.keep_alive())
      close();
    return out;
  }

  template <class Stream>
  result<api_response>
  receive(Stream& stream, const api_request& request, const answer_taker& to) {
    const auto lost = [this](error_code why) {
      close();
      return error{ec::io_error,
                   "no answer from " + origin + ": " + reason_of(why)};
    };
    const auto message = rendered(request);
    if (const auto failed = run([&](auto done) {
          http::async_write(stream, message, std::move(done));
        }))
      return lost(failed);
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(boost::none);
    deadline = steady_clock::now() + request.timeout;
    if (const auto failed = run([&](auto done) {
          http::async_read_header(stream, buffer, parser, std::move(done));
        }))
      return lost(failed);
    api_response out;
    out.status = parser.get().result_int();
    for (const auto& field : parser.get())
      out.headers.emplace_back(field.name_string(), field.value());
    const bool taken = out.status / 100 == 2;
    if (taken)
      if (auto begun = to.begin(parser.content_length().value_or(0)); !begun)
        return begun.error();
    std::string piece(std::size_t{64} << 10, '\0');
    while (!parser.is_done()) {
      auto& body = parser.get().body();
      body.data = piece.data();
      body.size = piece.size();
      deadline = steady_clock::now() + request.timeout;
      const auto failed = run([&](auto done) {
        // As it comes: a slow server is one that sends nothing.
        http::async_read_some(stream, buffer, parser, std::move(done));
      });
      if (failed && failed != http::error::need_buffer)
        return lost(failed);
      const auto bytes = std::string_view{piece}.substr(0, piece.size()
                                                             - body.size);
      if (taken) {
        if (auto done = to.take(bytes); !done)
          return done.error();
      } else if (out.body.size() + bytes.size() <= options.answer_limit) {
        out.body += bytes;
      }
    }
    return out;
  }

  api_client_options options;
  std::shared_ptr<const target> server;
  std::shared_ptr<tls_settings> tls; ///< null: plain HTTP
  std::string origin;
  std::string host_field;
  asio::io_context io{1};
  asio::ip::basic_resolver<asio::ip::tcp, asio::io_context::executor_type>
    resolver{io.get_executor()};
  tls_sessions sessions;
  std::optional<tcp_stream> plain;
  std::optional<tls_stream> secure;
  beast::flat_buffer buffer;
  steady_clock::time_point deadline;
};

result<api_client> api_client::make(api_client_options options) {
  auto server = parse_server(options.url);
  if (!server)
    return server.error();
  if (!is_header_text(options.token))
    return error{ec::invalid_argument,
                 "the token has characters other than printable ASCII",
                 "token"};
  std::shared_ptr<tls_settings> tls;
  if ((*server)->secure()) {
    auto trusted = tls_settings::make(options.ca_file);
    if (!trusted)
      return trusted.error();
    tls = std::move(*trusted);
  }
  return api_client{std::make_unique<impl>(std::move(options),
                                           std::move(*server), std::move(tls))};
}

api_client::api_client(std::unique_ptr<impl> made) : impl_{std::move(made)} {}
api_client::api_client(api_client&&) noexcept = default;
api_client& api_client::operator=(api_client&&) noexcept = default;
api_client::~api_client() = default;

const std::string& api_client::origin() const noexcept {
  return impl_->origin;
}

result<api_response> api_client::send(const api_request& request) {
  impl_->deadline = steady_clock::now() + request.timeout;
  auto answer = impl_->try_once(request);
  if (!answer && answer.error().connection_was_kept
      && is_safe_to_repeat(request))
    answer = impl_->try_once(request);
  if (!answer)
    return answer.error().why;
  return std::move(*answer);
}

result<api_response> api_client::receive(const api_request& request,
                                         const answer_taker& to) {
  auto& at = *impl_;
  at.close();
  at.deadline = steady_clock::now() + request.timeout;
  if (auto connected = at.connect(); !connected)
    return connected.error();
  auto got = at.secure ? at.receive(*at.secure, request, to)
                       : at.receive(*at.plain, request, to);
  at.close();
  return got;
}

} // namespace fanfare::protocol
