// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What people ask of a webhook beside its subscription: to bring its retries
/// forward or to end them, to send something again, to try it out. Only its
/// actor can do that, because it alone knows what is under way.

#include "fanfare/engine.hpp"
#include "fanfare/error.hpp"
#include "model/records.hpp"
#include "storage/store.hpp"

#include <cstddef>
#include <functional>
#include <memory>
#include <utility>
#include <variant>

namespace fanfare {

/// Where the answer to an order goes. It may be copied; the first answer
/// counts. If all copies are gone without one, the actor has ended, and that is
/// the answer. Any thread.
template <class T>
class reply {
public:
  using receiver = std::function<void(result<T>)>;

  /// Nobody waits.
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

/// Ends all retries; each is logged as given up. Answers how many, once that is
/// on disk.
struct drop_order {
  reply<std::size_t> done;
};

/// Sends a notification that was attempted before again. Answers what is in the
/// retry set now, once that is on disk. conflict: the webhook is disabled, or
/// an attempt of it is under way.
struct resend_order {
  position subject = 0;
  reply<retry> done;
};

/// Makes one attempt of a notification that is about this webhook only, also if
/// it is disabled. Answers the call, once it is on disk.
struct test_order {
  notification_ptr what;
  reply<call> done;
};

/// Feeds a replay that is in the store.
struct replay_order {
  replay value;
  std::shared_ptr<const storage::selection> chosen;
};

/// Ends the replay that runs and what waits because of it. Answers how far it
/// came, once that is on disk. not_found: none runs.
struct cancel_order {
  reply<replay> done;
};

/// Asks how it does at this moment.
struct inspect_order {
  reply<delivery_state> done;
};

using webhook_order = std::variant<expedite_order, drop_order, resend_order,
                                   test_order, replay_order, cancel_order,
                                   inspect_order>;
using webhook_order_ptr = std::shared_ptr<const webhook_order>;

} // namespace fanfare
