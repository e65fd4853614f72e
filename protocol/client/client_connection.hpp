// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// One connection of the HTTP client and its current exchange: connects, speaks
/// TLS, writes the request, reads the answer, and reports whether it can serve
/// another. INTERNAL to http_client; all on one I/O thread.

#include "protocol/client/client_stream.hpp"
#include "protocol/client/connector.hpp"
#include "protocol/client/egress.hpp"
#include "protocol/client/exchange.hpp"
#include "protocol/client/incoming_answer.hpp"
#include "protocol/client/outgoing_request.hpp"
#include "protocol/client/proxy_tunnel.hpp"
#include "protocol/client/tls.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/intrusive/list.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::protocol {

/// A way through a proxy. The target's addresses, or its name if the proxy
/// looks that up, have passed the policy.
struct proxied_way {
  /// Addresses of a target requested from a proxy in one exchange.
  static constexpr std::size_t most = 4;

  std::shared_ptr<const proxy> via;
  std::vector<boost::asio::ip::address> proxies; ///< the proxy's own addresses
  std::vector<boost::asio::ip::address> targets;
  std::string name;     ///< to be asked for, in place of `targets`, or empty
  std::size_t next = 0; ///< of `targets`, to be asked for

  [[nodiscard]] std::size_t left() const noexcept {
    if (!name.empty())
      return next == 0 ? 1 : 0;
    const auto all = targets.size() < most ? targets.size() : most;
    return all - (next < all ? next : all);
  }
};

/// A connection reports to this.
class connection_owner {
public:
  /// Why the policy denies this exchange the address, if so.
  virtual std::optional<std::string>
  refusal(const exchange& subject, const boost::asio::ip::address& address) = 0;
  /// Null, with a reason, if TLS cannot be used.
  virtual tls_settings* tls(const exchange& subject, std::string& reason) = 0;
  /// Out of file descriptors: close unneeded ones. False: none was closed.
  virtual bool make_room() = 0;
  /// The way to the target is open.
  virtual void connected() = 0;
  /// The connection can serve another exchange: let it `wait` or close it.
  virtual void release(client_connection& connection) = 0;
  /// The peer closed an idle connection, or sent unsolicited bytes.
  virtual void lost(client_connection& connection) = 0;
  /// The proxy cannot reach that address: try the route's next one.
  virtual void try_next_address(exchange& subject,
                                std::shared_ptr<proxied_way> way) = 0;
  /// True if the target has another address to try.
  virtual bool has_elsewhere(const exchange& subject,
                             const boost::asio::ip::address& not_here) = 0;
  /// Tries those, on a fresh connection. Only if there are any.
  virtual void go_elsewhere(exchange& subject,
                            const boost::asio::ip::address& not_here) = 0;
  /// The receiver ended the connection before it read the request
  /// (`may_repeat`): send it again on a fresh one.
  virtual void repeat(exchange& subject) = 0;
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
  /// Its states:
  ///
  ///     fresh --> connecting --> tunnelling --> handshaking --> exchanging
  ///                   |  |            |                          ^   |  ^
  ///                   |  |            +---------- no TLS --------+   |  |
  ///                   |  +------------- neither proxy nor TLS -------+  |
  ///                   +-- no proxy --> handshaking               |      |
  ///                                                              v      |
  ///     any state --> closed                                    idle ---+
  ///
  /// From `connecting` to `exchanging` it has an exchange. From `exchanging` on
  /// one read is in progress, until it is closed: in `idle` that read detects
  /// that the peer closes. Only `enter` changes the state.
  enum class state : std::uint8_t {
    fresh,       ///< new, `connect` comes next
    connecting,  ///< to the target, or to its proxy
    tunnelling,  ///< requests the target from the proxy
    handshaking, ///< of TLS
    exchanging,  ///< writes a request and reads its answer
    idle,        ///< waits for an exchange
    closed,
  };

  client_connection(connection_owner& owner, boost::asio::io_context& context,
                    boost::intrusive_ptr<destination> to)
    : owner_(&owner),
      context_(context),
      to_(std::move(to)),
      stream_(context) {}

  client_connection(const client_connection&) = delete;
  client_connection& operator=(const client_connection&) = delete;
  virtual ~client_connection() {
    stop_waiting();
    if (connector_)
      connector_->close();
  }

  /// Connects to the first allowed and reachable address, then runs the
  /// exchange. `first` as in `connector`. Call once, first.
  void connect(exchange& subject,
               std::vector<boost::asio::ip::address> addresses,
               std::size_t first = 0);

  /// The same through a proxy, to the route's next address. All addresses of
  /// an exchange share one connect limit; each gets an equal part of the
  /// rest.
  void connect(exchange& subject, std::shared_ptr<proxied_way> way);

