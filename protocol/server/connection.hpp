// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// One connection of the HTTP server: reads requests, hands them to the
/// handler, writes the answers in the order of the requests. Everything happens
/// on the thread of its worker.

#include "protocol/server/admission.hpp"
#include "protocol/server/body_budget.hpp"
#include "protocol/server/head_scanner.hpp"
#include "protocol/server/http_handler.hpp"
#include "protocol/server/pipeline.hpp"
#include "protocol/server/read_buffer.hpp"
#include "protocol/server/refusal.hpp"
#include "protocol/server/request_parser.hpp"
#include "protocol/server/stream.hpp"
#include "protocol/server/streamed_body.hpp"
#include "protocol/server/worker_context.hpp"
#include "protocol/server/write_queue.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <list>
#include <memory>
#include <optional>
#include <string>

namespace fanfare::protocol::server {

class connection : public std::enable_shared_from_this<connection> {
public:
  connection(worker_context& shared, tcp_socket socket, admission::pass pass);
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;

  /// Joins the worker's connections. With an identity the TLS handshake comes
  /// first; a client not admitted gets a refusal.
  void start(const tls_identity* identity);

  /// Stores an answer, or that there will be none; pump() sends it.
  void take(std::uint64_t number, std::optional<http_response> answer);
  /// True if take() was called since the last pump().
  [[nodiscard]] bool has_news() const {
    return news_;
  }
  /// Parses received bytes, writes ready answers, reads on if there is room.
  void pump();

  /// There is room for the body that waited for it.
  void resume(body_share room);
  /// Called every tick: drops a client that exceeds its time.
  void check(std::uint64_t now);
  /// The server stops.
  void drain();
  void close() {
    enter(state::closed);
  }

private:
  /// A connection moves through these from top to bottom and can skip some.
  ///
  ///   handshaking   only over TLS
  ///       │ TLS is set up
  ///   serving       reads requests, writes answers
  ///       │ the last request is known: the client asks to close, closes its
  ///       │ side or is refused; the handler asks to close or drops a request;
  ///       │ the server drains
  ///   finishing     writes the answers that are due, drops what comes in
  ///       │ all answers are written
  ///   lingering     has closed its side, drops what comes in
  ///       │ the client closes its side, or takes too long
  ///   closed
  ///
  /// A failed socket, a missed deadline and a lack of memory lead from any
  /// state straight to closed.
  enum class state : std::uint8_t {
    handshaking,
    serving,
    finishing,
    lingering,
    closed,
  };

  /// A request whose head is complete and whose body is not.
  struct incoming {
    enum class body : std::uint8_t {
      free,     ///< not large yet
      waiting,  ///< for room; not read meanwhile
      admitted, ///< has room
    };

    explicit incoming(std::size_t body_limit) : parser(body_limit) {}

    request_parser parser;
    body_share room;
    body stage = body::free;
    bool continue_due = false; ///< once all earlier requests are answered
    bool held = false;         ///< until earlier requests are answered
    std::optional<request_kind> kind; ///< known once the head is
    std::uint64_t mark = 0;           ///< the same
  };

  static constexpr auto never = std::numeric_limits<std::uint64_t>::max();

  /// What the client must do next.
  enum class awaited : std::uint8_t {
    nothing,
    handshake,
    request, ///< the first byte of one
    head,
    body,
    close, ///< of its side
  };
  struct expectation {
    awaited what = awaited::nothing;
    std::uint64_t number = 0;   ///< of the request
    std::uint64_t late = never; ///< the tick at which to drop the client
  };

  class ticket;

  /// The only function that changes the state; going back does nothing.
  void enter(state next);
  void linger();
  void leave(state before);

  template <class Step>
  void guarded(Step step);
  void shake_hands();

  // -- reading ----------------------------------------------------------------
  void read();
  void on_read(const boost::system::error_code& ec, std::size_t count);
  void discard();
  void parse();
  bool begin_request();
  bool take_turn();
  bool admit_body();
  void describe_client(http_request& request) const;
  void expect_body();
  void hand_over();
  void refuse(const refusal& why);
  void refuse(http_response answer);
  [[nodiscard]] bool may_begin_request() const;
  [[nodiscard]] bool may_go_on();
  [[nodiscard]] bool may_read() const;
  [[nodiscard]] bool idle() const;

  // -- writing ----------------------------------------------------------------
  void flush();
  bool render(pipeline::place& what, bool last);
  /// Queues what the body that is made meanwhile has more; false: nothing now.
  bool refill();

  void write();
  void on_writable(const boost::system::error_code& ec);

  // -- waiting ----------------------------------------------------------------
  [[nodiscard]] awaited awaited_now() const;
  void expect(awaited what);

  worker_context& shared_;
  stream stream_;
  admission::pass pass_;
  std::string peer_;
  std::list<std::shared_ptr<connection>>::iterator place_; // among the worker's

  state state_ = state::handshaking;
  read_buffer in_;
  head_scanner head_;               // of the request at the front of in_
  std::optional<incoming> request_; // from the end of its head on
  pipeline pipeline_;
  write_queue out_;
  streamed_body more_; // of the last answer

  expectation expected_;
  /// Set while the socket takes no more: the tick at which that is too long.
  std::uint64_t write_deadline_ = never;
  /// How long the client may take to close its side; 0: it is closed.
  std::chrono::milliseconds patience_;
  std::size_t discarded_ = 0; // bytes, while lingering

  bool reading_ = false; // the socket has our buffer
  bool pumping_ = false; // further up the stack
  bool news_ = false;
};

} // namespace fanfare::protocol::server
