// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/e2e/support/stream_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>
#include <utility>

namespace fanfare::test {

namespace {

[[noreturn]] void fail(const char* what) {
  throw std::system_error{errno, std::generic_category(), what};
}

} // namespace

stream_client::stream_client(std::uint16_t port, std::string_view key,
                             std::string_view target, std::string_view last_id,
                             int buffer)
  : fd_{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)} {
  if (fd_ < 0)
    fail("socket");
  if (buffer != 0)
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(port);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof at) != 0)
    fail("connect");
  // HTTP/1.0: the body comes without chunks.
  auto request = "GET " + std::string{target}
               + " HTTP/1.0\r\nHost: 127.0.0.1\r\n"
                 "Accept: text/event-stream\r\nAuthorization: Token "
               + std::string{key} + "\r\n";
  if (!last_id.empty())
    request += "Last-Event-ID: " + std::string{last_id} + "\r\n";
  request += "\r\n";
  if (::send(fd_, request.data(), request.size(), MSG_NOSIGNAL)
      != static_cast<ssize_t>(request.size()))
    fail("send");
  last_id_ = last_id;
}

stream_client::stream_client(stream_client&& other) noexcept
  : fd_{std::exchange(other.fd_, -1)},
    in_{std::move(other.in_)},
    head_{std::move(other.head_)},
    messages_{std::move(other.messages_)},
    last_id_{std::move(other.last_id_)},
    ended_{other.ended_} {}

stream_client& stream_client::operator=(stream_client&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0)
      ::close(fd_);
    fd_ = std::exchange(other.fd_, -1);
    in_ = std::move(other.in_);
    head_ = std::move(other.head_);
    messages_ = std::move(other.messages_);
    last_id_ = std::move(other.last_id_);
    ended_ = other.ended_;
  }
  return *this;
}

stream_client::~stream_client() {
  if (fd_ >= 0)
    ::close(fd_);
}

bool stream_client::read(std::chrono::milliseconds limit) {
  pollfd waited{.fd = fd_, .events = POLLIN, .revents = 0};
  if (ended_ || ::poll(&waited, 1, static_cast<int>(limit.count())) <= 0)
    return false;
  std::array<char, 65'536> piece;
  const auto count = ::recv(fd_, piece.data(), piece.size(), MSG_DONTWAIT);
  if (count <= 0) {
    ended_ = count == 0 || (errno != EAGAIN && errno != EINTR);
    return false;
  }
  in_.append(piece.data(), static_cast<std::size_t>(count));
  parse();
  return true;
}

void stream_client::parse() {
  std::size_t done = 0;
  if (head_.empty()) {
    const auto end = in_.find("\r\n\r\n");
    if (end == std::string::npos)
      return;
    head_ = in_.substr(0, end + 4);
    done = end + 4;
  }
  for (;;) {
    const auto end = in_.find("\n\n", done);
    if (end == std::string::npos)
      break;
    message made;
    for (auto at = done; at <= end;) {
      const auto stop = in_.find('\n', at);
      const auto line = std::string_view{in_}.substr(at, stop - at);
      at = stop + 1;
      if (line.starts_with("id: "))
        last_id_ = line.substr(4);
      else if (line.starts_with("event: "))
        made.type = line.substr(7);
      else if (line.starts_with("data: "))
        made.data = line.substr(6);
    }
    if (!made.data.empty())
      messages_.push_back(std::move(made));
    done = end + 2;
  }
  in_.erase(0, done);
}

template <class Done>
bool stream_client::read_until(Done done, std::chrono::milliseconds limit) {
  using clock = std::chrono::steady_clock;
  const auto late = clock::now() + limit;
  while (!done()) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
      late - clock::now());
    if (left.count() <= 0 || (!read(left) && ended_))
      return done();
  }
  return true;
}

bool stream_client::wait_for(std::size_t messages,
                             std::chrono::milliseconds limit) {
  return read_until([&] { return messages_.size() >= messages; }, limit);
}

bool stream_client::wait_for_begin(std::chrono::milliseconds limit) {
  return read_until([&] { return !head_.empty() && !last_id_.empty(); }, limit);
}

bool stream_client::wait_for_end(std::chrono::milliseconds limit) {
  return read_until([&] { return ended_; }, limit);
}

} // namespace fanfare::test
