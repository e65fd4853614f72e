// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/http_connection.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>

#include <pthread.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <csignal>
#include <cstring>
#include <exception>
#include <span>

namespace fanfare::protocol {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using namespace std::chrono_literals;

constexpr std::size_t small_buffer = 4 * 1024;
constexpr std::size_t large_buffer = 32 * 1024;
/// Bodies up to this size are copied behind their head: cheaper than an entry
/// of their own in the gather list.
constexpr std::size_t small_body = 8 * 1024;
/// A peer that does not take its answers is asked for no more requests.
constexpr std::size_t unwritten_limit = 256 * 1024;
/// The same of all connections of a thread. Above it, large answers are given
/// up for a short one: clients that do not read must not cost memory.
constexpr std::size_t unwritten_budget = 64 * 1024 * 1024;
constexpr std::size_t field_limit = 200;
/// Room in a request line for the method, the version and the spaces.
constexpr std::size_t line_overhead = 64;

// Closing: how long, and how much, is still read so that the peer sees the
// answer instead of a reset.
constexpr auto linger_after_refusal = 5s;
constexpr auto linger_after_answer = 1s;
constexpr auto linger_while_draining = 300ms;
constexpr std::size_t linger_bytes = 64 * 1024 * 1024;

/// Connections over the limits that are told so at the same time.
constexpr std::size_t refused_limit = 64;

thread_local http_inbox* inbox_of_this_thread = nullptr;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

/// `b` is in lower case.
bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size()
      && std::equal(a.begin(), a.end(), b.begin(),
                    [](char x, char y) { return lower(x) == y; });
}

bool is_token_char(char c) {
  return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z')
      || (c != '\0' && std::strchr("!#$%&'*+-.^_`|~", c) != nullptr);
}

void append_number(std::string& to, std::size_t value) {
  std::array<char, 24> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(),
                                 value)
                     .ptr;
  to.append(digits.data(), end);
}

/// Appends text of the handler where a line break would end the header.
void append_field_text(std::string& to, std::string_view text) {
  const auto start = to.size();
  to.append(text);
  for (auto i = start; i < to.size(); ++i)
    if (to[i] == '\r' || to[i] == '\n' || to[i] == '\0')
      to[i] = ' ';
}

std::string json_detail(std::string_view detail) {
  return std::string{R"({"detail":")"}.append(detail).append("\"}");
}

asio::ip::address unmapped(const asio::ip::address& from) {
  if (from.is_v6() && from.to_v6().is_v4_mapped())
    return asio::ip::make_address_v4(asio::ip::v4_mapped, from.to_v6());
  return from;
}

/// One party: an IPv4 address, or the /64 that a single IPv6 customer gets.
std::string party(const asio::ip::address& from) {
  if (from.is_v4()) {
    const auto bytes = from.to_v4().to_bytes();
    return {bytes.begin(), bytes.end()};
  }
  const auto bytes = from.to_v6().to_bytes();
  return {bytes.begin(), bytes.begin() + 8};
}

} // namespace

// -- http_census --------------------------------------------------------------

http_census::verdict http_census::enter(const asio::ip::address& from) {
  const std::lock_guard guard{mutex_};
  auto result = verdict::welcome;
  if (served_ >= total_limit_)
    result = verdict::full;
  else if (auto i = by_address_.find(party(from));
           i != by_address_.end() && i->second >= address_limit_)
    result = verdict::address_full;
  if (result == verdict::welcome) {
    ++served_;
    ++by_address_[party(from)];
  } else if (refused_ < refused_limit) {
    ++refused_;
  } else {
    result = verdict::drop;
  }
  return result;
}

void http_census::leave(const asio::ip::address& from, verdict entered) {
  const std::lock_guard guard{mutex_};
  if (entered == verdict::welcome) {
    --served_;
    if (auto i = by_address_.find(party(from));
        i != by_address_.end() && --i->second == 0)
      by_address_.erase(i);
  } else if (entered != verdict::drop) {
    --refused_;
  }
  if (served_ + refused_ == 0)
    empty_.notify_all();
}

bool http_census::wait_empty(std::chrono::milliseconds deadline) {
  std::unique_lock guard{mutex_};
  return empty_.wait_for(guard, deadline,
                         [this] { return served_ + refused_ == 0; });
}

// -- http_body_budget and http_body_share -------------------------------------

bool http_body_budget::try_take(std::size_t bytes) {
  auto used = used_.load();
  do {
    if (used != 0 && (used > limit_ || bytes > limit_ - used))
      return false;
  } while (!used_.compare_exchange_weak(used, used + bytes));
  return true;
}