  /// True if the proxy used up its part of the limit without a byte.
  [[nodiscard]] bool
  is_way_silent(std::chrono::steady_clock::time_point now) const;
  /// Tries the next address for that reason.
  void skip_way();

  /// The handshake has failed or taken too long, as `why` says: tries another
  /// address. False: there is none, or it is over.
  [[nodiscard]] bool skip_handshake(const std::string& why);

  /// Runs an exchange on an idle connection. Never finishes it before it
  /// returns.
  void run(exchange& subject);

  /// Becomes idle. Call only from `connection_owner::release`.
  void wait();

  /// Ends the answer for the given reason. False: its status line has not
  /// arrived, so there is no answer.
  [[nodiscard]] bool cut(std::string_view why);

  /// Ends everything at once, without notifying the owner.
  void close();

  /// Bytes of the final answer received so far.
  [[nodiscard]] std::size_t received() const noexcept {
    return answer_.received();
  }

  /// When the way to the target was open.
  [[nodiscard]] std::chrono::steady_clock::time_point opened() const noexcept {
    return opened_;
  }
  /// Its destination, also through a proxy.
  [[nodiscard]] const boost::asio::ip::address& address() const noexcept {
    return address_;
  }
  /// The receiver has let a fresh connection wait for longer than it usually
  /// takes to answer, and has taken no later one: nobody there may be free to
  /// serve it.
  [[nodiscard]] bool
  is_left_waiting(std::chrono::steady_clock::time_point now) const;

  /// True while it connects through a proxy.
  [[nodiscard]] bool in_proxy() const noexcept {
    return way_ != nullptr;
  }

  [[nodiscard]] destination& to() noexcept {
    return *to_;
  }

  std::chrono::steady_clock::time_point idle_since; ///< the pool's

private:
  using error_code = boost::system::error_code;

  void enter(state next) noexcept;

  // -- getting there ----------------------------------------------------------

  std::optional<std::string>
  refusal(const boost::asio::ip::address& address) override;
  void on_useless(const boost::asio::ip::address& address) override;
  void on_overtaken(const boost::asio::ip::address& address) override;
  bool make_room() override;
  void on_connected(client_socket socket) override;
  void on_not_connected(std::string reason, fault whose) override;
  void on_tunnel(proxy_tunnel::outcome&& how);
  /// The way to the target is open.
  void on_way();
  /// Whether the proxy may be given the request in place of a tunnel: it then
  /// learns where to from the URL alone, so that must name an address that was
  /// checked, or a name that the proxy looks up anyway.
  [[nodiscard]] bool may_be_forwarded() const;
  /// The receiver has taken the connection.
  void note_taken();
  /// It need not wait for that any more.
  void stop_waiting();
  void on_handshake(const error_code& code);

  // -- the exchange -----------------------------------------------------------

  void start();
  void write();
  void write_records(const outgoing_request::buffers& all);
  void on_written(const error_code& code);
  void read();
  void on_read(const error_code& code, std::size_t bytes);
  /// The status line of the final answer came, or something else in its place.
  void on_answer();
  void on_end(const error_code& code);
  /// Why there is no answer.
  [[nodiscard]] std::string
  why_ended(const error_code& code,
            std::chrono::steady_clock::duration after) const;
  /// Once more, elsewhere if this connection was a fresh one, which ended as
  /// `why` says.
  void repeat(std::string why);

  // -- endings ----------------------------------------------------------------

  /// The answer is over, and perhaps the connection has `ended`.
  void finish(bool ended);
  /// Waits a moment for the end of the connection behind a complete answer,
  /// which stands if that does not come, or anything else does.
  void await_end();
  /// The answer is the exchange's.
  void conclude();
  void fail(std::string reason, fault whose = fault::receiver);
  /// The target cannot be reached.
  void fail_to_reach(std::string reason, fault whose = fault::receiver);

  connection_owner* owner_;
  boost::asio::io_context& context_;
  boost::intrusive_ptr<destination> to_; // outlives stream_, which points to it
  exchange* subject_ = nullptr;
  state state_ = state::fresh;
  bool untaken_ = false;     // as counted by the destination
  bool tunnelled_ = false;   // by a proxy
  std::uint32_t served_ = 0; // exchanges after which it could be used again
  std::chrono::steady_clock::time_point opened_;
  boost::asio::ip::address address_;
  std::chrono::steady_clock::time_point asked_at_; // with the first byte

  boost::intrusive_ptr<connector> connector_; // while connecting
  std::shared_ptr<proxied_way> way_;          // until it is open
  // Of the way's address, unless it is the last one.
  std::optional<std::chrono::steady_clock::time_point> way_until_;
  boost::intrusive_ptr<proxy_tunnel> tunnel_; // while tunnelling
  std::shared_ptr<const proxy> forwards_; // requests, that are not tunnelled

  client_stream stream_;
  outgoing_request request_;
  incoming_answer answer_;
};

} // namespace fanfare::protocol
