// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/admission.hpp"

#include <algorithm>
#include <utility>

namespace fanfare {

namespace {

/// How often hanging attempts are looked for while someone waits.
constexpr std::chrono::milliseconds watch_interval{100};

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

admission::destination_ptr admission::find(const std::string& key) {
  if (destinations_.size() >= sweep_at_) {
    std::erase_if(destinations_,
                  [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = std::max<std::size_t>(1'024, 2 * destinations_.size());
  }
  auto& entry = destinations_[key];
  auto found = entry.lock();
  if (!found) {
    found = std::make_shared<destination>();
    found->key = key;
    entry = found;
  }
  return found;
}

bool admission::room_for(const destination& to, bool further) const {
  // Beyond half of the places every webhook gets one before any gets a second:
  // receivers that hang cannot take them all.
  const auto places = further ? limits_.hard_total / 2 : limits_.hard_total;
  return quick_.size() < limits_.total && to.quick < limits_.per_destination
      && quick_.size() + slow_.size() < std::max<std::size_t>(1, places);
}

admission::permit admission::acquire(const destination_ptr& to,
                                     const std::shared_ptr<ticket>& who,
                                     std::size_t in_flight, bool its_turn) {
  if (closed_)
    return {};
  const bool further = in_flight > 0;
  const bool others_first = !to->waiting.empty()
                         || (further && !to->waiting_for_more.empty());
  if (!room_for(*to, further) || (!its_turn && others_first)) {
    park(to, who, further);
    return {};
  }
  if (spare_.empty())
    spare_.emplace_back();
  quick_.splice(quick_.end(), spare_, spare_.begin());
  auto place = std::prev(quick_.end());
  *place = running{
    .to = to, .started = std::chrono::steady_clock::now(), .quick = true};
  ++to->quick;
  return permit{self_.lock(), place};
}

void admission::park(const destination_ptr& to,
                     const std::shared_ptr<ticket>& who, bool further) {
  auto& stands = further ? who->waiting_for_more : who->waiting;
  if (!std::exchange(stands, true))
    (further ? to->waiting_for_more : to->waiting).push_back(who);
  if (!to->in_rotation) {
    to->in_rotation = true;
    rotation_.push_back(to);
  }
  if (!timer_armed_)
    watch_slow();
}

void admission::release(std::list<running>::iterator place) {
  if (place->quick)
    --place->to->quick;
  place->to = nullptr;
  spare_.splice(spare_.begin(), place->quick ? quick_ : slow_, place);
  grant(1);
}

void admission::grant(std::size_t places) {
  if (closed_)
    return;
  for (auto looks = rotation_.size(); looks > 0 && places > 0; --looks) {
    auto to = std::move(rotation_.front());
    rotation_.pop_front();
    for (auto further : {false, true}) {
      auto& queue = further ? to->waiting_for_more : to->waiting;
      if (queue.empty() || !room_for(*to, further))
        continue;
      auto next = std::move(queue.front());
      queue.pop_front();
      (further ? next->waiting_for_more : next->waiting) = false;
      if (auto who = caf::actor_cast<webhook_actor>(next->who))
        caf::anon_send(who, atom::turn_v);
      --places;
      break;
    }
    to->in_rotation = !to->waiting.empty() || !to->waiting_for_more.empty();
    if (to->in_rotation)
      rotation_.push_back(std::move(to));
  }
}

void admission::watch_slow() {
  timer_armed_ = true;
  timer_.expires_after(watch_interval);
  timer_.async_wait([weak = self_](const boost::system::error_code& failed) {
    auto self = weak.lock();
    if (failed || !self || self->closed_)
      return;
    const auto limit = std::chrono::steady_clock::now() - self->limits_.quick;
    while (!self->quick_.empty() && self->quick_.front().started < limit) {
      auto place = self->quick_.begin();
      place->quick = false;
      --place->to->quick;
      self->slow_.splice(self->slow_.end(), self->quick_, place);
    }
    self->timer_armed_ = false;
    if (self->rotation_.empty())
      return;
    // Also makes up for turns that were given to a webhook that ended
    // meanwhile.
    self->grant(self->limits_.total
                - std::min(self->limits_.total, self->quick_.size()));
    self->watch_slow();
  });
}

void admission::close() {
  closed_ = true;
  timer_.cancel();
  rotation_.clear();
  for (auto& [key, weak] : destinations_)
    if (auto to = weak.lock())
      to->waiting = to->waiting_for_more = {};
}

} // namespace fanfare
