// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/connection.hpp"

#include "protocol/server/forwarding.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/error.hpp>

#include <algorithm>
#include <atomic>
#include <string_view>
#include <utility>

namespace fanfare::protocol::server {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using namespace std::chrono_literals;

/// A client that does not take its answers gets no further request begun.
constexpr std::size_t unwritten_limit = 256 * 1024;
/// The same of all connections of a thread. Beyond it a large answer is given
/// up for a short one: clients that do not read must not cost memory.
constexpr std::size_t unwritten_budget = 64 * 1024 * 1024;

// Closing with unread data in the socket resets the connection, which may take
// the answer away from the client: for so long, and so much, is read on.
constexpr auto linger_after_answer = 1'000ms;
constexpr auto linger_after_refusal = 5'000ms;
constexpr auto linger_while_draining = 300ms;
constexpr std::size_t linger_bytes = 64 * 1024 * 1024;

constexpr std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";

} // namespace

// -- ticket -------------------------------------------------------------------

/// What the copies of one `respond` share. Any thread.
class connection::ticket {
public:
  ticket(std::shared_ptr<inbox> answers, std::weak_ptr<connection> to,
         std::uint64_t number, std::size_t body_bytes)
    : answers_(std::move(answers)),
      to_(std::move(to)),
      number_(number),
      body_bytes_(body_bytes) {}
  ticket(const ticket&) = delete;
  ticket& operator=(const ticket&) = delete;
  ~ticket() {
    if (!used_.exchange(true))
      try {
        put(std::nullopt);
      } catch (...) { // out of memory: the connection waits for its client
      }
  }

  /// The first answer counts.
  void answer(http_response response) {
    if (!used_.exchange(true))
      put(std::move(response));
  }

private:
  void put(std::optional<http_response> answer) {
    // From within handle() the answer takes no detour: pump() sends it when the
    // handler is back. All others do, since pump() must not call a handler from
    // within another.
    if (answers_->belongs_to_this_thread())
      if (const auto to = to_.lock(); to && to->pumping_) {
        to->take(number_, std::move(answer));
        return to->shared_.bodies.give_back(body_bytes_);
      }
    answers_->put({std::move(to_), number_, std::move(answer), body_bytes_});
  }

  std::shared_ptr<inbox> answers_;
  std::weak_ptr<connection> to_;
  std::uint64_t number_;
  std::size_t body_bytes_;
  std::atomic<bool> used_{false};
};

// -- life ---------------------------------------------------------------------

connection::connection(worker_context& shared, tcp_socket socket,
                       admission::pass pass)
  : shared_(shared),
    stream_(std::move(socket)),
    pass_(std::move(pass)),
    peer_(pass_.address().to_string()),
    out_(shared.unwritten),
    patience_(linger_after_answer) {}

void connection::enter(state next) {
  if (next <= state_)
    return;
  const auto before = std::exchange(state_, next);
  switch (next) {
    case state::handshaking:
    case state::serving: break;
    case state::finishing:
      request_.reset();
      in_.clear();
      break;
    case state::lingering: linger(); break;
    case state::closed: leave(before); break;
  }
}

void connection::linger() {
  if (patience_ == 0ms)
    return close();
  error_code ec;
  stream_.shutdown_send(ec);
  if (ec)
    return close();
  expect(awaited::close);
  if (!reading_)
    discard();
}

void connection::leave(state before) {
  error_code ignored;
  if (stream_.secure()
      && (before == state::serving || before == state::finishing))
    stream_.shutdown_send(ignored);
  stream_.socket().close(ignored);
  request_.reset();
  more_ = {}; // whoever makes it learns that nobody reads it
  pass_.give_back();
  shared_.connections.erase(place_);
}

/// Out of memory, most likely: gives up this connection to serve the others.
template <class Step>
void connection::guarded(Step step) {
  try {
    step();
  } catch (...) {
    pumping_ = false;
    close();
  }
}

