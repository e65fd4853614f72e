// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// One connection of the HTTP server and the I/O thread it lives on. Private to
/// the server: others use protocol/server/http_server.hpp.

#include "protocol/server/http_server.hpp"
#include "protocol/server/http_stream.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/optional/optional.hpp>

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fanfare::protocol {

class http_connection;

using http_acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp,
                                                         http_executor>;
using http_timer = boost::asio::basic_waitable_timer<
  std::chrono::steady_clock,
  boost::asio::wait_traits<std::chrono::steady_clock>, http_executor>;

// -- counting connections -----------------------------------------------------

/// Who is connected, over all threads. Any thread.
class http_census {
public:
  enum class verdict {
    welcome,      ///< serve it
    full,         ///< too many in total: tell it and close
    address_full, ///< too many from there: tell it and close
    drop,         ///< too many are being told already: close at once
  };

  explicit http_census(const http_server_options& options)
    : total_limit_(options.max_connections),
      address_limit_(options.max_connections_per_address) {}

  /// Counts a connection in, unless the verdict is `drop`.
  verdict enter(const boost::asio::ip::address& from);
  /// Counts it out; `entered` is what `enter` said.
  void leave(const boost::asio::ip::address& from, verdict entered);
  /// Waits until all have left.
  bool wait_empty(std::chrono::milliseconds deadline);

private:
  std::size_t total_limit_;
  std::size_t address_limit_;
  std::mutex mutex_;
  std::condition_variable empty_;
  std::size_t served_ = 0;
  std::size_t refused_ = 0;
  std::unordered_map<std::string, std::size_t> by_address_;
};

// -- room for bodies ----------------------------------------------------------

/// Bytes of large bodies, over all threads. Any thread.
class http_body_budget {
public:
  explicit http_body_budget(std::size_t limit) : limit_(limit) {}

  /// False: there is no room. One body always has some, whatever its size.
  [[nodiscard]] bool try_take(std::size_t bytes);
  void take(std::size_t bytes) {
    used_.fetch_add(bytes);
  }
  void give_back(std::size_t bytes) {
    used_.fetch_sub(bytes);
  }

private:
  std::size_t limit_;
  std::atomic<std::size_t> used_{0};
};

class http_worker;

/// A body's part of the budget while it is read; then the http_ticket has it,
/// until the request is answered. I/O thread only.
class http_body_share {
public:
  http_body_share() = default;
  http_body_share(http_worker& worker, std::size_t bytes)
    : worker_(&worker),
      bytes_(bytes) {}
  http_body_share(http_body_share&& other) noexcept
    : worker_(std::exchange(other.worker_, nullptr)),
      bytes_(other.bytes_) {}
  http_body_share& operator=(http_body_share&& other) noexcept {
    std::swap(worker_, other.worker_);
    std::swap(bytes_, other.bytes_);
    other.release();
    return *this;
  }
  ~http_body_share() {
    release();
  }
  void release();
  /// The bytes, which somebody else gives back now.
  std::size_t detach() {
    return std::exchange(worker_, nullptr) ? bytes_ : 0;
  }
  explicit operator bool() const {
    return worker_ != nullptr;
  }

private:
  http_worker* worker_ = nullptr;
  std::size_t bytes_ = 0;
};

// -- answers on their way -----------------------------------------------------

/// Where answers are put for the connections of one I/O thread. It outlives the
/// server as long as somebody can still answer.
class http_inbox {
public:
  struct entry {
    std::weak_ptr<http_connection> to;
    std::uint64_t number = 0;
    std::optional<http_response> answer; ///< absent: nobody will answer
    std::size_t body_bytes = 0;          ///< of the budget, to be given back
  };

  explicit http_inbox(http_worker& worker) : worker_(&worker) {}

  /// Any thread. On the I/O thread, for the request that is being handled right
  /// there, the answer takes no detour.
  void put(entry what);
  /// From now on answers are thrown away; the worker may go.
  void close();

private:
  void deliver();

  std::mutex mutex_;
  http_worker* worker_; // null once closed
  std::vector<entry> entries_;
  std::vector<entry> delivering_; // I/O thread only; keeps its memory
};

/// What the copies of one `respond` share.
class http_ticket {
public:
  http_ticket(std::shared_ptr<http_inbox> inbox,
              std::weak_ptr<http_connection> to, std::uint64_t number,
              std::size_t body_bytes)
    : inbox_(std::move(inbox)),
      to_(std::move(to)),
      number_(number),
      body_bytes_(body_bytes) {}
  http_ticket(const http_ticket&) = delete;
  http_ticket& operator=(const http_ticket&) = delete;
  ~http_ticket();

  /// The first answer counts.
  void answer(http_response response);

private:
  std::shared_ptr<http_inbox> inbox_;
  std::weak_ptr<http_connection> to_;
  std::uint64_t number_;
  std::size_t body_bytes_;
  std::atomic<bool> used_{false};
};

// -- one I/O thread -----------------------------------------------------------

class http_worker {
public:
  http_worker(const http_server_options& options, http_handler& handler,
              http_census& census, http_body_budget& budget);
  ~http_worker();
  http_worker(const http_worker&) = delete;
  http_worker& operator=(const http_worker&) = delete;

  void start();
  /// Idle connections close now, the others after what they are at. Any thread.
  void drain();
  /// Closes everything and joins the thread.
  void finish();

  // -- for connections, on the I/O thread only --------------------------------

  /// `identity` null: plain HTTP.
  void adopt(http_socket socket, const boost::asio::ip::address& from,
             http_census::verdict entered, const tls_identity* identity);
  void forget(http_connection& which);

  /// The tick at which something that may take `span` is late; never early.
  [[nodiscard]] std::uint64_t due(std::chrono::milliseconds span) const {
    return now_ + static_cast<std::uint64_t>(span / tick_) + 2;
  }
  /// Room for a body now, or none: then `who` is resumed when there is.
  http_body_share reserve(http_connection& who, std::size_t bytes);
  void release(std::size_t bytes);
  /// "Date: …\r\n" of this second.
  std::string_view date_line();

  boost::asio::io_context io{1};
  const http_server_options& options;
  http_handler& handler;
  http_census& census;
  http_body_budget& budget;
  std::shared_ptr<http_inbox> inbox;
  bool draining = false;
  /// Bytes of answers that their clients have not taken, of all connections.
  std::size_t unwritten = 0;
  /// What is read only to be thrown away goes here.
  std::array<char, 64 * 1024> scratch;

private:
  struct waiting_body {
    std::weak_ptr<http_connection> who;
    std::size_t bytes = 0;
  };

  void next_tick();
  void resume_bodies();

  boost::asio::executor_work_guard<http_executor> work_;
  http_timer timer_;
  std::chrono::milliseconds tick_;
  std::uint64_t now_ = 0;
  std::vector<std::shared_ptr<http_connection>> connections_;
  std::deque<waiting_body> bodies_; // in the order of arrival
  bool resuming_ = false;           // resume_bodies() is on its way
  bool finished_ = false;           // nothing may be started any more
  std::time_t date_second_ = -1;
  std::array<char, 48> date_{};
  std::size_t date_size_ = 0;
  std::thread thread_;
};

// -- parsing ------------------------------------------------------------------

/// An answer of the server itself; `detail` becomes {"detail": "…"}.
struct http_refusal {
  std::uint16_t status = 0;
  std::string_view detail;
};

/// Beast's parser filling an `http_request`, with the checks that it leaves to
/// its users. It gets to see complete heads only.
class http_request_parser final
  : public boost::beast::http::basic_parser<true> {
public:
  explicit http_request_parser(std::size_t body_limit) {
    header_limit(0xffff'ffff); // counted by the connection
    this->body_limit(std::uint64_t{body_limit});
    eager(true);
    request.headers.reserve(8);
  }

  /// What to say to `ec`, which put() returned.
  [[nodiscard]] http_refusal refusal(const boost::system::error_code& ec) const;

  http_request request;
  bool http11 = true;
  bool expects_continue = false;

private:
  using field = boost::beast::http::field;
  using verb = boost::beast::http::verb;
  using text = boost::beast::string_view;
  using error_code = boost::beast::error_code;

  void on_request_impl(verb, text method, text target, int version,
                       error_code& ec) override;
  void on_response_impl(int, text, int, error_code&) override {}
  void on_field_impl(field name, text name_text, text value,
                     error_code& ec) override;
  void on_header_impl(error_code& ec) override;
  void on_body_init_impl(const boost::optional<std::uint64_t>& length,
                         error_code& ec) override;
  std::size_t on_body_impl(text body, error_code& ec) override;
  void on_chunk_header_impl(std::uint64_t, text, error_code& ec) override {
    ec = {};
  }
  std::size_t on_chunk_body_impl(std::uint64_t, text body,
                                 error_code& ec) override;
  void on_finish_impl(error_code& ec) override {
    ec = {};
  }

  void refuse(error_code& ec, std::uint16_t status, std::string_view detail);

  http_refusal refusal_;
  std::uint16_t hosts_ = 0;
  bool in_body_ = false; // fields are trailers then
};

// -- the connection -----------------------------------------------------------

/// Reads requests, hands them to the handler, writes the answers in their
/// order. Everything happens on the thread of its worker.
class http_connection : public std::enable_shared_from_this<http_connection> {
public:
  http_connection(http_worker& worker, http_socket socket,
                  const boost::asio::ip::address& from,
                  http_census::verdict entered);

  ~http_connection();
  http_connection(const http_connection&) = delete;
  http_connection& operator=(const http_connection&) = delete;

  /// With an identity the handshake comes first.
  void start(const tls_identity* identity);
  /// There is room for the body that reserve() had none for; false: it is not
  /// wanted any more.
  bool resume(http_body_share share);
  /// Notes an answer, or that none will come. pump() goes on from there.
  void take(std::uint64_t number, std::optional<http_response> answer);
  /// Parses what was read, writes what is answered, reads on if there is room.
  void pump();
  /// Whether pump() is running, further up the stack.
  [[nodiscard]] bool pumping() const {
    return pumping_;
  }
  /// Called every tick.
  void check(std::uint64_t now);
  void drain();
  void close();

  std::size_t index = 0; ///< the worker's place for it
  bool touched = false;  ///< the inbox's mark

private:
  /// A request that was handed over, or refused; its answer keeps its place.
  struct slot {
    http_response answer;
    bool ready = false;
    bool large = false; ///< so was the request's body
    bool dropped = false;
    bool close = false;
    bool head = false;       ///< a HEAD request: no body
    bool keep_alive = false; ///< HTTP/1.0 wants to be told
  };
  enum class waiting : std::uint8_t { nothing, idle, head, body };
  enum class scan : std::uint8_t { more, complete, refused };

  template <class Step>
  void guarded(Step step);

  void shake_hands();

  // -- reading ----------------------------------------------------------------
  void start_read();
  void on_read(const boost::system::error_code& ec, std::size_t count);
  void make_room();
  void parse();
  scan scan_head();
  bool check_request_line(std::string_view line);
  bool admit_body();
  void hand_over();
  void refuse(const http_refusal& why);
  [[nodiscard]] bool may_begin_request() const;
  [[nodiscard]] waiting state() const;
  void set_deadline();

  // -- writing ----------------------------------------------------------------
  void flush();
  void render(slot& what, bool last);
  void render_refusal(const http_refusal& why, slot& into);
  std::string& tail();
  void write_some();
  void consume_written(std::size_t count);
  void on_writable(const boost::system::error_code& ec);
  std::size_t gather(std::array<boost::asio::const_buffer, 16>& into) const;

  // -- closing ----------------------------------------------------------------
  void linger();
  void discard();
  [[nodiscard]] bool idle() const;

  http_worker& worker_;
  http_stream stream_;
  boost::asio::ip::address from_;
  std::string peer_;
  http_census::verdict entered_;

  // The read buffer: [begin_, end_) is not parsed yet.
  std::unique_ptr<char[]> in_;
  std::size_t capacity_ = 0;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  // Progress in the head that is not complete yet, from begin_.
  std::size_t scanned_ = 0;
  std::size_t line_ = 0;
  std::size_t head_size_ = 0;
  std::optional<http_request_parser> parser_; // from the end of the head on
  http_body_share share_;                     // of its body

  std::vector<slot> slots_;
  std::uint64_t first_number_ = 0; // of slots_.front()

  std::vector<std::string> out_;  // being written, not to be touched
  std::vector<std::string> next_; // rendered meanwhile
  std::size_t out_index_ = 0;
  std::size_t out_offset_ = 0;
  std::size_t unwritten_ = 0;
  bool tail_sealed_ = false; // next_.back() is a body on its own

  std::uint64_t read_deadline_ = 0;
  std::uint64_t write_deadline_ = 0;
  std::uint64_t linger_deadline_ = 0;
  waiting waiting_ = waiting::nothing;
  std::uint64_t waiting_for_ = 0;
  std::size_t discarded_ = 0;

  bool shaking_hands_ = false;
  bool body_admitted_ = false; // or not large so far
  bool body_waits_ = false;    // for room
  bool reading_ = false;
  bool writing_ = false;
  bool pumping_ = false;
  bool read_closed_ = false; // the peer sends no more
  bool last_ = false;        // no request after the ones in slots_
  bool refused_ = false;     // what the peer still sends was not read
  bool lingering_ = false;
  bool closed_ = false;
  bool continue_due_ = false;
};

} // namespace fanfare::protocol
