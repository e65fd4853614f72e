// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/delivery_queue.hpp"

namespace fanfare {

delivery_queue::delivery_queue(std::shared_ptr<webhook_slot> slot,
                               position read_upto)
  : slot_(std::move(slot)),
    read_upto_(read_upto) {
  set_read_upto(read_upto);
  slot_->settled_upto.store(read_upto, std::memory_order_release);
}

// -- what comes in ------------------------------------------------------------

void delivery_queue::notify(notification_ptr& n, position skipped_before,
                            bool wanted) {
  const auto at = n->id;
  if (at <= read_upto_ || progress_.settled(at)) {
    // Read from the journal already, or called before a restart.
    return_credit();
    if (at > read_upto_ && skipped_before <= read_upto_)
      set_read_upto(at);
  } else if (skipped_before > read_upto_) {
    // There is a gap before it: it will be read from the journal, in order.
    ignored_upto_ = at;
    return_credit();
  } else {
    if (wanted)
      window_.push_back({std::move(n), true});
    else
      return_credit();
    set_read_upto(at);
  }
}

std::optional<delivery_queue::range> delivery_queue::refill(std::size_t window,
                                                            timestamp now) {
  if (refilling_ || !behind() || window_.size() > window / 2
      || now < reads_from_)
    return std::nullopt;
  reads_from_ = {};
  refilling_ = true;
  return range{.after = read_upto_,
               .upto = behind_upto(),
               .limit = window - window_.size()};
}

void delivery_queue::refilled(const storage::backlog& read) {
  refilling_ = false;
  for (const auto& n : read.matches)
    if (n->id > read_upto_ && !progress_.settled(n->id))
      window_.push_back({n, false}); // the store has looked at the filter
  set_read_upto(std::max(read_upto_, read.read_upto));
}

std::vector<position> delivery_queue::fetch(bool ordered, std::size_t most,
                                            timestamp now) {
  std::vector<position> which;
  if (fetch_running_ || retries_.empty() || now < reads_from_)
    return which;
  if (ordered)
    fetch_failed_first(which, most, now);
  if (which.empty() && due_.size() > most / 2)
    return which;
  while (!retries_.empty() && retries_.earliest().due <= now
         && which.size() < most) {
    fetching_.push_back(retries_.pop());
    which.push_back(fetching_.back().subject);
  }
  fetch_running_ = !which.empty();
  return which;
}

void delivery_queue::fetch_failed_first(std::vector<position>& which,
                                        std::size_t most, timestamp now) {
  // They hold all others, so they must not wait for room among them.
  const auto* oldest = retries_.oldest_failed();
  if (oldest == nullptr || oldest->due > now
      || std::ranges::any_of(due_, [oldest](const due_retry& d) {
           return d.as.failed_before() && d.as.subject < oldest->subject;
         }))
    return;
  for (const auto& r : retries_.pop_oldest_failed(most, now)) {
    fetching_.push_back(r);
    which.push_back(r.subject);
  }
}

std::vector<retry>
delivery_queue::fetched(const std::vector<notification_ptr>& read) {
  fetch_running_ = false;
  std::vector<retry> lost;
  const auto asked = std::exchange(fetching_, {}); // none after a disabling
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (asked[i].subject == 0)
      continue;
    if (read[i])
      due_.push_back({read[i], attempt::of(asked[i])});
    else
      lost.push_back(asked[i]);
  }
  return lost;
}

void delivery_queue::fetch_failed() {
  fetch_running_ = false;
  for (const auto& r : std::exchange(fetching_, {}))
    if (r.subject != 0)
      retries_.put(r);
}

// -- what is next -------------------------------------------------------------

delivery_queue::candidates delivery_queue::next(bool ordered,
                                                std::size_t max_ahead) {
  while (!window_.empty() && progress_.settled(window_.front().what->id))
    pop(source::window);
  candidates found;
  // The oldest unsettled one may always start, also if the limit was reached
  // before a restart.
  found.window = !window_.empty()
              && (progress_.ahead.size() < max_ahead
                  || std::ranges::none_of(in_flight_, &attempt::holds_cursor));
  found.retries = !due_.empty();
  if (ordered && found)
    order_due(found);
  return found;
}

void delivery_queue::order_due(candidates& found) {
  // One that failed holds all others, and those that failed go in the order of
  // the journal; what a replay sends again, and was not attempted, holds none.
  const auto rank = [](const due_retry& d) {
    return std::pair{!d.as.failed_before(), d.as.subject};
  };
  if (!std::ranges::is_sorted(due_, {}, rank))
    std::ranges::sort(due_, {}, rank);
  const auto elsewhere = oldest_failed_elsewhere();
  found.together = static_cast<std::size_t>(
    std::ranges::find_if_not(due_,
                             [&elsewhere](const due_retry& d) {
                               return d.as.failed_before()
                                   && (!elsewhere || d.as.subject < *elsewhere);
                             })
    - due_.begin());
  found.held_by_failed = found.together != 0 || elsewhere;
  if (!found.held_by_failed)
    found.together = due_.size();
  found.retries = found.together != 0;
  found.window = found.window && !found.held_by_failed;
}

