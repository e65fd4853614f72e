// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What a webhook has the committer read and write for it. All of it is kept
/// and tried again while the disk refuses: what has happened must not be
/// forgotten.

#include "actors/commit_queue.hpp"
#include "actors/interfaces.hpp"
#include "actors/webhook/order.hpp"
#include "actors/webhook/owner_notices.hpp"
#include "actors/webhook/webhook_context.hpp"
#include "fanfare/types.hpp"
#include "model/records.hpp"

#include <memory>
#include <string>
#include <vector>

namespace fanfare {

/// Sends `loaded` with the state of the webhook behind everything that is in
/// the queue.
void ask_for_state(commit_queue& from, webhook_id hook, webhook_actor who);

/// Appends the call; `answer` gets it once it is on disk. `published`: as in
/// storage::append_call.
void append(commit_queue& to, logged_call&& entry, timestamp published = {},
            reply<call> answer = {});

/// Appends the call and disables its webhook in the same commit, unless its
/// target is not `url` any more: then the answer was not the new target's.
/// `done`: of the change, may be empty.
void append_and_disable(commit_queue& to, logged_call&& last,
                        const std::string& url, timestamp now,
                        commit_queue::completion done);

/// Tells operator and owner of it once the webhook is disabled.
[[nodiscard]] commit_queue::completion
tell_of_disabling(std::shared_ptr<const webhook_context> context,
                  owner_notice notice, std::string sentence);

/// Corrects its progress there.
void amend(commit_queue& of, const storage::amend_progress& how);

/// Has its retries due as these say.
void move_retries(commit_queue& of, webhook_id hook, std::vector<retry> moved);

/// Ends all retries that the store has of the webhook.
void drop_retries(commit_queue& of, webhook_id hook);

} // namespace fanfare
