// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/dns/resolver.hpp"

#include "protocol/dns/name_cache.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>
#include <boost/smart_ptr/intrusive_ref_counter.hpp>

#include <ares.h>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <list>
#include <optional>
#include <span>
#include <unordered_map>
#include <utility>

namespace fanfare::protocol {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

using executor_type = asio::io_context::executor_type;
using timer_type = asio::basic_waitable_timer<
  steady_clock, asio::wait_traits<steady_clock>, executor_type>;

constexpr seconds shortest = 1s;
constexpr seconds longest = 300s;
constexpr seconds longest_without = 30s;   // an address, or one of the families
constexpr seconds table_lives = 5s;        // an entry of the table of hosts
constexpr seconds look_again = 30s;        // at the system's configuration
constexpr std::size_t most_addresses = 32; // of a family
constexpr int tries = 2;                   // of each server

template <class T>
using counted = boost::intrusive_ref_counter<T, boost::thread_unsafe_counter>;

resolution not_found(const std::string& host) {
  return {{}, "dns: name not found: " + host};
}

resolution not_answered(const std::string& host) {
  return {{}, "dns: temporary failure, no name server answered for " + host};
}

/// The name itself, or one in it.
bool is_in(std::string_view host, std::string_view domain) {
  return host.ends_with(domain)
      && (host.size() == domain.size()
          || host[host.size() - domain.size() - 1] == '.');
}

std::optional<asio::ip::address> address_of(const sockaddr* from) {
  if (from->sa_family == AF_INET) {
    sockaddr_in address;
    std::memcpy(&address, from, sizeof address);
    return asio::ip::address_v4{ntohl(address.sin_addr.s_addr)};
  }
  if (from->sa_family == AF_INET6) {
    sockaddr_in6 address;
    std::memcpy(&address, from, sizeof address);
    asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &address.sin6_addr, bytes.size());
    return asio::ip::address_v6{bytes, address.sin6_scope_id};
  }
  return {};
}

/// Numbers in any spelling ("127.1", "0x7f.1", "2130706433") need no asking.
std::optional<asio::ip::address> numeric(const std::string& host) {
  const auto last = host.rfind('.') + 1;
  if (last >= host.size() || host[last] < '0' || host[last] > '9')
    return {};
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICHOST;
  addrinfo* found = nullptr;
  if (::getaddrinfo(host.c_str(), nullptr, &hints, &found) != 0)
    return {};
  auto out = address_of(found->ai_addr);
  ::freeaddrinfo(found);
  return out;
}

// -- messages of DNS ----------------------------------------------------------

/// How long to believe a message that says that there is nothing: the start of
/// authority in it tells (RFC 2308); without one not for long.
seconds negative_life(std::span<const unsigned char> message) {
  std::size_t at = 0;
  const auto number = [&](std::size_t size) {
    std::uint32_t out = 0;
    for (; size > 0 && at < message.size(); --size)
      out = out << 8 | message[at++];
    return out;
  };
  const auto skip = [&](std::size_t size) {
    at = std::min(message.size(), at + size);
  };
  const auto skip_name = [&] {
    while (at < message.size()) {
      const std::size_t length = message[at++];
      if (length >= 0xc0)
        skip(1);
      if (length == 0 || length >= 0xc0)
        return;
      skip(length);
    }
  };
  skip(4);
  const auto questions = number(2);
  const auto answers = number(2);
  const auto authorities = number(2);
  skip(2);
  for (std::uint32_t i = 0; i < questions && at < message.size(); ++i) {
    skip_name();
    skip(4);
  }
  for (std::uint32_t i = 0; i < answers + authorities && at < message.size();
       ++i) {
    constexpr std::uint32_t start_of_authority = 6;
    skip_name();
    const auto type = number(2);
    skip(2);
    const auto life = number(4);
    const auto length = number(2);
    const auto end = at + length;
    if (end > message.size())
      break;
    if (i >= answers && type == start_of_authority && length >= 22) {
      at = end - 4;
      return seconds{std::min(life, number(4))};
    }
    at = end;
  }
  return shortest;
}

/// What became of asking for one family.
struct family {
  bool done = false;
  int status = ARES_SUCCESS;
  std::vector<asio::ip::address> addresses;
  seconds life{0};

  [[nodiscard]] bool says_nothing() const {
    return status == ARES_ENODATA || status == ARES_ENOTFOUND
        || status == ARES_EBADNAME;
  }
};

