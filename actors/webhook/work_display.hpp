// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Keeps what a webhook has to do on the board of its lane, for operators. Not
/// thread-safe.

#include "actors/webhook/delivery_board.hpp"
#include "actors/webhook/delivery_queue.hpp"
#include "actors/webhook/throttle.hpp"
#include "actors/webhook/webhook_context.hpp"

namespace fanfare {

class work_display {
public:
  /// After each step of the webhook. While nothing changes it compares a few
  /// numbers.
  void look(const webhook_context& in, const delivery_queue& queue,
            const throttle& held) {
    if (const auto now = work(queue, held); now != shown_)
      show(in, queue.hook(), now);
  }
  /// The actor ends: it shows nothing any more.
  void clear(const webhook_context& in, webhook_id hook) {
    show(in, hook, {});
  }

private:
  [[nodiscard]] open_work work(const delivery_queue& queue,
                               const throttle& held) const;
  void show(const webhook_context& in, webhook_id hook, const open_work& now);

  open_work shown_;
};

} // namespace fanfare
