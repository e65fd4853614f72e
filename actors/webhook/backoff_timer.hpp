// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Wakes a webhook's actor when its next retry is due. Holds no reference to
/// the actor, unlike a delayed message: a webhook that has nothing in flight
/// can end before its retry.

#include "actors/interfaces.hpp"
#include "fanfare/clock.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

namespace fanfare {

/// Lane thread only.
class wake_timer {
public:
  virtual ~wake_timer() = default;
  /// Sends `wake` at `due` or soon after, once; replaces an earlier date.
  virtual void set(timestamp due) = 0;
  virtual void cancel() = 0;
};

/// By a timer of the lane.
class backoff_timer final : public wake_timer {
public:
  backoff_timer(boost::asio::io_context& io, const wall_clock& clock,
                const webhook_actor& who);

  void set(timestamp due) override;
  void cancel() override;

private:
  boost::asio::steady_timer timer_;
  const wall_clock& clock_;
  caf::actor_addr who_;
};

} // namespace fanfare
