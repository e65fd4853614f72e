// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/client_connection.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/error.hpp>

#include <openssl/err.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

namespace fanfare::protocol {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using std::chrono::steady_clock;

constexpr unsigned most_interim_answers = 16;
// Bodies up to this size share a TLS record with their head.
constexpr std::size_t small_body = 12 * 1024;
// Of a target, that a proxy is asked for in one exchange.
constexpr std::size_t most_proxied_addresses = 4;

bool is_end(const error_code& code) {
  return code == asio::error::eof || code == asio::ssl::error::stream_truncated;
}

bool is_reset(const error_code& code) {
  return code == asio::error::connection_reset
      || code == asio::error::broken_pipe
      || code == asio::error::connection_aborted;
}

std::string plain(const error_code& code) {
  if (code.category() == asio::error::get_ssl_category()) {
    const auto raw = static_cast<unsigned long>(
      static_cast<unsigned int>(code.value()));
    if (const char* text = ERR_reason_error_string(raw))
      return text;
  }
  return plain_reason(code);
}

} // namespace

// -- getting there ------------------------------------------------------------

void client_connection::connect(exchange& subject,
                                std::vector<asio::ip::address> addresses) {
  subject_ = &subject;
  if (!way_ || way_->next == 0)
    subject.enter(phase::connect, subject.request.limits.connect,
                  steady_clock::now());
  connector_ = new connector(*this, context_);
  connector_->start(std::move(addresses),
                    way_ ? way_->via->port : subject.request.to->port());
}

void client_connection::connect(exchange& subject,
                                std::shared_ptr<proxied_way> way) {
  way_ = std::move(way);
  connect(subject, way_->proxies);
}

std::optional<std::string>
client_connection::refusal(const asio::ip::address& address) {
  if (way_ && !way_->via->fenced)
    return {};
  auto why = owner_->refusal(*subject_, address);
  if (why && way_)
    why->insert(std::string_view{"policy: "}.size(), "the proxy's address ");
  return why;
}

bool client_connection::make_room() {
  return owner_->make_room();
}

void client_connection::on_not_connected(std::string reason) {
  const boost::intrusive_ptr<client_connection> alive{this};
  if (reason.empty())
    reason = "dns: no address for " + subject_->request.to->host();
  // "connect: connection refused (proxy 192.0.2.1:3128)"
  if (const auto where = reason.rfind('(');
      way_ && reason.starts_with("connect: ") && where != std::string::npos)
    reason.insert(where + 1, "proxy ");
  fail(std::move(reason));
}

void client_connection::on_connected(socket_type socket) {
  const boost::intrusive_ptr<client_connection> alive{this};
  connector_ = nullptr;
  socket_ = std::move(socket);
  if (!way_) {
    on_way();
    return;
  }
  tunnel_ = new proxy_tunnel(socket_, way_->via);
  tunnel_->open(
    way_->targets[way_->next++], subject_->request.to->port(),
    [self = boost::intrusive_ptr<client_connection>(this)](
      proxy_tunnel::outcome&& how) { self->on_tunnel(std::move(how)); });
}

void client_connection::on_tunnel(proxy_tunnel::outcome&& how) {
  tunnel_ = nullptr;
  if (how.failure.empty()) {
    way_ = nullptr;
    on_way();
    return;
  }
  const auto most = std::min(way_->targets.size(), most_proxied_addresses);
  if (how.unreachable && way_->next < most) {
    auto& subject = *subject_;
    close();
    owner_->go_on(subject, std::move(way_));
    return;
  }
  fail(std::move(how.failure));
}

void client_connection::on_way() {
  owner_->connected();
  const auto now = steady_clock::now();
  subject_->result.timings.connect = subject_->in_phase(now);
  if (!subject_->request.to->secure()) {
    start();
    return;
  }
  std::string reason;
  auto* settings = owner_->tls(*subject_, reason);
  if (!settings) {
    fail(std::move(reason));
    return;
  }
  subject_->enter(phase::tls, subject_->request.limits.tls, now);
  const auto& to = *subject_->request.to;
  tls_ = std::make_unique<asio::ssl::stream<socket_type&>>(socket_,
                                                           settings->context());
  if (!prepare_tls(tls_->native_handle(), to.host(), to.literal().has_value(),
                   to_->session)) {
    fail("tls: the handshake could not be prepared");
    return;
  }
  tls_->async_handshake(
    asio::ssl::stream_base::client,
    [self = boost::intrusive_ptr<client_connection>(this)](
      const error_code& result) { self->on_handshake(result); });
}

void client_connection::on_handshake(const error_code& code) {
  if (closed_)
    return;
  if (code) {
    fail(
      tls_failure(tls_->native_handle(), code, subject_->request.to->host()));
    return;
  }
  subject_->result.timings.tls = subject_->in_phase(steady_clock::now());
  subject_->result.certificate_expires = certificate_end(tls_->native_handle());
  start();
}

// -- the request --------------------------------------------------------------

void client_connection::run(exchange& subject) {
  subject_ = &subject;
  reused_ = true;
  start();
}

