// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// One connection of the HTTP client and the exchange that is on it: connects,
/// speaks TLS, writes the request, reads the answer, and says whether it can
/// serve another. INTERNAL to http_client; all on one I/O thread.

#include "protocol/client/answer_parser.hpp"
#include "protocol/client/connector.hpp"
#include "protocol/client/egress.hpp"
#include "protocol/client/proxy_tunnel.hpp"
#include "protocol/client/tls.hpp"
#include "protocol/client/transport.hpp"
#include "protocol/target/target.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
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
  std::uint64_t look_up = 0; ///< the resolver's ticket
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

/// A way through a proxy. The target's addresses have passed the policy.
struct proxied_way {
  std::shared_ptr<const proxy> via;
  std::vector<boost::asio::ip::address> proxies; ///< the proxy's own addresses
  std::vector<boost::asio::ip::address> targets;
  std::size_t next = 0; ///< of `targets`, to be asked for
};

/// Whom a connection reports to.
class connection_owner {
public:
  /// Why the address may not be connected to for this exchange, if so.
  virtual std::optional<std::string>
  refusal(const exchange& subject, const boost::asio::ip::address& address) = 0;
  /// Null, with a reason, if TLS cannot be used.
  virtual tls_settings* tls(const exchange& subject, std::string& reason) = 0;
  /// Out of file descriptors: close what is not needed. False: nothing was.
  virtual bool make_room() = 0;
  virtual void connected() = 0;
  /// The connection can serve another exchange.
  virtual void release(client_connection& connection) = 0;
  /// A waiting connection was closed by its peer.
  virtual void lost(client_connection& connection) = 0;
  /// The proxy cannot reach that address: try the way's next one.
  virtual void go_on(exchange& subject, std::shared_ptr<proxied_way> way) = 0;
  /// A pooled connection was dead before the exchange began: try another.
  virtual void retry(exchange& subject) = 0;
  /// The exchange is over; its result says how.
  virtual void finish(exchange& subject) = 0;

protected:
  ~connection_owner() = default;
};

class client_connection final : public counted<client_connection>,
                                public list_hook<of_all>,
                                public list_hook<of_destination>,
                                private connector_owner {
public:
  using socket_type = client_socket;

  client_connection(connection_owner& owner, boost::asio::io_context& context,
                    boost::intrusive_ptr<destination> to)
    : owner_(&owner),
      context_(context),
      to_(std::move(to)),
      socket_(context.get_executor()) {}

  client_connection(const client_connection&) = delete;
  client_connection& operator=(const client_connection&) = delete;
  virtual ~client_connection() {
    if (connector_)
      connector_->close();
  }

  /// Connects to the first of the addresses that may be and can be, then runs
  /// the exchange. To be called once, first.
  void connect(exchange& subject,
               std::vector<boost::asio::ip::address> addresses);

  /// The same by a proxy, for the way's next address. What the connect limit
  /// has left from an earlier address of the exchange holds on.
  void connect(exchange& subject, std::shared_ptr<proxied_way> way);

  /// Runs an exchange on a connection that waited for one. Never finishes it
  /// before it returns.
  void run(exchange& subject);

  /// Waits for an exchange, and for the peer to close.
  void wait();

  /// Ends everything at once, without a word to the owner.
  void close();

  /// Bytes of the answer that have come so far, also of interim ones.
  [[nodiscard]] std::size_t received() const noexcept {
    return received_;
  }

  /// Whether it is on its way through a proxy.
  [[nodiscard]] bool in_proxy() const noexcept {
    return way_ != nullptr;
  }

  [[nodiscard]] destination& to() noexcept {
    return *to_;
  }

  std::chrono::steady_clock::time_point idle_since;

private:
  using error_code = boost::system::error_code;
  using buffers = std::array<boost::asio::const_buffer, 4>;

  // -- getting there ----------------------------------------------------------

  std::optional<std::string>
  refusal(const boost::asio::ip::address& address) override;
  bool make_room() override;
  /// To the target, or to its proxy, which is asked for the target.
  void on_connected(socket_type socket) override;
  void on_not_connected(std::string reason) override;
  void on_tunnel(proxy_tunnel::outcome&& how);
  /// The way to the target is open: TLS, if it is wanted, then the request.
  void on_way();
  void on_handshake(const error_code& code);

  // -- the request ------------------------------------------------------------

  void start();
  void write();
  void write_tls(const buffers& all);
  void on_written(const error_code& code);

  // -- the answer -------------------------------------------------------------

  void read();
  void on_read(const error_code& code, std::size_t bytes);
  /// What is in the buffer goes to the parser.
  void parse();
  /// False if this cannot be the beginning of an answer.
  bool check_beginning();
  void make_space();
  void on_end(const error_code& code);

  // -- endings ----------------------------------------------------------------

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
  boost::asio::io_context& context_;
  boost::intrusive_ptr<destination> to_; // outlives tls_, which points into it
  boost::intrusive_ptr<connector> connector_; // until it has connected
  socket_type socket_;
  std::shared_ptr<proxied_way> way_; // until it is open
  boost::intrusive_ptr<proxy_tunnel> tunnel_;
  std::unique_ptr<boost::asio::ssl::stream<socket_type&>> tls_;
  exchange* subject_ = nullptr;

  bool closed_ = false;
  bool reused_ = false;
  bool reading_ = false;
  bool sent_ = false;    // the request, to its last byte
  unsigned interim_ = 0; // 1xx answers so far

  std::optional<answer_parser> parser_;
  std::size_t received_ = 0; // bytes of the answer, also of interim ones
  std::size_t head_ = 0;     // of these, taken as head, also of interim ones
  std::size_t body_ = 0;     // and as body, with its chunks' headers
  std::size_t begin_ = 0;    // of what the parser has not taken
  std::size_t end_ = 0;
  std::array<char, 48> length_line_;
  std::array<char, 8 * 1024> small_;
  std::unique_ptr<std::vector<char>>
    large_; // for a line that `small_` cannot hold

  std::string flat_; // TLS would make a record of every buffer
};

} // namespace fanfare::protocol
