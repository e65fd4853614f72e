// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Random histories against a model of what must be true, on both stores there
/// are, which must give the same answers to everything. After every commit the
/// LMDB store's files are copied, as they would be found after a crash, and the
/// copy is opened: it must know what the running store knows.

#include "model/subscription.hpp"
#include "storage/lmdb/store.hpp"
#include "tests/storage/same_answers.hpp"
#include "tests/support/memory_store/store.hpp"
#include "tests/support/temp_dir.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <random>
#include <set>

namespace fanfare::test {

namespace {

constexpr std::size_t everything = 1'000'000;

/// What is true of one webhook, kept in the most simple-minded way.
struct model_hook {
  webhook_record hook; ///< with all versions it ever had
  position floor = 0;  ///< nothing at or before it will be sent
  std::set<position> attempted;
  std::map<position, retry> retries;
  std::vector<call> calls;
  std::optional<timestamp> replaying; ///< since then
};

struct model {
  std::vector<notification_ptr> journal;
  std::map<webhook_id, model_hook> hooks;
  position routed_upto = 0;
  call_id calls = 0;
  call_id first_call = 1;               ///< older ones have expired
  std::map<char, std::int64_t> answers; ///< when they were made

  [[nodiscard]] position tail() const {
    return journal.size();
  }

  /// What the webhook is to get and was not yet tried.
  [[nodiscard]] std::vector<position> pending(const model_hook& h) const {
    std::vector<position> found;
    if (!h.hook.current().enabled)
      return found;
    for (auto p = h.floor + 1; p <= tail(); ++p) {
      const auto& n = *journal[p - 1];
      const auto* version = version_at(h.hook, p);
      if (n.owner == h.hook.owner && version
          && matches(*version, n.type, n.action, n.event)
          && !h.attempted.contains(p))
        found.push_back(p);
    }
    return found;
  }
};

class history {
public:
  explicit history(std::uint64_t seed) : random_(seed) {
    open();
  }

  void run(int commits) {
    for (int i = 0; i < commits && !::testing::Test::HasFailure(); ++i) {
      step();
      check(*store_, "live");
      check(memory_, "in memory");
      check_copy();
      if (chance(5)) {
        store_.reset();
        open();
        memory_.reopen();
        for (auto* reopened : {store_.get(), static_cast<store*>(&memory_)}) {
          check(*reopened, "reopened");
          check_recovered(*reopened);
        }
        twin_reader{*store_, memory_, random_}.compare_recovered();
      }
      twin_reader{*store_, memory_, random_}.compare_all(at_ms(clock_));
    }
  }

private:
  std::size_t below(std::size_t n) {
    return random_() % n;
  }
  bool chance(int percent) {
    return below(100) < static_cast<std::size_t>(percent);
  }
  template <class C>
  auto& any_of(C& c) {
    return *std::next(c.begin(), static_cast<std::ptrdiff_t>(below(c.size())));
  }

  void open() {
    auto opened = open_embedded(dir_ / "data");
    ASSERT_TRUE(opened) << opened.error().detail;
    store_ = std::move(*opened);
  }

  /// One commit of some operations. The model is changed once it has succeeded,
  /// in the same order.
  void step() {
    std::vector<operation> batch;
    auto truth = truth_;
    if (chance(10))
      plan_expiry(batch, truth);
    for (auto n = 1 + below(chance(50) ? 1 : 6); n > 0; --n)
      plan_operation(batch, truth);
    auto same = batch;
    auto done = store_->commit(batch);
    ASSERT_TRUE(done) << done.error().detail;
    ASSERT_TRUE(memory_.commit(same));
    for (std::size_t i = 0; i < batch.size(); ++i) {
      compare_output(batch[i], truth);
      ASSERT_TRUE(has_same_output(batch[i], same[i]))
        << "operation " << batch[i].index();
    }
    truth_ = std::move(truth);
  }

