// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What goes together into one request of a webhook.

#include "actors/webhook/delivery_plan.hpp"
#include "actors/webhook/delivery_queue.hpp"
#include "fanfare/types.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

namespace fanfare {

/// What the first of those that are ready begins.
struct batch_choice {
  /// How many of them go together; 0: the first one goes no more.
  std::size_t count = 0;
  bool too_old = false; ///< that is why; else it is settled or in flight
  /// More may come: it is to be sent then.
  std::optional<timestamp> wait_until{};
};
/// Which retries go together because a batch with them was refused for one of
/// its members: each half goes by itself, until the one that is refused is
/// alone, and that one stays alone. They are known until they end, their
/// request is answered otherwise, or the engine is started anew.
class batch_halves {
public:
  /// Beyond so many all retries go one by one.
  static constexpr std::size_t most = 10'000;

  /// The receiver has answered a request with these. `refused`: for one of
  /// them.
  void answered(const std::vector<notification_ptr>& members, bool refused);
  /// It is not sent again.
  void forget(position subject);

  /// The same for all that go together; 0: it goes with others that have none.
  [[nodiscard]] position half_of(position subject) const {
    if (!halves_)
      return 0;
    const auto i = halves_->find(subject);
    return i != halves_->end() ? i->second : overflow_ ? subject : 0;
  }
  [[nodiscard]] bool empty() const {
    return halves_ == nullptr;
  }

private:
  using by_subject = std::unordered_map<position, position>;

  std::unique_ptr<by_subject> halves_; ///< null: there are none
  bool overflow_ = false;
};

/// As many as fit into one request: one, unless the plan is for batches. Needs
/// one that is ready, and of retries brings forward those that go with it. At
/// most `most`.
[[nodiscard]] batch_choice
choose_batch(delivery_queue& queue, delivery_queue::source from,
             const delivery_plan& plan, const batch_halves& halves,
             std::size_t most, timestamp now);

/// One notification whose body has the bodies of all members.
[[nodiscard]] notification_ptr
combine(const std::vector<notification_ptr>& members, bool thin);

} // namespace fanfare
