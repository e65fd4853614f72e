// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/support/memory_store/reads.hpp"

#include "model/subscription.hpp"

#include <algorithm>

namespace fanfare::test {

// -- journal ------------------------------------------------------------------

position memory_journal::tail() const {
  std::lock_guard lock{in_.mutex};
  return in_.now.stored.tail();
}

result<notification_ptr> memory_journal::find(position at) const {
  std::lock_guard lock{in_.mutex};
  if (auto found = in_.now.stored.find(at))
    return found;
  return error{ec::not_found, "There is no such notification."};
}

result<std::vector<notification_ptr>>
memory_journal::read(position after, position upto, std::size_t limit) const {
  std::lock_guard lock{in_.mutex};
  std::vector<notification_ptr> found;
  for (const auto& n : in_.now.stored.journal)
    if (n->id > after && n->id <= upto && found.size() < limit)
      found.push_back(n);
  return found;
}

result<storage::backlog>
memory_journal::read_backlog(const webhook_record& hook, position after,
                             position upto, std::size_t max_matches,
                             std::size_t max_scan) const {
  std::lock_guard lock{in_.mutex};
  const auto& d = in_.now.stored;
  upto = std::min(upto, d.tail());
  storage::backlog read{.matches = {}, .read_upto = std::max(after, upto)};
  std::size_t scanned = 0;
  auto last = after;
  for (const auto& n : d.journal) {
    if (n->id <= after || n->id > upto || n->owner != hook.owner)
      continue;
    if (scanned == max_scan || read.matches.size() == max_matches) {
      read.read_upto = last;
      break;
    }
    ++scanned;
    last = n->id;
    const auto* sub = version_at(hook, n->id);
    if (sub != nullptr && matches(*sub, n->type, n->action, n->event)
        && passes(*sub, *n))
      read.matches.push_back(n);
  }
  return read;
}

result<std::vector<notification_ptr>>
memory_journal::newest_matches(organizer_id owner, const subscription& sub,
                               std::size_t limit, std::size_t max_scan) const {
  std::lock_guard lock{in_.mutex};
  const auto& all = in_.now.stored.journal;
  std::vector<notification_ptr> found;
  std::size_t scanned = 0;
  for (auto n = all.rbegin();
       n != all.rend() && found.size() < limit && scanned < max_scan; ++n) {
    if ((*n)->owner != owner)
      continue;
    ++scanned;
    if (matches(sub, (*n)->type, (*n)->action, (*n)->event))
      found.push_back(*n);
  }
  return found;
}

result<found_notifications>
memory_journal::search(organizer_id owner,
                       const notification_search& wanted) const {
  std::lock_guard lock{in_.mutex};
  const auto& all = in_.now.stored.journal;
  const auto is_older = [&](const notification_ptr& n) {
    return (wanted.before == 0 || n->id < wanted.before)
        && (!wanted.until || n->published < *wanted.until);
  };
  found_notifications out;
  std::size_t scanned = 0;
  std::size_t read = 0;
  std::size_t bytes = 0;
  notification_ptr last;
  for (auto i = all.rbegin(); i != all.rend(); ++i) {
    const auto& n = *i;
    if (n->owner != owner || !is_older(n))
      continue;
    if (wanted.since && n->published < *wanted.since)
      break;
    if (out.found.size() == wanted.limit || scanned == wanted.max_scan
        || read >= wanted.max_read || bytes >= wanted.max_bytes) {
      if (last) {
        out.next = last->id;
        out.looked_back_to = last->published;
      }
      break;
    }
    ++scanned;
    last = n;
    if ((wanted.types && !std::ranges::binary_search(*wanted.types, n->type))
        || (wanted.event && *wanted.event != n->event))
      continue;
    read += std::max(least_read, n->body.size());
    if (wanted.takes && !wanted.takes(*n))
      continue;
    bytes += n->body.size();
    out.found.push_back(n);
  }
  return out;
}

result<newer_notifications>
memory_journal::newer(organizer_id owner, position after,
                      const feed_limits& within) const {
  std::lock_guard lock{in_.mutex};
  const auto& d = in_.now.stored;
  newer_notifications out{.upto = after};
  out.lost = d.tail() > after && !d.find(after + 1);
  std::size_t bytes = 0;
  for (const auto& n : d.journal) {
    if (n->id <= after || n->owner != owner)
      continue;
    out.more = out.found.size() == within.most || bytes >= within.max_bytes;
    if (out.more)
      return out;
    out.upto = n->id;
    bytes += feed_weight(*n);
    out.found.push_back(n);
  }
  out.upto = std::max(out.upto, d.tail());
  return out;
}

result<position> memory_journal::last_before(timestamp t) const {
  std::lock_guard lock{in_.mutex};
  const auto& d = in_.now.stored;
  for (const auto& n : d.journal)
    if (n->published >= t)
      return n->id - 1;
  return d.tail();
}

// -- call log -----------------------------------------------------------------

result<std::vector<call>> memory_call_log::newest(webhook_id hook,
                                                  call_id before,
                                                  std::size_t limit) const {
  std::lock_guard lock{in_.mutex};
  const auto& all = in_.now.stored.calls;
  std::vector<call> found;
  for (auto c = all.rbegin(); c != all.rend() && found.size() < limit; ++c)
    if (c->hook == hook && (before == 0 || c->id < before))
      found.push_back(*c);
  return found;
}

result<found_calls> memory_call_log::search(organizer_id owner,
                                            const call_search& wanted) const {
  std::lock_guard lock{in_.mutex};
  const auto& d = in_.now.stored;
  const auto is_wanted = [&](webhook_id id) {
    const auto* hook = d.find_hook(id);
    return hook != nullptr && hook->hook.owner == owner
        && (wanted.hooks.empty()
            || std::ranges::binary_search(wanted.hooks, id));
  };
  found_calls out;
  const call* last = nullptr;
  for (auto c = d.calls.rbegin(); c != d.calls.rend(); ++c) {
    if (wanted.before != 0 && c->id >= wanted.before)
      continue;
    if (out.found.size() == wanted.limit || out.scanned == wanted.max_scan) {
      if (last != nullptr) {
        out.next = last->id;
        out.looked_back_to = last->time;
      }
      break;
    }
    ++out.scanned;
    last = &*c;
    if (is_wanted(c->hook))
      out.found.push_back(*c);
  }
  return out;
}

result<std::vector<call_tally>>
memory_call_log::count(const tally_query& which) const {
  std::lock_guard lock{in_.mutex};
  std::vector<call_tally> found(which.steps);
  for (const auto& [id, tallies] : in_.now.stored.counted) {
    const auto* hook = in_.now.stored.find_hook(id);
    if (which.hook != 0 ? id != which.hook
                        : hook == nullptr || hook->hook.owner != which.owner)
      continue;
    for (const auto& [bucket, tally] : tallies)
      if (const auto place = which.place_of(
            timestamp{bucket * tally_times::fine});
          place < found.size())
        found[place].add(tally);
  }
  return found;
}

result<newer_calls> memory_call_log::newer(organizer_id owner, call_id after,
                                           const feed_limits& within) const {
  std::lock_guard lock{in_.mutex};
  const auto& d = in_.now.stored;
  newer_calls out{.upto = after};
  out.lost = d.calls.empty() ? d.last_call > after
                             : d.calls.front().id > after + 1;
  std::size_t scanned = 0;
  std::size_t bytes = 0;
  for (const auto& c : d.calls) {
    if (c.id <= after)
      continue;
    out.more = out.found.size() == within.most || scanned == within.max_scan
            || bytes >= within.max_bytes;
    if (out.more)
      return out;
    ++scanned;
    out.upto = c.id;
    const auto* hook = d.find_hook(c.hook);
    if (hook == nullptr || hook->hook.owner != owner)
      continue;
    bytes += feed_weight(c);
    out.found.push_back(c);
  }
  out.upto = std::max(out.upto, d.last_call);
  return out;
}

call_id memory_call_log::last() const {
  std::lock_guard lock{in_.mutex};
  return in_.now.stored.last_call;
}

result<call_id> memory_call_log::last_before(timestamp t) const {
  std::lock_guard lock{in_.mutex};
  const auto& d = in_.now.stored;
  for (const auto& c : d.calls)
    if (c.time >= t)
      return c.id - 1;
  return d.last_call;
}

result<call> memory_call_log::find(webhook_id hook, call_id id) const {
  std::lock_guard lock{in_.mutex};
  const auto& all = in_.now.stored.calls;
  const auto c = std::ranges::lower_bound(all, id, {}, &call::id);
  if (c != all.end() && c->id == id && c->hook == hook)
    return *c;
  return error{ec::not_found, "There is no such call."};
}

// -- registry -----------------------------------------------------------------

namespace {

template <class Id, class T>
std::vector<T> values_of(const guarded_state& in, const std::map<Id, T>& map) {
  std::lock_guard lock{in.mutex};
  std::vector<T> found;
  for (const auto& [id, value] : map)
    found.push_back(value);
  return found;
}

bool is_wanted(const webhook_record& hook, organizer_id owner,
               std::optional<bool> enabled) {
  return hook.owner == owner
      && (!enabled || *enabled == hook.current().enabled);
}

} // namespace

result<std::vector<organizer>> memory_registry::organizers() const {
  return values_of(in_, in_.now.stored.organizers);
}

result<std::vector<event>> memory_registry::events() const {
  return values_of(in_, in_.now.stored.events);
}

result<std::vector<token>> memory_registry::tokens() const {
  return values_of(in_, in_.now.stored.tokens);
}

result<std::vector<action_type>> memory_registry::action_types() const {
  return values_of(in_, in_.now.stored.action_types);
}

result<webhook_record> memory_registry::find_webhook(webhook_id id) const {
  std::lock_guard lock{in_.mutex};
  if (const auto* found = in_.now.stored.find_hook(id))
    return found->hook;
  return error{ec::not_found, "There is no such webhook."};
}

result<webhook_record>
memory_registry::find_webhook(organizer_id owner, std::string_view name) const {
  std::lock_guard lock{in_.mutex};
  for (const auto& [id, kept] : in_.now.stored.hooks)
    if (kept.hook.owner == owner && kept.hook.delivery.name == name
        && !name.empty())
      return kept.hook;
  return error{ec::not_found, "There is no such webhook."};
}

result<std::vector<webhook_record>>
memory_registry::webhooks(organizer_id owner, std::optional<bool> enabled,
                          std::size_t offset, std::size_t limit) const {
  std::lock_guard lock{in_.mutex};
  std::vector<webhook_record> found;
  for (const auto& [id, record] : in_.now.stored.hooks) {
    if (found.size() == limit)
      break;
    if (!is_wanted(record.hook, owner, enabled))
      continue;
    if (offset > 0)
      --offset;
    else
      found.push_back(record.hook);
  }
  return found;
}

result<std::size_t>
memory_registry::count_webhooks(organizer_id owner,
                                std::optional<bool> enabled) const {
  std::lock_guard lock{in_.mutex};
  return static_cast<std::size_t>(
    std::ranges::count_if(in_.now.stored.hooks, [&](const auto& entry) {
      return is_wanted(entry.second.hook, owner, enabled);
    }));
}

result<void> memory_registry::for_each_webhook(
  const std::function<bool(const webhook_record&)>& visit) const {
  // The lock is not held while somebody else's code runs.
  for (webhook_id last = 0;;) {
    std::optional<webhook_record> hook;
    {
      std::lock_guard lock{in_.mutex};
      const auto& all = in_.now.stored.hooks;
      if (const auto next = all.upper_bound(last); next != all.end())
        hook = next->second.hook;
    }
    if (!hook || !visit(*hook))
      return {};
    last = hook->id;
  }
}

} // namespace fanfare::test
