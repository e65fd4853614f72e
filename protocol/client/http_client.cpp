// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/http_client.hpp"

#include "protocol/client/client_connection.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fanfare::protocol {

namespace {

namespace asio = boost::asio;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

using timer_type = asio::basic_waitable_timer<steady_clock,
                                              asio::wait_traits<steady_clock>,
                                              asio::io_context::executor_type>;

constexpr std::string_view stopping = "cancelled: the engine is stopping";
// How long a TLS session is kept for a destination that is not called.
constexpr auto sessions_live = 10min;
constexpr auto sweep_every = 5s;

struct key_hash {
  std::size_t operator()(const pool_key& key) const noexcept {
    return key.hash;
  }
};

/// "5 s", "1.5 s", "250 ms".
std::string text_of(milliseconds value) {
  const auto count = value.count();
  if (count < 1000)
    return std::to_string(count) + " ms";
  auto text = std::to_string(count / 1000);
  if (auto rest = count % 1000; rest != 0) {
    auto digits = std::to_string(1000 + rest).substr(1);
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text + " s";
}

/// Whether its answer, which has begun, comes slower than it may.
bool is_too_slow(const exchange& subject, steady_clock::time_point now) {
  const auto least = subject.request.limits.min_rate;
  if (least == 0 || subject.waits_for != phase::total || !subject.on
      || subject.on->received() == 0)
    return false;
  const auto since = std::chrono::duration_cast<milliseconds>(
    now - subject.phase_started);
  return since >= 1s
      && static_cast<double>(subject.on->received()) * 1000
           < static_cast<double>(least) * static_cast<double>(since.count());
}

std::string timeout_reason(const exchange& subject,
                           steady_clock::time_point now) {
  const auto& limits = subject.request.limits;
  if (subject.deadline > now)
    return "timeout: the answer came with less than "
         + std::to_string(limits.min_rate) + " bytes per second (min_rate)";
  if (subject.deadline < subject.ends)
    switch (subject.waits_for) {
      case phase::dns:
        return "timeout: name look-up took longer than " + text_of(limits.dns)
             + " (dns)";
      case phase::connect:
        return "timeout: connect "
             + std::string{subject.on && subject.on->in_proxy()
                             ? "through the proxy "
                             : ""}
             + "took longer than " + text_of(limits.connect) + " (connect)";
      case phase::tls:
        return "timeout: TLS handshake took longer than " + text_of(limits.tls)
             + " (tls)";
      case phase::first_byte:
        return "timeout: no answer within " + text_of(limits.first_byte)
             + " (first_byte)";
      case phase::total: break;
    }
  return "timeout: no complete answer within " + text_of(limits.total)
       + " (total)";
}

} // namespace

/// Outlives the client where an operation of Asio still holds it, but does
/// nothing any more once it is closed.
class http_client::core final : public counted<core>, public connection_owner {
public:
  core(asio::io_context& context, http_client_options options)
    : context_(context),
      policy_(std::move(options.policy)),
      tls_(std::move(options.tls)),
      via_(std::move(options.via)),
      idle_timeout_(options.idle_timeout),
      max_idle_per_destination_(options.max_idle_per_destination),
      max_idle_(options.max_idle),
      tick_(options.tick),
      names_(options.names ? std::move(options.names)
                           : make_system_resolver(context)),
      timer_(context.get_executor()) {}

  void send(exchange_request&& request, exchange_completion&& done) {
    boost::intrusive_ptr<exchange> subject{new exchange};
    subject->request = std::move(request);
    subject->done = std::move(done);
    subject->started = subject->phase_started = steady_clock::now();
    subject->ends = subject->deadline = subject->started
                                      + subject->request.limits.total;
    intrusive_ptr_add_ref(subject.get());
    active_.push_back(*subject);
    ++active_count_;
    if (!closed_) {
      subject->to = find(subject->request.to->key());
      subject->to->last_used = subject->started;
      if (!ticking_fast_)
        start_ticking(true);
      if (auto connection = take(*subject->to)) {
        auto& ready = *connection;
        subject->on = std::move(connection);
        ready.run(*subject);
        return;
      }
    }
    // All that may fail happens later, as promised.
    asio::post(context_, [self = boost::intrusive_ptr<core>(this), subject] {
      self->begin(*subject);
    });
  }

  void close() {
    const boost::intrusive_ptr<core> alive{this};
    closed_ = true;
    timer_.cancel();
    names_ = nullptr;
    while (!idle_.empty())
      drop(idle_.front());
    destinations_.clear();
    while (!active_.empty())
      abandon(active_.front(), std::string{stopping});
  }

  [[nodiscard]] std::size_t active() const noexcept {
    return active_count_;
  }
  [[nodiscard]] std::size_t idle() const noexcept {
    return idle_count_;
  }
  [[nodiscard]] std::size_t connects() const noexcept {
    return connects_;
  }

  // -- what connections report ------------------------------------------------