  void plan_operation(std::vector<operation>& batch, model& truth) {
    if (truth.hooks.size() < 3) {
      plan_webhook(batch, truth);
      return;
    }
    if (chance(1)) // a day passes
      clock_ += std::chrono::milliseconds{idempotency_lifetime}.count();
    switch (below(25)) {
      case 0: plan_webhook(batch, truth); break;
      case 1: plan_edit(batch, truth); break;
      case 2: plan_toggle(batch, truth, any_of(truth.hooks).second); break;
      case 3:
      case 4: plan_checkpoint(batch, truth); break;
      case 5: {
        auto& h = any_of(truth.hooks).second;
        batch.emplace_back(drop_retries{h.hook.id});
        batch.emplace_back(amend_progress{.hook = h.hook.id,
                                          .off_since = at_ms(clock_ - 5),
                                          .off_until = at_ms(clock_),
                                          .lift_hold = chance(50),
                                          .forget_failures = chance(20)});
        h.retries.clear();
        break;
      }
      case 6:
      case 7:
      case 8:
      case 9: plan_publish(batch, truth); break;
      case 10: plan_registry(batch, truth); break;
      case 11: plan_answer(batch, truth); break;
      case 12: plan_enqueue(batch, truth); break;
      case 13: plan_replay(batch, truth); break;
      default: plan_call(batch, truth); break;
    }
  }

  /// What the model need not know.
  void plan_registry(std::vector<operation>& batch, model& truth) {
    const auto name = std::string(1 + below(2),
                                  static_cast<char>('a' + below(3)));
    const auto owner = static_cast<organizer_id>(1 + below(3));
    const auto id = static_cast<token_id>(1 + below(4));
    switch (below(9)) {
      case 0:
        batch.emplace_back(add_organizer{.slug = name, .name = "n"});
        break;
      case 1:
        batch.emplace_back(
          add_event{.owner = owner, .slug = name, .name = "n"});
        break;
      case 2:
        // A wildcard, since all actions are `a.b`: else the name is the action.
        batch.emplace_back(add_action_type{.name = name + ".*"});
        break;
      case 3: {
        token added;
        added.owner = owner;
        added.name = name;
        batch.emplace_back(add_token{.value = added});
        break;
      }
      case 4: batch.emplace_back(revoke_token{.owner = owner, .id = id}); break;
      case 5:
        batch.emplace_back(touch_tokens{
          {{id, at_ms(clock_ - static_cast<std::int64_t>(below(9)))},
           {77, at_ms(clock_)}}});
        break;
      case 6:
        batch.emplace_back(change_organizer{
          .id = owner, .edit = [name](organizer& o) -> result<void> {
            o.name = o.slug = name;
            o.id = 9;
            return name == "a" ? result<void>{error{ec::conflict, "no"}}
                               : result<void>{};
          }});
        break;
      case 7: {
        // A change that makes no version, one that fails, one of nothing.
        const auto& h = any_of(truth.hooks).second;
        change_webhook op;
        op.id = h.hook.id + (chance(10) ? 99 : 0);
        op.owner = chance(30) ? owner : 0;
        op.now = at_ms(clock_);
        op.edit = [name](webhook_record& w) -> result<void> {
          w.target_url = "http://127.0.0.1/" + name;
          w.comment = name;
          return name == "bb" ? result<void>{error{ec::conflict, "no", "f"}}
                              : result<void>{};
        };
        batch.emplace_back(std::move(op));
        break;
      }
      default:
        batch.emplace_back(drop_retries{99});
        batch.emplace_back(enqueue{.hook = 99, .entries = {{.subject = 1}}});
        batch.emplace_back(start_replay{.owner = owner, .hook = 99});
        break;
    }
  }

  /// Whether nothing is kept under the key. Keeps something from now on.
  bool keep_answer(char key, model& truth) {
    const std::chrono::milliseconds lifetime{idempotency_lifetime};
    const auto i = truth.answers.find(key);
    if (i != truth.answers.end() && clock_ - i->second < lifetime.count())
      return false;
    truth.answers[key] = clock_;
    return true;
  }

  void plan_answer(std::vector<operation>& batch, model& truth) {
    const auto key = static_cast<char>('a' + below(5));
    remember_answer op;
    op.key = key_of(key);
    op.now = at_ms(++clock_);
    op.answer = answer_of(std::to_string(clock_));
    keep_answer(key, truth);
    batch.emplace_back(std::move(op));
  }