void http_body_share::release() {
  if (auto* worker = std::exchange(worker_, nullptr))
    worker->release(bytes_);
}

// -- http_inbox and http_ticket -----------------------------------------------

void http_inbox::put(entry what) {
  if (inbox_of_this_thread == this) {
    const auto to = what.to.lock();
    // Inside of its handle(): pump() writes it when it is back. Otherwise it
    // goes the long way, for it must not call another handler from within one.
    if (to && to->pumping()) {
      to->take(what.number, std::move(what.answer));
      return worker_->release(what.body_bytes);
    }
  }
  const std::lock_guard guard{mutex_};
  if (!worker_)
    return;
  entries_.push_back(std::move(what));
  if (entries_.size() == 1) // else it is on its way already
    asio::post(worker_->io, [this] { deliver(); });
}

void http_inbox::close() {
  std::vector<entry> unwanted;
  const std::lock_guard guard{mutex_};
  worker_ = nullptr;
  unwanted.swap(entries_);
}

void http_inbox::deliver() {
  {
    const std::lock_guard guard{mutex_};
    delivering_.swap(entries_);
  }
  // First all of them, then the writing: answers to one connection share a
  // system call.
  std::vector<std::shared_ptr<http_connection>> touched;
  touched.reserve(delivering_.size());
  std::size_t body_bytes = 0;
  for (auto& [to, number, answer, bytes] : delivering_) {
    body_bytes += bytes;
    if (auto connection = to.lock()) {
      connection->take(number, std::move(answer));
      if (!connection->touched) {
        connection->touched = true;
        touched.push_back(std::move(connection));
      }
    }
  }
  delivering_.clear();
  worker_->release(body_bytes);
  for (auto& connection : touched) {
    connection->touched = false;
    connection->pump();
  }
}

http_ticket::~http_ticket() {
  if (!used_.exchange(true))
    try {
      inbox_->put({std::move(to_), number_, std::nullopt, body_bytes_});
    } catch (...) { // out of memory: the connection waits for its peer to leave
    }
}

void http_ticket::answer(http_response response) {
  if (!used_.exchange(true))
    inbox_->put({std::move(to_), number_, std::move(response), body_bytes_});
}

// -- http_worker --------------------------------------------------------------

http_worker::http_worker(const http_server_options& opts, http_handler& serve,
                         http_census& count, http_body_budget& room)
  : options(opts),
    handler(serve),
    census(count),
    budget(room),
    inbox(std::make_shared<http_inbox>(*this)),
    work_(io.get_executor()),
    timer_(io.get_executor()),
    tick_(std::clamp(std::min({opts.handshake_timeout, opts.head_timeout,
                               opts.body_timeout, opts.idle_timeout})
                       / 8,
                     std::chrono::milliseconds{5},
                     std::chrono::milliseconds{250})) {}

http_worker::~http_worker() {
  finish();
}

