// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The settings of delivery as JSON: times are seconds as numbers, fractions
/// count down to the millisecond (but for names that end with _ms), null means
/// "as the engine does". A table of what there is, with limits, is in
/// docs/delivery.md. Any thread.

#include "fanfare/types.hpp"
#include "protocol/rest/service.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::protocol::rest {

/// What stands for a secret that is stored and not shown. A PATCH that sends it
/// back keeps what is stored.
inline constexpr std::string_view kept_secret = "***";

/// A change of settings: each top-level key that was sent replaces what is
/// stored. Applied to the webhook; an error says which key contradicts what is
/// stored.
class delivery_patch {
public:
  [[nodiscard]] result<void> apply(webhook& to) const;
  [[nodiscard]] bool empty() const {
    return edits_.empty();
  }

  using edit = std::function<result<void>(webhook&)>;
  void add(edit one) {
    edits_.push_back(std::move(one));
  }

private:
  std::vector<edit> edits_;
};

/// Key and sentence of each fault.
using delivery_faults = std::vector<std::pair<std::string, std::string>>;

/// Reads what was sent. `secrets` opens the secrets that are to be kept, and
/// must outlive `out`.
[[nodiscard]] delivery_faults read_delivery(const boost::json::object& json,
                                            const secret_opener& secrets,
                                            delivery_patch& out);

[[nodiscard]] boost::json::object delivery_json(const webhook& hook,
                                                const secret_opener& secrets);

/// "hmac-sha256", "ed25519", "none".
[[nodiscard]] std::string_view name_of(signing_algorithm algorithm);

} // namespace fanfare::protocol::rest
