// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/proxy_server.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include <openssl/evp.h>

#include <array>
#include <mutex>
#include <thread>

namespace fanfare::test {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

std::string base64(const std::string& text) {
  std::string out((text.size() + 2) / 3 * 4 + 1, '\0');
  out.resize(static_cast<std::size_t>(
    EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                    reinterpret_cast<const unsigned char*>(text.data()),
                    static_cast<int>(text.size()))));
  return out;
}

/// GCC 12 does not compile initializer lists in coroutines.
std::string bytes_of(std::initializer_list<int> values) {
  std::string out;
  for (const int each : values)
    out += static_cast<char>(each);
  return out;
}

std::string answer_of(int first, int second) {
  return bytes_of({first, second});
}

std::string bound_answer(unsigned reply) {
  // Bound to a name: the form that servers use least.
  return bytes_of({5, static_cast<int>(reply), 0, 3, 3, 'a', 'b', 'c', 0, 0});
}

std::string text_of(const asio::ip::address& address, unsigned port) {
  const auto host = address.is_v6() ? "[" + address.to_string() + "]"
                                    : address.to_string();
  return host + ":" + std::to_string(port);
}

} // namespace

struct proxy_server::impl {
  using connection = std::shared_ptr<tcp::socket>;

  explicit impl(proxy_options given)
    : options{std::move(given)},
      acceptor{io, tcp::endpoint{asio::ip::make_address(options.address), 0}},
      port{acceptor.local_endpoint().port()} {
    asio::co_spawn(io, accept(), asio::detached);
    thread = std::thread{[this] { io.run(); }};
  }

  ~impl() {
    io.stop();
    thread.join();
  }

  asio::awaitable<void> accept() {
    for (;;) {
      auto client = std::make_shared<tcp::socket>(io);
      co_await acceptor.async_accept(*client, asio::use_awaitable);
      {
        const std::lock_guard guard{mutex};
        ++accepted;
      }
      // A client that goes away ends only its own connection.
      asio::co_spawn(io, serve(client), [](std::exception_ptr) {});
    }
  }

  asio::awaitable<void> serve(connection client) {
    if (options.how != proxy_options::mood::serve || !options.say.empty()) {
      co_await misbehave(client);
      co_return;
    }
    if (options.socks)
      co_await serve_socks(client);
    else
      co_await serve_http(client);
  }

  asio::awaitable<void> misbehave(connection client) {
    std::array<char, 4096> bytes;
    co_await client->async_read_some(asio::buffer(bytes), asio::use_awaitable);
    if (options.how == proxy_options::mood::close)
      co_return;
    if (options.how == proxy_options::mood::reset) {
      client->set_option(asio::socket_base::linger{true, 0});
      client->close();
      co_return;
    }
    if (!options.say.empty())
      co_await asio::async_write(*client, asio::buffer(options.say),
                                 asio::use_awaitable);
    for (;;)
      co_await client->async_read_some(asio::buffer(bytes),
                                       asio::use_awaitable);
  }

  asio::awaitable<void> serve_http(connection client) {
    std::string head;
    co_await asio::async_read_until(*client, asio::dynamic_buffer(head),
                                    "\r\n\r\n", asio::use_awaitable);
    const auto begin = head.find(' ') + 1;
    const auto place = head.substr(begin, head.find(' ', begin) - begin);
    {
      const std::lock_guard guard{mutex};
      last = head;
    }
    unsigned refusal = 0;
    const bool tunnel = head.rfind("CONNECT ", 0) == 0;
    if (options.forwards_after != 0 && !tunnel) {
      co_await forward(client, std::move(head));
      co_return;
    }
    if (!tunnel)
      refusal = 405;
    else if (options.forwards_after != 0)
      refusal = options.forwards_after;
    else if (!options.user.empty()
             && head.find("\r\nProxy-Authorization: Basic "
                          + base64(options.user + ":" + options.password)
                          + "\r\n")
                  == std::string::npos)
      refusal = 407;
    else
      refusal = note(place);
    if (refusal != 0) {
      co_await say(client, "HTTP/1.1 " + std::to_string(refusal)
                             + " told you\r\nContent-Length: 2\r\n\r\nno");
      co_return;
    }
    const auto colon = place.rfind(':');
    auto host = place.substr(0, colon);
    if (host.front() == '[')
      host = host.substr(1, host.size() - 2);
    boost::system::error_code is_name;
    auto there = co_await connect(
      {asio::ip::make_address(host, is_name),
       static_cast<std::uint16_t>(std::stoi(place.substr(colon + 1)))});
    if (!there) {
      co_await say(client, "HTTP/1.1 502 nobody there\r\n\r\n");
      co_return;
    }
    co_await say(client, options.opens_with);
    co_await relay(client, there);
  }

  /// Relays a request whose target is "http://PLACE/PATH", with its Host as it
  /// came, and all that comes behind it on this connection.
  asio::awaitable<void> forward(connection client, std::string first) {
    const auto begin = first.find("http://") + 7;
    const auto end = first.find('/', begin);
    auto place = first.substr(begin, end - begin);
    (void)note(place);
    if (place.find(':') == std::string::npos)
      place += ":80";
    const auto colon = place.rfind(':');
    boost::system::error_code is_name;
    auto there = co_await connect(
      {asio::ip::make_address(place.substr(0, colon), is_name),
       static_cast<std::uint16_t>(std::stoi(place.substr(colon + 1)))});
    if (!there) {
      co_await say(client, "HTTP/1.1 502 nobody there\r\n\r\n");
      co_return;
    }
    co_await say(there, std::move(first));
    co_await relay(client, there);
  }