void http_worker::start() {
  next_tick();
  // Signals are for the threads of the program.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  try {
    thread_ = std::thread{[this] {
      inbox_of_this_thread = inbox.get();
      for (;;)
        try {
          io.run();
          return;
        } catch (...) { // out of memory where no connection is at fault: go on
        }
    }};
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void http_worker::next_tick() {
  timer_.expires_after(tick_);
  timer_.async_wait([this](const error_code& ec) {
    // A tick that was due before cancel() comes without an error.
    if (ec || finished_)
      return;
    ++now_;
    // Backwards, since a connection that closes is replaced by the last one.
    for (auto i = connections_.size(); i > 0; --i)
      if (const auto connection = connections_[i - 1])
        connection->check(now_);
    // Room that another thread's connections gave back is found here.
    resume_bodies();
    next_tick();
  });
}

void http_worker::drain() {
  asio::post(io, [this] {
    draining = true;
    for (auto i = connections_.size(); i > 0; --i)
      if (const auto connection = connections_[i - 1])
        connection->drain();
  });
}

void http_worker::finish() {
  if (!thread_.joinable())
    return;
  asio::post(io, [this] {
    draining = finished_ = true;
    while (!connections_.empty()) {
      const auto connection = connections_.back();
      connection->close();
    }
    timer_.cancel();
    work_.reset(); // run() returns once the aborted operations are through
  });
  thread_.join();
  inbox->close();
}

void http_worker::adopt(http_socket socket, const asio::ip::address& from,
                        http_census::verdict entered,
                        const tls_identity* identity) {
  const bool refused = entered != http_census::verdict::welcome;
  if (draining || (identity != nullptr && refused)) {
    census.leave(from, entered);
    return;
  }
  auto connection = std::make_shared<http_connection>(*this, std::move(socket),
                                                      from, entered);
  connection->index = connections_.size();
  connections_.push_back(connection);
  connection->start(identity);
}

http_body_share http_worker::reserve(http_connection& who, std::size_t bytes) {
  if (bodies_.empty() && budget.try_take(bytes))
    return {*this, bytes};
  bodies_.push_back({who.weak_from_this(), bytes});
  return {};
}

void http_worker::release(std::size_t bytes) {
  if (bytes == 0)
    return;
  budget.give_back(bytes);
  if (bodies_.empty() || std::exchange(resuming_, true))
    return;
  asio::post(io, [this] {
    resuming_ = false;
    resume_bodies();
  });
}

void http_worker::resume_bodies() {
  while (!bodies_.empty()) {
    const auto bytes = bodies_.front().bytes;
    const auto who = bodies_.front().who.lock();
    if (who && !budget.try_take(bytes))
      return;
    bodies_.pop_front();
    if (who)
      who->resume({*this, bytes});
  }
}

void http_worker::forget(http_connection& which) {
  assert(connections_[which.index].get() == &which);
  connections_.back()->index = which.index;
  std::swap(connections_[which.index], connections_.back());
  connections_.pop_back();
}

std::string_view http_worker::date_line() {
  const auto second = std::time(nullptr);
  if (second != date_second_) {
    date_second_ = second;
    std::tm parts{};
    gmtime_r(&second, &parts);
    // Not strftime's names: those follow the locale.
    static constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed",
                                           "Thu", "Fri", "Sat"};
    static constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr",
                                             "May", "Jun", "Jul", "Aug",
                                             "Sep", "Oct", "Nov", "Dec"};
    const auto count = std::snprintf(
      date_.data(), date_.size(),
      "Date: %s, %02d %s %04d %02d:%02d:%02d GMT\r\n", days[parts.tm_wday],
      parts.tm_mday, months[parts.tm_mon], parts.tm_year + 1900, parts.tm_hour,
      parts.tm_min, parts.tm_sec);
    date_size_ = std::min(static_cast<std::size_t>(count), date_.size() - 1);
  }
  return {date_.data(), date_size_};
}

// -- http_request_parser ------------------------------------------------------

void http_request_parser::refuse(error_code& ec, std::uint16_t status,
                                 std::string_view detail) {
  refusal_ = {status, detail};
  ec = http::error::bad_value;
}

http_refusal http_request_parser::refusal(const error_code& ec) const {
  if (refusal_.status != 0)
    return refusal_;
  if (ec.category() == make_error_code(http::error::bad_field).category())
    switch (static_cast<http::error>(ec.value())) {
      case http::error::body_limit:
        return {413, "the request body is too large"};
      case http::error::bad_method: return {400, "malformed request method"};
      case http::error::bad_target: return {400, "malformed request target"};
      case http::error::bad_version: return {400, "malformed request line"};
      case http::error::bad_content_length:
        return {400, "bad or conflicting Content-Length"};
      case http::error::multiple_content_length:
        return {400, "the Content-Length headers differ"};
      case http::error::bad_transfer_encoding:
        return {400, "bad or conflicting Transfer-Encoding"};
      case http::error::bad_chunk:
      case http::error::bad_chunk_extension:
        return {400, "malformed chunked request body"};
      default: break;
    }
  return {400, "malformed request header"};
}

void http_request_parser::on_request_impl(verb, text method, text target,
                                          int version, error_code& ec) {
  ec = {};
  request.method.assign(method.data(), method.size());
  request.target.assign(target.data(), target.size());
  http11 = version >= 11;
}