void read_v4(family& out, const unsigned char* bytes, int size) {
  std::array<ares_addrttl, most_addresses> found;
  int count = found.size();
  out.status = ares_parse_a_reply(bytes, size, nullptr, found.data(), &count);
  if (out.status != ARES_SUCCESS)
    return;
  out.life = longest;
  for (int i = 0; i < count; ++i) {
    out.addresses.emplace_back(
      asio::ip::address_v4{ntohl(found[i].ipaddr.s_addr)});
    out.life = std::min(out.life, seconds{found[i].ttl});
  }
}

void read_v6(family& out, const unsigned char* bytes, int size) {
  std::array<ares_addr6ttl, most_addresses> found;
  int count = found.size();
  out.status = ares_parse_aaaa_reply(bytes, size, nullptr, found.data(),
                                     &count);
  if (out.status != ARES_SUCCESS)
    return;
  out.life = longest;
  for (int i = 0; i < count; ++i) {
    asio::ip::address_v6::bytes_type address;
    std::memcpy(address.data(), &found[i].ip6addr, address.size());
    out.addresses.emplace_back(asio::ip::address_v6{address});
    out.life = std::min(out.life, seconds{found[i].ttl});
  }
}

template <void (*Read)(family&, const unsigned char*, int)>
void on_answer(void* to, int status, int, unsigned char* bytes, int size) {
  auto& out = *static_cast<family*>(to);
  out.done = true;
  out.status = status;
  if (status == ARES_SUCCESS)
    Read(out, bytes, size);
  if (out.status == ARES_SUCCESS && out.addresses.empty())
    out.status = ARES_ENODATA; // an alias of a name that has none
  if (out.says_nothing())
    out.life = bytes && size > 0
               ? negative_life({bytes, static_cast<std::size_t>(size)})
               : shortest;
}

// -- whom to ask --------------------------------------------------------------

std::optional<ares_addr_port_node> name_server(std::string_view text) {
  std::uint16_t port = 0; // the usual one
  auto host = text;
  auto colon = std::string_view::npos;
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos)
      return {};
    host = text.substr(1, end - 1);
    if (end + 1 < text.size()) {
      if (text[end + 1] != ':')
        return {};
      colon = end + 1;
    }
  } else if (std::ranges::count(text, ':') == 1) {
    colon = text.find(':');
    host = text.substr(0, colon);
  }
  if (colon != std::string_view::npos) {
    const auto* end = text.data() + text.size();
    const auto [read, failed] = std::from_chars(text.data() + colon + 1, end,
                                                port);
    if (failed != std::errc{} || read != end || port == 0)
      return {};
  }
  error_code failed;
  const auto address = asio::ip::make_address(std::string{host}, failed);
  if (failed || (text.starts_with('[') && !address.is_v6())
      || (address.is_v6() && address.to_v6().scope_id() != 0))
    return {};
  ares_addr_port_node out{};
  out.udp_port = out.tcp_port = port;
  if (address.is_v4()) {
    out.family = AF_INET;
    out.addr.addr4.s_addr = htonl(address.to_v4().to_uint());
  } else {
    out.family = AF_INET6;
    const auto bytes = address.to_v6().to_bytes();
    std::memcpy(&out.addr.addr6, bytes.data(), bytes.size());
  }
  return out;
}

/// Immutable once it is made.
struct configuration {
  std::vector<ares_addr_port_node> servers; ///< linked
  std::vector<std::string> domains;
  int dots = 1; ///< with as many a name is first asked for as it is
  bool table_first = true;
  bool table_last = false;
  bool dns = true;

  void link() {
    for (std::size_t i = 0; i < servers.size(); ++i)
      servers[i].next = i + 1 < servers.size() ? &servers[i + 1] : nullptr;
  }

  /// What to ask for in turn.
  [[nodiscard]] std::vector<std::string> names(const std::string& host) const {
    std::vector<std::string> out;
    for (const auto& each : domains)
      out.push_back(host + "." + each);
    out.insert(std::ranges::count(host, '.') >= dots ? out.begin() : out.end(),
               host);
    return out;
  }
};

