// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rules/action_types.hpp"

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

bool is_label(std::string_view label) {
  return !label.empty() && std::ranges::all_of(label, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'
        || c == '-';
  });
}

} // namespace

std::span<const std::string_view> builtin_action_types() {
  return builtin;
}

std::span<const std::string_view> own_action_types() {
  return own;
}

bool is_action_name(std::string_view action) {
  for (;;) {
    const auto dot = action.find('.');
    if (!is_label(action.substr(0, dot)))
      return false;
    if (dot == std::string_view::npos)
      return true;
    action.remove_prefix(dot + 1);
  }
}

result<void> check_action_type_name(std::string_view name) {
  if (name.size() > action_type_limit)
    return error{ec::invalid_argument,
                 "Ensure this field has no more than 255 characters.", "name"};
  auto labels = name.ends_with(".*") ? name.substr(0, name.size() - 2) : name;
  std::size_t count = 0;
  for (bool more = true; more; ++count) {
    const auto dot = labels.find('.');
    more = dot != std::string_view::npos;
    if (!is_label(labels.substr(0, dot)))
      return error{ec::invalid_argument,
                   "An action type is made of labels of the characters a-z, "
                   "0-9, \"_\" and \"-\", "
                   "joined by dots, and may end in \".*\".",
                   "name"};
    labels.remove_prefix(more ? dot + 1 : labels.size());
  }
  if (count < 2)
    return error{
      ec::invalid_argument,
      "An action type has at least two labels, as in \"shop.order\" or "
      "\"shop.order.*\".",
      "name"};
  return {};
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
  std::string pattern{action};
  for (;;) {
    const auto dot = pattern.rfind('.');
    if (dot == std::string::npos || pattern.find('.') == dot)
      return std::nullopt; // one label is left, and `a.*` is never asked for
    pattern.resize(dot);
    pattern += ".*";
    if (auto id = find(pattern))
      return id;
    pattern.resize(dot);
  }
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