void http_request_parser::on_field_impl(field name, text name_text, text value,
                                        error_code& ec) {
  ec = {};
  if (in_body_)
    return; // a trailer may not pass for a header that was checked
  if (request.headers.size() == field_limit)
    return refuse(ec, 431, "too many request headers");
  switch (name) {
    case field::host:
      if (++hosts_ > 1)
        return refuse(ec, 400, "more than one Host header");
      if (value.find_first_of(" \t/?#@\\") != text::npos)
        return refuse(ec, 400, "malformed Host header");
      break;
    case field::transfer_encoding:
      if (!http11)
        return refuse(ec, 400, "Transfer-Encoding is not part of HTTP/1.0");
      if (!same_name({value.data(), value.size()}, "chunked"))
        return refuse(ec, 501,
                      "the only supported Transfer-Encoding is chunked");
      break;
    case field::expect:
      if (!http11)
        break; // to be ignored
      if (!same_name({value.data(), value.size()}, "100-continue"))
        return refuse(ec, 417,
                      "the only supported expectation is 100-continue");
      expects_continue = true;
      break;
    default: break;
  }
  auto& [key, text_of] = request.headers.emplace_back();
  key.resize(name_text.size());
  std::transform(name_text.begin(), name_text.end(), key.begin(), lower);
  text_of.assign(value.data(), value.size());
}

void http_request_parser::on_header_impl(error_code& ec) {
  ec = {};
  in_body_ = true;
  if (http11 && hosts_ == 0)
    refuse(ec, 400, "the Host header is missing");
}

void http_request_parser::on_body_init_impl(
  const boost::optional<std::uint64_t>& length, error_code& ec) {
  ec = {};
  // Not all of it at once: a length is easily claimed.
  if (length)
    request.body.reserve(std::min<std::size_t>(*length, 2 * large_buffer));
}

std::size_t http_request_parser::on_body_impl(text body, error_code& ec) {
  ec = {};
  request.body.append(body.data(), body.size());
  return body.size();
}

std::size_t http_request_parser::on_chunk_body_impl(std::uint64_t, text body,
                                                    error_code& ec) {
  ec = {};
  request.body.append(body.data(), body.size());
  return body.size();
}

// -- http_connection: life ----------------------------------------------------

http_connection::http_connection(http_worker& worker, http_socket socket,
                                 const asio::ip::address& from,
                                 http_census::verdict entered)
  : worker_(worker),
    stream_(std::move(socket)),
    from_(from),
    peer_(unmapped(from).to_string()),
    entered_(entered) {}

template <class Step>
void http_connection::guarded(Step step) {
  try {
    step();
  } catch (
    ...) { // out of memory, most likely: give up this one, serve the others
    pumping_ = false;
    close();
  }
}

void http_connection::start(const tls_identity* identity) {
  guarded([this, identity] {
    error_code ec;
    stream_.socket().non_blocking(true, ec);
    if (ec)
      return close();
    stream_.socket().set_option(asio::ip::tcp::no_delay{true},
                                ec); // it is only slower without
    if (identity != nullptr) {
      if (!stream_.secure_with(*identity))
        return close();
      shaking_hands_ = true;
      read_deadline_ = worker_.due(worker_.options.handshake_timeout);
      return shake_hands();
    }
    if (entered_ == http_census::verdict::full)
      refuse({503, "the server has too many connections, try again soon"});
    else if (entered_ == http_census::verdict::address_full)
      refuse({429, "too many connections from your address"});
    pump();
  });
}

void http_connection::shake_hands() {
  error_code ec;
  const auto wanted = stream_.shake_hands(ec);
  if (ec)
    return close();
  if (!wanted) {
    shaking_hands_ = false;
    return pump();
  }
  stream_.socket().async_wait(
    *wanted, [self = shared_from_this()](const error_code& why) {
      if (self->closed_)
        return;
      if (why)
        return self->close();
      self->guarded([&self] { self->shake_hands(); });
    });
}

void http_connection::close() {
  if (closed_)
    return;
  closed_ = true;
  error_code ignored;
  if (stream_.secure() && !shaking_hands_ && !lingering_)
    stream_.shutdown_send(ignored);
  stream_.socket().close(ignored);
  share_.release();
  worker_.forget(*this);
  worker_.census.leave(from_, entered_);
}

bool http_connection::idle() const {
  return slots_.empty() && !parser_ && begin_ == end_ && unwritten_ == 0;
}

void http_connection::drain() {
  if (lingering_) {
    linger_deadline_ = std::min(linger_deadline_,
                                worker_.due(linger_while_draining));
    return;
  }
  if (shaking_hands_)
    return close();
  error_code ec;
  // A request that arrived already is served; a busy connection closes when it
  // is through.
  if (idle() && (stream_.socket().available(ec) == 0 || ec))
    close();
}

void http_connection::linger() {
  lingering_ = true;
  read_deadline_ = write_deadline_ = 0;
  error_code ec;
  if (read_closed_)
    return close();
  stream_.shutdown_send(ec);
  if (ec)
    return close();
  // Closing with unread data in the socket resets the connection, which may
  // take the answer away from the peer.
  linger_deadline_ = worker_.draining ? worker_.due(linger_while_draining)
                   : refused_         ? worker_.due(linger_after_refusal)
                                      : worker_.due(linger_after_answer);
  if (!reading_)
    discard();
}

