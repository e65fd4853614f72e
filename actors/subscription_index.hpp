// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Which webhooks a notification goes to. Organizer and registered action type
/// lead to the webhooks that want all events; with the event, to those that
/// chose it. Those with wildcards are found by the beginnings of the action,
/// one look-up for each of its labels, and none for organizers without any. A
/// look-up costs as much as it has matches; a webhook costs some tens of bytes.
/// `matches` in model/subscription.hpp defines the answer.

#include "model/action_name.hpp"
#include "model/records.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace fanfare {

class subscription_index {
public:
  /// A webhook's place in dense tables, stable while the index lives.
  using ref = std::uint32_t;

  /// Sets or replaces the webhook's subscription. New webhooks must come by
  /// ascending id.
  ref put(webhook_id id, organizer_id owner, const subscription& value);

  /// Calls `visit(ref)` once for each enabled webhook of `owner` that is
  /// subscribed to `type` or by a wildcard to `action` and, unless `event` is
  /// 0, to the event.
  template <class Visitor>
  void for_each_match(organizer_id owner, action_type_id type,
                      std::string_view action, event_id event,
                      Visitor&& visit) const {
    const auto key = key_of(owner, type);
    if (auto i = topics_.find(key); i != topics_.end()) {
      visit_all(i->second.all_events, visit);
      if (event == 0)
        visit_all(i->second.limited, visit);
      else if (auto j = by_event_.find(event_key{key, event});
               j != by_event_.end())
        visit_all(j->second, visit);
    }
    if (wildcards_.empty() || type == 0)
      return;
    const auto own = wildcards_.find(owner);
    if (own == wildcards_.end())
      return;
    for_each_stem(action, [&](std::string_view stem) {
      const auto i = own->second.find(stem);
      if (i == own->second.end())
        return;
      visit_all(i->second.all_events, visit);
      if (event == 0)
        visit_all(i->second.limited, visit);
      else if (auto j = i->second.by_event.find(event);
               j != i->second.by_event.end())
        visit_all(j->second, visit);
    });
  }

  [[nodiscard]] webhook_id id_of(ref r) const {
    return ids_[r];
  }
  /// The webhook's ref, or `none`.
  [[nodiscard]] ref find(webhook_id id) const;
  [[nodiscard]] std::size_t size() const {
    return ids_.size();
  }

  static constexpr ref none = static_cast<ref>(-1);

private:
  using topic_key = std::uint64_t;
  struct event_key {
    topic_key topic;
    event_id event;
    bool operator==(const event_key&) const = default;
  };
  struct event_key_hash {
    std::size_t operator()(const event_key& k) const noexcept {
      return std::hash<std::uint64_t>{}(k.topic * 0x9e3779b97f4a7c15ULL
                                        + k.event);
    }
  };
  struct topic {
    std::vector<ref> all_events;
    /// Webhooks that chose events; a notification without event goes to all.
    std::vector<ref> limited;
  };

  /// The same of a wildcard.
  struct wide_topic : topic {
    std::unordered_map<event_id, std::vector<ref>> by_event;
  };
  struct text_hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  using by_stem = std::unordered_map<std::string, wide_topic, text_hash,
                                     std::equal_to<>>;

  static topic_key key_of(organizer_id owner, action_type_id type) {
    return (topic_key{owner} << 32) | type;
  }
  template <class Visitor>
  static void visit_all(const std::vector<ref>& list, Visitor& visit) {
    for (auto r : list)
      visit(r);
  }
  void enter(ref r);
  void leave(ref r);
  void enter_wildcards(ref r, const subscription& s);
  void leave_wildcards(ref r, const subscription& s);

  std::unordered_map<topic_key, topic> topics_;
  std::unordered_map<event_key, std::vector<ref>, event_key_hash> by_event_;
  std::unordered_map<organizer_id, by_stem> wildcards_;
  struct shape_hash {
    std::size_t operator()(const subscription& s) const noexcept;
  };
  /// Subscriptions and how many webhooks have each: most webhooks share theirs.
  using shapes = std::unordered_map<subscription, std::size_t, shape_hash>;

  shapes shapes_;
  /// By ref; ids ascend.
  std::vector<webhook_id> ids_;
  std::vector<organizer_id> owners_;
  std::vector<shapes::value_type*> shape_of_;
};

} // namespace fanfare
