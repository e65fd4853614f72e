// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/dns/channel.hpp"

#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace fanfare::protocol {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using namespace std::chrono_literals;

using executor_type = asio::io_context::executor_type;

constexpr int tries = 2; // of each server

} // namespace

/// A socket of c-ares.
struct dns_channel::watch
  : boost::intrusive_ref_counter<watch, boost::thread_unsafe_counter> {
  watch(dns_channel& whose, const executor_type& executor)
    : of(&whose),
      descriptor(executor) {}

  dns_channel* of; // null once c-ares is about to close it
  asio::posix::basic_stream_descriptor<executor_type> descriptor;
  ares_socket_t socket = ARES_SOCKET_BAD;
  bool wants_read = false;
  bool wants_write = false;
  bool reading = false;
  bool writing = false;
};

dns_channel::dns_channel(channel_owner& owner, asio::io_context& context,
                         ip_family family)
  : owner_(owner),
    context_(context),
    family_(family) {}

dns_channel::~dns_channel() {
  close();
}

bool dns_channel::open(const dns_configuration& by,
                       std::chrono::milliseconds patience) {
  // All there is to choose is given, so that no file is read.
  ares_options wanted{};
  in_addr nowhere{};
  char table_only[] = "f"; // what is asked of DNS does not depend on it
  wanted.timeout = static_cast<int>(patience.count());
  wanted.tries = tries;
  wanted.ndots = 1;
  wanted.servers = &nowhere;
  wanted.nservers = 1;
  wanted.lookups = table_only;
  wanted.sock_state_cb = [](void* self, ares_socket_t socket, int read,
                            int write) {
    static_cast<dns_channel*>(self)->on_socket(socket, read != 0, write != 0);
  };
  wanted.sock_state_cb_data = this;
  const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES
                 | ARES_OPT_NDOTS | ARES_OPT_SERVERS | ARES_OPT_DOMAINS
                 | ARES_OPT_LOOKUPS | ARES_OPT_SORTLIST
                 | ARES_OPT_SOCK_STATE_CB;
  if (ares_init_options(&channel_, &wanted, mask) != ARES_SUCCESS) {
    channel_ = nullptr;
    return false;
  }
  // It only reads the list.
  auto* servers = by.servers.empty()
                  ? nullptr
                  : const_cast<ares_addr_port_node*>(by.servers.data());
  return ares_set_servers_ports(channel_, servers) == ARES_SUCCESS;
}

void dns_channel::ask(const std::string& name) {
  constexpr int internet = 1;
  constexpr int type_a = 1;
  constexpr int type_aaaa = 28;
  answer_ = {};
  failed_ = false;
  ares_query(
    channel_, name.c_str(), internet,
    family_ == ip_family::v4 ? type_a : type_aaaa,
    [](void* self, int status, int, unsigned char* bytes, int size) {
      auto& mine = *static_cast<dns_channel*>(self);
      std::span<const unsigned char> message;
      if (bytes && size > 0)
        message = {bytes, static_cast<std::size_t>(size)};
      mine.answer_ = read_answer(mine.family_, status, message);
    },
    this);
}

std::vector<asio::ip::address>
dns_channel::look_in_table(const std::string& host) {
  std::vector<asio::ip::address> out;
  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_flags = ARES_AI_NOSORT;
  ares_getaddrinfo(
    channel_, host.c_str(), nullptr, &hints,
    [](void* to, int, int, ares_addrinfo* found) {
      auto& all = *static_cast<std::vector<asio::ip::address>*>(to);
      for (const auto* each = found ? found->nodes : nullptr; each;
           each = each->ai_next)
        if (const auto address = address_of(each->ai_addr))
          all.push_back(*address);
      if (found)
        ares_freeaddrinfo(found);
    },
    &out);
  std::stable_partition(out.begin(), out.end(),
                        [](const auto& each) { return each.is_v6(); });
  return out;
}

