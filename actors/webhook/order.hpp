// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Orders to a webhook, beside changes of its subscription: expedite or drop
/// its retries, send a notification again, make a test call. Only its actor can
/// carry them out, because it alone knows its attempts in flight.

#include "fanfare/error.hpp"
#include "fanfare/reports.hpp"
#include "model/records.hpp"
#include "storage/deliveries.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <variant>
#include <vector>

namespace fanfare {

/// Takes the answer to an order. It may be copied; the first answer counts. If
/// all copies are destroyed without one, the answer is that the actor has
/// ended. Any thread.
template <class T>
class reply {
public:
  using receiver = std::function<void(result<T>)>;

  /// The answer is of no interest.
  reply() = default;
  explicit reply(receiver to)
    : to_(new receiver{std::move(to)}, [](receiver* unanswered) {
        if (*unanswered)
          (*unanswered)(error{ec::stopping,
                              "The webhook was stopped before this was done. "
                              "Try again in a moment; if the engine is "
                              "stopping, once it is started anew."});
        delete unanswered;
      }) {}

  explicit operator bool() const {
    return to_ != nullptr;
  }

  void operator()(result<T> answer) const {
    if (auto to = std::exchange(*to_, nullptr))
      to(std::move(answer));
  }

private:
  std::shared_ptr<receiver> to_;
};

/// Makes all retries due now. Answers how many, once that is on disk.
struct expedite_order {
  reply<std::size_t> done;
};

/// Ends all retries, or some; each is logged as given up. Answers how many,
/// once that is on disk.
struct drop_order {
  /// Of these notifications only, ascending; null: of all.
  std::shared_ptr<const std::vector<position>> only;
  reply<std::size_t> done;
};

/// Sends a notification again that was attempted before. Answers its entry in
/// the retry set, once that is on disk. conflict: the webhook is disabled, or
/// an attempt of it is in flight.
struct resend_order {
  position subject = 0;
  reply<retry> done;
};

/// Makes one attempt of a notification that was made for this, even if the
/// webhook is disabled. Answers the call, once it is on disk.
struct test_order {
  notification_ptr what;
  reply<call> done;
};

/// Begins a replay that is in the store.
struct replay_order {
  replay value;
  std::shared_ptr<const storage::selection> chosen;
};

/// Ends the running replay and the retries that it has handed over. Answers how
/// far it came, once that is on disk. not_found: none runs.
struct cancel_order {
  reply<replay> done;
};

/// The hold that it shares with others has ended: what waits for that is due.
struct lift_order {};

/// Answers the webhook's state at this moment.
struct inspect_order {
  reply<delivery_state> done;
};

using webhook_order = std::variant<expedite_order, drop_order, resend_order,
                                   test_order, replay_order, cancel_order,
                                   lift_order, inspect_order>;
using webhook_order_ptr = std::shared_ptr<const webhook_order>;

} // namespace fanfare