std::optional<position> delivery_queue::oldest_failed_elsewhere() const {
  std::optional<position> oldest;
  if (const auto* waits = retries_.oldest_failed())
    oldest = waits->subject;
  for (const auto& r : fetching_)
    if (r.subject != 0 && attempt::of(r).failed_before())
      oldest = std::min(oldest.value_or(r.subject), r.subject);
  return oldest;
}

notification_ptr delivery_queue::pop(source from) {
  notification_ptr what;
  if (from == source::retries) {
    what = std::move(due_.front().what);
    due_.pop_front();
  } else {
    what = std::move(window_.front().what);
    if (window_.front().credited)
      return_credit();
    window_.pop_front();
  }
  return what;
}

const attempt* delivery_queue::in_flight(position subject) const {
  const auto i = std::ranges::find(in_flight_, subject, &attempt::subject);
  return i != in_flight_.end() ? &*i : nullptr;
}

void delivery_queue::end(position subject) {
  const auto i = std::ranges::find(in_flight_, subject, &attempt::subject);
  if (i != in_flight_.end())
    in_flight_.erase(i);
}

// -- what ends ----------------------------------------------------------------

void delivery_queue::disable(position tail) {
  progress_.disable(tail, retries_);
  drop_from_window([tail](const notification& n) { return n.id <= tail; });
  due_.clear();
  fetching_.clear();
  for (auto& a : in_flight_)
    if (a.subject <= tail)
      a.last_because = ended_by::disabling;
  set_read_upto(std::max(read_upto_, tail));
}

void delivery_queue::close() {
  window_.clear();
  due_.clear();
  in_flight_.clear();
}

// -- orders about retries -----------------------------------------------------

std::vector<retry> delivery_queue::expedite(timestamp now,
                                            std::optional<timestamp> at) {
  std::vector<retry> moved;
  retries_.update([now, at, &moved](retry& r) {
    if (r.due <= now || (at && r.due != *at)
        || (r.by_replay && r.attempt == 1 && !r.tried))
      return;
    r.due = now;
    moved.push_back(r);
  });
  return moved;
}

std::size_t delivery_queue::replace(std::vector<retry> entries) {
  const auto under_way = std::erase_if(entries, [this](const retry& r) {
    return is_in_flight(r.subject) || find_due(r.subject, r.due);
  });
  retries_.replace(entries);
  return under_way;
}

std::optional<retry> delivery_queue::find_due(position subject,
                                              timestamp now) const {
  for (const auto& d : due_)
    if (d.as.subject == subject)
      return d.as.as_retry(now);
  for (const auto& r : fetching_)
    if (r.subject == subject)
      return r;
  return std::nullopt;
}

// -- how far it has come ------------------------------------------------------

position delivery_queue::behind_upto() const {
  return std::max(ignored_upto_,
                  slot_->skipped_upto.load(std::memory_order_seq_cst));
}

position delivery_queue::oldest_waiting() const {
  position oldest = 0;
  const auto look = [&oldest](position p) {
    if (p != 0 && (oldest == 0 || p < oldest))
      oldest = p;
  };
  retries_.for_each([&](const retry& r) { look(r.subject); });
  for (const auto& r : fetching_)
    look(r.subject);
  for (const auto& a : in_flight_)
    look(a.test ? 0 : a.subject);
  for (std::size_t i = 0; i < due_.size(); ++i)
    look(due_[i].as.subject);
  if (window_.size() != 0)
    look(window_[0].what->id);
  return oldest;
}

position delivery_queue::floor() const {
  auto low = read_upto_;
  if (!window_.empty())
    low = std::min(low, window_.front().what->id - 1);
  for (const auto& a : in_flight_)
    if (a.holds_cursor)
      low = std::min(low, a.subject - 1);
  return low;
}

void delivery_queue::set_read_upto(position upto) {
  read_upto_ = upto;
  slot_->read_upto.store(upto, std::memory_order_seq_cst);
}

bool delivery_queue::publish(std::size_t others, activity doing) {
  const auto own = waiting_retries() + in_flight_.size();
  slot_->unfinished.store(own + others + (loaded_ ? 0 : 1),
                          std::memory_order_relaxed);
  // Only what is loaded can be settled.
  if (loaded_) {
    progress_.advance(floor());
    slot_->settled_upto.store(progress_.cursor, std::memory_order_release);
  }
  if (doing == slot_->doing.load(std::memory_order_relaxed))
    return false;
  slot_->doing.store(doing, std::memory_order_seq_cst);
  return doing == activity::resting;
}

} // namespace fanfare
