// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Queries DNS for the addresses of a name in one family, through c-ares, on
/// its own sockets. INTERNAL to lookup; one I/O thread.

#include "protocol/dns/answer.hpp"
#include "protocol/dns/configuration.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <ares.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace fanfare::protocol {

/// The owner of a channel. It is kept alive while the channel works.
class channel_owner
  : public boost::intrusive_ref_counter<channel_owner,
                                        boost::thread_unsafe_counter> {
public:
  virtual ~channel_owner() = default;
  /// Data arrived; there may be an answer now. May close the channel.
  virtual void go_on() = 0;
};

/// Each family has its own channel, and so its own port: c-ares attributes a
/// socket error to the next query on that socket, which would be the other
/// family's. A channel costs about 15 µs.
class dns_channel {
public:
  using time_point = std::chrono::steady_clock::time_point;

  /// The owner must outlive it and close it.
  dns_channel(channel_owner& owner, boost::asio::io_context& context,
              ip_family family);
  dns_channel(const dns_channel&) = delete;
  dns_channel& operator=(const dns_channel&) = delete;
  ~dns_channel();

  /// Call once, first. `by` must outlive it. False: out of memory.
  [[nodiscard]] bool open(const dns_configuration& by,
                          std::chrono::milliseconds patience);

  /// Queries this name, and forgets the previous answer. The answer may be done
  /// when it returns; `go_on` is called only later.
  void ask(const std::string& name);

  /// In the system's hosts file, both families, IPv6 first. Needs no
  /// network.
  [[nodiscard]] std::vector<boost::asio::ip::address>
  look_in_table(const std::string& host);

  [[nodiscard]] const family_answer& answer() const noexcept {
    return answer_;
  }
  /// Whether a name server has said since the last query that it could not
  /// answer it (SERVFAIL). c-ares asks the next one then, and reports the last
  /// one's silence and its failure alike.
  [[nodiscard]] bool was_failed() const noexcept {
    return failed_;
  }

  /// When to call `on_timeout` next; nothing if not needed.
  [[nodiscard]] std::optional<time_point> timeout(time_point now) const;
  void on_timeout();

  /// Does nothing more.
  void close();

private:
  struct watch;

  void on_socket(ares_socket_t socket, bool read, bool write);
  static void wait(watch& subject);
  static void on_ready(watch& subject, ares_socket_t readable,
                       ares_socket_t writable);
  static void forget(watch& subject);
  /// What waits on a socket of UDP is a failure.
  [[nodiscard]] static bool holds_failure(ares_socket_t socket);

  channel_owner& owner_;
  boost::asio::io_context& context_;
  const ip_family family_;
  ares_channel channel_ = nullptr; // null: closed
  std::vector<boost::intrusive_ptr<watch>> watches_;
  family_answer answer_;
  bool failed_ = false;
};

} // namespace fanfare::protocol
