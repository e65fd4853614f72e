// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The fields of a webhook as clients send them: the accepted spellings, and a
/// sentence for each fault. Looks up events and action types, in memory. Any
/// thread.

#include "fanfare/types.hpp"
#include "protocol/rest/delivery/delivery_patch.hpp"
#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/request_body.hpp"

#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <vector>

namespace fanfare::protocol::rest {

struct webhook_fields {
  std::optional<bool> enabled;
  std::optional<std::string> target_url;
  std::optional<bool> all_events;
  std::optional<std::vector<std::string>> limit_events; ///< slugs
  /// As sent: in order, with repeats. All are registered names.
  std::optional<std::vector<std::string>> action_types;
  std::optional<std::optional<std::string>> comment;
  delivery_patch delivery;
};

/// How much of a webhook a request must have.
enum class extent : std::uint8_t {
  whole, ///< POST, PUT: some fields are required
  part,  ///< PATCH
};

/// The members that a form stands for. A form cannot express false or an empty
/// list, so with `whole` a missing field means that.
[[nodiscard]] boost::json::object form_to_object(const query& form,
                                                 extent how_much);

/// Reads and checks all fields; `errors` gets their faults.
[[nodiscard]] webhook_fields
read_webhook(const exchange& x, const boost::json::object& json,
             extent how_much, field_errors& errors);

} // namespace fanfare::protocol::rest
