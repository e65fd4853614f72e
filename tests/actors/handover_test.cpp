// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// The hand-over from backlog to live, and everything else that may lose or
/// repeat a notification: random histories in random interleavings, many
/// seeds, against the definition of who gets what.

#include "model/subscription.hpp"
#include "tests/actors/actor_test.hpp"

#include <algorithm>
#include <random>
#include <set>
#include <sstream>

namespace fanfare::test {

namespace {

struct plan {
  bool kills = false;    ///< webhook actors crash
  bool restarts = false; ///< the process crashes
  bool toggles = true;   ///< users and 410 disable and enable
  bool narrow = false;   ///< few attempts at once on the lane
  int steps = 250;
};

class history {
public:
  history(std::uint64_t seed, plan p) : random_(seed), plan_(p) {
    options_.window = pick(1, 8);
    options_.max_in_flight = pick(1, 4);
    options_.max_ahead = chance(50) ? pick(2, 6) : 4'096;
    options_.max_fetch = pick(1, 6);
    options_.idle_checkpoints = pick(0, 3);
    options_.max_unrouted = chance(50) ? pick(1, 10) : 20'000;
    options_.backoff.schedule = {1s, 2s, 2s, 3s, 3s, 3s};
    options_.backoff.max_age = 1'000h;
    options_.seed = seed;
    if (plan_.narrow) {
      options_.limits.total = pick(1, 3);
      options_.limits.per_destination = pick(1, 2);
    }
    begin({});
    const auto hooks = pick(2, 4);
    for (std::size_t i = 0; i < hooks; ++i) {
      webhook_record w;
      w.owner = chance(80) ? 1 : 2;
      w.target_url = "http://h" + std::to_string(i + 1) + ".example/";
      w.versions.push_back({.from = 0, .value = some_subscription()});
      node_->queue.push({.what = storage::add_webhook{.value = w}, .done = {}});
    }
  }

  std::string run() {
    for (int i = 0; i < plan_.steps && failure_.str().empty(); ++i) {
      step();
      if (chance(5))
        check_cursors();
    }
    settle();
    check_cursors();
    check_end();
    return failure_.str();
  }

private:
  struct sending {
    webhook_id hook;
    position subject;
  };

  std::size_t pick(std::size_t from, std::size_t upto) {
    return std::uniform_int_distribution<std::size_t>{from, upto}(random_);
  }
  bool chance(std::size_t percent) {
    return pick(1, 100) <= percent;
  }

  subscription some_subscription() {
    subscription s;
    s.all_events = chance(60);
    for (event_id e : {1U, 2U})
      if (chance(50))
        s.events.push_back(e);
    for (action_type_id t : {1U, 2U, 3U})
      if (chance(70))
        s.types.push_back(t);
    if (chance(15)) {
      s.types.clear();
      s.wildcards = {"*"};
    }
    return s;
  }

  static webhook_id hook_of(const std::string& url) {
    return static_cast<webhook_id>(url.at(8) - '0');
  }

  void begin(disk from) {
    node_ = std::make_unique<node>(clock_, std::move(from), options_);
    node_->reader.max_scan = pick(1, 20);
    node_->reader.journal_limit = pick(1, 6);
    node_->wire.on_send = [this](const fake_wire::exchange& e) {
      sent_.push_back({hook_of(e.url), e.what->id});
      std::size_t open = 0;
      for (auto i : node_->wire.open)
        if (hook_of(node_->wire.sent[i].url) == sent_.back().hook)
          ++open;
      if (!plan_.kills && open > options_.max_in_flight)
        failure_ << "more in flight than allowed\n";
    };
    // Nothing is committed before routing has begun.
    node_->begin_later();
    while (!node_->begun())
      run_some(1);
  }

  void end() {
    node_->wire.on_send = nullptr;
    node_.reset();
  }

  void run_some(std::size_t count) {
    auto& jobs = node_->sys.sched.jobs;
    for (; count > 0 && !jobs.empty(); --count) {
      auto next = jobs.begin()
                + static_cast<std::ptrdiff_t>(pick(0, jobs.size() - 1));
      // Attempts begin on one lane, in the order in which they were started.
      if (is_delivery(*next))
        next = std::ranges::find_if(jobs, is_delivery);
      std::rotate(jobs.begin(), next, next + 1);
      node_->sys.sched.try_run_once();
    }
  }

  static bool is_delivery(caf::resumable* job) {
    return dynamic_cast<delivery*>(job) != nullptr;
  }

  void answer_one(std::size_t ok, std::size_t gone) {
    auto& wire = node_->wire;
    if (wire.open.empty())
      return;
    const auto i = wire.open[pick(0, wire.open.size() - 1)];
    const auto r = pick(1, 100);
    wire.answer(i, status(r <= ok ? 200 : r <= ok + gone ? 410 : 500));
  }