std::optional<dns_channel::time_point>
dns_channel::timeout(time_point now) const {
  timeval left{};
  if (answer_.done || !channel_ || !ares_timeout(channel_, nullptr, &left))
    return {};
  return now + std::chrono::seconds{left.tv_sec}
       + std::chrono::microseconds{left.tv_usec} + 1ms;
}

void dns_channel::on_timeout() {
  if (channel_)
    ares_process_fd(channel_, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
}

void dns_channel::close() {
  for (const auto& each : std::exchange(watches_, {}))
    forget(*each);
  if (auto* subject = std::exchange(channel_, nullptr))
    ares_destroy(subject);
}

// -- its sockets --------------------------------------------------------------

/// From within c-ares.
void dns_channel::on_socket(ares_socket_t socket, bool read, bool write) {
  if (!channel_)
    return;
  auto i = std::ranges::find(watches_, socket,
                             [](const auto& each) { return each->socket; });
  if (!read && !write) {
    if (i != watches_.end()) {
      forget(**i);
      watches_.erase(i);
    }
    return;
  }
  if (i == watches_.end()) {
    boost::intrusive_ptr<watch> fresh{
      new watch(*this, context_.get_executor())};
    error_code failed;
    fresh->descriptor.assign(socket, failed);
    if (failed)
      return; // what is asked on it is not answered in time
    fresh->socket = socket;
    i = watches_.insert(watches_.end(), std::move(fresh));
  }
  (*i)->wants_read = read;
  (*i)->wants_write = write;
  wait(**i);
}

void dns_channel::wait(watch& subject) {
  using descriptor = asio::posix::descriptor_base;
  if (subject.wants_read && !std::exchange(subject.reading, true))
    subject.descriptor.async_wait(
      descriptor::wait_read,
      [self = boost::intrusive_ptr<watch>(&subject)](const error_code& code) {
        self->reading = false;
        if (!code && self->of)
          on_ready(*self, self->socket, ARES_SOCKET_BAD);
      });
  if (subject.wants_write && !std::exchange(subject.writing, true))
    subject.descriptor.async_wait(
      descriptor::wait_write,
      [self = boost::intrusive_ptr<watch>(&subject)](const error_code& code) {
        self->writing = false;
        if (!code && self->of)
          on_ready(*self, ARES_SOCKET_BAD, self->socket);
      });
}

void dns_channel::on_ready(watch& subject, ares_socket_t readable,
                           ares_socket_t writable) {
  const boost::intrusive_ptr<channel_owner> alive{&subject.of->owner_};
  if (readable != ARES_SOCKET_BAD && holds_failure(readable))
    subject.of->failed_ = true;
  ares_process_fd(subject.of->channel_, readable, writable);
  alive->go_on();
  if (subject.of)
    wait(subject);
}

bool dns_channel::holds_failure(ares_socket_t socket) {
  constexpr int header_size = 12;
  constexpr unsigned is_response = 0x80;
  constexpr unsigned code_mask = 0x0f;
  constexpr unsigned server_failure = 2;
  int type = 0;
  socklen_t size = sizeof type;
  int waiting = 0;
  std::array<unsigned char, 4> head{};
  // An error that waits is c-ares' to take: it looks for a message first.
  return ::getsockopt(socket, SOL_SOCKET, SO_TYPE, &type, &size) == 0
      && type == SOCK_DGRAM && ::ioctl(socket, FIONREAD, &waiting) == 0
      && waiting >= header_size
      && ::recv(socket, head.data(), head.size(), MSG_PEEK | MSG_DONTWAIT)
           == static_cast<ssize_t>(head.size())
      && (head[2] & is_response) != 0
      && (head[3] & code_mask) == server_failure;
}

void dns_channel::forget(watch& subject) {
  subject.of = nullptr;
  // The descriptor is c-ares' to close.
  subject.descriptor.release();
}

} // namespace fanfare::protocol
