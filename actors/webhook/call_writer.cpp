// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/call_writer.hpp"

#include <utility>

namespace fanfare {

void append(commit_queue& to, call&& entry, reply<call> answer) {
  commit_queue::completion on_disk;
  if (answer)
    on_disk = [answer = std::move(answer)](storage::operation& op,
                                           const error* failure) {
      if (failure != nullptr)
        answer(*failure);
      else
        answer(std::move(std::get<storage::append_call>(op).entry));
    };
  to.push({.what = storage::append_call{std::move(entry)},
           .done = std::move(on_disk),
           .lasting = true});
}

void append_and_disable(commit_queue& to, call&& last, const std::string& url,
                        timestamp now, commit_queue::completion done) {
  storage::change_webhook disable;
  disable.id = last.hook;
  disable.now = now;
  disable.edit = [url](webhook_record& w) -> result<void> {
    if (w.target_url == url)
      w.current().enabled = false;
    return {};
  };
  to.push(
    {.what = storage::append_call{std::move(last)},
     .done = {},
     .lasting = true},
    {.what = std::move(disable), .done = std::move(done), .lasting = true});
}

} // namespace fanfare