  asio::awaitable<void> serve_socks(connection client) {
    const auto greeting = co_await take(client, 2);
    const auto methods = co_await take(client, greeting[1]);
    const char wanted = options.user.empty() ? 0 : 2;
    if (greeting[0] != 5 || methods.find(wanted) == std::string::npos) {
      co_await say(client, answer_of(5, 0xff));
      co_return;
    }
    co_await say(client, answer_of(5, wanted));
    if (wanted == 2) {
      const auto user_size = co_await take(client, 2);
      const auto user = co_await take(client, user_size[1]);
      const auto password_size = co_await take(client, 1);
      const auto password = co_await take(client, password_size[0]);
      const bool good = user == options.user && password == options.password;
      co_await say(client, answer_of(1, good ? 0 : 1));
      if (!good)
        co_return;
    }
    const auto request = co_await take(client, 4);
    tcp::endpoint place;
    std::string name;
    if (request[3] == 1) {
      asio::ip::address_v4::bytes_type bytes;
      co_await asio::async_read(*client, asio::buffer(bytes),
                                asio::use_awaitable);
      place.address(asio::ip::address_v4{bytes});
    } else if (request[3] == 3) {
      const auto size = co_await take(client, 1);
      name = co_await take(client, size[0]);
    } else {
      asio::ip::address_v6::bytes_type bytes;
      co_await asio::async_read(*client, asio::buffer(bytes),
                                asio::use_awaitable);
      place.address(asio::ip::address_v6{bytes});
    }
    const auto port_bytes = co_await take(client, 2);
    place.port(
      static_cast<std::uint16_t>(static_cast<unsigned char>(port_bytes[0]) << 8
                                 | static_cast<unsigned char>(port_bytes[1])));
    auto reply = note(name.empty() ? text_of(place.address(), place.port())
                                   : name + ":" + std::to_string(place.port()));
    connection there;
    if (reply == 0) {
      there = co_await connect(place);
      if (!there)
        reply = 5;
    }
    co_await say(client, bound_answer(reply));
    if (there)
      co_await relay(client, there);
  }

  static asio::awaitable<std::string> take(connection from, int size) {
    std::string out(static_cast<std::size_t>(size & 255), '\0');
    co_await asio::async_read(*from, asio::buffer(out), asio::use_awaitable);
    co_return out;
  }

  static asio::awaitable<void> say(connection to, std::string text) {
    co_await asio::async_write(*to, asio::buffer(text), asio::use_awaitable);
  }

  asio::awaitable<connection> connect(tcp::endpoint place) {
    if (options.relay_to != 0)
      place = {asio::ip::address_v4::loopback(), options.relay_to};
    auto out = std::make_shared<tcp::socket>(io);
    boost::system::error_code failed;
    co_await out->async_connect(
      place, asio::redirect_error(asio::use_awaitable, failed));
    co_return failed ? nullptr : out;
  }

  /// Both ways, until one side ends.
  asio::awaitable<void> relay(connection client, connection there) {
    asio::co_spawn(io, pass(there, client), [](std::exception_ptr) {});
    co_await pass(client, there);
  }

  static asio::awaitable<void> pass(connection from, connection to) {
    std::string bytes(16 * 1024, '\0');
    boost::system::error_code ended;
    while (!ended) {
      const auto size = co_await from->async_read_some(
        asio::buffer(bytes), asio::redirect_error(asio::use_awaitable, ended));
      if (size > 0)
        co_await asio::async_write(
          *to, asio::buffer(bytes, size),
          asio::redirect_error(asio::use_awaitable, ended));
    }
    boost::system::error_code ignored;
    from->close(ignored);
    to->close(ignored);
  }

  unsigned note(const std::string& place) {
    {
      const std::lock_guard guard{mutex};
      asked.push_back(place);
    }
    return options.judge ? options.judge(place) : 0;
  }

  const proxy_options options;
  mutable std::mutex mutex;
  std::vector<std::string> asked;
  std::string last;
  std::size_t accepted = 0;
  asio::io_context io{1};
  tcp::acceptor acceptor;
  const std::uint16_t port;
  std::thread thread;
};

proxy_server::proxy_server(proxy_options options)
  : impl_{std::make_unique<impl>(std::move(options))} {
  // nop
}

proxy_server::~proxy_server() = default;

std::uint16_t proxy_server::port() const noexcept {
  return impl_->port;
}

std::string proxy_server::url(const std::string& who) const {
  return (impl_->options.socks ? "socks5://" : "http://") + who
       + text_of(asio::ip::make_address(impl_->options.address), impl_->port);
}

std::vector<std::string> proxy_server::asked() const {
  const std::lock_guard guard{impl_->mutex};
  return impl_->asked;
}

std::string proxy_server::last_head() const {
  const std::lock_guard guard{impl_->mutex};
  return impl_->last;
}

std::size_t proxy_server::connections() const {
  const std::lock_guard guard{impl_->mutex};
  return impl_->accepted;
}

} // namespace fanfare::test
