// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/client_connection.hpp"

#include "protocol/client/repeat.hpp"
#include "protocol/target/target.hpp"
#include "protocol/target/url_text.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

#include <openssl/err.h>

#include <algorithm>
#include <cassert>
#include <string_view>
#include <utility>

namespace fanfare::protocol {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

// Longer than a free worker takes to accept a connection and to answer, and
// than a burst of handshakes takes.
constexpr std::chrono::milliseconds least_patience{200};

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

/// The diagram in the header.
constexpr bool may_follow(client_connection::state now,
                          client_connection::state next) {
  using enum client_connection::state;
  switch (next) {
    case fresh: return false;
    case connecting: return now == fresh;
    case tunnelling: return now == connecting;
    case handshaking: return now == connecting || now == tunnelling;
    case exchanging:
      return now == connecting || now == tunnelling || now == handshaking
          || now == idle;
    case idle: return now == exchanging;
    case closed: return now != closed;
  }
  return false;
}

} // namespace

void client_connection::enter(state next) noexcept {
  assert(may_follow(state_, next));
  state_ = next;
}

// -- getting there ------------------------------------------------------------

void client_connection::connect(exchange& subject,
                                std::vector<asio::ip::address> addresses,
                                std::size_t first) {
  enter(state::connecting);
  subject_ = &subject;
  if (!way_ || way_->next == 0)
    subject.clock.enter(phase::connect, subject.request.limits.connect,
                        steady_clock::now());
  connector_ = new connector(*this, context_);
  connector_->start(std::move(addresses),
                    way_ ? way_->via->port : subject.request.to->port(), first);
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

void client_connection::on_useless(const asio::ip::address& address) {
  if (way_)
    return;
  std::erase(subject_->addresses, address);
  to_->note_useless(address, steady_clock::now());
}

void client_connection::on_overtaken(const asio::ip::address& address) {
  if (!way_)
    to_->note_useless(address, steady_clock::now());
}

bool client_connection::make_room() {
  return owner_->make_room();
}

void client_connection::on_not_connected(std::string reason, fault whose) {
  const boost::intrusive_ptr<client_connection> alive{this};
  if (reason.empty())
    reason = "dns: no address for " + subject_->request.to->host();
  // "connect: connection refused (proxy 192.0.2.1:3128)"
  if (const auto where = reason.rfind('(');
      way_ && reason.starts_with("connect: ") && where != std::string::npos)
    reason.insert(where + 1, "proxy ");
  fail_to_reach(std::move(reason), whose);
}

void client_connection::on_connected(client_socket socket) {
  const boost::intrusive_ptr<client_connection> alive{this};
  connector_ = nullptr;
  stream_.open(std::move(socket));
  if (!way_) {
    error_code ignored;
    address_ = stream_.socket().remote_endpoint(ignored).address();
    to_->note_useful(address_);
    on_way();
    return;
  }
  const auto which = way_->next++;
  if (way_->name.empty())
    address_ = way_->targets[which];
  if (to_->forwarded) {
    forwards_ = way_->via;
    way_ = nullptr;
    on_way();
    return;
  }
  enter(state::tunnelling);
  if (const auto left = way_->left(); left > 0) {
    const auto now = steady_clock::now();
    way_until_ = now + (subject_->clock.deadline - now) / (left + 1);
  }
  tunnel_ = new proxy_tunnel(stream_.socket(), way_->via);
  auto opened = [self = boost::intrusive_ptr<client_connection>(this)](
                  proxy_tunnel::outcome&& how) {
    self->on_tunnel(std::move(how));
  };
  const auto port = subject_->request.to->port();
  if (way_->name.empty())
    tunnel_->open(address_, port, std::move(opened));
  else
    tunnel_->open(way_->name, port, std::move(opened));
}

void client_connection::on_tunnel(proxy_tunnel::outcome&& how) {
  tunnel_ = nullptr;
  if (how.failure.empty()) {
    way_ = nullptr;
    tunnelled_ = true;
    to_->note_useful(address_);
    on_way();
    return;
  }
  if (how.may_forward && may_be_forwarded()) {
    to_->forwarded = true;
    --way_->next;
    auto& subject = *subject_;
    close();
    owner_->try_next_address(subject, std::move(way_));
    return;
  }
  if (how.unreachable)
    to_->note_useless(address_, steady_clock::now());
  if (how.unreachable && way_->left() > 0) {
    auto& subject = *subject_;
    close();
    owner_->try_next_address(subject, std::move(way_));
    return;
  }
  fail_to_reach(std::move(how.failure));
}

bool client_connection::may_be_forwarded() const {
  constexpr std::uint16_t port_of_tunnels = 443;
  const auto& to = *subject_->request.to;
  return !to.secure() && to.port() != port_of_tunnels
      && (to.literal() || !way_->name.empty());
}

bool client_connection::is_way_silent(steady_clock::time_point now) const {
  return state_ == state::tunnelling && way_until_ && *way_until_ <= now;
}

void client_connection::skip_way() {
  const boost::intrusive_ptr<client_connection> alive{this};
  tunnel_->close();
  on_tunnel({.failure = "proxy: no answer", .unreachable = true});
}

void client_connection::on_way() {
  owner_->connected();
  const auto now = steady_clock::now();
  opened_ = now;
  untaken_ = true;
  ++to_->untaken;
  subject_->result.timings.connect = subject_->clock.in_phase(now);
  const auto& to = *subject_->request.to;
  if (!to.secure()) {
    start();
    read();
    return;
  }
  std::string reason;
  auto* settings = owner_->tls(*subject_, reason);
  if (!settings) {
    fail(std::move(reason));
    return;
  }
  enter(state::handshaking);
  subject_->clock.enter(phase::tls, subject_->request.limits.tls, now);
  stream_.start_tls(*settings);
  if (!prepare_tls(stream_.tls(), to.host(), to.literal().has_value(),
                   to_->sessions)) {
    fail("tls: the handshake could not be prepared");
    return;
  }
  stream_.handshake(
    [self = boost::intrusive_ptr<client_connection>(this)](
      const error_code& result) { self->on_handshake(result); });
}

void client_connection::on_handshake(const error_code& code) {
  if (state_ == state::closed)
    return;
  if (code) {
    if (auto why = tls_failure(stream_.tls(), code,
                               subject_->request.to->host(), tunnelled_);
        !skip_handshake(why))
      fail(std::move(why));
    return;
  }
  note_taken();
  subject_->result.timings.tls = subject_->clock.in_phase(steady_clock::now());
  subject_->result.certificate_expires = to_->sessions.note_handshake(
    stream_.tls());
  start();
  read();
}

// -- the exchange -------------------------------------------------------------

void client_connection::run(exchange& subject) {
  subject_ = &subject;
  start();
}

void client_connection::wait() {
  enter(state::idle);
  request_.shrink();
  read();
}

void client_connection::start() {
  enter(state::exchanging);
  answer_.begin(subject_->result, subject_->request.limits);
  write();
}

void client_connection::write() {
  subject_->result.repeated = subject_->again;
  auto all = forwards_ ? request_.begin_forwarded(
               subject_->request,
               forwards_->user.empty()
                 ? std::string{}
                 : basic_credentials(forwards_->user, forwards_->password))
                       : request_.begin(subject_->request);
  if (stream_.tls()) {
    write_records(all);
    return;
  }
  // The kernel takes a request of ordinary size at once: no operation to wait
  // for, no handler.
  error_code code;
  auto written = stream_.write_now(all, code);
  if (written == asio::buffer_size(all)) {
    on_written({});
    asked_at_ = subject_->clock.phase_started;
    return;
  }
  if (code && code != asio::error::would_block) {
    on_written(code);
    asked_at_ = subject_->clock.phase_started;
    return;
  }
  for (auto& each : all) {
    const auto here = std::min(written, each.size());
    each += here;
    written -= here;
  }
  asked_at_ = steady_clock::now();
  subject_->clock.enter(phase::total, subject_->request.limits.total,
                        asked_at_);
  // Its operation reads what the exchange owns, hence the second reference.
  stream_.write_plain(all,
                      [self = boost::intrusive_ptr<client_connection>(this),
                       mine = boost::intrusive_ptr<exchange>(subject_)](
                        const error_code& result, std::size_t) {
                        if (self->subject_ == mine.get())
                          self->on_written(result);
                      });
}

void client_connection::write_records(const outgoing_request::buffers& all) {
  asked_at_ = steady_clock::now();
  subject_->clock.enter(phase::total, subject_->request.limits.total,
                        asked_at_);
  stream_.write_tls(request_.in_records(all),
                    [self = boost::intrusive_ptr<client_connection>(this),
                     mine = boost::intrusive_ptr<exchange>(subject_)](
                      const error_code& result, std::size_t) {
                      if (self->subject_ == mine.get())
                        self->on_written(result);
                    });
}

void client_connection::on_written(const error_code& code) {
  // A failure to write is not the last word: the peer may have answered before
  // it closed. The read that is in progress finds out.
  request_.ended(!code);
  if (!answer_.has_verdict())
    subject_->clock.enter(phase::first_byte,
                          subject_->request.limits.first_byte,
                          steady_clock::now());
}

void client_connection::read() {
  stream_.read_some(answer_.space(),
                    [self = boost::intrusive_ptr<client_connection>(this)](
                      const error_code& code, std::size_t bytes) {
                      self->on_read(code, bytes);
                    });
}

void client_connection::on_read(const error_code& code, std::size_t bytes) {
  if (state_ == state::closed)
    return;
  if (state_ == state::idle) {
    owner_->lost(*this);
    return;
  }
  if (code) {
    on_end(code);
    return;
  }
  note_taken();
  const bool waited = !answer_.has_verdict();
  const bool awaited_end = answer_.over();
  const bool over = answer_.take(bytes) == incoming_answer::progress::over;
  if (waited && (over || answer_.has_verdict()))
    on_answer();
  if (awaited_end)
    conclude();
  else if (over)
    finish(false);
  else
    read();
}

void client_connection::on_answer() {
  const auto now = steady_clock::now();
  subject_->result.timings.first_byte = subject_->clock.in_phase(now);
  if (served_ > 0)
    to_->note_answer_after(now - subject_->clock.phase_started);
  subject_->clock.enter(phase::answer, subject_->request.limits.total, now);
}

void client_connection::on_end(const error_code& code) {
  const bool closed = is_end(code);
  const bool reset = is_reset(code);
  if (answer_.over()) {
    repeat({}); // it was awaited
    return;
  }
  if (answer_.has_begun()) {
    if (closed)
      answer_.end();
    else
      answer_.break_off(plain(code));
    finish(true);
    return;
  }
  const auto after = steady_clock::now() - asked_at_;
  auto why = why_ended(code, after);
  if (may_repeat({.by_peer = closed || reset,
                  .reused = served_ > 0,
                  .elsewhere = owner_->has_elsewhere(*subject_, address_),
                  .repeated = subject_->result.repeated,
                  .begun = stream_.has_partial_record(),
                  .after = after}))
    repeat(std::move(why));
  else
    fail(std::move(why));
}

std::string client_connection::why_ended(const error_code& code,
                                         steady_clock::duration after) const {
  if (stream_.has_partial_record())
    return "reset: connection ended within the first TLS record of the answer";
  if (stream_.tls())
    if (auto why = tls_refusal(stream_.tls(), code, served_ == 0))
      return std::move(*why);
  const bool closed = is_end(code);
  if (!closed && !is_reset(code))
    return "reset: " + plain(code);
  const std::string how = closed ? "closed " : "reset ";
  if (served_ == 0 || after <= repeat_within)
    return "reset: connection " + how + "before an answer";
  // Whoever looks for a stale connection should find a handler that failed.
  using tenths = std::chrono::duration<std::int64_t, std::deci>;
  return "reset: the kept connection was " + how
       + in_seconds(std::chrono::round<tenths>(after))
       + " after the request, without an answer";
}

// -- endings ------------------------------------------------------------------

void client_connection::repeat(std::string why) {
  auto& subject = *subject_;
  close();
  subject.again = true;
  if (served_ > 0) {
    subject.result = {};
    owner_->repeat(subject);
  } else {
    subject.shown = std::move(why);
    owner_->go_elsewhere(subject, address_);
  }
}

void client_connection::finish(bool ended) {
  const auto& subject = *subject_;
  // An answer with a status began the phase.
  if (may_repeat({.status = subject.result.status,
                  .interim = answer_.had_interim(),
                  .reused = served_ > 0,
                  .repeated = subject.result.repeated,
                  .after = subject.clock.phase_started - asked_at_})) {
    if (ended || answer_.announces_end()) {
      repeat({});
      return;
    }
    if (!answer_.has_surplus()) {
      await_end();
      return;
    }
  }
  conclude();
}

void client_connection::conclude() {
  auto& subject = *subject_;
  if (const auto status = subject.result.status;
      forwards_ && status != 0 && status / 100 != 2) {
    auto& reason = subject.result.reason;
    reason += reason.empty() ? "" : "; ";
    reason += "forwarded by a proxy, whose own answer it may be";
  }
  if (answer_.reusable() && request_.sent()) {
    subject_ = nullptr;
    answer_.clear();
    ++served_;
    owner_->release(*this);
  } else {
    close();
  }
  owner_->finish(subject);
}

void client_connection::await_end() {
  answer_.clear();
  subject_->clock.postpone(ends_within, steady_clock::now());
  read();
}

void client_connection::fail(std::string reason, fault whose) {
  auto& subject = *subject_;
  subject.result.status = 0;
  subject.result.whose = whose;
  subject.result.reason = std::move(reason);
  close();
  owner_->finish(subject);
}

void client_connection::fail_to_reach(std::string reason, fault whose) {
  if (auto& shown = subject_->shown; !shown.empty())
    fail(std::move(shown));
  else
    fail(std::move(reason), whose);
}

void client_connection::note_taken() {
  if (untaken_)
    to_->taken_upto = std::max(to_->taken_upto, opened_);
  stop_waiting();
}

void client_connection::stop_waiting() {
  if (std::exchange(untaken_, false) && --to_->untaken == 0)
    to_->crowded_until = {};
}

bool client_connection::skip_handshake(const std::string& why) {
  if (state_ != state::handshaking
      || !owner_->has_elsewhere(*subject_, address_))
    return false;
  const boost::intrusive_ptr<client_connection> alive{this};
  auto& subject = *subject_;
  close();
  subject.shown = why;
  owner_->go_elsewhere(subject, address_);
  return true;
}

bool client_connection::is_left_waiting(steady_clock::time_point now) const {
  return untaken_ && opened_ > to_->taken_upto
      && now - opened_
           >= std::max<steady_clock::duration>(least_patience, 2 * to_->usual);
}

bool client_connection::cut(std::string_view why) {
  if (state_ != state::exchanging || !answer_.has_verdict())
    return false;
  answer_.cut(why);
  return true;
}

void client_connection::close() {
  subject_ = nullptr;
  if (state_ == state::closed)
    return;
  enter(state::closed);
  stop_waiting();
  if (connector_)
    connector_->close();
  connector_ = nullptr;
  if (tunnel_)
    tunnel_->close();
  stream_.close();
}

} // namespace fanfare::protocol
