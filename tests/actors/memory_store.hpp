// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A store in memory that does what storage/store.hpp says, by the simplest
/// means: the model that actors are tested against. What it holds can be
/// copied, so a test can take what would be on disk at any moment and recover
/// from it.

#include "model/subscription.hpp"
#include "storage/store.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::test {

/// The retries of one webhook.
struct retry_map {
  std::map<position, retry> by_subject;

  void put(const retry& r) {
    by_subject.insert_or_assign(r.subject, r);
  }
  void erase(position p) {
    by_subject.erase(p);
  }
  void clear() {
    by_subject.clear();
  }

  [[nodiscard]] std::vector<retry> all() const {
    std::vector<retry> found;
    for (const auto& [subject, r] : by_subject)
      found.push_back(r);
    return found;
  }
};

/// Everything that would be on disk.
struct disk {
  struct stored {
    webhook_record hook;
    storage::progress upto;
    retry_map retries;
    std::optional<replay> sent_again; ///< the last replay
    /// A disabling or enabling ended everything at or before it.
    position ended_upto = 0;
  };

  std::vector<notification_ptr> journal;
  std::vector<call> calls;
  std::map<webhook_id, stored> hooks;
  position routed_upto = 0;
  std::map<webhook_id, position> behind;
  std::map<idempotency_key, remembered> answers;

  [[nodiscard]] position tail() const {
    return journal.empty() ? 0 : journal.back()->id;
  }
};

