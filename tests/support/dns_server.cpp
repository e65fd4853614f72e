// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/dns_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>

namespace fanfare::test {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using asio::ip::udp;
using boost::system::error_code;

constexpr unsigned type_a = 1;
constexpr unsigned type_cname = 5;
constexpr unsigned type_soa = 6;
constexpr unsigned type_aaaa = 28;
constexpr std::size_t head_size = 12;

void put16(std::string& out, unsigned value) {
  out += static_cast<char>(value >> 8 & 0xff);
  out += static_cast<char>(value & 0xff);
}

void put32(std::string& out, std::uint32_t value) {
  put16(out, value >> 16);
  put16(out, value & 0xffff);
}

void put_name(std::string& out, std::string_view name) {
  while (!name.empty()) {
    const auto label = name.substr(0, name.find('.'));
    out += static_cast<char>(label.size());
    out += label;
    name.remove_prefix(std::min(name.size(), label.size() + 1));
  }
  out += '\0';
}

void put_record(std::string& out, std::string_view name, unsigned type,
                std::uint32_t ttl, std::string_view data) {
  put_name(out, name);
  put16(out, type);
  put16(out, 1); // internet
  put32(out, ttl);
  put16(out, static_cast<unsigned>(data.size()));
  out += data;
}

struct question {
  std::string name; ///< in lower case
  unsigned type = 0;
  std::string_view id;
  std::string_view text; ///< as it came
};

std::optional<question> read_question(std::string_view message) {
  const auto byte = [&](std::size_t at) -> unsigned {
    return static_cast<unsigned char>(message[at]);
  };
  if (message.size() < head_size || (byte(2) & 0xf8) != 0
      || (byte(4) << 8 | byte(5)) != 1)
    return {}; // no query, or not with one question
  question out;
  auto at = head_size;
  for (;;) {
    if (at >= message.size())
      return {};
    const auto length = byte(at++);
    if (length == 0)
      break;
    if (length > 63 || at + length > message.size())
      return {};
    if (!out.name.empty())
      out.name += '.';
    for (const char c : message.substr(at, length))
      out.name += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    at += length;
  }
  if (at + 4 > message.size())
    return {};
  out.type = byte(at) << 8 | byte(at + 1);
  out.id = message.substr(0, 2);
  out.text = message.substr(head_size, at + 4 - head_size);
  return out;
}

} // namespace

dns_answer dns_answer::of(std::vector<std::string> v4,
                          std::vector<std::string> v6, std::uint32_t ttl) {
  dns_answer out;
  out.v4 = std::move(v4);
  out.v6 = std::move(v6);
  out.ttl = ttl;
  return out;
}

dns_answer dns_answer::missing(std::optional<std::uint32_t> negative_ttl) {
  dns_answer out;
  out.code = 3;
  out.negative_ttl = negative_ttl;
  return out;
}

dns_answer dns_answer::failing() {
  dns_answer out;
  out.code = 2;
  return out;
}

dns_answer dns_answer::hanging() {
  dns_answer out;
  out.silent = true;
  return out;
}

class dns_server::state {
public:
  state() {
    // A port that is free for both.
    for (int attempt = 0;; ++attempt) {
      error_code failed;
      udp_ = udp::socket{context_,
                         udp::endpoint{asio::ip::address_v4::loopback(), 0}};
      const tcp::endpoint there{asio::ip::address_v4::loopback(),
                                udp_.local_endpoint().port()};
      tcp_ = tcp::acceptor{context_, there.protocol()};
      tcp_.bind(there, failed);
      if (!failed)
        break;
      if (attempt == 20)
        throw std::runtime_error{"no port for a name server"};
    }
    tcp_.listen();
    port_ = udp_.local_endpoint().port();
    receive();
    accept();
    thread_ = std::thread{[this] { context_.run(); }};
  }

  ~state() {
    context_.stop();
    thread_.join();
  }

  [[nodiscard]] std::uint16_t port() const {
    return port_;
  }

  void set(const std::string& name, dns_answer answer) {
    const std::lock_guard lock{mutex_};
    answers_[name] = std::move(answer);
  }

  [[nodiscard]] std::size_t asked(const std::string& name,
                                  unsigned type) const {
    const std::lock_guard lock{mutex_};
    const auto i = asked_.find({name, type});
    return i == asked_.end() ? 0 : i->second;
  }

  [[nodiscard]] std::size_t asked_over_tcp() const {
    const std::lock_guard lock{mutex_};
    return over_tcp_;
  }

private:
  using reply = std::function<void(std::string)>;

  struct tcp_client {
    explicit tcp_client(tcp::socket from) : socket(std::move(from)) {}

    tcp::socket socket;
    std::array<unsigned char, 2> length{};
    std::string message;
    std::string answer;
  };

  void receive() {
    udp_.async_receive_from(
      asio::buffer(datagram_), from_,
      [this](const error_code& code, std::size_t size) {
        if (code == asio::error::operation_aborted)
          return;
        if (!code)
          hear({datagram_.data(), size}, false,
               [this, to = from_](const std::string& out) {
                 error_code ignored;
                 udp_.send_to(asio::buffer(out), to, 0, ignored);
               });
        receive();
      });
  }