void client_connection::wait() {
  reused_ = true;
  if (flat_.capacity() > 2 * small_body)
    std::string{}.swap(flat_); // assigning {} would keep the memory
  if (!reading_)
    read();
}

void client_connection::start() {
  const auto& request = subject_->request;
  parser_.emplace(subject_->result, request.limits);
  subject_->result.response_body.clear();
  begin_ = end_ = received_ = head_ = body_ = 0;
  interim_ = 0;
  sent_ = false;
  write();
  // Also while a large request is still on its way: the answer may come early.
  if (!reading_)
    read();
}

void client_connection::write() {
  constexpr std::string_view name = "Content-Length: ";
  const auto& request = subject_->request;
  const auto& head = request.to->head();
  const auto& body = request.what->body;
  auto* out = std::copy(name.begin(), name.end(), length_line_.data());
  out = std::to_chars(out, length_line_.data() + length_line_.size(),
                      body.size())
          .ptr;
  out = std::copy_n("\r\n\r\n", 4, out);
  buffers all{asio::buffer(head), asio::buffer(request.extra_head),
              asio::buffer(length_line_.data(),
                           static_cast<std::size_t>(out - length_line_.data())),
              asio::buffer(body)};
  if (tls_) {
    write_tls(all);
    return;
  }
  // The kernel takes a request of ordinary size at once: no operation to wait
  // for, no handler.
  error_code code;
  auto written = socket_.write_some(all, code);
  if (written == asio::buffer_size(all)) {
    on_written({});
    return;
  }
  if (code && code != asio::error::would_block) {
    on_written(code);
    return;
  }
  for (auto& each : all) {
    const auto here = std::min(written, each.size());
    each += here;
    written -= here;
  }
  subject_->enter(phase::total, subject_->request.limits.total,
                  steady_clock::now());
  // Its operation reads what the exchange owns, hence the second reference.
  asio::async_write(socket_, all,
                    [self = boost::intrusive_ptr<client_connection>(this),
                     mine = boost::intrusive_ptr<exchange>(subject_)](
                      const error_code& result, std::size_t) {
                      if (self->subject_ == mine.get())
                        self->on_written(result);
                    });
}

void client_connection::write_tls(const buffers& all) {
  subject_->enter(phase::total, subject_->request.limits.total,
                  steady_clock::now());
  const auto& body = all.back();
  const bool together = body.size() <= small_body;
  flat_.clear();
  for (const auto& each : all)
    if (together || &each != &body)
      flat_.append(static_cast<const char*>(each.data()), each.size());
  const std::array<asio::const_buffer, 2> records{
    asio::buffer(flat_), together ? asio::const_buffer{} : body};
  asio::async_write(*tls_, records,
                    [self = boost::intrusive_ptr<client_connection>(this),
                     mine = boost::intrusive_ptr<exchange>(subject_)](
                      const error_code& result, std::size_t) {
                      if (self->subject_ == mine.get())
                        self->on_written(result);
                    });
}

void client_connection::on_written(const error_code& code) {
  // A failure to write is not the last word: the peer may have answered before
  // it closed. The read that is under way finds out.
  sent_ = !code;
  if (received_ == 0)
    subject_->enter(phase::first_byte, subject_->request.limits.first_byte,
                    steady_clock::now());
}

// -- the answer ---------------------------------------------------------------

void client_connection::read() {
  reading_ = true;
  const auto space = asio::buffer(data() + end_, capacity() - end_);
  auto handler = [self = boost::intrusive_ptr<client_connection>(this)](
                   const error_code& code, std::size_t bytes) {
    self->on_read(code, bytes);
  };
  if (tls_)
    tls_->async_read_some(space, std::move(handler));
  else
    socket_.async_read_some(space, std::move(handler));
}

void client_connection::on_read(const error_code& code, std::size_t bytes) {
  reading_ = false;
  if (closed_)
    return;
  if (!subject_) {
    // The end, or bytes that nobody asked for.
    owner_->lost(*this);
    return;
  }
  if (code) {
    on_end(code);
    return;
  }
  if (received_ == 0) {
    const auto now = steady_clock::now();
    subject_->result.timings.first_byte = subject_->in_phase(now);
    subject_->enter(phase::total, subject_->request.limits.total, now);
  }
  received_ += bytes;
  end_ += bytes;
  parse();
}

