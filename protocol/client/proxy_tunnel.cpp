// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/proxy_tunnel.hpp"

#include "protocol/client/answer_parser.hpp"
#include "protocol/target/url_text.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/beast/http/status.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace fanfare::protocol {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

constexpr char version_5 = 5;
constexpr unsigned no_authentication = 0;
constexpr unsigned by_password = 2;
constexpr unsigned type_v4 = 1;
constexpr unsigned type_name = 3;
constexpr unsigned type_v6 = 4;

const char* text_of_reply(unsigned reply) {
  switch (reply) {
    case 1: return "general failure";
    case 2: return "not allowed by its rules";
    case 3: return "network unreachable";
    case 4: return "host unreachable";
    case 5: return "connection refused";
    case 6: return "TTL expired";
    case 7: return "command not supported";
    case 8: return "address type not supported";
    default: return "unknown failure";
  }
}

/// "503 Service Unavailable", in our own words: the proxy's could be anything.
std::string text_of_status(unsigned status) {
  auto out = std::to_string(status);
  if (http::int_to_status(status) != http::status::unknown)
    out += " "
         + std::string{http::obsolete_reason(http::int_to_status(status))};
  return out;
}

/// Behind the empty line after a head, or 0 if that has not come. A bare LF
/// ends a line, too (RFC 9112, 2.2).
std::size_t end_of_head(std::string_view text) {
  for (auto at = text.find('\n'); at != text.npos;
       at = text.find('\n', at + 1)) {
    const auto rest = text.substr(at + 1);
    if (rest.starts_with('\n'))
      return at + 2;
    if (rest.starts_with("\r\n"))
      return at + 3;
  }
  return 0;
}

} // namespace

void proxy_tunnel::open(const asio::ip::address& to, std::uint16_t port,
                        completion done) {
  // The scope of an address means nothing on the proxy's machine.
  to_ = to;
  if (to.is_v6()) {
    const asio::ip::address_v6 bare{to.to_v6().to_bytes()};
    if (bare.is_v4_mapped())
      to_ = asio::ip::make_address_v4(asio::ip::v4_mapped, bare);
    else
      to_ = bare;
  }
  port_ = port;
  done_ = std::move(done);
  ask();
}

void proxy_tunnel::open(std::string name, std::uint16_t port, completion done) {
  name_ = std::move(name);
  port_ = port;
  done_ = std::move(done);
  ask();
}

void proxy_tunnel::ask() {
  if (via_->how == proxy::kind::socks5)
    ask_socks();
  else
    ask_http();
}

// -- moving bytes -------------------------------------------------------------

void proxy_tunnel::ask(std::size_t bytes, step next) {
  have_ = sent_ = 0;
  wanted_ = bytes;
  next_ = next;
  write();
}

void proxy_tunnel::write() {
  socket_.async_write_some(
    asio::buffer(out_.data() + sent_, out_.size() - sent_),
    [self = boost::intrusive_ptr<proxy_tunnel>(this)](const error_code& code,
                                                      std::size_t bytes) {
      if (!self->done_)
        return;
      self->sent_ += bytes;
      if (code)
        self->lost(code);
      else if (self->sent_ < self->out_.size())
        self->write();
      else
        self->read();
    });
}

void proxy_tunnel::want(std::size_t bytes, step next) {
  wanted_ = bytes;
  next_ = next;
  if (have_ < wanted_)
    read();
  else
    (this->*next_)();
}

void proxy_tunnel::read() {
  // Not a byte more than the answer where its length is known.
  const auto upto = wanted_ == 0 ? in_.size() : wanted_;
  socket_.async_read_some(asio::buffer(in_.data() + have_, upto - have_),
                          [self = boost::intrusive_ptr<proxy_tunnel>(this)](
                            const error_code& code, std::size_t bytes) {
                            if (!self->done_)
                              return;
                            self->have_ += bytes;
                            if (code)
                              self->lost(code);
                            else if (self->have_ < self->wanted_)
                              self->read();
                            else
                              (self.get()->*self->next_)();
                          });
}

// -- HTTP ---------------------------------------------------------------------

void proxy_tunnel::ask_http() {
  const auto where = place();
  out_ = "CONNECT " + where + " HTTP/1.1\r\nHost: " + where + "\r\n";
  if (!via_->user.empty())
    out_ += "Proxy-Authorization: "
          + basic_credentials(via_->user, via_->password) + "\r\n";
  out_ += "\r\n";
  ask(0, &proxy_tunnel::on_http);
}