void http_connection::discard() {
  if (discarded_ > linger_bytes)
    return close();
  reading_ = true;
  // As it comes, also over TLS: nobody looks at it.
  stream_.socket().async_read_some(
    asio::buffer(worker_.scratch),
    [self = shared_from_this()](const error_code& ec, std::size_t count) {
      self->on_read(ec, count);
    });
}

void http_connection::check(std::uint64_t now) {
  if (lingering_) {
    if (now >= linger_deadline_)
      close();
    return;
  }
  if (write_deadline_ != 0 && now >= write_deadline_)
    return close();
  if (read_deadline_ == 0 || now < read_deadline_)
    return;
  read_deadline_ = 0;
  if (shaking_hands_)
    return close();
  guarded([this] {
    switch (waiting_) {
      case waiting::nothing: return;
      case waiting::idle: return close();
      case waiting::head:
        refuse({408, "the request head took too long"});
        break;
      case waiting::body:
        refuse({408, "the request body took too long"});
        break;
    }
    pump();
  });
}

void http_connection::pump() {
  if (pumping_ || closed_ || lingering_ || shaking_hands_)
    return;
  guarded([this] {
    pumping_ = true;
    parse();
    flush();
    // Answers that were given at once have made room for what is read already.
    while (!closed_ && !last_ && !parser_ && begin_ != end_ && head_size_ != 0
           && may_begin_request()) {
      parse();
      flush();
    }
    pumping_ = false;
    if (closed_)
      return;
    if (worker_.draining && idle())
      last_ = true;
    if (last_ && slots_.empty() && unwritten_ == 0)
      return linger();
    if (!reading_ && !last_ && (parser_ ? !body_waits_ : may_begin_request()))
      start_read();
    set_deadline();
  });
}

// -- http_connection: reading -------------------------------------------------

bool http_connection::may_begin_request() const {
  // A large body has its connection to itself: so they keep their order
  // whoever reads them, and one connection holds one of them in memory.
  return slots_.size() < worker_.options.max_pipelined
      && unwritten_ < unwritten_limit
      && (slots_.empty() || !slots_.back().large);
}

http_connection::waiting http_connection::state() const {
  if (last_)
    return waiting::nothing;
  if (parser_)
    return continue_due_ ? waiting::nothing : waiting::body;
  if (begin_ != end_)
    return may_begin_request() ? waiting::head : waiting::nothing;
  return slots_.empty() && unwritten_ == 0 ? waiting::idle : waiting::nothing;
}

void http_connection::set_deadline() {
  const auto what = state();
  const auto number = first_number_ + slots_.size();
  if (what == waiting_ && number == waiting_for_)
    return; // more bytes of the same buy no time
  waiting_ = what;
  waiting_for_ = number;
  switch (what) {
    case waiting::nothing: read_deadline_ = 0; break;
    case waiting::idle:
      read_deadline_ = worker_.due(worker_.options.idle_timeout);
      break;
    case waiting::head:
      read_deadline_ = worker_.due(worker_.options.head_timeout);
      break;
    case waiting::body:
      read_deadline_ = worker_.due(worker_.options.body_timeout);
      break;
  }
}