  std::optional<std::string>
  refusal(const exchange& subject, const asio::ip::address& address) override {
    const auto& by = subject.request.by;
    return (by && by->policy ? *by->policy : policy_).refusal(address);
  }

  tls_settings* tls(const exchange& subject, std::string& reason) override {
    if (const auto& by = subject.request.by; by && by->tls)
      return by->tls.get();
    if (!tls_) {
      auto made = tls_settings::make();
      if (!made) {
        reason = "tls: " + made.error().detail;
        return nullptr;
      }
      tls_ = std::move(*made);
    }
    return tls_.get();
  }

  bool make_room() override {
    if (idle_.empty())
      return false;
    for (auto n = idle_count_ / 2 + 1; n > 0 && !idle_.empty(); --n)
      drop(idle_.front());
    return true;
  }

  void connected() override {
    ++connects_;
  }

  void release(client_connection& connection) override {
    auto& to = connection.to();
    if (closed_ || max_idle_ == 0
        || to.idle.size() >= max_idle_per_destination_) {
      connection.close();
      return;
    }
    if (idle_count_ >= max_idle_)
      drop(idle_.front());
    connection.wait();
    intrusive_ptr_add_ref(&connection);
    idle_.push_back(connection);
    to.idle.push_back(connection);
    ++idle_count_;
    connection.idle_since = steady_clock::now();
  }

  void lost(client_connection& connection) override {
    drop(connection);
  }

  void go_on(exchange& subject, std::shared_ptr<proxied_way> way) override {
    boost::intrusive_ptr<client_connection> connection{
      new client_connection(*this, context_, subject.to)};
    subject.on = connection;
    connection->connect(subject, std::move(way));
  }

  void retry(exchange& subject) override {
    subject.retried = true;
    subject.on = nullptr;
    subject.result.timings = {};
    connect(subject);
  }

  void finish(exchange& subject) override {
    if (subject.over)
      return;
    const boost::intrusive_ptr<core> alive{this};
    subject.over = true;
    active_.erase(active_.iterator_to(subject));
    --active_count_;
    const boost::intrusive_ptr<exchange> mine{&subject, false};
    subject.on = nullptr;
    subject.result.timings
      .total = std::chrono::duration_cast<std::chrono::microseconds>(
      steady_clock::now() - subject.started);
    const auto done = std::move(subject.done);
    done(std::move(subject.result));
  }

private:
  // -- exchanges --------------------------------------------------------------

  void begin(exchange& subject) {
    if (subject.over)
      return;
    if (closed_) {
      abandon(subject, std::string{stopping});
      return;
    }
    // One may have become free since.
    if (auto connection = take(*subject.to)) {
      auto& ready = *connection;
      subject.on = std::move(connection);
      ready.run(subject);
      return;
    }
    connect(subject);
  }

  void connect(exchange& subject) {
    const auto& to = *subject.request.to;
    if (to.literal()) {
      connect(subject, {*to.literal()});
      return;
    }
    subject.enter(phase::dns, subject.request.limits.dns, steady_clock::now());
    const boost::intrusive_ptr<exchange> alive{&subject};
    // The resolver is ours and silent once it is gone, so `this` is enough.
    subject.look_up = names_->resolve(
      to.host(), [this, mine = boost::intrusive_ptr<exchange>(&subject)](
                   const resolution& answer) {
        if (mine->over)
          return; // too late
        mine->result.timings.dns = mine->in_phase(steady_clock::now());
        if (!answer.failure.empty() || answer.addresses.empty())
          abandon(*mine, answer.failure.empty()
                           ? "dns: no address for " + mine->request.to->host()
                           : answer.failure);
        else
          connect(*mine, answer.addresses);
      });
  }

  void connect(exchange& subject, std::vector<asio::ip::address> addresses) {
    const auto& by = subject.request.by;
    if (const auto& via = by && by->via ? by->via : via_) {
      find_proxy(subject, via, std::move(addresses));
      return;
    }
    boost::intrusive_ptr<client_connection> connection{
      new client_connection(*this, context_, subject.to)};
    subject.on = connection;
    connection->connect(subject, std::move(addresses));
  }

  /// The proxy is asked for addresses, never for a name, and only for those
  /// that could be connected to without it.
  void find_proxy(exchange& subject, std::shared_ptr<const proxy> via,
                  std::vector<asio::ip::address> targets) {
    std::string refused;
    std::erase_if(targets, [&](const asio::ip::address& each) {
      auto why = refusal(subject, each);
      if (why && refused.empty())
        refused = *why;
      return why.has_value();
    });
    if (targets.empty()) {
      abandon(subject, std::move(refused));
      return;
    }
    auto way = std::make_shared<proxied_way>();
    way->targets = std::move(targets);
    way->via = std::move(via);
    boost::system::error_code is_name;
    const auto literal = asio::ip::make_address(way->via->host, is_name);
    if (!is_name) {
      way->proxies = {literal};
      go_on(subject, std::move(way));
      return;
    }
    // Both look-ups share a limit.
    if (subject.waits_for != phase::dns)
      subject.enter(phase::dns, subject.request.limits.dns,
                    steady_clock::now());
    const auto& host = way->via->host;
    subject.look_up = names_->resolve(
      host, [this, way, mine = boost::intrusive_ptr<exchange>(&subject)](
              const resolution& answer) {
        if (mine->over)
          return; // too late
        mine->result.timings.dns = mine->in_phase(steady_clock::now());
        if (!answer.failure.empty() || answer.addresses.empty()) {
          abandon(*mine, (answer.failure.empty()
                            ? "dns: no address for " + way->via->host
                            : answer.failure)
                           + " (proxy)");
          return;
        }
        way->proxies = answer.addresses;
        go_on(*mine, way);
      });
  }