void proxy_tunnel::on_http() {
  constexpr std::string_view begin = "HTTP/1.";
  std::string_view text{in_.data(), have_};
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of("\r\n"), text.size()));
    if (!begin.starts_with(text.substr(0, begin.size()))) {
      fail("its answer does not begin with HTTP/1");
      return;
    }
    const auto end = end_of_head(text);
    if (end == 0) {
      if (have_ == in_.size())
        fail("the head of its answer exceeds " + std::to_string(most_head)
             + " bytes");
      else
        read();
      return;
    }
    auto line = text.substr(0, text.find('\n'));
    if (line.ends_with('\r'))
      line.remove_suffix(1);
    text.remove_prefix(end);
    const auto status = read_status(line);
    if (!status || *status < 100) {
      fail("its answer has no status");
      return;
    }
    if (!is_interim(*status)) {
      on_status(*status, text.empty());
      return;
    }
  }
}

void proxy_tunnel::on_status(unsigned status, bool alone) {
  if (status / 100 == 2) {
    if (!alone)
      fail("its answer has a body, so it may be a web server and no proxy");
    else
      finish({});
    return;
  }
  // Any refusal may concern this address only, but for those that ask who it
  // is.
  const bool unreachable = status != 401 && status != 407;
  // What web servers say to a method that they do not know.
  const bool no_proxy = status == 400 || status == 404 || status == 405
                     || status == 501;
  fail("refused with " + text_of_status(status)
         + (unreachable ? " (" + place() + ")" : "")
         + (no_proxy ? "; it may be a web server and no proxy" : ""),
       unreachable, status == 403);
}

// -- SOCKS5 -------------------------------------------------------------------

void proxy_tunnel::ask_socks() {
  out_ = {version_5, 1, no_authentication};
  if (!via_->user.empty())
    out_ = {version_5, 2, no_authentication, by_password};
  ask(2, &proxy_tunnel::on_method);
}

void proxy_tunnel::on_method() {
  if (at(0) != version_5) {
    fail("its answer is not SOCKS5");
  } else if (at(1) == no_authentication) {
    ask_socks_address();
  } else if (at(1) == by_password && !via_->user.empty()) {
    out_ = {1};
    for (const auto* each : {&via_->user, &via_->password}) {
      out_ += static_cast<char>(each->size());
      out_ += *each;
    }
    ask(2, &proxy_tunnel::on_password);
  } else {
    fail(via_->user.empty()
           ? "SOCKS5 asks for a way of authentication that cannot be given: "
             "add a user and a password"
           : "SOCKS5 takes neither user and password nor nothing");
  }
}

void proxy_tunnel::on_password() {
  if (at(0) != 1)
    fail("its answer is not SOCKS5");
  else if (at(1) != 0)
    fail("SOCKS5 refused the user or the password");
  else
    ask_socks_address();
}

void proxy_tunnel::ask_socks_address() {
  out_ = {version_5, 1, 0};
  const auto add = [&](unsigned type, const auto& bytes) {
    out_ += static_cast<char>(type);
    out_.append(bytes.begin(), bytes.end());
  };
  if (!name_.empty())
    add(type_name, static_cast<char>(name_.size()) + name_);
  else if (to_.is_v4())
    add(type_v4, to_.to_v4().to_bytes());
  else
    add(type_v6, to_.to_v6().to_bytes());
  out_ += static_cast<char>(port_ >> 8);
  out_ += static_cast<char>(port_ & 255);
  // Up to the first byte of the address, which may be a length.
  ask(5, &proxy_tunnel::on_reply);
}

void proxy_tunnel::on_reply() {
  if (at(0) != version_5) {
    fail("its answer is not SOCKS5");
    return;
  }
  if (const auto reply = at(1); reply != 0) {
    // It may concern this address only.
    fail("SOCKS5 " + std::string{text_of_reply(reply)} + " (" + place() + ")",
         true);
    return;
  }
  constexpr std::size_t without_address = 6;
  switch (at(3)) {
    case type_v4: want(without_address + 4, &proxy_tunnel::on_bound); break;
    case type_v6: want(without_address + 16, &proxy_tunnel::on_bound); break;
    case type_name:
      want(without_address + 1 + at(4), &proxy_tunnel::on_bound);
      break;
    default: fail("its answer is not SOCKS5");
  }
}

void proxy_tunnel::on_bound() {
  finish({});
}

// -- endings ------------------------------------------------------------------

void proxy_tunnel::lost(const error_code& code) {
  // Some close where others say that an address cannot be reached.
  if (code == asio::error::eof)
    fail("connection closed before the way was open", true);
  else if (code == asio::error::connection_reset
           || code == asio::error::broken_pipe)
    fail("connection reset before the way was open", true);
  else
    fail(code.message(), true);
}

void proxy_tunnel::fail(const std::string& why, bool unreachable,
                        bool may_forward) {
  finish({"proxy: " + why, unreachable, may_forward});
}

void proxy_tunnel::finish(outcome&& how) {
  const auto done = std::exchange(done_, nullptr);
  done(std::move(how));
}

std::string proxy_tunnel::place() const {
  if (!name_.empty())
    return name_ + ":" + std::to_string(port_);
  return (to_.is_v6() ? "[" + to_.to_string() + "]" : to_.to_string()) + ":"
       + std::to_string(port_);
}

} // namespace fanfare::protocol