class memory_store final : public storage::store,
                           private storage::journal,
                           private storage::call_log,
                           private storage::deliveries,
                           private storage::registry {
public:
  explicit memory_store(disk from = {}) : disk_(std::move(from)) {
    found_.routed_upto = disk_.routed_upto;
    for (const auto& [id, record] : disk_.hooks) {
      if (!record.hook.current().enabled)
        continue;
      storage::recovery::unsettled todo{.hook = id};
      todo.has_retries = !record.retries.by_subject.empty()
                      || is_replaying(record);
      if (auto i = disk_.behind.find(id); i != disk_.behind.end()) {
        todo.cursor = i->second;
        todo.behind = true;
      }
      if (todo.behind || todo.has_retries)
        found_.webhooks.push_back(todo);
    }
  }

  /// What is committed so far.
  [[nodiscard]] const disk& contents() const {
    return disk_;
  }
  [[nodiscard]] disk& contents() {
    return disk_;
  }

  /// As recovery would see it.
  [[nodiscard]] storage::progress progress_of(webhook_id id) const {
    auto record = disk_.hooks.at(id);
    base(record);
    return record.upto;
  }

  /// Asked before each commit; an error is what the commit returns.
  std::function<result<void>()> on_commit;
  std::size_t commits = 0;
  std::size_t largest_commit = 0;
  std::size_t checkpoints = 0;
  /// Which operations were committed, by their place in `storage::operation`.
  std::vector<std::size_t> kinds;

  // -- the writer's thread ----------------------------------------------------

  result<void> commit(std::span<storage::operation> operations) override {
    if (on_commit)
      if (auto fine = on_commit(); !fine)
        return fine;
    ++commits;
    largest_commit = std::max(largest_commit, operations.size());
    for (auto& op : operations) {
      kinds.push_back(op.index());
      std::visit([this](auto& o) { execute(o); }, op);
    }
    return {};
  }

  [[nodiscard]] const storage::recovery& recovered() const override {
    return found_;
  }

  // -- reading ----------------------------------------------------------------

  [[nodiscard]] const storage::journal& journal() const override {
    return *this;
  }
  [[nodiscard]] const storage::call_log& call_log() const override {
    return *this;
  }
  [[nodiscard]] const storage::deliveries& deliveries() const override {
    return *this;
  }
  [[nodiscard]] const storage::registry& registry() const override {
    return *this;
  }

  [[nodiscard]] storage::store_statistics statistics() const override {
    return {.tail = tail(), .last_call = disk_.calls.size()};
  }

private:
  [[nodiscard]] position tail() const override {
    return disk_.tail();
  }

  result<notification_ptr> find(position at) const override {
    for (const auto& n : disk_.journal)
      if (n->id == at)
        return n;
    return error{ec::not_found, "no such notification"};
  }

  result<std::vector<notification_ptr>> read(position after, position upto,
                                             std::size_t limit) const override {
    std::vector<notification_ptr> found;
    for (const auto& n : disk_.journal)
      if (n->id > after && n->id <= upto && found.size() < limit)
        found.push_back(n);
    return found;
  }

  result<storage::backlog>
  read_backlog(const webhook_record& hook, position after, position upto,
               std::size_t max_matches, std::size_t max_scan) const override {
    storage::backlog read;
    read.read_upto = upto;
    for (const auto& n : disk_.journal) {
      if (n->id <= after || n->id > upto || n->owner != hook.owner)
        continue;
      if (max_scan-- == 0 || read.matches.size() == max_matches) {
        read.read_upto = n->id - 1;
        break;
      }
      const auto* sub = version_at(hook, n->id);
      if (sub != nullptr && matches(*sub, n->type, n->event)
          && passes(*sub, *n))
        read.matches.push_back(n);
    }
    return read;
  }

  result<std::vector<call>> newest(webhook_id hook, call_id before,
                                   std::size_t limit) const override {
    std::vector<call> found;
    for (auto c = disk_.calls.rbegin(); c != disk_.calls.rend(); ++c)
      if (c->hook == hook && (before == 0 || c->id < before)
          && found.size() < limit)
        found.push_back(*c);
    return found;
  }

  result<call> find(webhook_id hook, call_id id) const override {
    for (const auto& c : disk_.calls)
      if (c.id == id && c.hook == hook)
        return c;
    return error{ec::not_found, "no such call"};
  }

  result<std::vector<retry>> retries(webhook_id hook) const override {
    auto i = disk_.hooks.find(hook);
    return i == disk_.hooks.end() ? std::vector<retry>{}
                                  : i->second.retries.all();
  }

  result<std::vector<notification_ptr>>
  newest_matches(organizer_id owner, const subscription& sub, std::size_t limit,
                 std::size_t max_scan) const override {
    std::vector<notification_ptr> found;
    for (auto n = disk_.journal.rbegin(); n != disk_.journal.rend(); ++n)
      if ((*n)->owner == owner && found.size() < limit && max_scan-- > 0
          && matches(sub, (*n)->type, (*n)->event))
        found.push_back(*n);
    return found;
  }

  result<storage::standing> find_standing(webhook_id hook,
                                          position at) const override {
    auto i = disk_.hooks.find(hook);
    if (i == disk_.hooks.end())
      return error{ec::not_found, "no such webhook"};
    storage::standing found{.settled = progress_of(hook).settled(at),
                            .waiting = {}};
    const auto& waiting = i->second.retries.by_subject;
    if (auto r = waiting.find(at); r != waiting.end())
      found.waiting = r->second;
    return found;
  }

  result<storage::backlog_size> count_backlog(const webhook_record& hook,
                                              std::size_t) const override {
    storage::backlog_size found;
    const auto upto = progress_of(hook.id);
    for (const auto& n : disk_.journal) {
      const auto* sub = version_at(hook, n->id);
      if (n->owner == hook.owner && sub != nullptr
          && matches(*sub, n->type, n->event) && passes(*sub, *n)
          && !upto.settled(n->id) && found.count++ == 0)
        found.first = n->id;
    }
    return found;
  }

  result<replay> find_replay(webhook_id hook) const override {
    auto i = disk_.hooks.find(hook);
    if (i == disk_.hooks.end() || !i->second.sent_again)
      return error{ec::not_found, "no such replay"};
    return *i->second.sent_again;
  }

  result<storage::selection> select(const webhook_record& hook,
                                    const replay& wanted) const override {
    storage::selection found{.chosen = {wanted.cursor, wanted.upto}};
    const auto upto = progress_of(hook.id);
    const auto& retries = disk_.hooks.at(hook.id).retries.by_subject;
    for (const auto& n : disk_.journal) {
      const auto* then = version_at(hook, n->id);
      bool called = then != nullptr && matches(*then, n->type, n->event);
      bool delivered = false;
      for (const auto& c : disk_.calls)
        if (c.hook == hook.id && c.subject == n->id) {
          called = true;
          delivered = delivered || c.result == outcome::delivered;
        }
      if (n->id <= wanted.cursor || n->id > wanted.upto
          || n->owner != hook.owner || n->published < wanted.asked.since
          || n->published >= wanted.asked.until
          || !matches(wanted.selecting, n->type, n->event)
          || !passes(wanted.selecting, *n))
        continue;
      if (!upto.settled(n->id) || retries.contains(n->id))
        ++found.skipped;
      else if (!wanted.asked.only_failed || (called && !delivered))
        found.chosen.insert(n->id);
    }
    found.count = found.chosen.count();
    return found;
  }

  result<std::vector<organizer>> organizers() const override {
    return std::vector<organizer>{};
  }
  result<std::vector<event>> events() const override {
    return std::vector<event>{};
  }
  result<std::vector<token>> tokens() const override {
    return std::vector<token>{};
  }
  result<std::vector<action_type>> action_types() const override {
    return std::vector<action_type>{};
  }

  result<webhook_record> find_webhook(webhook_id id) const override {
    auto i = disk_.hooks.find(id);
    if (i == disk_.hooks.end())
      return error{ec::not_found, "no such webhook"};
    return i->second.hook;
  }

  result<std::vector<webhook_record>> webhooks(organizer_id,
                                               std::optional<bool>, std::size_t,
                                               std::size_t) const override {
    return std::vector<webhook_record>{};
  }
  result<std::size_t> count_webhooks(organizer_id,
                                     std::optional<bool>) const override {
    return disk_.hooks.size();
  }

  result<void> for_each_webhook(
    const std::function<bool(const webhook_record&)>& visit) const override {
    for (const auto& [id, record] : disk_.hooks)
      if (!visit(record.hook))
        break;
    return {};
  }

public:
  result<stored_answer_ptr> find_answer(const idempotency_key& key,
                                        timestamp now) const override {
    auto i = disk_.answers.find(key);
    if (i == disk_.answers.end() || !i->second.is_live(now))
      return stored_answer_ptr{};
    return stored_answer_ptr{std::make_shared<stored_answer>(i->second.answer)};
  }

  result<storage::expiry_plan> plan_expiry(timestamp, std::size_t,
                                           timestamp) const override {
    return storage::expiry_plan{};
  }

private:
  void execute(storage::append_notifications& op) {
    if (op.once)
      if (auto found = *find_answer(op.once->key, op.published)) {
        op.earlier = std::move(found);
        op.done = std::vector<notification_ptr>{};
        return;
      }
    std::vector<notification_ptr> added;
    for (const auto& d : op.drafts) {
      const auto id = disk_.tail() + 1;
      auto n = std::make_shared<const notification>(notification{
        .id = id,
        .published = op.published,
        .owner = d.owner,
        .event = d.event,
        .type = d.type,
        .action = d.action,
        .body = R"({"notification_id": )" + std::to_string(id) + d.rest,
        .trace = d.trace});
      disk_.journal.push_back(n);
      added.push_back(std::move(n));
    }
    if (op.once)
      disk_.answers[op.once->key] = {
        .created = op.published,
        .answer = publish_receipt{
          .first = added.empty() ? 0 : added.front()->id,
          .count = static_cast<std::uint32_t>(added.size()),
          .list = op.once->list,
          .indent = op.once->indent,
          .asked = op.once->asked}};
    op.done = std::move(added);
  }

  void execute(storage::remember_answer& op) {
    auto found = *find_answer(op.key, op.now);
    if (!found)
      disk_.answers[op.key] = {.created = op.now, .answer = op.answer};
    op.done = found ? *found : stored_answer{op.answer};
  }

  void execute(storage::append_call& op) {
    auto& c = op.entry;
    auto& record = disk_.hooks.at(c.hook);
    c.id = disk_.calls.size() + 1;
    c.previous = record.upto.last_call;
    base(record);
    record.upto.apply(c, record.retries);
    disk_.calls.push_back(c);
  }

  void execute(storage::add_webhook& op) {
    auto added = *op.value;
    added.id = disk_.hooks.empty() ? 1 : disk_.hooks.rbegin()->first + 1;
    added.versions.front().from = disk_.tail() + 1;
    disk_.hooks[added.id].hook = added;
    op.done = std::move(added);
  }

  void execute(storage::change_webhook& op) {
    auto i = disk_.hooks.find(op.id);
    if (i == disk_.hooks.end()) {
      op.done = error{ec::not_found, "no such webhook"};
      return;
    }
    auto& record = i->second;
    auto changed = record.hook;
    if (auto edited = op.edit(changed); !edited) {
      op.done = edited.error();
      return;
    }
    const auto wanted = changed.current();
    const bool toggled = wanted.enabled != record.hook.current().enabled;
    changed.versions = record.hook.versions;
    if (wanted != changed.current()) {
      if (changed.versions.back().from != disk_.tail() + 1)
        changed.versions.push_back({.from = disk_.tail() + 1, .value = {}});
      changed.current() = wanted;
    }
    if (toggled) {
      base(record);
      record.upto.disable(disk_.tail(), record.retries);
      if (is_replaying(record))
        record.sent_again->state = replay_state::cancelled;
      record.ended_upto = disk_.tail();
      disk_.behind.erase(op.id);
    }
    if (changed.target_url != record.hook.target_url)
      record.upto.forget_failures();
    record.hook = changed;
    op.done = std::move(changed);
  }

  void execute(storage::drop_retries& op) {
    disk_.hooks.at(op.hook).retries.clear();
  }

  void execute(storage::enqueue& op) {
    auto i = disk_.hooks.find(op.hook);
    if (i == disk_.hooks.end() || !i->second.hook.current().enabled)
      return;
    auto& record = i->second;
    if (op.progress) {
      if (!is_replaying(record)
          || record.sent_again->started != op.progress->started)
        return;
      record.sent_again = op.progress;
    }
    for (const auto& r : op.entries)
      record.retries.put(r);
  }

  void execute(storage::start_replay& op) {
    auto& record = disk_.hooks.at(op.hook);
    if (!record.hook.current().enabled || is_replaying(record)) {
      op.done = error{ec::conflict, "it is disabled, or a replay runs"};
      return;
    }
    record.sent_again = *op.value;
    op.done = *op.value;
  }

  void execute(storage::barrier& op) {
    if (op.load == 0)
      return;
    auto i = disk_.hooks.find(op.load);
    if (i == disk_.hooks.end()) {
      op.done = error{ec::not_found, "no such webhook"};
      return;
    }
    auto& record = i->second;
    base(record);
    storage::webhook_state state{
      .hook = record.hook, .upto = record.upto, .retries = {}, .running = {}};
    if (record.hook.current().enabled) {
      state.retries = record.retries.all();
      if (is_replaying(record))
        state.running = record.sent_again;
    }
    op.done = std::move(state);
  }

  void execute(storage::save_checkpoint& op) {
    ++checkpoints;
    if (op.routed_upto < disk_.routed_upto)
      return;
    disk_.routed_upto = op.routed_upto;
    disk_.behind.clear();
    for (const auto& b : op.behind)
      disk_.behind[b.hook] = b.cursor;
  }

  void execute(storage::expire& op) {
    std::erase_if(disk_.answers, [&](const auto& entry) {
      return entry.second.created < op.answers_before;
    });
  }

  template <class T>
  void execute(T&) {}

  static bool is_replaying(const disk::stored& record) {
    return record.sent_again
        && record.sent_again->state == replay_state::running;
  }

  /// What the last checkpoint says about the webhook holds for its progress.
  void base(disk::stored& record) const {
    auto i = disk_.behind.find(record.hook.id);
    record.upto.advance(i == disk_.behind.end() ? disk_.routed_upto
                                                : i->second);
    record.upto.advance(record.hook.versions.front().from - 1);
  }

  disk disk_;
  storage::recovery found_;
};

} // namespace fanfare::test