void connection::start(const tls_identity* identity) {
  place_ = shared_.connections.insert(shared_.connections.end(),
                                      shared_from_this());
  guarded([this, identity] {
    error_code ec;
    stream_.socket().non_blocking(true, ec);
    if (ec)
      return close();
    // Without it everything works, but slower.
    stream_.socket().set_option(asio::ip::tcp::no_delay{true}, ec);
    if (identity != nullptr) {
      if (!stream_.secure_with(*identity))
        return close();
      expect(awaited::handshake);
      return shake_hands();
    }
    enter(state::serving);
    if (pass_.how() == admission::verdict::server_full)
      refuse({503, "the server has too many connections, try again soon"});
    else if (pass_.how() == admission::verdict::address_full)
      refuse({429, "too many connections from your address"});
    pump();
  });
}

void connection::shake_hands() {
  error_code ec;
  const auto wanted = stream_.shake_hands(ec);
  if (ec)
    return close();
  if (!wanted) {
    enter(state::serving);
    return pump();
  }
  stream_.socket().async_wait(
    *wanted, [self = shared_from_this()](const error_code& why) {
      if (self->state_ == state::closed)
        return;
      if (why)
        return self->close();
      self->guarded([&self] { self->shake_hands(); });
    });
}

void connection::drain() {
  switch (state_) {
    case state::handshaking: return close();
    case state::serving:
    case state::finishing: {
      if (more_.is_open()) {
        out_.push_body(more_.end());
        return pump();
      }
      // A request that has arrived already is served; a busy connection closes
      // when it is done.
      error_code ec;
      if (idle() && (stream_.socket().available(ec) == 0 || ec))
        close();
      return;
    }
    case state::lingering:
      expected_.late = std::min(expected_.late,
                                shared_.clock.due(linger_while_draining));
      return;
    case state::closed: return;
  }
}

void connection::pump() {
  if (pumping_ || (state_ != state::serving && state_ != state::finishing))
    return;
  guarded([this] {
    news_ = false;
    pumping_ = true;
    parse();
    flush();
    // Answers that were given at once have made room for what is read already.
    while (state_ == state::serving && may_go_on()) {
      parse();
      flush();
    }
    pumping_ = false;
    if (state_ == state::closed)
      return;
    if (shared_.draining && idle())
      enter(state::finishing);
    if (state_ == state::finishing) {
      if (pipeline_.empty() && out_.empty() && !more_)
        return enter(state::lingering);
      if (more_.is_open() && !reading_)
        discard(); // to learn when its client closes
    } else if (!reading_ && may_read()) {
      read();
    }
    expect(awaited_now());
  });
}

bool connection::idle() const {
  return pipeline_.empty() && !request_ && in_.empty() && out_.empty()
      && !more_;
}

// -- reading ------------------------------------------------------------------

bool connection::may_begin_request() const {
  // A large body has its connection to itself: so they keep their order
  // whichever thread reads them, and one connection holds one of them in
  // memory.
  return pipeline_.size() < shared_.options.max_pipelined
      && out_.size() < unwritten_limit
      && (pipeline_.empty() || !pipeline_.back().large);
}

/// Whether parse() has something to do without further bytes.
bool connection::may_go_on() {
  return request_ ? request_->held && take_turn()
                  : head_.complete() && may_begin_request();
}

bool connection::may_read() const {
  return request_
         ? !request_->held && request_->stage != incoming::body::waiting
         : may_begin_request();
}

void connection::read() {
  std::optional<std::uint64_t> body_rest;
  if (request_)
    body_rest = request_->parser.content_length_remaining().value_or(
      std::numeric_limits<std::uint64_t>::max());
  const auto room = in_.prepare(body_rest);
  reading_ = true;
  stream_.async_read_some(
    room, [self = shared_from_this()](const error_code& ec, std::size_t count) {
      self->on_read(ec, count);
    });
}

