// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/delivery/delivery_json.hpp"

#include "protocol/rest/delivery/connection_settings.hpp"
#include "protocol/rest/delivery/name_setting.hpp"
#include "protocol/rest/delivery/pace_settings.hpp"
#include "protocol/rest/delivery/request_settings.hpp"
#include "protocol/rest/delivery/setting_reader.hpp"

#include <algorithm>

namespace fanfare::protocol::rest {

namespace {

/// In the order in which they are shown. A new setting needs a line here.
constexpr const setting* all_settings[] = {
  &settings::name,        &settings::method,
  &settings::headers,     &settings::user_agent_suffix,
  &settings::signing,     &settings::timeouts,
  &settings::limits,      &settings::max_in_flight,
  &settings::rate_limit,  &settings::schedule,
  &settings::max_age,     &settings::final_statuses,
  &settings::ordered,     &settings::paused,
  &settings::resume_rate, &settings::body,
  &settings::filter,      &settings::batch,
  &settings::tls,         &settings::proxy,
};

} // namespace

delivery_faults
read_delivery(const boost::json::object& json, std::string_view text,
              const secret_opener& secrets, delivery_patch& out) {
  delivery_faults faults;
  setting_reader read{text, secrets, faults};
  for (const auto& item : json) {
    const auto key = text_of(item.key());
    read.begin(key);
    const auto* const found = std::ranges::find(all_settings, key,
                                                &setting::key);
    if (found == std::end(all_settings))
      read.fault("Unknown key.");
    else
      out.add((*found)->read(read, item.value()));
  }
  return faults;
}

boost::json::object delivery_json(const webhook& hook,
                                  const secret_opener& secrets) {
  boost::json::object out;
  for (const auto* one : all_settings)
    out.emplace(boost::json::string_view{one->key.data(), one->key.size()},
                one->show(hook, secrets));
  return out;
}

} // namespace fanfare::protocol::rest