  void plan_enqueue(std::vector<operation>& batch, model& truth) {
    auto& h = any_of(truth.hooks).second;
    enqueue op{.hook = h.hook.id, .entries = {}, .progress = {}};
    const auto subject = 1 + below(truth.tail() + 1);
    // One that was not removed, and is not about to be.
    if (store_->journal().find(subject)
        && std::ranges::none_of(batch, [](const operation& o) {
             return std::holds_alternative<expire>(o);
           }))
      op.entries.push_back(
        {.subject = subject,
         .due = at_ms(clock_ + static_cast<std::int64_t>(below(9))),
         .attempt = 1,
         .resent = true});
    const bool enabled = h.hook.current().enabled;
    if (chance(40)) {
      // Of the replay that runs, or of one that does not.
      op.progress.emplace();
      op.progress->started = h.replaying && chance(80) ? *h.replaying
                                                       : at_ms(clock_ + 1);
      op.progress->asked.until = at_ms(clock_);
      op.progress->cursor = subject;
      op.progress->state = chance(50) ? replay_state::running
                                      : replay_state::done;
    }
    const bool counts = enabled
                     && (!op.progress || op.progress->started == h.replaying);
    if (counts) {
      for (const auto& r : op.entries)
        h.retries[r.subject] = r;
      if (op.progress && op.progress->state == replay_state::done)
        h.replaying.reset();
    }
    batch.emplace_back(std::move(op));
  }

  void plan_replay(std::vector<operation>& batch, model& truth) {
    auto& h = any_of(truth.hooks).second;
    start_replay op;
    op.hook = h.hook.id;
    op.owner = chance(90) ? h.hook.owner : 9;
    op.value->started = at_ms(++clock_);
    op.value->upto = truth.tail();
    op.value->selecting = h.hook.current();
    if (h.hook.current().enabled && op.owner == h.hook.owner && !h.replaying)
      h.replaying = op.value->started;
    batch.emplace_back(std::move(op));
  }

  void plan_publish(std::vector<operation>& batch, model& truth) {
    append_notifications op;
    op.published = at_ms(++clock_);
    bool appended = true;
    if (chance(20)) {
      const auto key = static_cast<char>('a' + below(5));
      op.once = publish_once{.key = key_of(key)};
      appended = keep_answer(key, truth);
    }
    for (auto n = 1 + below(3); n > 0; --n) {
      auto d = draft_of(static_cast<action_type_id>(1 + below(3)),
                        static_cast<organizer_id>(1 + below(2)));
      d.event = static_cast<event_id>(below(3));
      op.drafts.push_back(d);
      if (!appended)
        continue;
      truth.journal.push_back(std::make_shared<notification>(
        notification{.id = truth.tail() + 1,
                     .published = op.published,
                     .owner = d.owner,
                     .event = d.event,
                     .type = d.type,
                     .action = d.action,
                     .body = R"({"notification_id": )"
                           + std::to_string(truth.tail() + 1) + d.rest}));
    }
    batch.emplace_back(std::move(op));
  }

  subscription random_subscription() {
    subscription s;
    s.all_events = chance(50);
    for (event_id e = 1; e < 3; ++e)
      if (chance(50))
        s.events.push_back(e);
    for (action_type_id t = 1; t < 4; ++t)
      if (chance(60))
        s.types.push_back(t);
    if (chance(30))
      s.wildcards = {chance(50) ? "a.*" : "b.*"}; // all are `a.b`
    return s;
  }

  void plan_webhook(std::vector<operation>& batch, model& truth) {
    auto hook = hook_of(static_cast<organizer_id>(1 + below(2)), {});
    hook.current() = random_subscription();
    if (chance(50))
      hook.delivery.rate_limit = {
        .count = static_cast<std::uint32_t>(1 + below(9)),
        .period = std::chrono::milliseconds{1 + below(50)}};
    if (chance(30))
      hook.delivery.batch = {.max_count = 2};
    batch.emplace_back(add_webhook{.value = hook});
    hook.id = truth.hooks.size() + 1;
    hook.versions.front().from = truth.tail() + 1;
    truth.hooks[hook.id] = {.hook = hook,
                            .floor = truth.tail(),
                            .attempted = {},
                            .retries = {},
                            .calls = {}};
  }

