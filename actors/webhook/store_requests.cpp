// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/store_requests.hpp"

#include <memory>
#include <utility>
#include <variant>

namespace fanfare {

void ask_for_state(commit_queue& from, webhook_id hook, webhook_actor who) {
  from.push(
    {.what = storage::barrier{.load = hook},
     .done =
       [who = std::move(who)](storage::operation& op, const error* failure) {
         auto state = std::make_shared<result<storage::webhook_state>>(error{});
         if (failure != nullptr)
           *state = *failure;
         else
           *state = std::move(std::get<storage::barrier>(op).done);
         caf::anon_send(who, atom::loaded_v,
                        webhook_state_ptr{std::move(state)});
       },
     .lasting = true});
}

void append(commit_queue& to, logged_call&& entry, timestamp published,
            reply<call> answer) {
  commit_queue::completion on_disk;
  if (answer)
    on_disk = [answer = std::move(answer)](storage::operation& op,
                                           const error* failure) {
      if (failure != nullptr)
        answer(*failure);
      else
        answer(std::move(std::get<storage::append_call>(op).entry));
    };
  to.push({.what = storage::append_call{std::move(entry), published},
           .done = std::move(on_disk),
           .lasting = true});
}

void append_and_disable(commit_queue& to, logged_call&& last,
                        const std::string& url, timestamp now,
                        commit_queue::completion done) {
  storage::change_webhook disable;
  disable.id = last.hook;
  disable.now = now;
  disable.edit = [url](webhook_record& w) -> result<void> {
    if (w.target_url == url)
      w.current().enabled = false;
    return {};
  };
  to.push(
    {.what = storage::append_call{std::move(last), {}},
     .done = {},
     .lasting = true},
    {.what = std::move(disable), .done = std::move(done), .lasting = true});
}

commit_queue::completion
tell_of_disabling(std::shared_ptr<const webhook_context> context,
                  owner_notice notice, std::string sentence) {
  return [context = std::move(context), notice = std::move(notice),
          sentence = std::move(sentence)](storage::operation& op,
                                          const error* failure) {
    const auto& changed = std::get<storage::change_webhook>(op).done;
    if (failure != nullptr || !changed || changed->current().enabled)
      return;
    const auto at = changed->versions.back().since;
    if (auto* watch = context->shared.watch) {
      watch->troubles.report_disabled(changed->id, changed->owner, at);
      watch->changes.note(webhook_change::kind::disabled, *changed, sentence,
                          at);
    }
    context->say(event_kind::disabled, log_level::warning, *changed, sentence);
    if (context->notify_owner)
      context->notify_owner(*changed, notice.action, notice.members);
  };
}

void amend(commit_queue& of, const storage::amend_progress& how) {
  of.push({.what = how, .done = {}, .lasting = true});
}

void move_retries(commit_queue& of, webhook_id hook, std::vector<retry> moved) {
  of.push({.what = storage::enqueue{.hook = hook,
                                    .entries = std::move(moved),
                                    .progress = {}},
           .done = {},
           .lasting = true});
}

void drop_retries(commit_queue& of, webhook_id hook) {
  of.push({.what = storage::drop_retries{hook}, .done = {}, .lasting = true});
}

} // namespace fanfare
