// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Orders to a webhook other than its subscription: to resend, to test, to
/// replay, to bring retries forward or to end them. The webhook's actor
/// executes them.

#include "actors/webhook/order.hpp"
#include "engine/callbacks.hpp"
#include "engine/changes.hpp"
#include "engine/directory.hpp"
#include "engine/lifecycle.hpp"
#include "engine/router_link.hpp"
#include "fanfare/clock.hpp"
#include "fanfare/reports.hpp"
#include "storage/store.hpp"

#include <chrono>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

namespace fanfare {

/// The parts of orders; all must outlive them.
struct orders_parts {
  const lifecycle& life;
  const storage::store& store;
  const directory& names;
  const wall_clock& clock;
  const callbacks& program;
  const commit_queue& commits;
  changes& edits;
  router_link& router;
};

/// The errors of all functions are those that <fanfare/engine.hpp> documents.
/// Any thread.
class orders {
public:
  explicit orders(const orders_parts& parts) : parts_(parts) {}

  result<retry> resend(organizer_id owner, webhook_id hook, call_id id);
  result<std::size_t> expedite_retries(organizer_id owner, webhook_id hook);
  result<std::size_t> drop_retries(organizer_id owner, webhook_id hook,
                                   std::optional<std::string_view> action_type);
  void test(organizer_id owner, webhook_id hook,
            std::function<void(result<test_call>)> done);

  result<replay_progress> start_replay(organizer_id owner, webhook_id hook,
                                       const replay_request& asked);
  result<replay_progress> find_replay(organizer_id owner,
                                      webhook_id hook) const;
  result<void> cancel_replay(organizer_id owner, webhook_id hook);

  /// The webhook's current state. Waits for it as long as for a change.
  result<delivery_state> inspect(organizer_id owner, webhook_id hook);
  /// The current states of these webhooks, in their order, as far as they are
  /// told within a second: for people who look, who would rather have the rest.
  std::vector<std::optional<delivery_state>>
  glance(const std::vector<webhook_id>& hooks);
  /// The same of one webhook; `io_error` if it is not told in time.
  result<delivery_state> glance(organizer_id owner, webhook_id hook);

private:
  /// Those of these notifications that wait for a retry; ascending.
  result<std::vector<position>>
  find_retries(webhook_id hook, const storage::action_choice& which) const;
  /// False: the engine is not running.
  bool send(webhook_id hook, webhook_order what);
  /// Blocks. Sends an `Order` with these members and waits for its answer.
  template <class Order, class Answer, class... Members>
  result<Answer> ask(organizer_id owner, webhook_id hook, Members... members);

  orders_parts parts_;
};

} // namespace fanfare
