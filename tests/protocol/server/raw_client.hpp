// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A client of an HTTP server on this machine that sends bytes as they are,
/// for requests that no library would send. Every wait has an end.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace fanfare::protocol::server {

/// How long a test waits for what must happen.
constexpr std::chrono::seconds patience{20};

struct answer {
  int status = 0;
  std::map<std::string, std::string> headers; ///< names in lower case
  std::string body;
  std::string head;
};

class raw_client {
public:
  /// Connects to 127.0.0.1. `from` is the address to connect from, `buffer` the
  /// size of the receive buffer, 0 that of the system.
  explicit raw_client(std::uint16_t port, const char* from = nullptr,
                      int buffer = 0);
  struct unconnected {};
  explicit raw_client(unconnected);
  raw_client(raw_client&& other) noexcept;
  raw_client& operator=(raw_client&&) = delete;
  ~raw_client();

  /// False when nobody listens.
  bool connect(std::uint16_t port);
  /// False when the server does not take all of it.
  bool send(std::string_view bytes);
  /// Closes this side.
  void half_close();

  /// The next answer; status 0 when the connection ends or nothing comes.
  answer read(bool head_only = false);
  /// Everything up to the end of the connection.
  std::string read_all();
  /// Whether the server ends the connection, in order and without another byte.
  bool closed();
  /// Whether nothing has come so far; see catch_up(). With a span: whether
  /// nothing comes for that long.
  bool silent(std::chrono::milliseconds span = {});

  [[nodiscard]] bool was_reset() const {
    return reset_;
  }
  [[nodiscard]] int fd() const {
    return fd_;
  }

private:
  bool more(std::chrono::milliseconds limit);

  int fd_;
  std::string in_;
  bool ended_ = false;
  bool reset_ = false;
};

} // namespace fanfare::protocol::server