void client_connection::parse() {
  const auto& limits = subject_->request.limits;
  while (begin_ < end_) {
    if (parser_->status() == 0 && !check_beginning()) {
      fail("malformed answer: it does not begin with HTTP/1");
      return;
    }
    const bool in_body = parser_->is_header_done();
    auto offered = end_ - begin_;
    if (in_body && offered > limits.body_limit - body_)
      offered = limits.body_limit - body_;
    if (offered == 0)
      break;
    error_code code;
    const auto used = parser_->put(asio::buffer(data() + begin_, offered),
                                   code);
    begin_ += used;
    (in_body ? body_ : head_) += used;
    if (code && code != http::error::need_more) {
      fail("malformed answer: " + code.message());
      return;
    }
    const auto more_of_head = parser_->is_header_done() ? 0 : end_ - begin_;
    if (head_ + more_of_head > limits.head_limit) {
      fail("too large: the head of the answer exceeds "
           + std::to_string(limits.head_limit) + " bytes");
      return;
    }
    if (!in_body && parser_->is_header_done())
      parser_->eager(true);
    if (parser_->is_done()) {
      const auto status = parser_->status();
      if (status >= 200 || status == 101 || status < 100) {
        complete();
        return;
      }
      if (++interim_ > most_interim_answers) {
        fail("malformed answer: more than "
             + std::to_string(most_interim_answers) + " interim answers");
        return;
      }
      parser_.emplace(subject_->result, limits);
      continue;
    }
    if (code || used == 0)
      break; // it needs more
  }
  if (parser_->is_header_done() && end_ - begin_ > limits.body_limit - body_) {
    cut();
    return;
  }
  make_space();
  read();
}

bool client_connection::check_beginning() {
  constexpr std::string_view expected = "HTTP/1.";
  const auto* at = data() + begin_;
  const auto size = end_ - begin_;
  // Something else that speaks first (SSH, SMTP) may never end what would be a
  // head, so it is not waited for.
  if (std::memcmp(at, expected.data(), std::min(size, expected.size())) != 0)
    return false;
  // "HTTP/1.1 200" without the space before an empty reason is common; the
  // parser insists on it.
  constexpr std::size_t behind_status = 12;
  if (size > behind_status && at[behind_status] == '\r') {
    if (end_ == capacity())
      make_space();
    auto* gap = data() + begin_ + behind_status;
    std::memmove(gap + 1, gap, end_ - begin_ - behind_status);
    *gap = ' ';
    ++end_;
  }
  return true;
}

void client_connection::make_space() {
  if (begin_ == end_) {
    begin_ = end_ = 0;
    return;
  }
  if (begin_ > 0) {
    std::memmove(data(), data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (end_ == capacity()) {
    // At most twice what may be received: the limits end it.
    auto larger = std::make_unique<std::vector<char>>(capacity() * 2);
    std::memcpy(larger->data(), data(), end_);
    large_ = std::move(larger);
  }
}

void client_connection::on_end(const error_code& code) {
  const bool ended = is_end(code);
  const bool reset = is_reset(code);
  if (received_ == 0) {
    if (reused_ && !subject_->retried && (ended || reset)) {
      // The peer closed it while we wrote: it never saw this request.
      auto& subject = *subject_;
      close();
      owner_->retry(subject);
      return;
    }
    if (auto why = tls_ ? tls_refusal(tls_->native_handle(), code)
                        : std::nullopt)
      fail(std::move(*why));
    else if (ended)
      fail("reset: connection closed before an answer");
    else if (reset)
      fail("reset: connection reset before an answer");
    else
      fail("reset: " + plain(code));
    return;
  }
  if (!parser_->is_header_done()) {
    fail(ended ? "malformed answer: connection closed within the head"
               : "reset: " + plain(code) + " within the head of the answer");
    return;
  }
  if (parser_->need_eof() && ended) {
    complete();
    return;
  }
  auto amount = std::to_string(parser_->body_bytes());
  if (const auto whole = parser_->content_length())
    amount += " of " + std::to_string(*whole);
  fail(ended
         ? "malformed answer: body ended after " + amount + " bytes"
         : "reset: " + plain(code) + " after " + amount + " bytes of the body");
}

// -- endings ------------------------------------------------------------------

void client_connection::complete() {
  const auto status = parser_->status();
  if (status < 100) {
    fail("malformed answer: status below 100");
    return;
  }
  auto& subject = *subject_;
  subject.result.status = static_cast<std::uint16_t>(status);
  const bool again = sent_ && begin_ == end_ && status != 101
                  && parser_->is_done() && parser_->keep_alive();
  subject_ = nullptr;
  if (again) {
    begin_ = end_ = 0;
    large_ = nullptr;
    owner_->release(*this);
  } else {
    close();
  }
  owner_->finish(subject);
}

void client_connection::cut() {
  auto& subject = *subject_;
  subject.result.status = static_cast<std::uint16_t>(parser_->status());
  subject.result.reason = "too large: body cut at "
                        + std::to_string(subject.request.limits.body_limit)
                        + " bytes";
  close();
  owner_->finish(subject);
}

void client_connection::fail(std::string reason) {
  auto& subject = *subject_;
  subject.result.status = 0;
  subject.result.reason = std::move(reason);
  close();
  owner_->finish(subject);
}

void client_connection::close() {
  subject_ = nullptr;
  if (closed_)
    return;
  closed_ = true;
  if (connector_)
    connector_->close();
  connector_ = nullptr;
  if (tunnel_)
    tunnel_->close();
  if (tls_)
    end_tls(tls_->native_handle());
  error_code ignored;
  socket_.close(ignored);
}

} // namespace fanfare::protocol