std::shared_ptr<const configuration>
read_configuration(const resolver_options& options) {
  auto out = std::make_shared<configuration>();
  auto path = options.configuration;
  ares_options wanted{};
  wanted.resolvconf_path = path.data();
  ares_channel channel = nullptr;
  if (ares_init_options(&channel, &wanted, ARES_OPT_RESOLVCONF) != ARES_SUCCESS)
    channel = nullptr;
  ares_options found{};
  int mask = 0;
  if (channel && ares_save_options(channel, &found, &mask) == ARES_SUCCESS) {
    const std::string_view order = found.lookups ? found.lookups : "fb";
    const auto table = order.find('f');
    const auto dns = order.find('b');
    out->dns = dns != std::string_view::npos;
    out->table_first = table < dns;
    out->table_last = table != std::string_view::npos && !out->table_first;
    out->dots = found.ndots;
    for (int i = 0; i < found.ndomains; ++i)
      if (found.domains[i] && *found.domains[i])
        out->domains.emplace_back(found.domains[i]);
  }
  ares_destroy_options(&found);
  if (options.servers.empty()) {
    ares_addr_port_node* servers = nullptr;
    if (channel && ares_get_servers_ports(channel, &servers) == ARES_SUCCESS)
      for (const auto* each = servers; each; each = each->next)
        out->servers.push_back(*each);
    if (servers)
      ares_free_data(servers);
  } else {
    for (const auto& each : options.servers)
      if (const auto server = name_server(each))
        out->servers.push_back(*server);
  }
  if (channel)
    ares_destroy(channel);
  out->link();
  return out;
}

/// By which a change of a file is noticed.
struct file_stamp {
  ino_t inode = 0;
  off_t size = 0;
  timespec modified{};

  static file_stamp of(const std::string& path) {
    struct stat found {};
    if (::stat(path.c_str(), &found) != 0)
      return {};
    return {found.st_ino, found.st_size, found.st_mtim};
  }

  bool operator==(const file_stamp& other) const {
    return inode == other.inode && size == other.size
        && modified.tv_sec == other.modified.tv_sec
        && modified.tv_nsec == other.modified.tv_nsec;
  }
};

// -- a look-up ----------------------------------------------------------------

class lookup;

/// Asks for one family, on a channel, and so from a port, of its own: c-ares
/// takes an error on a socket for the failure of whatever it sends next on it,
/// which would be the other family's question.
struct side {
  lookup* of = nullptr;
  ares_channel channel = nullptr;
  family answer;
};

class lookup_owner {
public:
  /// The look-up has ended and does nothing more.
  virtual void finish(lookup& subject, resolution&& answer, seconds life) = 0;

protected:
  ~lookup_owner() = default;
};

/// A socket of c-ares.
struct watch : counted<watch> {
  watch(side& whose, const executor_type& executor)
    : of(&whose),
      descriptor(executor) {}

  side* of; // null once c-ares is about to close it
  asio::posix::basic_stream_descriptor<executor_type> descriptor;
  int socket = ARES_SOCKET_BAD;
  bool wants_read = false;
  bool wants_write = false;
  bool reading = false;
  bool writing = false;
};

/// Asks for one name, on channels of its own: so it can be ended alone, waits
/// for no other one, and asks from ports of its own, which makes answers hard
/// to forge. A channel costs about 15 µs.
class lookup : public counted<lookup> {
public:
  struct waiter {
    resolver::ticket ticket;
    resolver::completion done;
  };

  lookup(lookup_owner& owner, asio::io_context& context, std::string name)
    : host(std::move(name)),
      owner_(&owner),
      context_(context),
      timer_(context.get_executor()) {}
  lookup(const lookup&) = delete;
  lookup& operator=(const lookup&) = delete;
  ~lookup() {
    end();
  }

  /// Never finishes before it returns.
  void start(std::shared_ptr<const configuration> by,
             const resolver_options& options) {
    by_ = std::move(by);
    other_family_ = options.other_family;
    if (!open(v4_, options.patience) || !open(v6_, options.patience)) {
      conclude_later(not_answered(host), shortest);
      return;
    }
    if (by_->table_first && look_in_table()) {
      conclude_later({std::move(table_), {}}, table_lives);
      return;
    }
    if (is_in(host, "localhost")) {
      conclude_later(
        {{asio::ip::address_v6::loopback(), asio::ip::address_v4::loopback()},
         {}},
        table_lives);
      return;
    }
    if (is_in(host, "invalid") || !by_->dns) {
      conclude_later(not_found(host), shortest);
      return;
    }
    if (by_->servers.empty()) {
      conclude_later(not_answered(host), shortest); // c-ares would leak
      return;
    }
    names_ = by_->names(host);
    ask();
    if (v4_.answer.done || v6_.answer.done)
      asio::post(context_, [self = boost::intrusive_ptr<lookup>(this)] {
        if (!self->over_)
          self->go_on();
      });
    else
      set_timer();
  }

