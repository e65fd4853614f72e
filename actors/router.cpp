// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/router.hpp"

#include "model/subscription.hpp"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

namespace fanfare {

namespace {

/// Notifications that one read of the journal brings.
constexpr std::size_t chunk_size = 1'024;
/// How often the store is told that the engine runs while webhooks have
/// something to do: so long may count as failing after a crash, or not.
constexpr std::chrono::seconds alive_interval{30};
/// The part of the room that is kept beside it for organizers none of whose
/// webhooks waits, and the part of that which one notification may take.
constexpr std::size_t reserve_part = 4;
constexpr std::size_t quick_part = 16;
/// Who calls for longer does not count as working.
constexpr std::chrono::seconds quick{1};
/// Whose notifications wait for longer is behind: longer than a batch may take
/// to fill, and a call to hang.
constexpr std::chrono::seconds stuck_after{90};

} // namespace

router::router(caf::actor_config& cfg, router_config config)
  : lane_actor(cfg),
    config_(std::move(config)) {}

router::behavior_type router::make_behavior() {
  return {
    [this](atom::begin) {
      auto begun = begin();
      if (begun) {
        config_.begun(nullptr);
      } else {
        const auto& failure = begun.error();
        config_.begun(&failure);
      }
    },
    [this](atom::route, const committed_ptr& news) { on_committed(news); },
    [this](atom::chunk, const journal_chunk_ptr& chunk) {
      on_chunk(chunk->notifications);
    },
    [this](atom::checkpoint) { save_checkpoint(); },
    [this](atom::revive, webhook_id id) { revive(id); },
    [this](atom::abandon, webhook_id id) { abandon(id); },
    [this](atom::order, webhook_id id, const webhook_order_ptr& what) {
      order(id, what);
    },
    [this](atom::announce, const notice_ptr& what) { announce(*what); },
    [this](atom::rested) { on_rested(); },
    [this](atom::wake) {
      for (auto& s : active_)
        if (s)
          caf::anon_send(s->actor, atom::wake_v);
    },
  };
}

void router::on_exit() {
  for (auto& s : active_)
    if (s)
      caf::anon_send(s->actor, atom::retire_v);
  active_.clear();
  changes_.clear();
  waiting_ = {};
}

// -- start --------------------------------------------------------------------

result<void> router::begin() {
  const auto& found = config_.store->recovered();
  set_routed(found.routed_upto);
  tail_ = config_.store->journal().tail();
  auto indexed = config_.store->registry().for_each_webhook(
    [this](const webhook_record& hook) {
      if (hook.is_removed())
        return true;
      const auto* now = version_at(hook, routed_upto_ + 1);
      index_.put(hook.id, hook.owner,
                 now != nullptr
                   ? *now
                   : subscription{.enabled = false, .events = {}, .types = {}});
      show_registered(hook);
      show_disabled(hook);
      // A notification that was published before the stop and is routed now
      // meets the subscription of its time.
      for (const auto& v : hook.versions) {
        if (v.from <= routed_upto_ + 1)
          continue;
        auto then = std::make_shared<webhook_record>(hook);
        std::erase_if(then->versions,
                      [&v](const auto& x) { return x.from > v.from; });
        changes_.push_back(std::move(then));
      }
      return true;
    });
  if (!indexed)
    return indexed;
  std::ranges::stable_sort(
    changes_, {}, [](const auto& w) { return w->versions.back().from; });
  make_room();
  for (const auto& f : found.failing)
    config_.operators->troubles.report(
      f.hook, f.owner, {.failures = f.failures, .failing_since = f.since},
      f.last);
  for (const auto& w : found.webhooks) {
    const auto r = index_.find(w.hook);
    if (r == subscription_index::none)
      continue;
    activate(r, w.behind ? w.cursor : routed_upto_, routed_upto_);
  }
  if (tail_ > routed_upto_)
    read_more();
  else
    take_changes_before(tail_ + 2);
  return {};
}

// -- routing ------------------------------------------------------------------

void router::on_committed(const committed_ptr& news) {
  for (const auto& hook : news->webhooks)
    changes_.push_back(hook);
  tail_ = news->tail;
  if (reading_) // the journal has them, too
    return;
  // The positions that edits hold from order them among the notifications.
  for (const auto& n : news->notifications)
    route(n);
  if (routed_upto_ < tail_)
    read_more();
  else
    take_changes_before(tail_ + 2);
}

void router::read_more() {
  reading_ = true;
  reading_upto_ = tail_;
  config_.reader->read_journal(handle(), routed_upto_, tail_, chunk_size);
}

void router::on_chunk(const result<std::vector<notification_ptr>>& read) {
  reading_ = false;
  if (!read) {
    config_.log(log_level::error,
                "reading the journal failed: " + read.error().detail);
    this->quit(caf::make_error(caf::sec::runtime_error, read.error().detail));
    return;
  }
  for (const auto& n : *read)
    route(n);
  if (read->empty())
    set_routed(reading_upto_); // removed by retention: nothing needs them
  if (routed_upto_ < tail_)
    read_more();
  else
    take_changes_before(tail_ + 2);
}

void router::take_changes_before(position at) {
  while (!changes_.empty() && changes_.front()->versions.back().from < at) {
    auto hook = std::move(changes_.front());
    changes_.pop_front();
    apply(hook);
  }
}

void router::apply(const std::shared_ptr<const webhook_record>& hook) {
  const auto r = index_.put(hook->id, hook->owner, hook->current());
  removed_ += hook->is_removed() ? 1U : 0U; // no edit comes after that
  make_room();
  show_registered(*hook);
  if (auto& s = active_[r])
    caf::anon_send(s->actor, atom::changed_v, hook);
}

void router::route(const notification_ptr& n) {
  take_changes_before(n->id + 1);
  quick_left_ = std::max<std::size_t>(1, reserve() / quick_part);
  index_.for_each_match(n->owner, n->type, n->action, n->event,
                        [&](ref r) { send(r, n); });
  set_routed(n->id);
}

void router::send(ref to, const notification_ptr& n) {
  if (!active_[to]) {
    if (waiting_.extend(to, n->id))
      return;
    if (!has_room(n->owner))
      return waiting_.add(to, n);
    activate(to, n->id - 1, 0);
  }
  auto& s = *active_[to];
  s.sent_upto = n->id;
  s.idle = 0;
  // Behind: it will read this one from the journal when it gets there.
  const bool behind = s.skipped_upto
                    > s.slot->read_upto.load(std::memory_order_seq_cst);
  if (!behind && s.slot->credits.load(std::memory_order_seq_cst) > 0) {
    s.slot->credits.fetch_sub(1, std::memory_order_seq_cst);
    caf::anon_send(s.actor, atom::notify_v, n, s.skipped_upto);
    return;
  }
  const auto before = std::exchange(s.skipped_upto, n->id);
  s.slot->skipped_upto.store(n->id, std::memory_order_seq_cst);
  // If it looked just before, it takes itself for up to date: wake it.
  if (before <= s.slot->read_upto.load(std::memory_order_seq_cst))
    caf::anon_send(s.actor, atom::nudge_v);
}

router::subscriber& router::activate(ref r, position read_upto,
                                     position behind_upto) {
  auto slot = std::make_shared<webhook_slot>();
  slot->id = index_.id_of(r);
  slot->place = r;
  slot->credits = static_cast<std::int64_t>(config_.window);
  slot->skipped_upto = behind_upto;
  slot->read_upto = read_upto;
  slot->settled_upto = read_upto;
  auto& place = active_[r];
  if (place)
    set_working(*place, false);
  else
    ++active_count_;
  place = std::make_unique<subscriber>();
  set_working(*place, true);
  place->slot = slot;
  place->skipped_upto = behind_upto;
  place->sent_upto = std::max(read_upto, behind_upto);
  place->actor = config_.start_webhook(slot, read_upto);
  show_active();
  config_.watch(slot->id, place->actor);
  return *place;
}

void router::order(webhook_id id, const webhook_order_ptr& what) {
  const auto r = index_.find(id);
  if (r == subscription_index::none)
    return; // its edit waits until the journal is read: the answer says so
  auto* s = active_[r].get();
  if (s == nullptr) {
    // One that neither is active nor waits has settled everything.
    const auto waited = waiting_.take(r);
    s = waited ? &start(*waited) : &activate(r, routed_upto_, 0);
  }
  s->idle = 0;
  s->ordered = true;
  caf::anon_send(s->actor, atom::order_v, what);
}

// -- room ---------------------------------------------------------------------

bool router::has_room(organizer_id owner) {
  auto& resting = *config_.resting;
  if (!resting.wanted() && working_count_ >= config_.max_working) {
    resting.want(true);
    find_resting();
  }
  if (waiting_.empty() && working_count_ < config_.max_working)
    return true;
  // Who has one notification does not wait for who has a million.
  if (quick_left_ == 0 || waiting_.has(owner)
      || working_count_ >= config_.max_working + reserve())
    return false;
  --quick_left_;
  return true;
}

std::size_t router::reserve() const {
  return std::max<std::size_t>(1, config_.max_working / reserve_part);
}

void router::set_working(subscriber& s, bool working) {
  if (s.working == working)
    return;
  s.working = working;
  if (working) {
    ++working_count_;
    s.working_since = config_.clock->now();
  } else {
    --working_count_;
  }
}

void router::find_resting() {
  for (auto& s : active_)
    if (s && s->slot->doing.load() == activity::resting)
      set_working(*s, false);
}

void router::on_rested() {
  for (const auto r : config_.resting->take()) {
    auto& s = active_[r];
    if (!s || s->slot->doing.load() != activity::resting)
      continue;
    set_working(*s, false);
    const bool has_settled = s->slot->settled_upto.load() >= s->sent_upto
                          && s->slot->unfinished.load() == 0;
    if (has_settled && !s->ordered && active_count_ > config_.kept_active)
      retire(s);
  }
  start_waiting();
}

void router::start_waiting() {
  while (working_count_ < config_.max_working
         && !config_.draining->load(std::memory_order_relaxed))
    if (const auto waited = waiting_.next())
      start(*waited);
    else
      break;
  // Who comes to rest need not say so before there are many again.
  if (waiting_.empty() && working_count_ <= config_.max_working / 2)
    config_.resting->want(false);
}

router::subscriber& router::start(const waiting_line::entry& waited) {
  const auto& first = waited.first;
  const bool has_more = !first || first->id != waited.upto;
  auto& s = activate(waited.who, waited.cursor, has_more ? waited.upto : 0);
  s.sent_upto = waited.upto;
  if (first) {
    s.slot->credits.fetch_sub(1, std::memory_order_seq_cst);
    caf::anon_send(s.actor, atom::notify_v, first, position{0});
  }
  return s;
}

void router::retire(std::unique_ptr<subscriber>& s) {
  // Only the router sends it work, so none can be in flight.
  set_working(*s, false);
  forget_stuck(*s);
  caf::anon_send(s->actor, atom::retire_v);
  s.reset();
  --active_count_;
  show_active();
}

void router::show_active() const {
  if (config_.active_webhooks != nullptr)
    config_.active_webhooks->store(active_count_, std::memory_order_relaxed);
}

void router::show_waiting() const {
  if (config_.waiting == nullptr)
    return;
  config_.waiting->webhooks.store(waiting_.size(), std::memory_order_relaxed);
  const auto oldest = waiting_.oldest();
  config_.waiting->oldest.store(
    oldest
      ? std::chrono::floor<std::chrono::seconds>(oldest->time_since_epoch())
          .count()
      : 0,
    std::memory_order_relaxed);
}

void router::announce(const notice& what) {
  // Without a subscriber it is not written.
  bool wanted = false;
  index_.for_each_match(what.owner, what.type, what.action, 0,
                        [&wanted](ref) { wanted = true; });
  if (!wanted || *config_.draining)
    return;
  config_.operators->events.say(event_kind::notice, log_level::info,
                                what.about + " publishes " + what.action
                                  + ", a notice to its owner");
  storage::append_notifications append;
  append.published = config_.clock->now();
  append.drafts.push_back({.owner = what.owner,
                           .event = 0,
                           .new_event = {},
                           .type = what.type,
                           .action = what.action,
                           .rest = what.rest});
  config_.commits->push(
    {.what = std::move(append),
     .done = [log = config_.log, action = what.action](storage::operation& op,
                                                       const error* failure) {
       const auto& added = std::get<storage::append_notifications>(op).done;
       if (failure == nullptr && added)
         return;
       log(log_level::warning,
           "a notification of " + action + " could not be published: "
             + (failure != nullptr ? failure->detail : added.error().detail));
     }});
}

void router::set_routed(position upto) {
  routed_upto_ = upto;
  if (config_.routed_upto != nullptr)
    config_.routed_upto->store(upto, std::memory_order_relaxed);
}

void router::make_room() {
  if (active_.size() < index_.size())
    active_.resize(index_.size());
  if (config_.registered_webhooks != nullptr)
    config_.registered_webhooks->store(index_.size() - removed_,
                                       std::memory_order_relaxed);
}

// -- checkpoints --------------------------------------------------------------

void router::save_checkpoint() {
  storage::save_checkpoint point;
  const auto now = config_.clock->now();
  // After a restart those that wait get all of that again, and the others
  // settle it at once.
  point.routed_upto = std::min(routed_upto_,
                               waiting_.lowest_cursor().value_or(routed_upto_));
  for (auto& s : active_) {
    if (!s)
      continue;
    const auto settled = s->slot->settled_upto.load(std::memory_order_acquire);
    look_for_stuck(*s, settled, now);
    if (settled < s->sent_upto) {
      point.behind.push_back({.hook = s->slot->id, .cursor = settled});
      s->idle = 0;
    } else if (s->slot->unfinished.load(std::memory_order_relaxed) != 0) {
      s->idle = 0;
    } else if (++s->idle > config_.idle_checkpoints) {
      retire(s);
      continue;
    }
    // It hangs, or came to rest when nobody asked.
    if (s->slot->doing.load() != activity::working
        && (now - s->working_since >= quick || now < s->working_since))
      set_working(*s, false);
  }
  on_rested();
  show_waiting();
  if (config_.commits->congested())
    return;
  // The time of the end is exact, unless it comes as a crash.
  const bool tells = config_.draining->load(std::memory_order_relaxed)
                  || (active_count_ != 0
                      && (now - alive_at_ >= alive_interval
                          || now < alive_at_));
  // An idle engine writes nothing.
  if (!config_.commits->take_dirty() && point == saved_ && !tells)
    return;
  saved_ = point;
  alive_at_ = now;
  point.runs = {.until = now, .off = config_.runs.off};
  config_.commits->push(
    {.what = std::move(point), .done = {}, .lasting = true});
}

void router::look_for_stuck(subscriber& s, position settled, timestamp now) {
  if (settled >= s.mark || now < s.marked_at) {
    s.mark = s.sent_upto;
    s.marked_at = now;
  }
  const bool stuck = settled < s.mark && now - s.marked_at >= stuck_after;
  if (stuck == s.stuck)
    return;
  s.stuck = stuck;
  config_.operators->troubles.report_stuck(
    s.slot->id, stuck ? std::optional{s.marked_at} : std::nullopt);
}

void router::forget_stuck(subscriber& s) {
  if (std::exchange(s.stuck, false))
    config_.operators->troubles.report_stuck(s.slot->id, std::nullopt);
}

void router::show_registered(const webhook_record& hook) const {
  if (hook.is_removed())
    return config_.operators->troubles.remove(hook.id);
  const auto& newest = hook.versions.back();
  config_.operators->troubles.put(hook.id, hook.owner, newest.value.enabled,
                                  hook.delivery.paused, config_.clock->now());
}

void router::show_disabled(const webhook_record& hook) const {
  const auto& newest = hook.versions.back();
  if (newest.value.enabled
      || config_.clock->now() - newest.since >= trouble_board::disabled_memory)
    return;
  const auto last = config_.store->call_log().newest(hook.id, 0, 1);
  if (last && !last->empty() && last->front().result == outcome::gone)
    config_.operators->troubles.report_disabled(hook.id, hook.owner,
                                                newest.since);
}

// -- supervision --------------------------------------------------------------

void router::revive(webhook_id id) {
  const auto r = index_.find(id);
  if (r == subscription_index::none || !active_[r])
    return;
  auto& old = *active_[r];
  forget_stuck(old);
  caf::anon_send(old.actor, atom::retire_v); // should it be another one
  activate(r, old.slot->settled_upto.load(),
           std::max(old.sent_upto, old.skipped_upto));
}

void router::abandon(webhook_id id) {
  config_.log(log_level::error,
              "webhook " + std::to_string(id)
                + " crashed again and again; it is left alone until the next "
                  "start, its cursor and retries are kept");
  const auto r = index_.find(id);
  if (r == subscription_index::none || !active_[r])
    return;
  set_working(*active_[r], false);
  start_waiting();
}

} // namespace fanfare
