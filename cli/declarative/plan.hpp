// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What has to be done so that a server has what a file wants. Values in,
/// values out; nothing here talks to a server.

#include "cli/declarative/state.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace fanfare::cli::declarative {

/// A member that changes, as text for people; secrets are hidden.
struct difference {
  std::string field;
  std::string before; ///< empty: it is new
  std::string after;
};

struct request {
  std::string method;
  /// "{id}" stands for the id in the answer to the request before it.
  std::string target;
  std::string body; ///< JSON
};

enum class step_kind { add, change, remove };

/// All or nothing is done of each request, and they are in order.
struct step {
  step_kind kind = step_kind::add;
  std::string subject; ///< "webhook acme/billing"
  std::vector<difference> differences;
  std::vector<request> requests;
};

/// Which of the found webhooks each of the wanted ones is, by its place: the
/// one with its name, else the first one without a name that calls the same
/// URL. Nothing: there is none.
[[nodiscard]] std::vector<std::optional<std::size_t>>
match_webhooks(const std::vector<wanted_webhook>& wanted,
               const std::vector<found_webhook>& found);

/// `prune`: what an organizer of the file has, but the file does not, goes, of
/// the lists that the file has. Throws what fault_at() makes if a webhook has
/// an action type that neither the file nor the server has.
[[nodiscard]] std::vector<step> make_plan(const wanted_state& wanted,
                                          const found_state& found, bool prune);

} // namespace fanfare::cli::declarative