void connection::on_read(const error_code& ec, std::size_t count) {
  reading_ = false;
  if (state_ == state::closed)
    return;
  if (state_ == state::lingering) {
    if (ec)
      return close();
    discarded_ += count;
    return guarded([this] { discard(); });
  }
  if (ec == asio::error::eof) {
    if (more_.is_open())
      return close(); // it would be told of what happens for ever
    // What is complete is answered still: some clients close their side as soon
    // as they have asked.
    patience_ = 0ms;
    enter(state::finishing);
  } else if (ec) {
    return close();
  } else if (state_ == state::serving) {
    in_.commit(count);
  }
  pump();
}

void connection::discard() {
  if (discarded_ > linger_bytes)
    return close();
  reading_ = true;
  // As it comes, also over TLS: nobody looks at it.
  stream_.socket().async_read_some(
    asio::buffer(shared_.scratch),
    [self = shared_from_this()](const error_code& ec, std::size_t count) {
      self->on_read(ec, count);
    });
}

void connection::parse() {
  if (request_ && request_->held) {
    if (!take_turn())
      return;
    request_->held = false;
    if (request_->parser.is_done())
      hand_over();
    else if (admit_body())
      expect_body();
  }
  while (state_ == state::serving && !in_.empty()
         && (request_ ? may_read() : begin_request())) {
    auto& parser = request_->parser;
    error_code ec;
    in_.consume(parser.put(asio::buffer(in_.bytes()), ec));
    if (ec == http::error::need_more) {
      // Only a chunk header or the trailers can be cut off here.
      if (in_.size() > shared_.options.head_limit)
        refuse({400, "malformed chunked request body"});
      else
        (void)admit_body();
      return;
    }
    if (ec)
      return refuse(parser.why(ec));
    if (!parser.is_done()) {
      if (!admit_body())
        return;
      expect_body();
    } else if (take_turn()) {
      hand_over();
    } else {
      request_->held = true;
    }
  }
}

/// False: the head at the front of in_ is not complete, was refused, or has to
/// wait for room in the pipeline.
bool connection::begin_request() {
  if (!head_.complete()) {
    // RFC 9112, 2.2: an empty line before a request is to be ignored.
    while (in_.bytes().starts_with("\r\n"))
      in_.consume(2);
    if (in_.empty())
      return false;
    if (const auto why = head_.scan(in_.bytes(), shared_.options)) {
      refuse(*why);
      return false;
    }
    if (!head_.complete())
      return false;
  }
  if (!may_begin_request())
    return false;
  request_.emplace(shared_.options.body_limit);
  head_.reset();
  return true;
}

/// Whether the request may begin: whoever asks is looked up only now, since an
/// earlier request of this connection may have changed the answer.
bool connection::take_turn() {
  if (!request_->kind) {
    request_->kind = shared_.handler.kind_of(request_->parser.request);
    if (request_->kind == request_kind::ordered)
      request_->mark = shared_.handler.mark_of(request_->parser.request);
  }
  return pipeline_.admits(*request_->kind, request_->mark);
}

/// False: the body is not to be read on, since it was refused or has to wait
/// for earlier requests or for room.
bool connection::admit_body() {
  auto& parser = request_->parser;
  const auto& options = shared_.options;
  const auto length = parser.content_length();
  if (request_->stage == incoming::body::admitted
      || (length ? *length : parser.request.body.size()) <= options.free_body)
    return true;
  if (!take_turn()) {
    request_->held = true;
    return false;
  }
  describe_client(parser.request);
  if (auto answer = shared_.handler.check_head(parser.request)) {
    refuse(std::move(*answer));
    return false;
  }
  // The length of a chunked body is not known before its end.
  request_->room = shared_.bodies.reserve(
    weak_from_this(),
    length ? static_cast<std::size_t>(*length) : options.body_limit);
  const bool admitted{request_->room};
  request_->stage = admitted ? incoming::body::admitted
                             : incoming::body::waiting;
  return admitted;
}

