// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/admission.hpp"

#include <algorithm>
#include <utility>

namespace fanfare {

namespace {

/// How often hanging attempts are looked for while a webhook waits.
constexpr std::chrono::milliseconds watch_interval{100};
/// For how many of these intervals a place is kept: its webhook may have ended.
constexpr unsigned promise_looks = 5;

template <class Key, class T>
std::shared_ptr<T>
find_or_make(std::unordered_map<Key, std::weak_ptr<T>>& in, const Key& key) {
  auto& entry = in[key];
  auto found = entry.lock();
  if (!found) {
    found = std::make_shared<T>();
    entry = found;
  }
  return found;
}

} // namespace

admission::permit::permit(permit&& other) noexcept
  : owner_(std::move(other.owner_)),
    place_(other.place_) {
  other.owner_ = nullptr;
}

admission::permit& admission::permit::operator=(permit&& other) noexcept {
  if (this != &other) {
    release();
    owner_ = std::exchange(other.owner_, nullptr);
    place_ = other.place_;
  }
  return *this;
}

void admission::permit::release() {
  if (auto owner = std::exchange(owner_, nullptr))
    owner->release(place_);
}

std::shared_ptr<admission::ticket> admission::enter(organizer_id owner,
                                                    const std::string& key,
                                                    caf::actor_addr who) {
  if (lines_.size() >= sweep_at_) {
    const auto sweep = [](auto& table) {
      std::erase_if(table,
                    [](const auto& entry) { return entry.second.expired(); });
    };
    sweep(lines_);
    sweep(destinations_);
    sweep(tenants_);
    sweep_at_ = std::max<std::size_t>(1'024, 2 * lines_.size());
  }
  auto at = find_or_make(lines_, std::to_string(owner) + ' ' + key);
  if (!at->to) {
    at->to = find_or_make(destinations_, key);
    at->whose = find_or_make(tenants_, owner);
  }
  auto made = std::make_shared<ticket>();
  made->who = std::move(who);
  made->at = std::move(at);
  return made;
}

bool admission::has_room(const tenant& who) const {
  // An organizer leaves a quarter to the others, even if all of its receivers
  // hang.
  const auto own = limits_.hard_total - limits_.hard_total / 4;
  return who.running + who.promised < std::max<std::size_t>(1, own)
      && who.quick + who.promised < limits_.per_organizer
      && quick_.size() + promises_.size() < limits_.total;
}

bool admission::has_room(const line& from, bool further) const {
  // Beyond half of the places every webhook gets one before any gets a second:
  // receivers that hang cannot take them all.
  const auto places = further ? limits_.hard_total / 2 : limits_.hard_total;
  return from.to->quick + from.to->promised < limits_.per_destination
      && quick_.size() + slow_.size() + promises_.size()
           < std::max<std::size_t>(1, places);
}

admission::permit admission::acquire(const std::shared_ptr<ticket>& who,
                                     std::size_t in_flight, bool its_turn) {
  if (closed_)
    return {};
  auto& from = *who->at;
  const bool further = in_flight > 0;
  if (its_turn)
    take_promise(*who);
  const bool others_first = !from.waiting.empty()
                         || (further && !from.waiting_for_more.empty());
  if (!has_room(*from.whose) || !has_room(from, further)
      || (!its_turn && others_first)) {
    park(who, further);
    return {};
  }
  if (spare_.empty())
    spare_.emplace_back();
  quick_.splice(quick_.end(), spare_, spare_.begin());
  auto place = std::prev(quick_.end());
  *place = running{.from = who->at,
                   .started = std::chrono::steady_clock::now(),
                   .quick = true};
  ++from.to->quick;
  ++from.whose->quick;
  ++from.whose->running;
  return permit{self_.lock(), place};
}

void admission::pass(const std::shared_ptr<ticket>& who) {
  if (who)
    take_promise(*who);
  grant(1);
}

void admission::park(const std::shared_ptr<ticket>& who, bool further) {
  auto& at = *who->at;
  auto& stands = further ? who->waiting_for_more : who->waiting;
  if (!std::exchange(stands, true))
    (further ? at.waiting_for_more : at.waiting).push_back(who);
  auto& whose = *at.whose;
  if (!std::exchange(at.in_rotation, true))
    whose.rotation.push_back(who->at);
  if (!std::exchange(whose.in_rotation, true))
    rotation_.push_back(at.whose);
  if (!timer_armed_)
    watch();
}

// -- places that are kept -----------------------------------------------------

void admission::keep_place(std::shared_ptr<ticket> to) {
  ++to->at->to->promised;
  ++to->at->whose->promised;
  if (spare_promises_.empty())
    spare_promises_.emplace_back();
  promises_.splice(promises_.end(), spare_promises_, spare_promises_.begin());
  const auto place = std::prev(promises_.end());
  to->promised = true;
  to->place = place;
  *place = {.to = std::move(to), .looks = 0};
  if (!timer_armed_)
    watch();
}

void admission::give_up_place(std::list<promise>::iterator place) {
  auto& who = *place->to;
  who.promised = false;
  --who.at->to->promised;
  --who.at->whose->promised;
  spare_promises_.splice(spare_promises_.begin(), promises_, place);
  place->to = nullptr; // maybe the last reference to the ticket
}

void admission::take_promise(ticket& who) {
  if (who.promised)
    give_up_place(who.place);
}

// -- turns --------------------------------------------------------------------

void admission::release(std::list<running>::iterator place) {
  if (place->quick) {
    --place->from->to->quick;
    --place->from->whose->quick;
  }
  --place->from->whose->running;
  place->from = nullptr;
  spare_.splice(spare_.begin(), place->quick ? quick_ : slow_, place);
  grant(1);
}

bool admission::grant_one(tenant& who) {
  // Or each release would go through all of its lines in vain.
  if (!has_room(who))
    return false;
  for (auto looks = who.rotation.size(); looks > 0; --looks) {
    auto at = std::move(who.rotation.front());
    who.rotation.pop_front();
    bool granted = false;
    for (const auto further : {false, true}) {
      auto& queue = further ? at->waiting_for_more : at->waiting;
      while (!granted && !queue.empty() && has_room(*at, further)) {
        auto next = std::move(queue.front());
        queue.pop_front();
        (further ? next->waiting_for_more : next->waiting) = false;
        // One that has ended since does not cost the others their turn.
        if (const auto actor = caf::actor_cast<webhook_actor>(next->who)) {
          if (!next->promised)
            keep_place(std::move(next));
          caf::anon_send(actor, atom::turn_v);
          granted = true;
        }
      }
    }
    at->in_rotation = !at->waiting.empty() || !at->waiting_for_more.empty();
    if (at->in_rotation)
      who.rotation.push_back(std::move(at));
    if (granted)
      return true;
  }
  return false;
}

void admission::grant(std::size_t places) {
  if (closed_)
    return;
  auto looks = rotation_.size();
  while (places > 0 && looks > 0) {
    --looks;
    auto who = std::move(rotation_.front());
    rotation_.pop_front();
    const bool granted = grant_one(*who);
    who->in_rotation = !who->rotation.empty();
    if (who->in_rotation)
      rotation_.push_back(std::move(who));
    if (granted) {
      --places;
      looks = rotation_.size(); // the others may have room now
    }
  }
}

void admission::watch() {
  timer_armed_ = true;
  timer_.expires_after(watch_interval);
  timer_.async_wait([weak = self_](const boost::system::error_code& failed) {
    auto self = weak.lock();
    if (failed || !self || self->closed_)
      return;
    const auto now = std::chrono::steady_clock::now();
    const auto limit = now - self->limits_.quick;
    while (!self->quick_.empty() && self->quick_.front().started < limit) {
      auto place = self->quick_.begin();
      place->quick = false;
      --place->from->to->quick;
      --place->from->whose->quick;
      self->slow_.splice(self->slow_.end(), self->quick_, place);
    }
    // Most likely its webhook has ended.
    for (auto kept = self->promises_.begin(); kept != self->promises_.end();)
      if (const auto place = kept++; ++place->looks > promise_looks)
        self->give_up_place(place);
    self->timer_armed_ = false;
    if (self->rotation_.empty() && self->promises_.empty())
      return;
    self->grant(self->limits_.total
                - std::min(self->limits_.total, self->quick_.size()));
    if (!self->timer_armed_)
      self->watch();
  });
}

void admission::close() {
  closed_ = true;
  timer_.cancel();
  rotation_.clear();
  while (!promises_.empty())
    give_up_place(promises_.begin());
  for (auto& [key, weak] : lines_)
    if (auto at = weak.lock())
      at->waiting = at->waiting_for_more = {};
  for (auto& [key, weak] : tenants_)
    if (auto who = weak.lock())
      who->rotation.clear();
}

} // namespace fanfare
