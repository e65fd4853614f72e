// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rules/action_types.hpp"

#include "protocol/rules/nearest_name.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <array>

namespace fanfare::protocol {

namespace {

constexpr std::array<std::string_view, 46> builtin{
  "pretix.event.order.placed",
  "pretix.event.order.placed.require_approval",
  "pretix.event.order.paid",
  "pretix.event.order.canceled",
  "pretix.event.order.reactivated",
  "pretix.event.order.expired",
  "pretix.event.order.expirychanged",
  "pretix.event.order.modified",
  "pretix.event.order.contact.changed",
  "pretix.event.order.changed.*",
  "pretix.event.order.refund.created",
  "pretix.event.order.refund.created.externally",
  "pretix.event.order.refund.requested",
  "pretix.event.order.refund.done",
  "pretix.event.order.refund.canceled",
  "pretix.event.order.refund.failed",
  "pretix.event.order.payment.confirmed",
  "pretix.event.order.approved",
  "pretix.event.order.denied",
  "pretix.event.order.deleted",
  "pretix.event.checkin",
  "pretix.event.checkin.reverted",
  "pretix.event.added",
  "pretix.event.changed",
  "pretix.event.deleted",
  "pretix.event.live.activated",
  "pretix.event.live.deactivated",
  "pretix.event.testmode.activated",
  "pretix.event.testmode.deactivated",
  "pretix.subevent.added",
  "pretix.subevent.changed",
  "pretix.subevent.deleted",
  "pretix.event.item.*",
  "pretix.event.orders.waitinglist.added",
  "pretix.event.orders.waitinglist.changed",
  "pretix.event.orders.waitinglist.deleted",
  "pretix.event.orders.waitinglist.voucher_assigned",
  "pretix.voucher.added",
  "pretix.voucher.changed",
  "pretix.voucher.deleted",
  "pretix.customer.created",
  "pretix.customer.changed",
  "pretix.customer.anonymized",
  "pretix.giftcards.created",
  "pretix.giftcards.modified",
  "pretix.giftcards.transaction.*",
};

constexpr std::array<std::string_view, 5> own{
  "fanfare.webhook.disabled",       "fanfare.webhook.recovered",
  "fanfare.webhook.secret_rotated", "fanfare.webhook.certificate_expiring",
  "fanfare.notification.given_up",
};

constexpr std::string_view pretix = "pretix.";

bool is_label(std::string_view label) {
  return !label.empty() && std::ranges::all_of(label, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

/// Whether it is `*`, or `.*` or `/*` behind what can be an action.
bool is_good_wildcard(std::string_view name) {
  if (!is_wildcard(name))
    return false;
  const auto stem = stem_of(name);
  return stem.empty() || is_action_name(stem.substr(0, stem.size() - 1));
}

/// Where pretix's rules hold, and its own sentences answer mistakes.
bool is_of_pretix(std::string_view name) {
  return to_lower(name.substr(0, pretix.size())) == pretix;
}

bool is_builtin(std::string_view name) {
  return std::ranges::find(builtin, name) != builtin.end();
}

/// Among which similar names are looked for, and of what length at most: on the
/// thread that answers requests.
constexpr std::size_t most_compared = 1'000;
constexpr std::size_t longest_compared = 64;

} // namespace

std::span<const std::string_view> builtin_action_types() {
  return builtin;
}

std::span<const std::string_view> own_action_types() {
  return own;
}

bool is_action_name(std::string_view action) {
  for (;;) {
    const auto end = action.find_first_of(label_separators);
    if (!is_label(action.substr(0, end)))
      return false;
    if (end == std::string_view::npos)
      return true;
    action.remove_prefix(end + 1);
  }
}

result<void> check_action_type_name(std::string_view name) {
  if (name.size() > action_type_limit)
    return error{ec::invalid_argument,
                 "Ensure this field has no more than 255 characters.", "name"};
  if (!is_action_name(name) && !is_good_wildcard(name))
    return error{ec::invalid_argument,
                 "An action type is made of " + std::string{action_name_rule}
                   + ", and may end in \".*\" or \"/*\"; \"*\" alone "
                     "covers all.",
                 "name"};
  if (name == "pretix.*")
    return error{ec::invalid_argument,
                 "Below \"pretix\" a wildcard has two labels at least, as in "
                 "\"pretix.event.*\".",
                 "name"};
  return {};
}

bool is_free_wildcard(std::string_view name,
                      std::span<const action_type> known) {
  if (name.size() > action_type_limit || !is_good_wildcard(name)
      || is_of_pretix(name))
    return false;
  if (name != "*")
    return true;
  return std::ranges::none_of(known,
                              [](const auto& t) { return is_builtin(t.name); })
      || std::ranges::any_of(known, [](const auto& t) {
           return !is_builtin(t.name) && !is_own_action(t.name);
         });
}

std::string how_to_register(std::string_view name,
                            std::span<const action_type> known) {
  if (!check_action_type_name(name) || is_wildcard(name) || is_own_action(name)
      || is_of_pretix(name))
    return {};
  std::vector<std::string> names;
  for (const auto& type : known.first(std::min(known.size(), most_compared)))
    if (!is_wildcard(type.name))
      names.push_back(type.name);
  const auto meant = name.size() > longest_compared ? std::string{}
                                                    : similar_name(name, names);
  const std::string text{name};
  return (meant.empty() ? "Register it first"
                        : "Did you mean \"" + meant
                            + "\"? If it is a new one, register it first")
       + ": POST /api/v1/action-types/ {\"name\": \"" + text
       + "\"}, or \"fanfare action-types create " + text + "\".";
}

bool action_type_table::add(action_type value) {
  if (by_id_.contains(value.id) || by_name_.contains(value.name))
    return false;
  by_name_.emplace(value.name, value.id);
  const auto id = value.id;
  by_id_.emplace(id, std::move(value));
  return true;
}

std::optional<action_type_id>
action_type_table::find(std::string_view name) const {
  if (auto i = by_name_.find(name); i != by_name_.end())
    return i->second;
  return std::nullopt;
}

std::optional<action_type_id>
action_type_table::resolve(std::string_view action) const {
  if (action.size()
      > action_type_limit) // bounds the work below; no such name is registered
    return std::nullopt;
  if (auto id = find(action))
    return id;
  if (is_own_action(action))
    return std::nullopt;
  const bool as_pretix = action.starts_with(pretix);
  std::string pattern{action};
  for (auto end = pattern.find_last_of(label_separators);
       end != std::string::npos && !(as_pretix && end < pretix.size());
       end = pattern.find_last_of(label_separators)) {
    pattern.resize(end + 1);
    pattern += '*';
    if (auto id = find(pattern))
      return id;
    pattern.resize(end);
  }
  return as_pretix ? std::nullopt : find("*");
}

const action_type* action_type_table::at(action_type_id id) const {
  auto i = by_id_.find(id);
  return i == by_id_.end() ? nullptr : &i->second;
}

std::vector<action_type> action_type_table::all() const {
  std::vector<action_type> result;
  result.reserve(by_id_.size());
  for (const auto& [id, value] : by_id_)
    result.push_back(value);
  std::ranges::sort(result, {}, &action_type::id);
  return result;
}

} // namespace fanfare::protocol
