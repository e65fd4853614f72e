// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/protocol/server/raw_client.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace fanfare::protocol::server {

namespace {

using clock = std::chrono::steady_clock;

sockaddr_in address(const char* ip, std::uint16_t port) {
  sockaddr_in result{};
  result.sin_family = AF_INET;
  result.sin_port = htons(port);
  ::inet_pton(AF_INET, ip, &result.sin_addr);
  return result;
}

void parse_head(answer& into) {
  into.status = std::atoi(into.head.c_str()
                          + std::min<std::size_t>(into.head.size(), 9));
  std::size_t line = into.head.find("\r\n") + 2;
  for (;;) {
    const auto end = into.head.find("\r\n", line);
    if (end == std::string::npos || end == line)
      return;
    const auto colon = into.head.find(':', line);
    auto name = into.head.substr(line, colon - line);
    for (auto& c : name)
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    into.headers[name] = into.head.substr(colon + 2, end - colon - 2);
    line = end + 2;
  }
}

} // namespace

raw_client::raw_client(unconnected) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {}

raw_client::raw_client(std::uint16_t port, const char* from, int buffer)
  : raw_client(unconnected{}) {
  if (buffer != 0)
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
  if (from) {
    const auto local = address(from, 0);
    EXPECT_EQ(
      ::bind(fd_, reinterpret_cast<const sockaddr*>(&local), sizeof local), 0);
  }
  EXPECT_TRUE(connect(port)) << std::strerror(errno);
}

raw_client::raw_client(raw_client&& other) noexcept
  : fd_(std::exchange(other.fd_, -1)),
    in_(std::move(other.in_)),
    ended_(other.ended_),
    reset_(other.reset_) {}

raw_client::~raw_client() {
  if (fd_ >= 0)
    ::close(fd_);
}

bool raw_client::connect(std::uint16_t port) {
  const auto remote = address("127.0.0.1", port);
  return ::connect(fd_, reinterpret_cast<const sockaddr*>(&remote),
                   sizeof remote)
      == 0;
}

bool raw_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (count <= 0)
      return false;
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return true;
}

void raw_client::half_close() {
  ::shutdown(fd_, SHUT_WR);
}

answer raw_client::read(bool head_only) {
  answer result;
  std::size_t end = 0;
  while ((end = in_.find("\r\n\r\n")) == std::string::npos)
    if (!more(patience))
      return result;
  result.head = in_.substr(0, end + 4);
  in_.erase(0, end + 4);
  parse_head(result);
  const auto length = result.headers.find("content-length");
  if (head_only || length == result.headers.end())
    return result;
  const auto size = std::strtoul(length->second.c_str(), nullptr, 10);
  while (in_.size() < size)
    if (!more(patience)) {
      result.status = 0;
      return result;
    }
  result.body = in_.substr(0, size);
  in_.erase(0, size);
  return result;
}

std::string raw_client::read_all() {
  while (more(patience)) {}
  return std::move(in_);
}

bool raw_client::closed() {
  if (in_.empty())
    more(patience);
  return in_.empty() && ended_;
}

bool raw_client::silent(std::chrono::milliseconds span) {
  return in_.empty() && !more(span) && !ended_ && !reset_;
}

bool raw_client::more(std::chrono::milliseconds limit) {
  pollfd one{fd_, POLLIN, 0};
  if (::poll(&one, 1, static_cast<int>(limit.count())) <= 0)
    return false;
  std::string piece(64 * 1024, '\0');
  const auto count = ::recv(fd_, piece.data(), piece.size(), 0);
  if (count <= 0) {
    ended_ = count == 0;
    reset_ = count < 0;
    return false;
  }
  in_.append(piece, 0, static_cast<std::size_t>(count));
  return true;
}

} // namespace fanfare::protocol::server
