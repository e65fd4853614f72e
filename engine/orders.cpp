// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/orders.hpp"

#include "engine/refusals.hpp"
#include "engine/replay_plan.hpp"
#include "engine/webhook_lookup.hpp"
#include "protocol/rules/action_types.hpp"

#include <algorithm>
#include <future>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace fanfare {

namespace {

/// What a test says that happened.
constexpr std::string_view test_action = "fanfare.test";

/// How long somebody who only looks waits for actors.
constexpr std::chrono::milliseconds glance_patience{1'000};

replay_progress show(const replay& r, std::size_t waiting) {
  return {.asked = r.asked,
          .state = r.state,
          .count = r.count,
          .skipped = r.skipped,
          .queued = r.queued,
          .waiting = waiting,
          .started = r.started,
          .ended = r.ended};
}

/// The action of this name, or, of a wildcard, what webhooks that subscribe to
/// it get.
result<storage::action_choice> choose(const directory& names,
                                      std::string_view action_type) {
  if (protocol::is_action_name(action_type)) {
    // By its name and not by its type: that may have been registered after it
    // was published under a wildcard.
    if (names.find_names(0, action_type, {}).type)
      return storage::action_choice{.action = std::string{action_type}};
  } else if (protocol::is_free_wildcard(action_type, names.action_types())) {
    return storage::action_choice{.wildcard = std::string{action_type}};
  } else if (const auto wildcard = names.find_action_type(action_type)) {
    return storage::action_choice{.type = wildcard->id};
  }
  return error{ec::invalid_argument,
               "Unknown action type \"" + std::string{action_type} + "\".",
               "action_type"};
}

} // namespace

bool orders::send(webhook_id hook, webhook_order what) {
  return parts_.life.running()
      && parts_.router.send(
        atom::order_v, hook,
        std::make_shared<const webhook_order>(std::move(what)));
}

template <class Order, class Answer, class... Members>
result<Answer>
orders::ask(organizer_id owner, webhook_id hook, Members... members) {
  if (parts_.commits.is_written_by_caller())
    return would_wait_for_itself();
  if (auto own = find_record(parts_.store, owner, hook); !own)
    return own.error();
  auto done = std::make_shared<std::promise<result<Answer>>>();
  auto answered = done->get_future();
  // If it cannot be sent, the reply that nobody took is the answer.
  send(hook, Order{members..., reply<Answer>{[done](result<Answer> answer) {
                     done->set_value(std::move(answer));
                   }}});
  if (answered.wait_for(change_patience) != std::future_status::ready)
    return error{ec::io_error,
                 "This was not answered in time, because the disk or the "
                 "engine has too much to do; it may yet be done. Look before "
                 "you try it again."};
  return answered.get();
}

// -- retries ------------------------------------------------------------------

result<std::size_t> orders::expedite_retries(organizer_id owner,
                                             webhook_id hook) {
  return ask<expedite_order, std::size_t>(owner, hook);
}

result<std::size_t>
orders::drop_retries(organizer_id owner, webhook_id hook,
                     std::optional<std::string_view> action_type) {
  std::shared_ptr<const std::vector<position>> only;
  if (action_type) {
    if (auto own = find_record(parts_.store, owner, hook); !own)
      return own.error();
    const auto which = choose(parts_.names, *action_type);
    if (!which)
      return which.error();
    // What has failed before this order is a retry, on disk or on its way: its
    // actor has taken note of it, and then the disk has.
    if (const auto state = inspect(owner, hook); !state)
      return state.error();
    if (const auto written = parts_.edits.settle();
        !written && written.error().code != ec::store_full)
      return written.error();
    auto found = find_retries(hook, *which);
    if (!found)
      return found.error();
    only = std::make_shared<const std::vector<position>>(*std::move(found));
  }
  return ask<drop_order, std::size_t>(owner, hook, std::move(only));
}

result<std::vector<position>>
orders::find_retries(webhook_id hook,
                     const storage::action_choice& which) const {
  const auto waiting = parts_.store.deliveries().retries(hook, which);
  if (!waiting)
    return waiting.error();
  std::vector<position> subjects;
  subjects.reserve(waiting->size());
  for (const auto& r : *waiting)
    subjects.push_back(r.subject);
  std::ranges::sort(subjects);
  return subjects;
}

result<retry> orders::resend(organizer_id owner, webhook_id hook, call_id id) {
  if (auto own = find_record(parts_.store, owner, hook); !own)
    return own.error();
  const auto found = parts_.store.call_log().find(hook, id);
  if (!found)
    return found.error();
  const auto kept = parts_.store.journal().find(found->subject);
  if (!kept)
    return kept.error().code == ec::not_found
           ? error{ec::not_found, "The notification of this call is older than "
                                  "the retention and no longer kept."}
           : kept.error();
  if ((*kept)->action == test_action)
    return error{ec::conflict,
                 "A test is not sent again. Ask for another one."};
  return ask<resend_order, retry>(owner, hook, found->subject);
}

// -- tests --------------------------------------------------------------------

void orders::test(organizer_id owner, webhook_id hook,
                  std::function<void(result<test_call>)> done) {
  const auto complete = [this, done = std::move(done)](result<test_call> made) {
    parts_.program.run("The callback of a test",
                       [&] { done(std::move(made)); });
  };
  if (auto own = find_record(parts_.store, owner, hook); !own)
    return complete(own.error());
  storage::append_notifications append;
  append.published = parts_.clock.now();
  // No registered type: it matches no subscription.
  append.drafts.push_back(
    {.owner = owner,
     .event = 0,
     .new_event = {},
     .type = 0,
     .action = std::string{test_action},
     .rest = R"(, "organizer": ")" + parts_.names.find_slug(owner)
           + R"(", "action": ")" + std::string{test_action}
           + R"(", "webhook": )" + std::to_string(hook) + '}'});
  const auto added = parts_.edits.commit(std::move(append));
  if (!added)
    return complete(added.error());
  const auto what = added->front();
  const auto state = inspect(owner, hook);
  const auto held_by = state ? state->held_by : hold_reason::none;
  const auto held_until = state ? state->held_until : std::nullopt;
  send(hook, test_order{what, reply<call>{[=](result<call> made) {
                          if (made)
                            complete(test_call{.value = std::move(*made),
                                               .what = what,
                                               .held_by = held_by,
                                               .held_until = held_until});
                          else
                            complete(made.error());
                        }}});
}

// -- replays ------------------------------------------------------------------

result<replay_progress> orders::start_replay(organizer_id owner,
                                             webhook_id hook,
                                             const replay_request& asked) {
  auto found = find_record(parts_.store, owner, hook);
  if (!found)
    return found.error();
  auto plan = plan_replay(parts_.store, std::move(*found), asked,
                          parts_.clock.now());
  if (!plan)
    return plan.error();
  const auto started = parts_.edits.commit(
    storage::start_replay{.owner = owner, .hook = hook, .value = plan->value});
  if (!started)
    return started.error();
  // If this does not arrive, the webhook's actor finds it in the store when it
  // is started next.
  send(hook, replay_order{*started, std::move(plan->chosen)});
  return show(*started, 0);
}

result<replay_progress> orders::find_replay(organizer_id owner,
                                            webhook_id hook) const {
  if (auto own = find_record(parts_.store, owner, hook); !own)
    return own.error();
  const auto found = parts_.store.deliveries().find_replay(hook);
  if (!found)
    return found.error().code == ec::not_found
           ? error{ec::not_found, "There is no replay of this webhook."}
           : found.error();
  const auto retries = parts_.store.deliveries().retries(hook);
  if (!retries)
    return retries.error();
  return show(*found, static_cast<std::size_t>(
                        std::ranges::count_if(*retries, &retry::resent)));
}

result<void> orders::cancel_replay(organizer_id owner, webhook_id hook) {
  const auto ended = ask<cancel_order, replay>(owner, hook);
  return ended ? result<void>{} : ended.error();
}

// -- inspection ---------------------------------------------------------------

result<delivery_state> orders::inspect(organizer_id owner, webhook_id hook) {
  return ask<inspect_order, delivery_state>(owner, hook);
}

result<delivery_state> orders::glance(organizer_id owner, webhook_id hook) {
  if (auto own = find_record(parts_.store, owner, hook); !own)
    return own.error();
  if (auto told = glance({hook}).front())
    return *std::move(told);
  return error{ec::io_error,
               "The webhook did not tell its state within a second, because "
               "the disk or the engine has too much to do. Try it again, and "
               "look at the status of the server."};
}

std::vector<std::optional<delivery_state>>
orders::glance(const std::vector<webhook_id>& hooks) {
  std::vector<std::optional<delivery_state>> out(hooks.size());
  if (parts_.commits.is_written_by_caller())
    return out; // an actor that is started waits for a commit
  std::vector<std::future<result<delivery_state>>> answers;
  for (const auto hook : hooks) {
    auto done = std::make_shared<std::promise<result<delivery_state>>>();
    answers.push_back(done->get_future());
    send(hook, inspect_order{
                 reply<delivery_state>{[done](result<delivery_state> answer) {
                   done->set_value(std::move(answer));
                 }}});
  }
  const auto until = std::chrono::steady_clock::now() + glance_patience;
  for (std::size_t i = 0; i < answers.size(); ++i)
    if (answers[i].wait_until(until) == std::future_status::ready)
      if (auto told = answers[i].get())
        out[i] = std::move(*told);
  return out;
}

} // namespace fanfare