  /// Ends with what is known, as if no server would answer any more.
  void give_way() {
    if (!v4_.answer.addresses.empty() || !v6_.answer.addresses.empty())
      succeed();
    else
      conclude(not_answered(host), shortest);
  }

  /// Does nothing more, and calls nobody back.
  void end() {
    if (std::exchange(over_, true))
      return;
    timer_.cancel();
    for (const auto& each : std::exchange(watches_, {}))
      forget(*each);
    for (auto* each : {&v4_, &v6_})
      if (each->channel)
        ares_destroy(std::exchange(each->channel, nullptr));
  }

  [[nodiscard]] bool over() const noexcept {
    return over_;
  }

  const std::string host;
  std::vector<waiter> waiters; ///< by ticket; without `done`: not any more
  std::size_t waiting = 0;     ///< with `done`
  /// Among those that wait for their turn, or of those that have it.
  std::list<boost::intrusive_ptr<lookup>>::iterator place;
  bool started = false;
  steady_clock::time_point since; ///< when it was started

private:
  bool open(side& which, milliseconds patience) {
    which.of = this;
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
    wanted.sock_state_cb = [](void* to, ares_socket_t socket, int read,
                              int write) {
      auto& whose = *static_cast<side*>(to);
      whose.of->on_socket(whose, socket, read != 0, write != 0);
    };
    wanted.sock_state_cb_data = &which;
    const int mask = ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES
                   | ARES_OPT_NDOTS | ARES_OPT_SERVERS | ARES_OPT_DOMAINS
                   | ARES_OPT_LOOKUPS | ARES_OPT_SORTLIST
                   | ARES_OPT_SOCK_STATE_CB;
    if (ares_init_options(&which.channel, &wanted, mask) != ARES_SUCCESS) {
      which.channel = nullptr;
      return false;
    }
    // It only reads the list.
    auto* servers = by_->servers.empty()
                    ? nullptr
                    : const_cast<ares_addr_port_node*>(by_->servers.data());
    return ares_set_servers_ports(which.channel, servers) == ARES_SUCCESS;
  }

  /// In the system's table of hosts.
  bool look_in_table() {
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_flags = ARES_AI_NOSORT;
    ares_getaddrinfo(
      v4_.channel, host.c_str(), nullptr, &hints,
      [](void* self, int, int, ares_addrinfo* found) {
        auto& out = static_cast<lookup*>(self)->table_;
        for (const auto* each = found ? found->nodes : nullptr; each;
             each = each->ai_next)
          if (const auto address = address_of(each->ai_addr))
            out.push_back(*address);
        if (found)
          ares_freeaddrinfo(found);
      },
      this);
    std::stable_partition(table_.begin(), table_.end(),
                          [](const auto& each) { return each.is_v6(); });
    return !table_.empty();
  }

  void ask() {
    v4_.answer = {};
    v6_.answer = {};
    give_up_other_ = {};
    constexpr int internet = 1;
    constexpr int type_a = 1;
    constexpr int type_aaaa = 28;
    const auto& name = names_[next_name_++];
    ares_query(v6_.channel, name.c_str(), internet, type_aaaa,
               on_answer<read_v6>, &v6_.answer);
    ares_query(v4_.channel, name.c_str(), internet, type_a, on_answer<read_v4>,
               &v4_.answer);
  }

  void go_on() {
    const auto& v4 = v4_.answer;
    const auto& v6 = v6_.answer;
    for (;;) {
      const bool found = !v4.addresses.empty() || !v6.addresses.empty();
      if (v4.done && v6.done) {
        if (found) {
          succeed();
          return;
        }
        unsure_ |= !v4.says_nothing() || !v6.says_nothing();
        life_ = std::min({life_, v4.life, v6.life});
        if (next_name_ == names_.size()) {
          give_up();
          return;
        }
        ask();
        continue;
      }
      if (found) {
        const auto now = steady_clock::now();
        if (!give_up_other_)
          give_up_other_ = now + other_family_;
        if (*give_up_other_ <= now) {
          succeed();
          return;
        }
      }
      set_timer();
      return;
    }
  }

