// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A webhook as its owner has registered it, and what follows from that for its
/// calls: the plan, the filter, whether it is enabled. Not thread-safe.

#include "actors/interfaces.hpp"
#include "actors/webhook/delivery_plan.hpp"

#include <cstdint>

namespace fanfare {

class registration {
public:
  /// False until the first adopt(); then the rest has no meaning.
  [[nodiscard]] bool known() const {
    return hook_ != nullptr;
  }
  /// Whether `other` is from before what is known, or nothing is known: what
  /// will be loaded is at least as new then.
  [[nodiscard]] bool is_ahead_of(const webhook_record& other) const {
    return !hook_ || other.versions.back().from < hook_->versions.back().from;
  }

  struct news {
    bool redirected = false; ///< another target URL
    bool moved = false;      ///< another destination, or the first one
  };
  /// It is this from now on. `fences`: how often organizers' networks and the
  /// defaults had changed when `defaults` were looked at.
  news adopt(webhook_ptr hook, const delivery_defaults& defaults,
             std::uint64_t fences);
  /// Whether one of them has changed since, so that the plan must be made anew.
  [[nodiscard]] bool is_outdated(std::uint64_t fences) const {
    return fences_ != fences;
  }

  [[nodiscard]] const webhook_ptr& record() const {
    return hook_;
  }
  [[nodiscard]] delivery_plan& plan() {
    return plan_;
  }
  [[nodiscard]] const delivery_plan& plan() const {
    return plan_;
  }
  [[nodiscard]] bool enabled() const {
    return enabled_;
  }
  /// The last position of the journal before its newest version.
  [[nodiscard]] position changed_at() const {
    return hook_->versions.back().from - 1;
  }
  /// Whether the notification passes the filter that holds for it; true while
  /// nothing is known.
  [[nodiscard]] bool wants(const notification& n) const {
    return !filtered_ || passes_filter(n);
  }

  /// Whether it is being disabled: the registry will say what follows.
  [[nodiscard]] bool disabling() const {
    return disabling_;
  }
  void set_disabling(bool disabling) {
    disabling_ = disabling;
  }

private:
  [[nodiscard]] bool passes_filter(const notification& n) const;

  webhook_ptr hook_;
  /// What every turn asks of it, so that it need not be fetched into the cache.
  bool enabled_ = false;
  bool filtered_ = false; ///< one of its versions has a filter
  bool disabling_ = false;
  delivery_plan plan_;
  std::uint64_t fences_ = 0; ///< when the plan was made
};

} // namespace fanfare
