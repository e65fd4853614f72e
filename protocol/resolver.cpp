// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/resolver.hpp"

#include <boost/asio/post.hpp>

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <deque>
#include <mutex>
#include <string_view>
#include <thread>
#include <unordered_map>
#include <utility>

namespace fanfare::protocol {

namespace {

namespace asio = boost::asio;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto answers_live = 5s;
constexpr auto failures_live = 1s;
constexpr std::size_t most_cached = 4096;
constexpr std::size_t most_threads = 16;

/// getaddrinfo blocks for as long as it likes and cannot be cancelled, so its
/// threads are detached: nobody who stops has to wait for them.
class lookup_threads {
public:
  static lookup_threads& instance() {
    // Never destroyed: a thread may outlive main().
    static auto* self = new lookup_threads;
    return *self;
  }

  void run(std::function<void()> job) {
    bool start = false;
    {
      const std::lock_guard lock{mutex_};
      jobs_.push_back(std::move(job));
      start = jobs_.size() > idle_ && threads_ < most_threads;
      if (start)
        ++threads_;
    }
    if (!start) {
      wake_.notify_one();
      return;
    }
    // Signals are for the threads that expect them.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    try {
      std::thread{[this] { work(); }}.detach();
    } catch (const std::system_error&) {
      const std::lock_guard lock{mutex_};
      --threads_; // the job waits for another thread, or for its deadline
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

private:
  void work() {
    std::unique_lock lock{mutex_};
    for (;;) {
      ++idle_;
      const bool found = wake_.wait_for(lock, 10s,
                                        [this] { return !jobs_.empty(); });
      --idle_;
      if (!found)
        break;
      auto job = std::move(jobs_.front());
      jobs_.pop_front();
      lock.unlock();
      job();
      job = nullptr;
      lock.lock();
    }
    --threads_;
  }

  std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<std::function<void()>> jobs_;
  std::size_t idle_ = 0;
  std::size_t threads_ = 0;
};

resolution look_up(const std::string& host, int flags) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  resolution out;
  if (code != 0) {
    switch (code) {
      case EAI_NONAME:
#ifdef EAI_NODATA
      case EAI_NODATA:
#endif
        out.failure = "dns: name not found: " + host;
        break;
      case EAI_AGAIN:
        out.failure = "dns: temporary failure, no name server answered for "
                    + host;
        break;
      default:
        out.failure = "dns: " + std::string{::gai_strerror(code)} + ": " + host;
    }
    return out;
  }
  for (const auto* each = found; each; each = each->ai_next) {
    if (each->ai_family == AF_INET) {
      sockaddr_in address;
      std::memcpy(&address, each->ai_addr, sizeof address);
      out.addresses.emplace_back(
        asio::ip::address_v4{ntohl(address.sin_addr.s_addr)});
    } else if (each->ai_family == AF_INET6) {
      sockaddr_in6 address;
      std::memcpy(&address, each->ai_addr, sizeof address);
      asio::ip::address_v6::bytes_type bytes;
      std::memcpy(bytes.data(), &address.sin6_addr, bytes.size());
      out.addresses.emplace_back(
        asio::ip::address_v6{bytes, address.sin6_scope_id});
    }
  }
  ::freeaddrinfo(found);
  if (out.addresses.empty())
    out.failure = "dns: no address for " + host;
  return out;
}

class system_resolver;

/// What a lookup thread holds of its resolver.
struct mailbox {
  std::mutex mutex;
  asio::io_context* context = nullptr; // null once the resolver is gone
  system_resolver* owner = nullptr;    // for its I/O thread only
};

class system_resolver final : public resolver {
public:
  explicit system_resolver(asio::io_context& context)
    : mailbox_(std::make_shared<mailbox>()) {
    mailbox_->context = &context;
    mailbox_->owner = this;
  }

  ~system_resolver() override {
    const std::lock_guard lock{mailbox_->mutex};
    mailbox_->context = nullptr;
    mailbox_->owner = nullptr;
  }

  void resolve(const std::string& host, completion done) override {
    const auto now = steady_clock::now();
    if (const auto i = known_.find(host); i != known_.end()) {
      if (i->second.until > now) {
        // A copy: `done` may start lookups, which move the table.
        const auto answer = i->second.answer;
        done(answer);
        return;
      }
      known_.erase(i);
    }
    // Numbers in any spelling ("127.1", "0x7f.1", "2130706433") need no asking.
    const auto last = host.substr(host.rfind('.') + 1);
    if (!last.empty() && last.front() >= '0' && last.front() <= '9') {
      if (const auto answer = look_up(host, AI_NUMERICHOST);
          answer.failure.empty()) {
        done(answer);
        return;
      }
    }
    auto& waiting = waiting_[host];
    waiting.push_back(std::move(done));
    if (waiting.size() > 1)
      return;
    lookup_threads::instance().run([box = mailbox_, host] {
      auto answer = look_up(host, 0);
      const std::lock_guard lock{box->mutex};
      if (!box->context)
        return;
      asio::post(*box->context, [box, host, answer = std::move(answer)] {
        if (box->owner)
          box->owner->answered(host, answer);
      });
    });
  }

private:
  struct entry {
    resolution answer;
    steady_clock::time_point until;
  };

  void answered(const std::string& host, const resolution& answer) {
    const auto now = steady_clock::now();
    if (known_.size() >= most_cached) {
      std::erase_if(known_,
                    [&](const auto& each) { return each.second.until <= now; });
      if (known_.size() >= most_cached)
        known_.clear();
    }
    known_[host] = {
      answer, now + (answer.failure.empty() ? answers_live : failures_live)};
    const auto node = waiting_.extract(host);
    const auto alive = mailbox_; // a completion may destroy this
    for (const auto& done : node.mapped())
      if (alive->owner)
        done(answer);
  }

  std::shared_ptr<mailbox> mailbox_;
  std::unordered_map<std::string, entry> known_;
  std::unordered_map<std::string, std::vector<completion>> waiting_;
};

} // namespace

std::unique_ptr<resolver> make_system_resolver(asio::io_context& context) {
  return std::make_unique<system_resolver>(context);
}

} // namespace fanfare::protocol