  void step() {
    const auto what = pick(1, 100);
    if (what <= 15) {
      for (auto n = pick(1, 4); n > 0; --n)
        node_->publish_later(static_cast<action_type_id>(pick(1, 3)),
                             chance(80) ? 1 : 2,
                             static_cast<event_id>(pick(0, 2)));
    } else if (what <= 45) {
      run_some(pick(1, 12));
    } else if (what <= 60) {
      node_->reader.step(pick(0, 5));
    } else if (what <= 80) {
      for (auto n = pick(1, 3); n > 0; --n)
        answer_one(70, plan_.toggles ? 3 : 0);
    } else if (what <= 85) {
      clock_.set(clock_.now() + std::chrono::milliseconds{pick(1, 1'500)});
      node_->timers.fire(clock_.now());
    } else if (what <= 91) {
      node_->crew.router().send(atom::checkpoint_v);
    } else if (what <= 96) {
      edit();
    } else if (what <= 98 && plan_.kills) {
      kill_or_revive();
    } else if (what > 98 && plan_.restarts) {
      check_cursors();
      auto left = node_->store.contents();
      killed_.clear();
      revived_.clear();
      end();
      begin(std::move(left));
    }
  }

  void edit() {
    const auto& hooks = node_->store.contents().hooks;
    if (hooks.empty())
      return;
    const auto id = static_cast<webhook_id>(pick(1, hooks.size()));
    const auto kind = pick(1, plan_.toggles ? 4 : 2);
    if (kind == 1) {
      auto value = some_subscription();
      node_->edit_later(id, [value](webhook_record& w) {
        const auto enabled = w.current().enabled;
        w.current() = value;
        w.current().enabled = enabled;
      });
    } else if (kind == 2) {
      auto url = "http://h" + std::to_string(id) + ".example/"
               + std::to_string(pick(1, 3));
      node_->edit_later(id, [url](webhook_record& w) { w.target_url = url; });
    } else {
      const bool on = kind == 3 || chance(60);
      node_->edit_later(id,
                        [on](webhook_record& w) { w.current().enabled = on; });
    }
  }

  void kill_or_revive() {
    if (node_->workers.empty())
      return;
    // The supervisor hears of the end before it has one started again.
    for (auto id : killed_)
      if (!is_alive(node_->workers.at(id)) && chance(70)) {
        node_->crew.router().send(atom::revive_v, id);
        revived_[id] = node_->workers.at(id);
        killed_.erase(id);
        return;
      }
    auto i = std::next(
      node_->workers.begin(),
      static_cast<std::ptrdiff_t>(pick(0, node_->workers.size() - 1)));
    // One that has ended already is not news.
    if (revived_[i->first] == i->second || !is_alive(i->second))
      return;
    caf::anon_send_exit(i->second, caf::exit_reason::kill);
    killed_.insert(i->first);
  }

  static bool is_alive(const webhook_actor& who) {
    auto* a = caf::actor_cast<caf::abstract_actor*>(who);
    return !static_cast<caf::monitorable_actor*>(a)->getf(
      caf::abstract_actor::is_terminated_flag);
  }

  /// Everything goes well from here on.
  void settle() {
    auto& n = *node_;
    n.wire.script = [](const auto&) { return std::optional{status(200)}; };
    n.run();
    for (auto id : killed_)
      n.crew.router().send(atom::revive_v, id);
    n.run();
    for (int i = 0; i < 1'000 && n.timers.next(); ++i)
      n.advance(std::max(0ms, *n.timers.next() - clock_.now()));
    if (n.timers.next())
      failure_ << "does not come to rest\n";
    for (int i = 0; i < 6; ++i)
      n.checkpoint();
    if (n.in_flight != 0)
      failure_ << "in flight: " << n.in_flight << "\n";
    if (n.active_webhooks != 0) {
      failure_ << "still active: " << n.active_webhooks << "\n";
      for (const auto& [id, s] : n.slots)
        failure_ << "  webhook " << id << ": credits " << s->credits
                 << ", skipped " << s->skipped_upto << ", read " << s->read_upto
                 << ", settled " << s->settled_upto << ", unfinished "
                 << s->unfinished << "\n";
    }
  }

  /// No cursor is past what has neither been called nor ended by disabling.
  void check_cursors() {
    const auto& d = node_->store.contents();
    std::set<std::pair<webhook_id, position>> called;
    for (const auto& c : d.calls)
      called.emplace(c.hook, c.subject);
    for (const auto& [id, record] : d.hooks) {
      const auto upto = node_->store.progress_of(id);
      for (const auto& n : d.journal)
        if (upto.settled(n->id) && wanted(record, *n)
            && !called.contains({id, n->id}))
          failure_ << "webhook " << id << ": " << n->id
                   << " counts as settled without a call\n";
    }
  }

  static bool matched(const disk::stored& r, const notification& n) {
    const auto* sub = version_at(r.hook, n.id);
    return n.owner == r.hook.owner && sub != nullptr
        && matches(*sub, n.type, n.action, n.event);
  }
  static bool wanted(const disk::stored& r, const notification& n) {
    return n.id > r.ended_upto && matched(r, n);
  }

  static std::string describe(const std::vector<call>& of) {
    std::string text;
    for (const auto& c : of)
      text += "; attempt " + std::to_string(c.attempt) + ": "
            + std::to_string(c.status) + " " + c.reason;
    return text;
  }

  void check_end() {
    const auto& d = node_->store.contents();
    const bool once = !plan_.kills && !plan_.restarts;
    std::map<std::pair<webhook_id, position>, std::vector<call>> calls;
    for (const auto& c : d.calls)
      calls[{c.hook, c.subject}].push_back(c);
    std::map<std::pair<webhook_id, position>, std::size_t> sendings;
    std::map<webhook_id, position> newest;
    for (const auto& s : sent_) {
      const auto& n = *d.journal.at(s.subject - 1);
      if (!matched(d.hooks.at(s.hook), n))
        failure_ << "webhook " << s.hook << " got " << s.subject
                 << ", which is not for it\n";
      if (sendings[{s.hook, s.subject}]++ != 0)
        continue;
      if (s.subject < newest[s.hook])
        failure_ << "webhook " << s.hook << ": " << s.subject
                 << " begins after " << newest[s.hook] << "\n";
      newest[s.hook] = std::max(newest[s.hook], s.subject);
    }
    for (const auto& [id, record] : d.hooks) {
      // One that was disabled may have kept some if a crash came right after.
      if (!node_->store.standing_of(id).retries.by_subject.empty()
          && (once || record.hook.current().enabled))
        failure_ << "webhook " << id << " has retries left\n";
      for (const auto& n : d.journal) {
        const auto& of = calls[{id, n->id}];
        if (wanted(record, *n)
            && (of.empty()
                || (of.back().result != outcome::delivered
                    && (of.back().result != outcome::given_up
                        || of.back().attempt != 7))))
          failure_ << "webhook " << id << " never got " << n->id << describe(of)
                   << "\n";
        if (!once)
          continue;
        std::uint16_t attempt = 0;
        std::size_t made = 0;
        for (const auto& c : of) {
          const bool note = c.status == 0; // says something of the attempt
          made += note ? 0 : 1;
          if (!note && c.attempt != ++attempt)
            failure_ << "webhook " << id << ", " << n->id << ": attempt "
                     << c.attempt << " after " << attempt - 1 << "\n";
          if (c.result == outcome::delivered && &c != &of.back())
            failure_ << "webhook " << id << " got " << n->id
                     << " more than once\n";
        }
        if (made != sendings[{id, n->id}])
          failure_ << "webhook " << id << ", " << n->id << ": " << made
                   << " calls logged of " << sendings[{id, n->id}] << "\n";
      }
    }
  }

  std::mt19937_64 random_;
  plan plan_;
  node_options options_;
  fake_clock clock_;
  std::vector<sending> sent_;
  std::set<webhook_id> killed_;
  std::ostringstream failure_;
  std::unique_ptr<node> node_;
  std::map<webhook_id, webhook_actor> revived_;
};

void expect_nothing_lost(std::uint64_t first, std::uint64_t count, plan p) {
  std::size_t failures = 0;
  for (auto seed = first; seed < first + count && failures < 3; ++seed) {
    auto failure = history{seed, p}.run();
    EXPECT_EQ(failure, "") << "seed " << seed;
    failures += failure.empty() ? 0 : 1;
  }
}

TEST(HandoverTest, EachNotificationIsSentExactlyOnceWhateverTheInterleaving) {
  expect_nothing_lost(1, 300, {});
}

TEST(HandoverTest, FewPlacesOnTheLaneLoseAndRepeatNothing) {
  expect_nothing_lost(10'001, 200, {.toggles = false, .narrow = true});
}

TEST(HandoverTest, WebhookActorsThatCrashLoseNothing) {
  expect_nothing_lost(20'001, 200, {.kills = true});
}

TEST(HandoverTest, ProcessesThatCrashLoseNothing) {
  expect_nothing_lost(30'001, 200, {.restarts = true, .steps = 400});
}

TEST(HandoverTest, AllKindsOfCrashesTogetherLoseNothing) {
  expect_nothing_lost(40'001, 200,
                      {.kills = true, .restarts = true, .steps = 400});
}

} // namespace

} // namespace fanfare::test