  void accept() {
    tcp_.async_accept([this](const error_code& code, tcp::socket socket) {
      if (code)
        return;
      read(std::make_shared<tcp_client>(std::move(socket)));
      accept();
    });
  }

  void read(const std::shared_ptr<tcp_client>& client) {
    asio::async_read(client->socket, asio::buffer(client->length),
                     [this, client](const error_code& code, std::size_t) {
                       if (!code)
                         read_message(client);
                     });
  }

  void read_message(const std::shared_ptr<tcp_client>& client) {
    client->message.resize(
      static_cast<std::size_t>(client->length[0] << 8 | client->length[1]));
    asio::async_read(
      client->socket, asio::buffer(client->message),
      [this, client](const error_code& code, std::size_t) {
        if (!code)
          hear(client->message, true,
               [this, client](const std::string& out) { write(client, out); });
      });
  }

  void write(const std::shared_ptr<tcp_client>& client,
             const std::string& message) {
    client->answer.clear();
    put16(client->answer, static_cast<unsigned>(message.size()));
    client->answer += message;
    asio::async_write(client->socket, asio::buffer(client->answer),
                      [this, client](const error_code& code, std::size_t) {
                        if (!code)
                          read(client);
                      });
  }

  void hear(std::string_view message, bool over_tcp, reply say) {
    const auto asked = read_question(message);
    if (!asked)
      return;
    std::string out;
    std::chrono::milliseconds delay{0};
    {
      const std::lock_guard lock{mutex_};
      ++asked_[{asked->name, asked->type}];
      over_tcp_ += over_tcp;
      const auto i = answers_.find(asked->name);
      const auto answer = i == answers_.end() ? dns_answer::missing()
                                              : i->second;
      if (answer.silent || (answer.silent_v6 && asked->type == type_aaaa))
        return;
      delay = answer.delay;
      out = answer.garbage ? std::string{asked->id} + *answer.garbage
                           : message_of(*asked, answer, over_tcp);
    }
    if (delay.count() == 0) {
      say(std::move(out));
      return;
    }
    const auto timer = std::make_shared<asio::steady_timer>(context_, delay);
    timer->async_wait([timer, out = std::move(out),
                       say = std::move(say)](const error_code& code) {
      if (!code)
        say(out);
    });
  }

  /// With the lock.
  std::string message_of(const question& asked, const dns_answer& answer,
                         bool over_tcp) {
    const bool cut = answer.truncated && !over_tcp;
    std::string records;
    unsigned count = 0;
    auto name = asked.name;
    const auto* said = &answer;
    for (int i = 0; !cut && i < 10; ++i) {
      if (said->alias.empty()) {
        if (asked.type == type_a) {
          for (const auto& each : said->v4) {
            const auto bytes = asio::ip::make_address_v4(each).to_bytes();
            put_record(
              records, name, type_a, said->ttl,
              {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
            ++count;
          }
        } else if (asked.type == type_aaaa) {
          for (const auto& each : said->v6) {
            const auto bytes = asio::ip::make_address_v6(each).to_bytes();
            put_record(
              records, name, type_aaaa, said->ttl,
              {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
            ++count;
          }
        }
        break;
      }
      std::string other;
      put_name(other, said->alias);
      put_record(records, name, type_cname, said->ttl, other);
      ++count;
      name = said->alias;
      const auto next = answers_.find(name);
      if (next == answers_.end())
        break;
      said = &next->second;
    }
    unsigned authorities = 0;
    if (said->negative_ttl && !cut) {
      std::string start;
      put_name(start, "ns.test");
      put_name(start, "admin.test");
      for (int i = 0; i < 4; ++i)
        put32(start, 1000);
      put32(start, *said->negative_ttl);
      put_record(records, "test", type_soa, 3600, start);
      ++authorities;
    }
    std::string out{asked.id};
    put16(out, 0x8180 | (cut ? 0x0200 : 0) | said->code);
    put16(out, 1);
    put16(out, count);
    put16(out, authorities);
    put16(out, 0);
    out += asked.text;
    out += records;
    return out;
  }

  asio::io_context context_{1};
  udp::socket udp_{context_};
  tcp::acceptor tcp_{context_};
  std::uint16_t port_ = 0;
  std::array<char, 4096> datagram_{};
  udp::endpoint from_;

  mutable std::mutex mutex_;
  std::map<std::string, dns_answer> answers_;
  std::map<std::pair<std::string, unsigned>, std::size_t> asked_;
  std::size_t over_tcp_ = 0;
  std::thread thread_;
};

dns_server::dns_server() : state_(std::make_unique<state>()) {}

dns_server::~dns_server() = default;

std::string dns_server::address() const {
  return "127.0.0.1:" + std::to_string(state_->port());
}

void dns_server::set(const std::string& name, dns_answer answer) {
  state_->set(name, std::move(answer));
}

std::size_t dns_server::asked(const std::string& name) const {
  return state_->asked(name, type_a) + state_->asked(name, type_aaaa);
}

std::size_t dns_server::asked_v6(const std::string& name) const {
  return state_->asked(name, type_aaaa);
}

std::size_t dns_server::asked_over_tcp() const {
  return state_->asked_over_tcp();
}

} // namespace fanfare::test