  void edit(std::vector<operation>& batch, model& truth, model_hook& h,
            const subscription& s) {
    batch.emplace_back(
      change_of(h.hook.id, [s](webhook_record& hook) { hook.current() = s; }));
    if (s == h.hook.current())
      return;
    auto toggled = s.enabled != h.hook.current().enabled;
    h.hook.versions.push_back({.from = truth.tail() + 1, .value = s});
    if (toggled) {
      h.floor = truth.tail();
      h.retries.clear();
      h.replaying.reset();
    }
  }

  void plan_edit(std::vector<operation>& batch, model& truth) {
    auto& h = any_of(truth.hooks).second;
    auto s = random_subscription();
    s.enabled = h.hook.current().enabled;
    edit(batch, truth, h, s);
  }

  void plan_toggle(std::vector<operation>& batch, model& truth, model_hook& h) {
    auto s = h.hook.current();
    s.enabled = !s.enabled;
    edit(batch, truth, h, s);
  }

  /// An attempt ends, as a webhook actor would report it: of one of the first
  /// few that wait, so that they end out of order, or of a retry.
  void plan_call(std::vector<operation>& batch, model& truth) {
    auto& h = any_of(truth.hooks).second;
    auto pending = truth.pending(h);
    auto result = static_cast<outcome>(below(4) == 3 && chance(70) ? 0
                                                                   : below(4));
    position subject = 0;
    std::uint16_t attempt = 1;
    auto enabled = h.hook.current().enabled;
    if (!enabled) {
      // It was in flight when its webhook was disabled.
      if (h.floor == 0)
        return;
      subject = 1 + below(h.floor);
    } else if (!h.retries.empty() && (pending.empty() || chance(40))) {
      const auto& r = any_of(h.retries).second;
      subject = r.subject;
      attempt = r.attempt;
    } else if (!pending.empty()) {
      subject = pending[below(std::min<std::size_t>(pending.size(), 4))];
    } else {
      return;
    }
    auto c = call_of(h.hook.id, subject, result, 0);
    if (chance(10)) // other 5 minutes, or another hour
      clock_ += static_cast<std::int64_t>(
        below(chance(20) ? 4'000'000 : 300'000));
    c.time = at_ms(chance(80) ? ++clock_ : clock_);
    c.timings.total = std::chrono::microseconds{below(1'000'000)};
    c.attempt = attempt;
    c.repeated = chance(10);
    c.unsent = chance(10);
    if (chance(10))
      c.held_until = at_ms(clock_ + static_cast<std::int64_t>(below(1000)));
    c.shows = static_cast<evidence>(chance(80) ? 0 : 1 + below(3));
    if (result == outcome::retried)
      c.retry_due = at_ms(clock_ + static_cast<std::int64_t>(below(1000)));
    h.attempted.insert(subject);
    pending = truth.pending(h);
    c.settled_upto = pending.empty() ? (enabled ? truth.tail() : h.floor)
                                     : pending.front() - 1;
    if (chance(20))
      c.settled_upto = below(c.settled_upto
                             + 1); // it may know less than it could
    logged_call logged{c};
    logged.uncounted = chance(20);
    batch.emplace_back(append_call{logged});
    c.id = ++truth.calls;
    h.calls.push_back(c);
    if (result == outcome::retried && enabled)
      h.retries[subject] = {
        .subject = subject,
        .due = c.retry_due,
        .attempt = static_cast<std::uint16_t>(
          attempt + (c.shows == evidence::ordinary ? 1 : 0)),
        .tried = attempt == 1 && c.shows != evidence::ordinary};
    else
      h.retries.erase(subject);
    if (result == outcome::gone && enabled)
      plan_toggle(batch, truth, h);
  }

  void plan_checkpoint(std::vector<operation>& batch, model& truth) {
    save_checkpoint op;
    op.routed_upto = truth.routed_upto
                   + below(truth.tail() - truth.routed_upto + 1);
    for (const auto& [id, h] : truth.hooks) {
      auto pending = truth.pending(h);
      if (!pending.empty() && pending.front() <= op.routed_upto)
        op.behind.push_back(
          {.hook = id, .cursor = chance(80) ? pending.front() - 1 : h.floor});
    }
    std::ranges::shuffle(op.behind, random_);
    if (chance(50))
      op.runs = started_again({.until = at_ms(clock_)}, at_ms(clock_ + 7));
    truth.routed_upto = op.routed_upto;
    batch.emplace_back(std::move(op));
  }

  void plan_expiry(std::vector<operation>& batch, model& truth) {
    auto cutoff = at_ms(clock_ - static_cast<std::int64_t>(below(20)));
    auto plan = store_->plan_expiry(cutoff, 1 + below(20), {});
    ASSERT_TRUE(plan);
    batch.emplace_back(
      expire{.notifications = plan->notifications,
             .calls_upto = plan->calls_upto,
             .answers_before = at_ms(clock_) - idempotency_lifetime,
             .max_answers = 1 + below(3)});
    truth.first_call = std::max(truth.first_call, plan->calls_upto + 1);
  }

  static void compare_output(const operation& op, const model& truth) {
    if (const auto* published = std::get_if<append_notifications>(&op)) {
      ASSERT_TRUE(published->done);
      for (const auto& n : *published->done)
        ASSERT_EQ(*n, *truth.journal[n->id - 1]);
    } else if (const auto* called = std::get_if<append_call>(&op)) {
      const auto& calls = truth.hooks.at(called->entry.hook).calls;
      ASSERT_NE(std::ranges::find(calls, called->entry), calls.end());
    }
  }

  /// Whether the store knows what the model knows.
  void check(store& store, const char* which) const {
    SCOPED_TRACE(which);
    ASSERT_EQ(store.journal().tail(), truth_.tail());
    ASSERT_EQ(store.statistics().last_call, truth_.calls);
    auto states = load_all(store);
    for (const auto& [id, h] : truth_.hooks) {
      SCOPED_TRACE("webhook " + std::to_string(id));
      const auto& state = states.at(id);
      ASSERT_EQ(state.hook.current(), h.hook.current());
      std::vector<retry> retries = state.retries;
      std::ranges::sort(retries, {}, &retry::subject);
      std::vector<retry> expected;
      for (const auto& [subject, r] : h.retries)
        expected.push_back(r);
      ASSERT_EQ(retries, expected);
      auto listed = store.deliveries().retries(id).value();
      std::ranges::sort(listed, {}, &retry::subject);
      ASSERT_EQ(listed, expected);
      check_backlog(store, h, state);
      check_calls(store, h);
      for (const auto& r : retries)
        ASSERT_TRUE(store.journal().find(r.subject)) << "needed by a retry";
    }
  }

  /// What is read behind the cursor, without what was settled ahead of it, is
  /// what the model waits for: with the right versions, and nothing expired.
  void check_backlog(store& store, const model_hook& h,
                     const webhook_state& state) const {
    auto pending = truth_.pending(h);
    if (!state.hook.current().enabled) {
      ASSERT_TRUE(pending.empty());
      return;
    }
    auto read = store.journal().read_backlog(
      state.hook, state.upto.cursor, truth_.tail(), everything, everything);
    ASSERT_TRUE(read);
    std::vector<position> waiting;
    for (const auto& n : read->matches) {
      ASSERT_EQ(*n, *truth_.journal[n->id - 1]);
      if (!state.upto.settled(n->id))
        waiting.push_back(n->id);
    }
    ASSERT_EQ(waiting, pending);
  }

  void check_calls(store& store, const model_hook& h) const {
    std::vector<call> expected{h.calls.rbegin(), h.calls.rend()};
    std::erase_if(expected,
                  [&](const call& c) { return c.id < truth_.first_call; });
    ASSERT_EQ(store.call_log().newest(h.hook.id, 0, everything).value(),
              expected);
  }

  /// Whether routing and the webhooks that are listed are all that is to be
  /// done.
  void check_recovered(store& store) const {
    const auto& found = store.recovered();
    ASSERT_EQ(found.routed_upto, truth_.routed_upto);
    std::map<webhook_id, recovery::unsettled> listed;
    for (const auto& w : found.webhooks)
      ASSERT_TRUE(listed.emplace(w.hook, w).second);
    for (const auto& [id, h] : truth_.hooks) {
      SCOPED_TRACE("webhook " + std::to_string(id));
      auto pending = truth_.pending(h);
      auto i = listed.find(id);
      auto has_retries = i != listed.end() && i->second.has_retries;
      auto behind = i != listed.end() && i->second.behind;
      ASSERT_EQ(has_retries, !h.retries.empty() || h.replaying.has_value());
      if (!pending.empty() && pending.front() <= found.routed_upto) {
        ASSERT_TRUE(behind);
        ASSERT_LT(i->second.cursor, pending.front());
      }
      ASSERT_TRUE(h.hook.current().enabled || i == listed.end());
    }
  }

  /// Copies what is on disk after a crash: tables of some earlier time, and the
  /// log since.
  void check_copy() {
    namespace fs = std::filesystem;
    constexpr auto over = fs::copy_options::overwrite_existing;
    if (!fs::exists(dir_ / "tables.mdb") || random_() % 8 == 0) {
      dynamic_cast<lmdb::embedded_store&>(*store_).settle();
      fs::copy_file(dir_ / "data/fanfare.mdb", dir_ / "tables.mdb", over);
    }
    fs::remove_all(dir_ / "copy");
    fs::create_directories(dir_ / "copy/log");
    fs::copy_file(dir_ / "tables.mdb", dir_ / "copy/fanfare.mdb");
    for (const auto& file : fs::directory_iterator{dir_ / "data/log"})
      fs::copy_file(file, dir_ / "copy/log" / file.path().filename());
    auto copy = open_embedded(dir_ / "copy");
    ASSERT_TRUE(copy) << copy.error().detail;
    check(**copy, "after the crash");
    check_recovered(**copy);
    auto before = load_all(*store_);
    auto after = load_all(**copy);
    for (const auto& [id, state] : before) {
      ASSERT_EQ(after.at(id).hook, state.hook);
      ASSERT_EQ(after.at(id).upto, state.upto);
      ASSERT_EQ(after.at(id).retries, state.retries);
    }
  }

  std::map<webhook_id, webhook_state> load_all(store& store) const {
    std::vector<operation> batch;
    for (const auto& [id, h] : truth_.hooks) {
      barrier op;
      op.load = id;
      batch.emplace_back(std::move(op));
    }
    EXPECT_TRUE(store.commit(batch));
    std::map<webhook_id, webhook_state> states;
    for (auto& op : batch) {
      auto& loaded = std::get<barrier>(op);
      EXPECT_TRUE(loaded.done);
      states.emplace(loaded.load, std::move(*loaded.done));
    }
    return states;
  }

  temp_dir dir_;
  std::mt19937_64 random_;
  std::int64_t clock_ = 1000;
  model truth_;
  std::unique_ptr<store> store_;
  memory_store memory_;
};

} // namespace

/// One shard of the seeds; FANFARE_SEEDS sets how many a shard has.
class RecoveryTest : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(RecoveryTest, FindsTheStateBeforeTheCrashAtEveryCut) {
  std::uint64_t seeds = 4;
  if (const auto* wanted = std::getenv("FANFARE_SEEDS"))
    seeds = std::strtoull(wanted, nullptr, 10);
  for (std::uint64_t i = 0; i < seeds && !HasFailure(); ++i) {
    auto seed = GetParam() * 1'000'000 + i;
    SCOPED_TRACE("seed " + std::to_string(seed));
    history{seed}.run(120);
  }
}

INSTANTIATE_TEST_SUITE_P(Shards, RecoveryTest,
                         ::testing::Range<std::uint64_t>(0, 8));

} // namespace fanfare::test
