// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/http_client.hpp"

#include "protocol/client/client_connection.hpp"
#include "protocol/client/connection_pool.hpp"
#include "protocol/client/exchange.hpp"
#include "protocol/client/failed_addresses.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
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

// However many addresses a name has: its records are a stranger's.
constexpr std::size_t most_detours = 3;

// After so long another exchange waits for the same look-up.
constexpr auto longest_look_up = 1s;

// After so long an exchange goes on with what is kept, and for so long others
// do not ask again.
constexpr auto look_up_patience = 250ms;
constexpr auto asked_again_after = 5s;

constexpr std::string_view stopping = "cancelled: the engine is stopping";

} // namespace

/// Pending Asio operations may keep it alive after the client is gone; once
/// closed, it does nothing.
class http_client::core final : public counted<core>, public connection_owner {
public:
  core(asio::io_context& context, http_client_options options)
    : context_(context),
      policy_(std::move(options.policy)),
      tls_(std::move(options.tls)),
      via_(std::move(options.via)),
      not_via_(std::move(options.not_via)),
      tick_(options.tick),
      slow_tick_(
        std::clamp(options.idle_timeout / 2, tick_, milliseconds{1'000})),
      names_(options.names ? std::move(options.names)
                           : make_system_resolver(context)),
      timer_(context.get_executor()),
      pool_({options.max_idle_per_destination, options.max_idle,
             options.idle_timeout, options.longest_use},
            options.counters != nullptr ? &options.counters->idle : nullptr),
      counters_(options.counters) {}

  void send(exchange_request&& request, exchange_completion&& done) {
    boost::intrusive_ptr<exchange> subject{new exchange};
    subject->request = std::move(request);
    subject->done = std::move(done);
    const auto now = steady_clock::now();
    subject->clock.start(subject->request.limits.total, now);
    intrusive_ptr_add_ref(subject.get());
    active_.push_back(*subject);
    ++active_count_;
    if (state_ != state::closed) {
      subject->to = pool_.find(subject->request.to->key(), now);
      if (state_ != state::busy)
        enter(state::busy);
      if (!subject->to->is_outdated(now) && run_on_idle(*subject, now))
        return;
    }
    // `transport` promises not to call back before send() returns.
    asio::post(context_, [self = boost::intrusive_ptr<core>(this), subject] {
      self->begin(*subject);
    });
  }

  void close() {
    const boost::intrusive_ptr<core> alive{this};
    enter(state::closed);
    names_ = nullptr;
    pool_.clear();
    while (!active_.empty())
      abandon(active_.front(), std::string{stopping}, fault::stop);
  }

  [[nodiscard]] std::size_t active() const noexcept {
    return active_count_;
  }
  [[nodiscard]] std::size_t idle() const noexcept {
    return pool_.idle();
  }
  [[nodiscard]] std::size_t connects() const noexcept {
    return connects_;
  }

  // -- what connections report ------------------------------------------------

  std::optional<std::string>
  refusal(const exchange& subject, const asio::ip::address& address) override {
    return policy_of(subject).refusal(address);
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
    return pool_.shrink();
  }

  void connected() override {
    ++connects_;
    if (counters_ != nullptr)
      counters_->opened.add();
  }

  void release(client_connection& connection) override {
    if (state_ == state::closed)
      connection.close();
    else
      pool_.release(connection, steady_clock::now());
  }

  void lost(client_connection& connection) override {
    pool_.drop(connection);
  }

  void try_next_address(exchange& subject,
                        std::shared_ptr<proxied_way> way) override {
    boost::intrusive_ptr<client_connection> connection{
      new client_connection(*this, context_, subject.to)};
    subject.on = connection;
    connection->connect(subject, std::move(way));
  }

  bool has_elsewhere(const exchange& subject,
                     const asio::ip::address& not_here) override {
    if (subject.detours >= most_detours)
      return false;
    return subject.way
           ? subject.way->left() > 0
           : std::ranges::any_of(subject.addresses, [&](const auto& each) {
               return each != not_here && !refusal(subject, each);
             });
  }

  void go_elsewhere(exchange& subject,
                    const asio::ip::address& not_here) override {
    ++subject.detours;
    if (subject.way) {
      subject.clock.enter(phase::connect, subject.request.limits.connect,
                          steady_clock::now());
      try_next_address(subject, subject.way);
      return;
    }
    std::erase(subject.addresses, not_here);
    connect_directly(subject, 0);
  }

  void repeat(exchange& subject) override {
    subject.on = nullptr;
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
    if (subject.result.status / 100 != 2)
      note_failure(subject);
    subject.on = nullptr;
    subject.result.timings.total = subject.clock.since_start(
      steady_clock::now());
    const auto done = std::move(subject.done);
    done(std::move(subject.result));
  }

private:
  /// How often limits are checked: never while `quiet`, every slow tick while
  /// there are only idle connections, every tick while it is `busy` with
  /// exchanges. `send` makes it busy; the next tick without exchanges ends
  /// that. `closed` is final.
  enum class state : std::uint8_t { quiet, idle, busy, closed };

  // -- exchanges --------------------------------------------------------------

  [[nodiscard]] const address_policy& policy_of(const exchange& subject) const {
    const auto& by = subject.request.by;
    return by && by->policy ? *by->policy : policy_;
  }

  void begin(exchange& subject) {
    if (subject.over)
      return;
    if (state_ == state::closed) {
      abandon(subject, std::string{stopping}, fault::stop);
      return;
    }
    const auto now = steady_clock::now();
    const bool asks = ask_again(*subject.to, now);
    if (asks || !run_on_idle(subject, now)) // free by now?
      connect(subject);
  }

  /// Whether this exchange is to look up a name that may have moved. Others go
  /// on meanwhile, on what is kept.
  static bool ask_again(destination& to, steady_clock::time_point now) {
    if (!to.is_outdated(now))
      return false;
    to.known_until = now + longest_look_up;
    return true;
  }

  /// Where the latest attempt of its notification failed, if its name has
  /// another address that may be of use; else null.
  [[nodiscard]] const asio::ip::address*
  failed_at(const exchange& subject, steady_clock::time_point now) const {
    const auto& to = *subject.to;
    if (to.addresses.size() < 2)
      return nullptr;
    const auto& request = subject.request;
    const auto* at = failed_.find(request.to->key(), request.what->id);
    return at != nullptr && to.leads_to_others_than(*at, now) ? at : nullptr;
  }

  void note_failure(const exchange& subject) {
    if (subject.on && subject.to->addresses.size() > 1
        && !subject.on->address().is_unspecified())
      failed_.note(subject.request.to->key(), subject.request.what->id,
                   subject.on->address());
  }

  /// Which of these addresses it begins with: the next one of use after that
  /// where its notification failed, if that is known. May be beyond the last.
  [[nodiscard]] std::size_t
  first_of(const exchange& subject,
           const std::vector<asio::ip::address>& in_order,
           steady_clock::time_point now) const {
    const auto* at = failed_at(subject, now);
    const auto found = at != nullptr ? std::ranges::find(in_order, *at)
                                     : in_order.end();
    if (found == in_order.end())
      return subject.request.attempt - 1U;
    const auto first = static_cast<std::size_t>(found - in_order.begin()) + 1;
    const auto last = first + in_order.size() - 1;
    auto next = first;
    while (next < last
           && subject.to->is_useless(in_order[next % in_order.size()], now))
      ++next;
    return next < last ? next : first;
  }

  [[nodiscard]] boost::intrusive_ptr<client_connection>
  take_idle(const exchange& subject, steady_clock::time_point now) {
    auto& to = *subject.to;
    if (to.idle.empty() || failed_at(subject, now) == nullptr)
      return pool_.take(to, now);
    auto in_order = to.addresses;
    interleave_families(in_order);
    return pool_.take(
      to, now, in_order[first_of(subject, in_order, now) % in_order.size()]);
  }

  /// `anywhere`: if need be also where its notification failed.
  bool run_on_idle(exchange& subject, steady_clock::time_point now,
                   bool anywhere = false) {
    auto connection = take_idle(subject, now);
    if (!connection && anywhere)
      connection = pool_.take(*subject.to, now);
    if (!connection)
      return false;
    if (counters_ != nullptr)
      counters_->reused.add();
    subject.on = std::move(connection);
    subject.on->run(subject);
    return true;
  }

  void connect(exchange& subject) {
    const auto& to = *subject.request.to;
    if (to.literal()) {
      connect(subject, {*to.literal()});
      return;
    }
    const auto via = proxy_of(subject);
    const bool by_name = via && via->resolves
                      && (via != via_ || !is_exempt(subject, {}));
    const auto& policy = policy_of(subject);
    if (auto why = by_name ? policy.refusal_of_unresolved(to.host())
                           : policy.refusal_of_name(to.host())) {
      abandon(subject, std::move(*why));
      return;
    }
    if (by_name) {
      auto way = std::make_shared<proxied_way>();
      way->via = via;
      way->name = to.host();
      reach_proxy(subject, std::move(way));
      return;
    }
    subject.clock.enter(phase::dns, subject.request.limits.dns,
                        steady_clock::now());
    look_up(subject, to.host(), "", [this, &subject](const resolution& found) {
      if (subject.again || !run_on_idle(subject, steady_clock::now()))
        connect(subject, found.addresses);
    });
  }

  /// The name of the target cannot be looked up at the moment. What is kept
  /// leads to where it was. The look-up goes on for those that come later.
  bool go_on_as_before(exchange& subject, bool anywhere = true) {
    const auto now = steady_clock::now();
    const auto waited = subject.clock.in_phase(now);
    if (subject.way || subject.again || !run_on_idle(subject, now, anywhere))
      return false;
    subject.result.timings.dns = waited;
    subject.to->known_until = now + asked_again_after;
    if (!names_ || subject.look_up == 0)
      return true;
    if (!std::exchange(subject.to->is_asked_for, true))
      names_->resolve(subject.request.to->host(),
                      [this, to = subject.to](const resolution& answer) {
                        to->is_asked_for = false;
                        note(*to, answer);
                      });
    names_->cancel(std::exchange(subject.look_up, 0));
    return true;
  }

  /// Whether it has waited for its look-up for so long that it should do
  /// without, if it can.
  static bool is_impatient(const exchange& subject,
                           steady_clock::time_point now) {
    return subject.clock.waits_for == phase::dns && subject.look_up != 0
        && now - subject.asked >= look_up_patience;
  }

  /// What a look-up says of the target's name.
  void note(destination& to, const resolution& answer) {
    if (!answer.addresses.empty())
      pool_.found(to, answer);
    else if (is_definite(answer))
      pool_.gone(to);
  }

  static bool is_definite(const resolution& answer) {
    return answer.source != answered_by::nobody
        && answer.source != answered_by::unable;
  }

  /// `next` takes the answer; a failure ends the exchange. `host` must stay
  /// as long as the exchange; `whose` is for the reason.
  template <class Next>
  void look_up(exchange& subject, const std::string& host, const char* whose,
               Next next) {
    const boost::intrusive_ptr<exchange> alive{&subject};
    subject.asked = steady_clock::now();
    // The resolver is ours and silent once it is gone, so `this` is enough.
    const auto ticket = names_->resolve(
      host, [this, &host, whose, next = std::move(next),
             mine = alive](const resolution& answer) {
        if (mine->over)
          return; // too late
        mine->look_up = 0;
        mine->result.timings.dns = mine->clock.in_phase(steady_clock::now());
        if (!mine->way)
          note(*mine->to, answer);
        if (!is_definite(answer) && go_on_as_before(*mine))
          return;
        if (!answer.failure.empty())
          abandon(*mine, answer.failure + whose,
                  fault_of(*mine, answer.source));
        else if (answer.addresses.empty())
          abandon(*mine, "dns: no address for " + host + whose);
        else
          next(answer);
      });
    if (subject.look_up == 0) // else it has gone on to look up another name
      subject.look_up = ticket;
  }

  /// The proxy that it goes through unless the target is exempt, or null.
  [[nodiscard]] std::shared_ptr<const proxy>
  proxy_of(const exchange& subject) const {
    const auto& by = subject.request.by;
    const auto& via = by && by->via ? by->via : via_;
    return via && via->how != proxy::kind::none ? via : nullptr;
  }

  /// Whether the client's own proxy is not for this target.
  [[nodiscard]] bool
  is_exempt(const exchange& subject,
            const std::vector<asio::ip::address>& addresses) const {
    const auto& to = *subject.request.to;
    return not_via_
        && ((!to.literal() && not_via_->holds(to.host()))
            || not_via_->holds_all(addresses));
  }

  void connect(exchange& subject, std::vector<asio::ip::address> addresses) {
    if (const auto& via = proxy_of(subject);
        via && (via != via_ || !is_exempt(subject, addresses))) {
      find_proxy(subject, via, std::move(addresses));
      return;
    }
    subject.addresses = std::move(addresses);
    interleave_families(subject.addresses);
    connect_directly(subject,
                     first_of(subject, subject.addresses, steady_clock::now()));
  }

  /// To one of the addresses of the exchange, `first` as in `connector`.
  void connect_directly(exchange& subject, std::size_t first) {
    boost::intrusive_ptr<client_connection> connection{
      new client_connection(*this, context_, subject.to)};
    subject.on = connection;
    connection->connect(subject, subject.addresses, first);
  }

  /// Asks the proxy for addresses, and only for those that the policy allows.
  void find_proxy(exchange& subject, std::shared_ptr<const proxy> via,
                  std::vector<asio::ip::address> targets) {
    const auto now = steady_clock::now();
    std::string refused;
    std::erase_if(targets, [&](const asio::ip::address& each) {
      auto why = refusal(subject, each);
      if (why)
        subject.to->note_useless(each, now);
      if (why && refused.empty())
        refused = *why;
      return why.has_value();
    });
    if (targets.empty()) {
      abandon(subject, std::move(refused));
      return;
    }
    std::ranges::rotate(targets,
                        targets.begin()
                          + static_cast<std::ptrdiff_t>(
                            first_of(subject, targets, now) % targets.size()));
    auto way = std::make_shared<proxied_way>();
    way->targets = std::move(targets);
    way->via = std::move(via);
    reach_proxy(subject, std::move(way));
  }

  /// Looks up the proxy, and goes the way.
  void reach_proxy(exchange& subject, std::shared_ptr<proxied_way> way) {
    subject.way = way;
    boost::system::error_code is_name;
    const auto literal = asio::ip::make_address(way->via->host, is_name);
    if (!is_name) {
      way->proxies = {literal};
      try_next_address(subject, std::move(way));
      return;
    }
    if (way->via->fenced)
      if (auto why = policy_of(subject).refusal_of_name(way->via->host)) {
        why->insert(std::string_view{"policy: "}.size(), "the proxy's name ");
        abandon(subject, std::move(*why));
        return;
      }
    // Both look-ups share a limit.
    if (subject.clock.waits_for != phase::dns)
      subject.clock.enter(phase::dns, subject.request.limits.dns,
                          steady_clock::now());
    look_up(subject, way->via->host, " (proxy)",
            [this, &subject, way](const resolution& found) {
              way->proxies = found.addresses;
              try_next_address(subject, way);
            });
  }

  /// Of an exchange whose name was not found.
  [[nodiscard]] fault fault_of(const exchange& subject,
                               answered_by source) const {
    if (source == answered_by::server || source == answered_by::machine
        || !names_ || names_->heard_since(subject.asked))
      return fault::receiver;
    return source == answered_by::unable ? fault::domain : fault::network;
  }

  void abandon(exchange& subject, std::string reason,
               fault whose = fault::receiver) {
    const bool answered = subject.on && subject.on->cut(reason);
    if (subject.on)
      subject.on->close();
    if (names_ && subject.look_up != 0)
      names_->cancel(std::exchange(subject.look_up, 0));
    if (!answered) {
      subject.result.status = 0;
      subject.result.reason = std::move(reason);
      subject.result.whose = whose;
    }
    finish(subject);
  }

  // -- time -------------------------------------------------------------------

  /// The one function that changes the state, and the timer with it.
  void enter(state next) {
    state_ = next;
    if (next != state::busy && next != state::idle) {
      timer_.cancel();
      return;
    }
    timer_.expires_after(next == state::busy ? tick_ : slow_tick_);
    timer_.async_wait([self = boost::intrusive_ptr<core>(this)](
                        const boost::system::error_code& code) {
      if (!code && self->state_ != state::closed)
        self->on_tick();
    });
  }

  void on_tick() {
    const auto now = steady_clock::now();
    // Completions may start and end other exchanges: collect first, then end.
    std::vector<boost::intrusive_ptr<exchange>> late;
    std::vector<boost::intrusive_ptr<exchange>> silent;
    for (auto& each : active_) {
      if (is_impatient(each, now)
          && go_on_as_before(each, each.asked + longest_look_up <= now))
        continue;
      if (each.clock.waits_for == phase::dns && each.look_up != 0 && names_
          && names_->is_queued(each.look_up))
        each.clock.postpone(each.request.limits.dns, now);
      if (each.clock.deadline <= now
          || each.clock.is_too_slow(each.request.limits,
                                    each.on ? each.on->received() : 0, now))
        late.emplace_back(&each);
      else if (each.on && each.on->is_left_waiting(now))
        pool_.crowded(*each.to, now);
      else if (each.on && each.on->is_way_silent(now))
        silent.emplace_back(&each);
    }
    for (const auto& each : silent)
      if (each->on && each->on->is_way_silent(now))
        each->on->skip_way();
    for (const auto& each : late) {
      if (each->over)
        continue;
      const auto waits_for = each->clock.waits_for;
      auto why = waits_for == phase::connect && !each->shown.empty()
                 ? std::move(each->shown)
                 : each->clock.timeout_reason(
                   each->request.limits, each->on && each->on->in_proxy(), now);
      const bool goes_on = each->clock.ends > now
                        && (waits_for == phase::dns
                              ? go_on_as_before(*each)
                              : each->on && each->on->skip_handshake(why));
      if (!goes_on)
        abandon(*each, std::move(why),
                each->look_up != 0 && waits_for == phase::dns
                  ? fault_of(*each, answered_by::nobody)
                  : fault::receiver);
    }
    pool_.expire(now);
    if (state_ == state::closed)
      return; // by a completion
    if (!active_.empty())
      enter(state::busy);
    else
      enter(pool_.idle() > 0 ? state::idle : state::quiet);
  }

  asio::io_context& context_;
  const address_policy policy_;
  std::shared_ptr<tls_settings> tls_;
  const std::shared_ptr<const proxy> via_;
  const std::shared_ptr<const host_list> not_via_;
  const milliseconds tick_;
  const milliseconds slow_tick_;
  std::unique_ptr<resolver> names_;
  timer_type timer_;

  connection_pool pool_;
  client_counters* const counters_;
  failed_addresses failed_;
  // Owns a reference to each of its members.
  boost::intrusive::list<exchange,
                         boost::intrusive::base_hook<list_hook<of_all>>,
                         boost::intrusive::constant_time_size<false>>
    active_;
  std::size_t active_count_ = 0;
  std::size_t connects_ = 0;
  state state_ = state::quiet;
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