void http_connection::make_room() {
  auto wanted = std::max(capacity_, small_buffer);
  if (begin_ == end_) {
    begin_ = end_ = 0;
    if (!parser_)
      wanted = small_buffer; // many connections are idle most of the time
  }
  if (parser_) {
    const auto rest = parser_->content_length_remaining();
    if (!rest || *rest > small_buffer)
      wanted = std::max(wanted, large_buffer);
  }
  if (begin_ > 0 && capacity_ - end_ < capacity_ / 4) {
    std::memmove(in_.get(), in_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  if (capacity_ == wanted && capacity_ - end_ < capacity_ / 4)
    wanted *= 2; // bounded, since heads and chunk headers are
  if (capacity_ == wanted)
    return;
  auto larger = std::make_unique_for_overwrite<char[]>(wanted);
  if (end_ != begin_)
    std::memcpy(larger.get(), in_.get() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  in_ = std::move(larger);
  capacity_ = wanted;
}

void http_connection::start_read() {
  make_room();
  reading_ = true;
  stream_.async_read_some(
    asio::buffer(in_.get() + end_, capacity_ - end_),
    [self = shared_from_this()](const error_code& ec, std::size_t count) {
      self->on_read(ec, count);
    });
}

void http_connection::on_read(const error_code& ec, std::size_t count) {
  reading_ = false;
  if (closed_)
    return;
  if (lingering_) {
    if (ec)
      return close();
    discarded_ += count;
    return guarded([this] { discard(); });
  }
  if (ec == asio::error::eof) {
    // What is complete is answered still: some clients close their side as soon
    // as they have asked.
    read_closed_ = true;
    last_ = true;
    parser_.reset();
    share_.release();
    begin_ = end_;
  } else if (ec) {
    return close();
  } else if (!last_) {
    end_ += count;
  }
  pump();
}

void http_connection::refuse(const http_refusal& why) {
  slot refused;
  render_refusal(why, refused);
  slots_.push_back(std::move(refused));
  last_ = true;
  refused_ = true;
  continue_due_ = false;
  parser_.reset();
  share_.release();
  begin_ = end_;
}

bool http_connection::check_request_line(std::string_view line) {
  // The rest of its syntax is checked by the parser.
  const auto target = line.find(' ');
  const auto version = line.rfind(' ');
  if (target != std::string_view::npos
      && version - target > worker_.options.target_limit + 1) {
    refuse({414, "the request target is too long"});
    return false;
  }
  const auto text = line.substr(version + 1);
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  if (text.size() == 8 && text.starts_with("HTTP/") && digit(text[5])
      && text[6] == '.' && digit(text[7]) && text != "HTTP/1.1"
      && text != "HTTP/1.0") {
    refuse({505, "the supported versions are HTTP/1.1 and HTTP/1.0"});
    return false;
  }
  return true;
}

/// Finds the end of the head, line by line as it comes in, and refuses at once
/// what cannot become a request.
http_connection::scan http_connection::scan_head() {
  const auto* const start = in_.get() + begin_;
  const auto size = end_ - begin_;
  while (head_size_ == 0) {
    const auto* const found = static_cast<const char*>(
      std::memchr(start + scanned_, '\n', size - scanned_));
    if (!found) {
      scanned_ = size;
      break;
    }
    const auto at = static_cast<std::size_t>(found - start);
    if (at == line_ || start[at - 1] != '\r') {
      refuse({400, "lines must end with CR LF"});
      return scan::refused;
    }
    const std::string_view line{start + line_, at - 1 - line_};
    if (line_ == 0) {
      if (!check_request_line(line))
        return scan::refused;
    } else if (line.empty()) {
      head_size_ = at + 1;
    } else if (line.front() == ' ' || line.front() == '\t') {
      refuse({400, "folded headers are not supported"});
      return scan::refused;
    }
    line_ = scanned_ = at + 1;
  }
  const auto& options = worker_.options;
  const auto line_limit = std::min(options.target_limit + line_overhead,
                                   options.head_limit);
  if (line_ == 0 && size > line_limit) {
    refuse({414, "the request line is too long"});
    return scan::refused;
  }
  if (head_size_ > options.head_limit
      || (head_size_ == 0 && size >= options.head_limit)) {
    refuse({431, "the request head is too large"});
    return scan::refused;
  }
  return head_size_ == 0 ? scan::more : scan::complete;
}

/// Whether the body may be read on. If not, it is refused or has to wait.
bool http_connection::admit_body() {
  const auto& options = worker_.options;
  const auto length = parser_->content_length();
  if (body_admitted_
      || (length ? *length : parser_->request.body.size()) <= options.free_body)
    return true;
  body_admitted_ = true;
  parser_->request.peer_address = peer_;
  parser_->request.secure = stream_.secure();
  if (auto refusal = worker_.handler.check_head(parser_->request)) {
    refuse({refusal->status, {}});
    slots_.back().answer = std::move(*refusal);
    return false;
  }
  // How long a chunked one will be is not known.
  share_ = worker_.reserve(*this, length ? static_cast<std::size_t>(*length)
                                         : options.body_limit);
  body_waits_ = !share_;
  return !body_waits_;
}

bool http_connection::resume(http_body_share share) {
  if (closed_ || !parser_ || !body_waits_)
    return false;
  body_waits_ = false;
  share_ = std::move(share);
  if (begin_ == end_)
    continue_due_ = std::exchange(parser_->expects_continue, false);
  pump();
  return true;
}

void http_connection::parse() {
  while (!last_ && begin_ != end_ && !(parser_ && body_waits_)) {
    if (!parser_) {
      if (head_size_ == 0) {
        if (scanned_ == 0) {
          // An empty line before a request is to be forgiven.
          if (in_[begin_] == '\r' && end_ - begin_ > 1
              && in_[begin_ + 1] == '\n') {
            begin_ += 2;
            continue;
          }
          if (!is_token_char(in_[begin_])
              && (in_[begin_] != '\r' || end_ - begin_ > 1)) {
            // Most often somebody who speaks TLS: do not let them wait.
            refuse({400, "this is not an HTTP request"});
            return;
          }
          if (in_[begin_] == '\r')
            return;
        }
        if (scan_head() != scan::complete)
          return;
      }
      if (!may_begin_request())
        return;
      parser_.emplace(worker_.options.body_limit);
      body_admitted_ = body_waits_ = false;
      scanned_ = line_ = head_size_ = 0;
    }
    error_code ec;
    const auto used = parser_->put(
      asio::buffer(in_.get() + begin_, end_ - begin_), ec);
    begin_ += used;
    if (ec == http::error::need_more) {
      // Only a chunk header or the trailers can be cut off here.
      if (end_ - begin_ > worker_.options.head_limit)
        refuse({400, "malformed chunked request body"});
      else
        (void)admit_body();
      return;
    }
    if (ec) {
      const auto why = parser_->refusal(ec);
      refuse(why);
      return;
    }
    if (parser_->is_done())
      hand_over();
    else if (!admit_body())
      return;
    else if (begin_ == end_)
      continue_due_ = std::exchange(parser_->expects_continue, false);
  }
}

void http_connection::hand_over() {
  slot answer;
  const auto keep_alive = parser_->keep_alive();
  auto request = std::move(parser_->request);
  answer.keep_alive = keep_alive && !parser_->http11;
  answer.close = !keep_alive || worker_.draining;
  answer.head = request.method == "HEAD";
  parser_.reset();
  auto body_bytes = share_.detach();
  if (body_bytes == 0 && request.body.size() > worker_.options.free_body) {
    body_bytes = request.body.size(); // it is here already
    worker_.budget.take(body_bytes);
  }
  answer.large = body_bytes > 0;
  continue_due_ = false;
  if (answer.close) {
    last_ = true;
    begin_ = end_;
  }
  request.peer_address = peer_;
  request.secure = stream_.secure();
  const auto number = first_number_ + slots_.size();
  slots_.push_back(std::move(answer));
  const auto ticket = std::make_shared<http_ticket>(
    worker_.inbox, weak_from_this(), number, body_bytes);
  try {
    worker_.handler.handle(std::move(request),
                           [ticket](http_response response) {
                             ticket->answer(std::move(response));
                           });
  } catch (...) {
    ticket->answer({500,
                    {{"Content-Type", "application/json"}},
                    json_detail("internal error")});
  }
}

void http_connection::take(std::uint64_t number,
                           std::optional<http_response> answer) {
  if (number < first_number_ || number - first_number_ >= slots_.size())
    return; // given up meanwhile
  auto& place = slots_[static_cast<std::size_t>(number - first_number_)];
  place.ready = true;
  if (answer)
    place.answer = std::move(*answer);
  else
    place.dropped = true;
}

// -- http_connection: writing -------------------------------------------------

std::string& http_connection::tail() {
  if (next_.empty() || tail_sealed_) {
    next_.emplace_back();
    tail_sealed_ = false;
  }
  return next_.back();
}

void http_connection::render_refusal(const http_refusal& why, slot& into) {
  into.ready = true;
  into.close = true;
  into.answer.status = why.status;
  into.answer.headers.emplace_back("Content-Type", "application/json");
  if (why.status == 503 || why.status == 429)
    into.answer.headers.emplace_back("Retry-After", "1");
  into.answer.body = json_detail(why.detail);
}

http_connection::~http_connection() {
  worker_.unwritten -= unwritten_;
}

void http_connection::render(slot& what, bool last) {
  if (what.answer.body.size() > small_body
      && worker_.unwritten + what.answer.body.size() > unwritten_budget)
    render_refusal({503, "too many answers wait to be read by their clients"},
                   what);
  const auto waited = unwritten_;
  auto& [status, headers, body] = what.answer;
  if (status < 200 || status > 599)
    status = 500; // the handler's mistake
  if (last && worker_.draining && !parser_ && begin_ == end_)
    last_ = true;
  auto close = what.close || (last && last_);

  auto& to = tail();
  const auto before = to.size();
  to += "HTTP/1.1 ";
  append_number(to, status);
  to += ' ';
  const auto reason = http::obsolete_reason(http::int_to_status(status));
  to.append(reason.data(), reason.size());
  to += "\r\n";
  to += worker_.date_line();
  for (const auto& [name, value] : headers) {
    if (same_name(name, "connection")) {
      if (same_name(value, "close")) {
        close = true;
        last_ = true;
      }
      continue;
    }
    if (name.empty() || same_name(name, "content-length")
        || same_name(name, "transfer-encoding") || same_name(name, "date"))
      continue; // ours
    append_field_text(to, name);
    to += ": ";
    append_field_text(to, value);
    to += "\r\n";
  }
  const auto bodiless = status == 204 || status == 304;
  if (!bodiless) {
    to += "Content-Length: ";
    append_number(to, body.size());
    to += "\r\n";
  }
  if (close)
    to += "Connection: close\r\n";
  else if (what.keep_alive)
    to += "Connection: keep-alive\r\n";
  to += "\r\n";
  if (bodiless || what.head || body.empty()) {
    unwritten_ += to.size() - before;
  } else if (body.size() <= small_body) {
    to += body;
    unwritten_ += to.size() - before;
  } else {
    unwritten_ += to.size() - before + body.size();
    next_.push_back(std::move(body));
    tail_sealed_ = true;
  }
  worker_.unwritten += unwritten_ - waited;
  if (close)
    what.close = true;
}

void http_connection::flush() {
  std::size_t done = 0;
  while (done < slots_.size() && slots_[done].ready) {
    auto& front = slots_[done];
    if (front.dropped) {
      front.close = true;
      last_ = true;
    } else {
      render(front, done + 1 == slots_.size());
    }
    ++done;
    if (front.close) {
      // Nothing can follow, whatever was read meanwhile.
      done = slots_.size();
      parser_.reset();
      share_.release();
      begin_ = end_;
      break;
    }
  }
  if (done == slots_.size())
    slots_.clear();
  else
    slots_.erase(slots_.begin(),
                 slots_.begin() + static_cast<std::ptrdiff_t>(done));
  first_number_ += done;
  if (continue_due_ && slots_.empty()) {
    static constexpr std::string_view interim = "HTTP/1.1 100 Continue\r\n\r\n";
    continue_due_ = false;
    tail() += interim;
    unwritten_ += interim.size();
    worker_.unwritten += interim.size();
  }
  if (!writing_)
    write_some();
}

std::size_t
http_connection::gather(std::array<asio::const_buffer, 16>& into) const {
  std::size_t count = 0;
  auto offset = out_offset_;
  for (auto i = out_index_; i < out_.size() && count < into.size(); ++i) {
    into[count++] = asio::buffer(out_[i]) + offset;
    offset = 0;
  }
  return count;
}

void http_connection::consume_written(std::size_t count) {
  unwritten_ -= count;
  worker_.unwritten -= count;
  while (out_index_ < out_.size()) {
    const auto rest = out_[out_index_].size() - out_offset_;
    if (count < rest) {
      out_offset_ += count;
      return;
    }
    count -= rest;
    out_offset_ = 0;
    ++out_index_;
  }
}

void http_connection::write_some() {
  while (unwritten_ > 0) {
    if (out_index_ == out_.size()) {
      // One piece of modest size is kept for the next answers.
      out_.resize(std::min<std::size_t>(out_.size(), 1));
      if (!out_.empty()) {
        out_.front().clear();
        if (out_.front().capacity() > 2 * small_body)
          out_.clear();
      }
      out_.swap(next_);
      tail_sealed_ = false;
      out_index_ = out_offset_ = 0;
    }
    std::array<asio::const_buffer, 16> buffers;
    const auto pieces = gather(buffers);
    error_code ec;
    const auto count = stream_.write_some({buffers.data(), pieces}, ec);
    if (ec == asio::error::would_block || ec == asio::error::try_again) {
      writing_ = true;
      write_deadline_ = worker_.due(worker_.options.idle_timeout);
      stream_.socket().async_wait(
        asio::socket_base::wait_write,
        [self = shared_from_this()](const error_code& why) {
          self->on_writable(why);
        });
      return;
    }
    if (ec)
      return close();
    consume_written(count);
  }
  write_deadline_ = 0;
}

void http_connection::on_writable(const error_code& ec) {
  writing_ = false;
  if (closed_)
    return;
  if (ec)
    return close();
  pump();
}

} // namespace fanfare::protocol