  void succeed() {
    auto& v4 = v4_.answer;
    auto& v6 = v6_.answer;
    auto life = longest;
    for (const auto* each : {&v4, &v6}) {
      if (!each->addresses.empty())
        life = std::min(life, each->life);
      else if (!each->done || !each->says_nothing())
        life = std::min(life, longest_without);
    }
    resolution answer{std::move(v6.addresses), {}};
    answer.addresses.insert(answer.addresses.end(), v4.addresses.begin(),
                            v4.addresses.end());
    conclude(std::move(answer), std::max(life, shortest));
  }

  void give_up() {
    if (by_->table_last && look_in_table())
      conclude({std::move(table_), {}}, table_lives);
    else if (unsure_)
      conclude(not_answered(host), shortest);
    else
      conclude(not_found(host), std::max(life_, shortest));
  }

  void conclude(resolution&& answer, seconds life) {
    const boost::intrusive_ptr<lookup> alive{this};
    end();
    owner_->finish(*this, std::move(answer), life);
  }

  void conclude_later(resolution answer, seconds life) {
    asio::post(context_, [self = boost::intrusive_ptr<lookup>(this),
                          answer = std::move(answer), life]() mutable {
      if (!self->over_)
        self->conclude(std::move(answer), life);
    });
  }

  // -- what c-ares waits for --------------------------------------------------

