// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/dns/resolver.hpp"

#include "protocol/dns/answer.hpp"
#include "protocol/dns/configuration.hpp"
#include "protocol/dns/lookup.hpp"
#include "protocol/dns/name_cache.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/smart_ptr/intrusive_ptr.hpp>

#include <ares.h>

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <list>
#include <optional>
#include <unordered_map>
#include <utility>

namespace fanfare::protocol {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using std::chrono::seconds;
using std::chrono::steady_clock;

using timer_type = asio::basic_waitable_timer<steady_clock,
                                              asio::wait_traits<steady_clock>,
                                              asio::io_context::executor_type>;

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

/// A look-up and those that wait for it.
struct inquiry final : lookup {
  struct waiter {
    resolver::ticket ticket;
    resolver::completion done; ///< null: given up
  };

  using lookup::lookup;

  std::vector<waiter> waiters; ///< by ticket
  std::size_t waiting = 0;     ///< those that have not given up
  /// In the queue, or among those that run.
  std::list<boost::intrusive_ptr<inquiry>>::iterator place;
  steady_clock::time_point since; ///< when it was started
};

class system_resolver final : public resolver, public lookup_owner {
public:
  system_resolver(asio::io_context& context, resolver_options options)
    : context_(context),
      options_(std::move(options)),
      configuration_(options_.configuration, options_.servers),
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
      if (options_.counters != nullptr)
        options_.counters->cached.add();
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
      slot = new inquiry(*this, context_, host);
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
                                            &inquiry::waiter::ticket);
    // Its captures are destroyed last, when everything here is consistent.
    const auto done = std::exchange(i->done, nullptr);
    if (--subject->waiting > 0 || subject->over())
      return;
    const bool started = subject->started();
    under_way_.erase(subject->host);
    subject->end();
    (started ? running_ : queue_).erase(subject->place);
    start_next();
  }

  [[nodiscard]] bool heard_since(steady_clock::time_point then) const override {
    return heard_ >= then;
  }

  [[nodiscard]] bool is_queued(ticket which) const override {
    const auto found = tickets_.find(which);
    return found != tickets_.end() && !found->second->started();
  }

  void finish(lookup& which, resolution&& found, seconds life) override {
    auto& subject = static_cast<inquiry&>(which); // there are no others
    const boost::intrusive_ptr<inquiry> keep{&subject};
    const auto now = options_.now();
    found.until = now + life;
    const auto answer = std::move(found);
    if (answer.source == answered_by::server)
      heard_ = steady_clock::now();
    count(answer);
    under_way_.erase(subject.host);
    running_.erase(subject.place);
    cache_.put(subject.host, answer, answer.until, now);
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
  void count(const resolution& answer) {
    if (options_.counters == nullptr)
      return;
    const bool unknown = answer.source == answered_by::unable
                      || answer.source == answered_by::nobody;
    (answer.failure.empty() ? options_.counters->found
     : unknown              ? options_.counters->no_answer
                            : options_.counters->not_found)
      .add();
  }

  void start_next() {
    while (running_.size() < options_.most_at_once && !queue_.empty()) {
      running_.splice(running_.end(), queue_, queue_.begin());
      auto& next = *running_.back();
      next.since = steady_clock::now();
      if (configuration_.refresh(options_.now()))
        cache_.drop_failures(); // others may know
      next.start(configuration_.current(),
                 {options_.patience, options_.other_family});
    }
    if (queue_.empty())
      pressure_.cancel();
    else
      press();
  }

  /// Others wait: the oldest look-up gives way once it has had its share of
  /// time.
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

  asio::io_context& context_;
  resolver_options options_;
  configuration_watch configuration_;
  name_cache cache_;

  // By host: what is asked for, and what waits for its turn.
  std::unordered_map<std::string, boost::intrusive_ptr<inquiry>> under_way_;
  std::list<boost::intrusive_ptr<inquiry>> queue_;
  std::list<boost::intrusive_ptr<inquiry>> running_; // oldest first
  timer_type pressure_;                              // while there is a queue
  std::unordered_map<ticket, boost::intrusive_ptr<inquiry>> tickets_;
  ticket next_ticket_ = 1;
  steady_clock::time_point heard_; ///< something definite from a server
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

} // namespace

std::unique_ptr<resolver> make_system_resolver(asio::io_context& context,
                                               resolver_options options) {
  return std::make_unique<system_resolver>(context, std::move(options));
}

bool is_name_server(std::string_view text) {
  return parse_name_server(text).has_value();
}

} // namespace fanfare::protocol
