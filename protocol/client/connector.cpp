// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/connector.hpp"

#include "protocol/client/local_fault.hpp"

#include <boost/asio/error.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace fanfare::protocol {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::steady_clock;

namespace {

/// As socket.open(), but child processes do not inherit it.
void open(client_socket& socket, const asio::ip::tcp& protocol,
          error_code& code) {
  const int file = ::socket(protocol.family(), SOCK_STREAM | SOCK_CLOEXEC,
                            IPPROTO_TCP);
  if (file < 0) {
    code = error_code{errno, asio::error::get_system_category()};
    return;
  }
  socket.assign(protocol, file, code);
  if (code)
    ::close(file);
}

void interleave(std::vector<asio::ip::address>& addresses) {
  const auto v4 = std::stable_partition(
    addresses.begin(), addresses.end(),
    [](const auto& each) { return each.is_v6(); });
  if (v4 == addresses.begin() || v4 == addresses.end())
    return;
  std::vector<asio::ip::address> out;
  out.reserve(addresses.size());
  auto six = addresses.begin();
  auto four = v4;
  while (six != v4 || four != addresses.end()) {
    if (six != v4)
      out.push_back(*six++);
    if (four != addresses.end())
      out.push_back(*four++);
  }
  addresses = std::move(out);
}

} // namespace

std::string plain_reason(const error_code& code) {
  if (code == asio::error::connection_refused)
    return "connection refused";
  if (code == asio::error::timed_out)
    return "connection timed out";
  if (code == asio::error::network_unreachable)
    return "network unreachable";
  if (code == asio::error::host_unreachable)
    return "host unreachable";
  if (code == asio::error::no_descriptors)
    return "too many open files";
  auto text = code.message();
  if (!text.empty() && text.front() >= 'A' && text.front() <= 'Z')
    text.front() = static_cast<char>(text.front() - 'A' + 'a');
  return text;
}

void interleave_families(std::vector<asio::ip::address>& addresses,
                         std::size_t first) {
  if (addresses.size() < 2)
    return;
  interleave(addresses);
  std::ranges::rotate(
    addresses,
    addresses.begin() + static_cast<std::ptrdiff_t>(first % addresses.size()));
}

void connector::start(std::vector<asio::ip::address> addresses,
                      std::uint16_t port, std::size_t first) {
  addresses_ = std::move(addresses);
  interleave_families(addresses_, first);
  attempts_.reserve(addresses_.size());
  port_ = port;
  try_next();
}

void connector::close() {
  owner_ = nullptr;
  if (timer_)
    timer_->cancel();
  error_code ignored;
  for (auto& each : attempts_)
    each.socket.close(ignored);
}

void connector::try_next() {
  while (next_ < addresses_.size()) {
    const auto which = next_++;
    const auto& address = addresses_[which];
    // Judged here and nowhere else: this very address is connected to.
    if (auto why = owner_->refusal(address)) {
      if (refused_.empty())
        refused_ = std::move(*why);
      owner_->on_useless(address);
      continue;
    }
    const asio::ip::tcp::endpoint there{address, port_};
    client_socket socket{context_.get_executor()};
    error_code code;
    open(socket, there.protocol(), code);
    if (code == asio::error::no_descriptors && owner_->make_room())
      open(socket, there.protocol(), code);
    if (!code)
      socket.non_blocking(true, code);
    if (!code)
      socket.set_option(asio::ip::tcp::no_delay{true}, code);
    if (code) {
      note_failure(which, code);
      continue;
    }
    const auto number = attempts_.size();
    auto& started = attempts_.emplace_back(attempt{std::move(socket), which});
    ++pending_;
    started.socket.async_connect(
      there, [self = boost::intrusive_ptr<connector>(this), number](
               const error_code& result) { self->on_attempt(number, result); });
    if (next_ < addresses_.size() && pending_ < most_at_once)
      start_timer();
    return;
  }
  if (pending_ > 0)
    return;
  const boost::intrusive_ptr<connector> alive{this};
  auto* owner = owner_;
  close();
  auto whose = fault::receiver;
  if (!failed_.empty() && only_here_)
    whose = is_short_ ? fault::here : fault::network;
  owner->on_not_connected(std::move(failed_.empty() ? refused_ : failed_),
                          whose);
}

void connector::on_attempt(std::size_t which, const error_code& code) {
  if (!owner_)
    return;
  --pending_;
  auto& subject = attempts_[which];
  if (!code) {
    auto socket = std::move(subject.socket);
    auto* owner = owner_;
    for (std::size_t i = 0; i < which; ++i)
      if (attempts_[i].socket.is_open())
        owner->on_overtaken(addresses_[attempts_[i].address]);
    close();
    owner->on_connected(std::move(socket));
    return;
  }
  note_failure(subject.address, code);
  error_code ignored;
  subject.socket.close(ignored);
  try_next();
}

void connector::start_timer() {
  if (!timer_)
    timer_.emplace(context_.get_executor());
  timer_->expires_after(attempt_delay);
  timer_->async_wait(
    [self = boost::intrusive_ptr<connector>(this)](const error_code& code) {
      // A wait that had already expired when the timer was set again belongs
      // to an earlier attempt.
      if (!code && self->owner_ && self->pending_ < most_at_once
          && self->timer_->expiry() <= steady_clock::now())
        self->try_next();
    });
}

void connector::note_failure(std::size_t address, const error_code& code) {
  only_here_ = only_here_ && is_local_fault(code);
  is_short_ = is_short_ || !is_no_route(code);
  const auto& there = addresses_[address];
  owner_->on_useless(there);
  const auto host = there.is_v6() ? "[" + there.to_string() + "]"
                                  : there.to_string();
  failed_ = "connect: " + plain_reason(code) + " (" + host + ":"
          + std::to_string(port_) + ")";
}

} // namespace fanfare::protocol
