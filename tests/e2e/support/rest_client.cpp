// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/e2e/support/rest_client.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <chrono>
#include <stdexcept>

namespace fanfare::test {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

constexpr std::chrono::seconds answer_patience{60};

} // namespace

boost::json::value rest_response::json() const {
  boost::json::error_code failed;
  auto value = boost::json::parse(body, failed);
  if (failed)
    throw std::runtime_error{"an answer of status " + std::to_string(status)
                             + " is no JSON: " + body};
  return value;
}

std::optional<std::string> rest_response::header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (beast::iequals(key, {name.data(), name.size()}))
      return value;
  return std::nullopt;
}

struct rest_client::impl {
  impl(std::uint16_t the_port, std::string the_key)
    : port{the_port},
      key{std::move(the_key)} {
    // nop
  }

  /// Runs one asynchronous operation to its end, with a limit in time.
  template <class Start>
  beast::error_code run(Start start) {
    beast::error_code outcome;
    stream->expires_after(answer_patience);
    start([&outcome](beast::error_code ec, auto&&...) { outcome = ec; });
    io.restart();
    io.run();
    return outcome;
  }

  void connect() {
    buffer.clear();
    stream.emplace(io);
    ++connections;
    const asio::ip::tcp::endpoint where{asio::ip::address_v4::loopback(), port};
    if (auto ec = run([&](auto done) { stream->async_connect(where, done); }))
      fail(ec);
    stream->socket().set_option(asio::ip::tcp::no_delay{true});
  }

  [[noreturn]] void fail(beast::error_code ec) {
    stream.reset();
    throw boost::system::system_error{ec};
  }

  std::uint16_t port;
  std::string key;
  asio::io_context io{1};
  std::optional<beast::tcp_stream> stream;
  beast::flat_buffer buffer;
  std::size_t connections = 0;
};

rest_client::rest_client(std::uint16_t port, std::string key)
  : impl_{std::make_unique<impl>(port, std::move(key))} {
  // nop
}

rest_client::rest_client(rest_client&&) noexcept = default;

rest_client& rest_client::operator=(rest_client&&) noexcept = default;

rest_client::~rest_client() = default;

rest_response rest_client::get(std::string_view target) {
  return send("GET", target);
}

rest_response rest_client::post(std::string_view target,
                                const boost::json::value& body) {
  return send("POST", target, boost::json::serialize(body));
}

rest_response rest_client::patch(std::string_view target,
                                 const boost::json::value& body) {
  return send("PATCH", target, boost::json::serialize(body));
}

rest_response rest_client::erase(std::string_view target) {
  return send("DELETE", target);
}

rest_response
rest_client::send(std::string_view method, std::string_view target,
                  std::optional<std::string> body, const fields& more) {
  auto& my = *impl_;
  if (!my.stream)
    my.connect();
  http::request<http::string_body> request;
  request.version(11);
  request.method_string({method.data(), method.size()});
  request.target({target.data(), target.size()});
  request.set(http::field::host, "127.0.0.1:" + std::to_string(my.port));
  if (!my.key.empty())
    request.set(http::field::authorization, "Token " + my.key);
  if (body) {
    request.set(http::field::content_type, "application/json");
    request.body() = std::move(*body);
    request.content_length(request.body().size());
  }
  for (const auto& [name, value] : more)
    request.set(name, value);
  // A server that refuses a body may answer before it was sent in whole.
  const auto unsent = my.run(
    [&](auto done) { http::async_write(*my.stream, request, done); });
  http::response_parser<http::string_body> parser;
  parser.body_limit(std::uint64_t{64} << 20);
  parser.skip(method == "HEAD");
  if (auto ec = my.run([&](auto done) {
        http::async_read_header(*my.stream, my.buffer, parser, done);
      }))
    my.fail(unsent ? unsent : ec);
  // Of a stream, which has no end, the beginning is taken.
  const bool endless = parser.get()[http::field::content_type].starts_with(
    "text/event-stream");
  const auto is_read = [&] {
    return parser.is_done()
        || (endless && parser.get().body().find("\n\n") != std::string::npos);
  };
  while (!is_read())
    if (auto ec = my.run([&](auto done) {
          http::async_read_some(*my.stream, my.buffer, parser, done);
        }))
      my.fail(unsent ? unsent : ec);
  auto answer = parser.release();
  rest_response out;
  out.status = answer.result_int();
  out.body = std::move(answer.body());
  out.keep_alive = answer.keep_alive() && !unsent && !endless;
  for (const auto& field : answer)
    out.headers.emplace_back(field.name_string(), field.value());
  if (!out.keep_alive)
    my.stream.reset();
  return out;
}

std::size_t rest_client::connections() const {
  return impl_->connections;
}

} // namespace fanfare::test