  void set_timer() {
    const auto now = steady_clock::now();
    std::optional<steady_clock::time_point> next;
    for (const auto* each : {&v4_, &v6_}) {
      timeval left{};
      if (each->answer.done || !ares_timeout(each->channel, nullptr, &left))
        continue;
      const auto at = now + seconds{left.tv_sec}
                    + std::chrono::microseconds{left.tv_usec} + 1ms;
      next = next ? std::min(*next, at) : at;
    }
    auto due = next.value_or(now + 1s); // c-ares owes an answer
    if (give_up_other_)
      due = std::min(due, *give_up_other_);
    timer_.expires_at(due);
    timer_.async_wait(
      [self = boost::intrusive_ptr<lookup>(this)](const error_code& code) {
        if (code || self->over_)
          return;
        for (const auto* each : {&self->v4_, &self->v6_})
          ares_process_fd(each->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
        self->go_on();
      });
  }

  /// From within c-ares.
  void on_socket(side& whose, ares_socket_t socket, bool read, bool write) {
    if (over_)
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
        new watch(whose, context_.get_executor())};
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

  static void forget(watch& subject) {
    subject.of = nullptr;
    // The descriptor is c-ares' to close.
    subject.descriptor.release();
  }

  static void wait(watch& subject) {
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

  static void on_ready(watch& subject, ares_socket_t readable,
                       ares_socket_t writable) {
    const boost::intrusive_ptr<lookup> alive{subject.of->of};
    ares_process_fd(subject.of->channel, readable, writable);
    alive->go_on();
    if (subject.of)
      wait(subject);
  }

  lookup_owner* owner_;
  asio::io_context& context_;
  timer_type timer_; // for c-ares, and for the slower family
  std::vector<boost::intrusive_ptr<watch>> watches_;
  bool over_ = false;

  std::shared_ptr<const configuration> by_;
  milliseconds other_family_{0};
  std::vector<std::string> names_; // to ask for in turn
  std::size_t next_name_ = 0;
  side v4_; // of the name that was asked for last
  side v6_;
  std::optional<steady_clock::time_point> give_up_other_;
  std::vector<asio::ip::address> table_;
  seconds life_ = longest_without; // of the news that there is none
  bool unsure_ = false;            // a name might exist after all
};

// -- all of them --------------------------------------------------------------

class system_resolver final : public resolver, public lookup_owner {
public:
  system_resolver(asio::io_context& context, resolver_options options)
    : context_(context),
      options_(std::move(options)),
      cache_(options_.most_remembered),
      pressure_(context.get_executor()) {
    static const int initialized = ares_library_init(ARES_LIB_INIT_ALL);
    (void)initialized;
    if (!options_.now)
      options_.now = [] { return steady_clock::now(); };
    options_.most_at_once = std::max<std::size_t>(options_.most_at_once, 1);
  }
  system_resolver(const system_resolver&) = delete;
  system_resolver& operator=(const system_resolver&) = delete;

  ~system_resolver() override {
    *alive_ = false;
    tickets_.clear();
    queue_.clear();
    running_.clear();
    for (const auto& [host, each] : std::exchange(under_way_, {})) {
      each->end();
      each->waiters.clear();
    }
  }

  ticket resolve(const std::string& host, completion done) override {
    if (const auto* known = cache_.find(host, options_.now())) {
      // A copy: `done` may start look-ups, which change what is remembered.
      const auto answer = *known;
      done(answer);
      return 0;
    }
    if (const auto address = numeric(host)) {
      done({{*address}, {}});
      return 0;
    }
    auto& slot = under_way_[host];
    const bool fresh = !slot;
    if (fresh)
      slot = new lookup(*this, context_, host);
    const auto subject = slot;
    const auto which = next_ticket_++;
    subject->waiters.push_back({which, std::move(done)});
    ++subject->waiting;
    tickets_.emplace(which, subject);
    if (fresh) {
      subject->place = queue_.insert(queue_.end(), subject);
      start_next();
    }
    return which;
  }

  void cancel(ticket which) override {
    const auto node = tickets_.extract(which);
    if (node.empty())
      return;
    const auto& subject = node.mapped();
    const auto i = std::ranges::lower_bound(subject->waiters, which, {},
                                            &lookup::waiter::ticket);
    // What it holds is let go when all is in order again.
    const auto done = std::exchange(i->done, nullptr);
    if (--subject->waiting > 0 || subject->over())
      return;
    under_way_.erase(subject->host);
    subject->end();
    (subject->started ? running_ : queue_).erase(subject->place);
    start_next();
  }

  void finish(lookup& subject, resolution&& found, seconds life) override {
    const boost::intrusive_ptr<lookup> keep{&subject};
    const auto answer = std::move(found);
    under_way_.erase(subject.host);
    running_.erase(subject.place);
    const auto now = options_.now();
    cache_.put(subject.host, answer, now + life, now);
    start_next();
    // Completions may cancel each other, start look-ups, and end this.
    const auto alive = alive_;
    for (std::size_t i = 0; i < subject.waiters.size(); ++i) {
      auto& each = subject.waiters[i];
      const auto done = std::exchange(each.done, nullptr);
      if (!done)
        continue;
      tickets_.erase(each.ticket);
      --subject.waiting;
      done(answer);
      if (!*alive)
        return;
    }
  }

private:
  void start_next() {
    while (running_.size() < options_.most_at_once && !queue_.empty()) {
      running_.splice(running_.end(), queue_, queue_.begin());
      auto& next = *running_.back();
      next.started = true;
      next.since = steady_clock::now();
      next.start(current_configuration(), options_);
    }
    if (queue_.empty())
      pressure_.cancel();
    else
      press();
  }

  /// Others wait: the oldest look-up gives way when it had its share of time.
  void press() {
    pressure_.expires_at(running_.front()->since + options_.fair_share);
    pressure_.async_wait([this, alive = alive_](const error_code& code) {
      if (code || !*alive || queue_.empty())
        return;
      const auto oldest = running_.front();
      if (oldest->since + options_.fair_share <= steady_clock::now())
        oldest->give_way();
      else
        press();
    });
  }

  std::shared_ptr<const configuration> current_configuration() {
    const auto now = options_.now();
    if (configuration_ && now < checked_ + look_again)
      return configuration_;
    checked_ = now;
    const auto stamp = file_stamp::of(options_.configuration);
    if (configuration_ && stamp == stamp_)
      return configuration_;
    if (configuration_)
      cache_.drop_failures(); // others may know
    stamp_ = stamp;
    configuration_ = read_configuration(options_);
    return configuration_;
  }

  asio::io_context& context_;
  resolver_options options_;
  name_cache cache_;
  std::shared_ptr<const configuration> configuration_;
  file_stamp stamp_;
  steady_clock::time_point checked_;

  // By host: what is asked for, and what waits for its turn.
  std::unordered_map<std::string, boost::intrusive_ptr<lookup>> under_way_;
  std::list<boost::intrusive_ptr<lookup>> queue_;
  std::list<boost::intrusive_ptr<lookup>> running_; // oldest first
  timer_type pressure_;                             // while there is a queue
  std::unordered_map<ticket, boost::intrusive_ptr<lookup>> tickets_;
  ticket next_ticket_ = 1;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace

std::unique_ptr<resolver> make_system_resolver(asio::io_context& context,
                                               resolver_options options) {
  return std::make_unique<system_resolver>(context, std::move(options));
}

bool is_name_server(std::string_view text) {
  return name_server(text).has_value();
}

} // namespace fanfare::protocol
