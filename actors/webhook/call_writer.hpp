// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Hands a webhook's calls to the commit queue. They are kept and tried again
/// while the disk refuses them: what has happened must not be forgotten.

#include "actors/commit_queue.hpp"
#include "actors/webhook/order.hpp"
#include "fanfare/types.hpp"

#include <string>

namespace fanfare {

/// Appends the call; `answer` gets it once it is on disk.
void append(commit_queue& to, call&& entry, reply<call> answer = {});

/// Appends the call and disables its webhook in the same commit, unless its
/// target is not `url` any more: then the answer was not the new target's.
/// `done`: of the change, may be empty.
void append_and_disable(commit_queue& to, call&& last, const std::string& url,
                        timestamp now, commit_queue::completion done);

} // namespace fanfare