  void abandon(exchange& subject, std::string reason) {
    if (subject.on)
      subject.on->close();
    if (names_ && subject.look_up != 0)
      names_->cancel(std::exchange(subject.look_up, 0));
    subject.result.status = 0;
    subject.result.reason = std::move(reason);
    finish(subject);
  }

  // -- the pool ---------------------------------------------------------------

  boost::intrusive_ptr<destination> find(const pool_key& key) {
    auto& slot = destinations_[key];
    if (!slot)
      slot = new destination;
    return slot;
  }

  /// The one that was used last, so that those not needed grow old.
  boost::intrusive_ptr<client_connection> take(destination& to) {
    if (to.idle.empty())
      return {};
    return unlink(to.idle.back());
  }

  boost::intrusive_ptr<client_connection>
  unlink(client_connection& connection) {
    idle_.erase(idle_.iterator_to(connection));
    connection.to().idle.erase(connection.to().idle.iterator_to(connection));
    --idle_count_;
    return {&connection, false};
  }

  void drop(client_connection& connection) {
    unlink(connection)->close();
  }

  // -- time -------------------------------------------------------------------

  void start_ticking(bool fast) {
    ticking_fast_ = fast;
    const auto slow = std::clamp(idle_timeout_ / 2, tick_, milliseconds{1'000});
    timer_.expires_after(fast ? tick_ : slow);
    timer_.async_wait([self = boost::intrusive_ptr<core>(this)](
                        const boost::system::error_code& code) {
      if (!code && !self->closed_)
        self->on_tick();
    });
  }

  void on_tick() {
    const auto now = steady_clock::now();
    // Completions may start and end other exchanges, so first all are found.
    std::vector<boost::intrusive_ptr<exchange>> late;
    for (auto& each : active_)
      if (each.deadline <= now || is_too_slow(each, now))
        late.emplace_back(&each);
    for (const auto& each : late)
      if (!each->over)
        abandon(*each, timeout_reason(*each, now));
    while (!idle_.empty() && idle_.front().idle_since + idle_timeout_ <= now)
      drop(idle_.front());
    if (swept_ + sweep_every <= now) {
      swept_ = now;
      std::erase_if(destinations_, [&](const auto& each) {
        const auto& to = *each.second;
        return to.use_count() == 1
            && (!to.session.get() || to.last_used + sessions_live <= now);
      });
    }
    if (closed_)
      return;
    if (!active_.empty())
      start_ticking(true);
    else if (!idle_.empty())
      start_ticking(false);
    else
      ticking_fast_ = false;
  }

  asio::io_context& context_;
  const address_policy policy_;
  std::shared_ptr<tls_settings> tls_;
  const std::shared_ptr<const proxy> via_;
  const milliseconds idle_timeout_;
  const std::size_t max_idle_per_destination_;
  const std::size_t max_idle_;
  const milliseconds tick_;
  std::unique_ptr<resolver> names_;
  timer_type timer_;

  std::unordered_map<pool_key, boost::intrusive_ptr<destination>, key_hash>
    destinations_;
  // Both lists own a reference to each of their members.
  boost::intrusive::list<exchange,
                         boost::intrusive::base_hook<list_hook<of_all>>,
                         boost::intrusive::constant_time_size<false>>
    active_;
  boost::intrusive::list<client_connection,
                         boost::intrusive::base_hook<list_hook<of_all>>,
                         boost::intrusive::constant_time_size<false>>
    idle_;
  std::size_t active_count_ = 0;
  std::size_t idle_count_ = 0;
  std::size_t connects_ = 0;
  steady_clock::time_point swept_;
  bool ticking_fast_ = false;
  bool closed_ = false;
};

http_client::http_client(asio::io_context& context, http_client_options options)
  : core_(new core(context, std::move(options))) {}

http_client::~http_client() {
  core_->close();
}

void http_client::send(exchange_request request, exchange_completion done) {
  core_->send(std::move(request), std::move(done));
}

void http_client::close() {
  core_->close();
}

std::size_t http_client::active() const noexcept {
  return core_->active();
}

std::size_t http_client::idle() const noexcept {
  return core_->idle();
}

std::size_t http_client::connects() const noexcept {
  return core_->connects();
}

} // namespace fanfare::protocol