void connection::describe_client(http_request& request) const {
  request.peer_address = peer_;
  request.secure = stream_.secure();
  if (pass_.is_proxy())
    read_forwarding(request, pass_.proxies());
}

/// The body is what comes next: tells a client that waits for that.
void connection::expect_body() {
  if (in_.empty())
    request_->continue_due = std::exchange(request_->parser.expects_continue,
                                           false);
}

void connection::resume(body_share room) {
  if (!request_ || request_->stage != incoming::body::waiting)
    return;
  request_->stage = incoming::body::admitted;
  request_->room = std::move(room);
  expect_body();
  pump();
}

void connection::hand_over() {
  const auto& options = shared_.options;
  auto& parser = request_->parser;
  const auto keep_alive = parser.keep_alive();
  auto request = std::move(parser.request);
  auto body_bytes = request_->room.detach();
  if (body_bytes == 0 && request.body.size() > options.free_body) {
    body_bytes = request.body.size();
    shared_.bodies.take(body_bytes); // it is here already
  }
  describe_client(request);

  pipeline::place place;
  place.kind = *request_->kind;
  place.mark = request_->mark;
  place.http10 = !parser.http11;
  place.keep_alive = keep_alive && !parser.http11;
  place.close = !keep_alive || shared_.draining;
  place.head_only = request.method == "HEAD";
  place.large = body_bytes > 0;
  const auto number = pipeline_.next_number();
  if (place.close)
    enter(state::finishing);
  else
    request_.reset();
  pipeline_.push(std::move(place));

  const auto respond = std::make_shared<ticket>(
    shared_.answers, weak_from_this(), number, body_bytes);
  try {
    shared_.handler.handle(std::move(request),
                           [respond](http_response response) {
                             respond->answer(std::move(response));
                           });
  } catch (...) {
    respond->answer(to_response({500, "internal error"}));
  }
}

void connection::refuse(const refusal& why) {
  refuse(to_response(why));
}

/// The answer keeps its place behind those of earlier requests, and is the
/// last.
void connection::refuse(http_response answer) {
  pipeline::place place;
  place.answer = std::move(answer);
  place.state = pipeline::place::answer_state::here;
  place.close = true;
  pipeline_.push(std::move(place));
  patience_ = linger_after_refusal;
  enter(state::finishing);
}

void connection::take(std::uint64_t number,
                      std::optional<http_response> answer) {
  pipeline_.answer(number, std::move(answer));
  news_ = true;
}

// -- writing ------------------------------------------------------------------

void connection::flush() {
  using answer_state = pipeline::place::answer_state;
  std::size_t done = 0;
  while (done < pipeline_.size()
         && pipeline_[done].state != answer_state::awaited) {
    auto& front = pipeline_[done++];
    if (front.state == answer_state::never
        || render(front, done == pipeline_.size())) {
      // Nothing can follow, whatever was read meanwhile.
      enter(state::finishing);
      done = pipeline_.size();
    }
  }
  pipeline_.pop(done);
  if (request_ && request_->continue_due && pipeline_.empty()) {
    request_->continue_due = false;
    out_.text() += interim;
    out_.commit();
  }
  if (write_deadline_ == never)
    write();
}

/// Whether the connection closes after this answer.
bool connection::render(pipeline::place& what, bool last) {
  auto& answer = what.answer;
  if (answer.stream) {
    what.close = true;
    if (!what.head_only)
      more_ = streamed_body{answer.stream, what.http10};
    if (more_.is_open())
      stream_.limit_silence(shared_.options.open_body_timeout);
  }
  if (answer.body.size() > write_queue::small_body
      && shared_.unwritten + answer.body.size() > unwritten_budget) {
    answer = to_response(
      {503, "too many answers wait to be read by their clients"});
    what.close = true;
  }
  if (answer.status < 200 || answer.status > 599)
    answer.status = 500; // the handler's mistake
  const auto ends = state_ == state::finishing
                 || (shared_.draining && !request_ && in_.empty());
  const auto closes = append_head(out_.text(), answer,
                                  {shared_.date.at(std::time(nullptr)),
                                   what.close || (last && ends),
                                   what.keep_alive, what.http10});
  if (what.head_only || !has_content(answer.status))
    out_.commit();
  else
    out_.push_body(std::move(answer.body));
  return closes;
}

