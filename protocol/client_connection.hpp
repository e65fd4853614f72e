// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// One connection of the HTTP client and the exchange that is on it: connects,
/// speaks TLS, writes the request, reads the answer, and says whether it can
/// serve another. INTERNAL to http_client; all on one I/O thread.

#include "protocol/answer_parser.hpp"
#include "protocol/target.hpp"
#include "protocol/tls.hpp"
#include "protocol/transport.hpp"

#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fanfare::protocol {

class client_connection;

template <class T>
using counted = boost::intrusive_ref_counter<T, boost::thread_unsafe_counter>;

/// The lists a connection that waits is in: of all, oldest first, and of its
/// destination, latest last.
struct of_all;
struct of_destination;
template <class Tag>
using list_hook = boost::intrusive::list_base_hook<
  boost::intrusive::tag<Tag>,
  boost::intrusive::link_mode<boost::intrusive::normal_link>>;

/// What exchanges with the same scheme, host and port share.
struct destination : counted<destination> {
  boost::intrusive::list<client_connection,
                         boost::intrusive::base_hook<list_hook<of_destination>>>
    idle;
  tls_session session;
  std::chrono::steady_clock::time_point last_used;
};

/// What an exchange waits for, by the name of the limit of that wait.
enum class phase : std::uint8_t { dns, connect, tls, first_byte, total };

/// One request and what becomes of it.
struct exchange : counted<exchange>, list_hook<of_all> {
  using time_point = std::chrono::steady_clock::time_point;

  exchange_request request;
  exchange_completion done;
  exchange_result result;
  time_point started;
  time_point phase_started;
  time_point deadline; ///< of the phase, never after `ends`
  time_point ends;
  boost::intrusive_ptr<destination> to;
  boost::intrusive_ptr<client_connection> on;
  phase waits_for = phase::total;
  bool retried = false; ///< a pooled connection was found dead
  bool over = false;

  /// Waits for `next` from now on, at most `limit`.
  void enter(phase next, std::chrono::milliseconds limit, time_point now) {
    waits_for = next;
    phase_started = now;
    deadline = std::min(now + limit, ends);
  }

  [[nodiscard]] std::chrono::microseconds in_phase(time_point now) const {
    return std::chrono::duration_cast<std::chrono::microseconds>(
      now - phase_started);
  }
};

/// Whom a connection reports to.
class connection_owner {
public:
  /// Why the address may not be connected to, if so.
  virtual std::optional<std::string>
  refusal(const boost::asio::ip::address& address) = 0;
  /// Null, with a reason, if TLS cannot be used.
  virtual tls_settings* tls(std::string& reason) = 0;
  /// Out of file descriptors: close what is not needed. False: nothing was.
  virtual bool make_room() = 0;
  virtual void connected() = 0;
  /// The connection can serve another exchange.
  virtual void release(client_connection& connection) = 0;
  /// A waiting connection was closed by its peer.
  virtual void lost(client_connection& connection) = 0;
  /// A pooled connection was dead before the exchange began: try another.
  virtual void retry(exchange& subject) = 0;
  /// The exchange is over; its result says how.
  virtual void finish(exchange& subject) = 0;

protected:
  ~connection_owner() = default;
};

class client_connection : public counted<client_connection>,
                          public list_hook<of_all>,
                          public list_hook<of_destination> {
public:
  using socket_type = boost::asio::basic_stream_socket<
    boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

  client_connection(connection_owner& owner, boost::asio::io_context& context,
                    boost::intrusive_ptr<destination> to)
    : owner_(&owner),
      to_(std::move(to)),
      socket_(context.get_executor()) {}

  client_connection(const client_connection&) = delete;
  client_connection& operator=(const client_connection&) = delete;

  /// Connects to the first of the addresses that may be and can be, then runs
  /// the exchange. To be called once, first.
  void connect(exchange& subject,
               std::vector<boost::asio::ip::address> addresses);

  /// Runs an exchange on a connection that waited for one. Never finishes it
  /// before it returns.
  void run(exchange& subject);

  /// Waits for an exchange, and for the peer to close.
  void wait();

  /// Ends everything at once, without a word to the owner.
  void close();

  [[nodiscard]] destination& to() noexcept {
    return *to_;
  }

  std::chrono::steady_clock::time_point idle_since;

private:
  using error_code = boost::system::error_code;
  using buffers = std::array<boost::asio::const_buffer, 3>;

  // -- getting there
  // -----------------------------------------------------------

  void try_next();
  void on_connect(const error_code& code);
  void on_handshake(const error_code& code);

  // -- the request
  // ---------------------------------------------------------------

  void start();
  void write();
  void write_tls(const buffers& all);
  void on_written(const error_code& code);

  // -- the answer
  // ----------------------------------------------------------------

  void read();
  void on_read(const error_code& code, std::size_t bytes);
  /// What is in the buffer goes to the parser.
  void parse();
  /// False if this cannot be the beginning of an answer.
  bool check_beginning();
  void make_space();
  void on_end(const error_code& code);

  // -- endings
  // -------------------------------------------------------------------

  void complete();
  void cut();
  void fail(std::string reason);

  [[nodiscard]] char* data() noexcept {
    return large_ ? large_->data() : small_.data();
  }
  [[nodiscard]] std::size_t capacity() const noexcept {
    return large_ ? large_->size() : small_.size();
  }

  connection_owner* owner_;
  boost::intrusive_ptr<destination> to_; // outlives tls_, which points into it
  socket_type socket_;
  std::unique_ptr<boost::asio::ssl::stream<socket_type&>> tls_;
  exchange* subject_ = nullptr;

  bool closed_ = false;
  bool reused_ = false;
  bool reading_ = false;
  bool sent_ = false;    // the request, to its last byte
  bool surplus_ = false; // more came than was asked for
  unsigned interim_ = 0; // 1xx answers so far

  std::optional<answer_parser> parser_;
  std::size_t received_ = 0; // bytes of the answer, also of interim ones
  std::size_t begin_ = 0;    // of what the parser has not taken
  std::size_t end_ = 0;
  std::array<char, 48> length_line_;
  std::array<char, 8 * 1024> small_;
  std::unique_ptr<std::vector<char>>
    large_; // for a line that `small_` cannot hold

  std::string flat_; // TLS would make a record of every buffer
  std::vector<boost::asio::ip::address> addresses_;
  std::size_t next_address_ = 0;
  std::string refused_; // by policy, the first one
  std::string failed_;  // to connect, the last one
};

} // namespace fanfare::protocol
