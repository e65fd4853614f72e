// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/delivery/name_setting.hpp"

#include "protocol/rules/delivery_rules.hpp"

#include <string>

namespace fanfare::protocol::rest {

namespace {

delivery_patch::edit read_name(setting_reader& read,
                               const boost::json::value& json) {
  std::string out;
  if (json.is_string())
    out = text_of(json.get_string());
  // Whether it is free is decided where edits are carried out in order.
  if (!json.is_null() && !is_webhook_name(out))
    read.fault(json.is_string() ? std::string{webhook_name_rule}
                                : "Must be a text, or null for none.");
  return set(&delivery_settings::name, std::move(out));
}

boost::json::value show_name(const webhook& of, const secret_opener&) {
  return text_or_null(of.delivery.name);
}

} // namespace

namespace settings {

constinit const setting name{"name", read_name, show_name};

} // namespace settings

} // namespace fanfare::protocol::rest