bool connection::refill() {
  if (!more_)
    return false;
  if (more_.is_open() && shared_.unwritten > unwritten_budget) {
    close(); // it can go on where it was
    return false;
  }
  std::string bytes;
  // A number that no request has: all it says is that there is news.
  const auto wake = [answers = shared_.answers, self = weak_from_this()] {
    answers->put({self, std::numeric_limits<std::uint64_t>::max(), {}, 0});
  };
  switch (more_.read(bytes, wake)) {
    case streamed_body::found::bytes:
      out_.push_body(std::move(bytes));
      return true;
    case streamed_body::found::nothing: break;
    case streamed_body::found::broken: close(); break;
  }
  return false;
}

void connection::write() {
  while (!out_.empty() || refill()) {
    write_queue::pieces pieces;
    error_code ec;
    const auto count = stream_.write_some(out_.front(pieces), ec);
    if (ec == asio::error::would_block || ec == asio::error::try_again) {
      write_deadline_ = shared_.clock.due(more_.is_open()
                                            ? shared_.options.open_body_timeout
                                            : shared_.options.idle_timeout);
      stream_.socket().async_wait(
        asio::socket_base::wait_write,
        [self = shared_from_this()](const error_code& why) {
          self->on_writable(why);
        });
      return;
    }
    if (ec)
      return close();
    out_.consume(count);
  }
}

void connection::on_writable(const error_code& ec) {
  write_deadline_ = never;
  if (state_ == state::closed)
    return;
  if (ec)
    return close();
  pump();
}

// -- waiting ------------------------------------------------------------------

connection::awaited connection::awaited_now() const {
  if (state_ != state::serving)
    return awaited::nothing;
  if (request_)
    return request_->continue_due || request_->held ? awaited::nothing
                                                    : awaited::body;
  if (!in_.empty())
    return may_begin_request() ? awaited::head : awaited::nothing;
  return pipeline_.empty() && out_.empty() ? awaited::request
                                           : awaited::nothing;
}

void connection::expect(awaited what) {
  const auto number = pipeline_.next_number();
  if (what == expected_.what && number == expected_.number)
    return; // more bytes of the same buy no time
  const auto late = [this](std::chrono::milliseconds limit) {
    return shared_.clock.due(limit);
  };
  const auto& options = shared_.options;
  expected_ = {what, number, never};
  switch (what) {
    case awaited::nothing: break;
    case awaited::handshake:
      expected_.late = late(options.handshake_timeout);
      break;
    case awaited::request: expected_.late = late(options.idle_timeout); break;
    case awaited::head: expected_.late = late(options.head_timeout); break;
    case awaited::body: expected_.late = late(options.body_timeout); break;
    case awaited::close:
      expected_.late = late(shared_.draining ? linger_while_draining
                                             : patience_);
      break;
  }
}

void connection::check(std::uint64_t now) {
  if (now >= write_deadline_)
    return close();
  if (now < expected_.late)
    return;
  expected_.late = never;
  switch (expected_.what) {
    case awaited::nothing: return;
    case awaited::handshake:
    case awaited::request:
    case awaited::close: return close();
    case awaited::head:
    case awaited::body: break;
  }
  guarded([this] {
    refuse(expected_.what == awaited::head
             ? refusal{408, "the request head took too long"}
             : refusal{408, "the request body took too long"});
    pump();
  });
}

} // namespace fanfare::protocol::server
