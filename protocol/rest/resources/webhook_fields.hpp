// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The fields of a webhook as clients send them: which spellings are taken, and
/// every sentence about those that are not. Needs the engine's registry of
/// events and action types, which is in memory. Any thread.

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
  /// As sent: with repeats, in order. All of them are registered names.
  std::optional<std::vector<std::string>> action_types;
  std::optional<std::optional<std::string>> comment;
  delivery_patch delivery;
};

/// How much of a webhook a request has to name.
enum class extent : std::uint8_t {
  whole, ///< POST, PUT: some fields are required
  part,  ///< PATCH
};

/// The members that a form stands for. Forms cannot say "false" or "no
/// members", so what a form leaves out has a meaning where `how_much` is whole.
[[nodiscard]] boost::json::object form_to_object(const query& form,
                                                 extent how_much);

/// Reads and checks all fields; `errors` gets what is wrong with each.
[[nodiscard]] webhook_fields
read_webhook(const exchange& x, const boost::json::object& json,
             extent how_much, field_errors& errors);

} // namespace fanfare::protocol::rest
