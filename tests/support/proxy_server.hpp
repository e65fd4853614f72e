// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A proxy inside the test: HTTP CONNECT or SOCKS5 on a real socket, that
/// relays, refuses and misbehaves as told and records its requests.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fanfare::test {

struct proxy_options {
  bool socks = false;
  /// Takes requests in the absolute form and no CONNECT, which is refused with
  /// this status; 0: takes CONNECT only.
  unsigned forwards_after = 0;
  /// Not empty: nobody else is served.
  std::string user = {};
  std::string password = {};
  std::string address = "127.0.0.1";
  /// What to do with "ADDRESS:PORT" or "NAME:PORT": 0 relays, else what the
  /// refusal says (a status or a reply of SOCKS5). A refusal ends the
  /// connection.
  std::function<unsigned(const std::string& place)> judge = {};
  /// Not 0: relays to this port of the loopback, whatever was asked for. Names
  /// need it: others are unreachable.
  std::uint16_t relay_to = 0;
  /// What it says when the way is open, to CONNECT.
  std::string opens_with = "HTTP/1.1 200 Connection established\r\nVia: x\r\n"
                           "\r\n";
  /// Sent instead of the first answer; the connection then stays open.
  std::string say = {};
  enum class mood {
    serve,
    silent, ///< reads everything, sends nothing
    close,  ///< at the first bytes
    reset,  ///< the same with a TCP reset
  };
  mood how = mood::serve;
};

/// Listens from construction to destruction, which closes all connections; any
/// thread may call any function.
class proxy_server {
public:
  explicit proxy_server(proxy_options options = {});
  proxy_server(const proxy_server&) = delete;
  proxy_server& operator=(const proxy_server&) = delete;
  ~proxy_server();

  std::uint16_t port() const noexcept;

  /// Its URL for clients, with `who` ("user:password@") before the host.
  std::string url(const std::string& who = {}) const;

  /// The places asked for, "ADDRESS:PORT" or "NAME:PORT", in order; refused
  /// ones too.
  std::vector<std::string> asked() const;

  /// Of the last request to it, as it arrived.
  std::string last_head() const;

  /// Connections accepted so far.
  std::size_t connections() const;

private:
  struct impl;

  std::unique_ptr<impl> impl_;
};

} // namespace fanfare::test
