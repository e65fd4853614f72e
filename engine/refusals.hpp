// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Errors that several of the engine's objects return.

#include "fanfare/error.hpp"
#include "fanfare/types.hpp"

#include <string>

namespace fanfare {

/// The caller is a callback that the committer waits for.
[[nodiscard]] inline error would_wait_for_itself() {
  return {
    ec::conflict,
    "A callback of the engine cannot wait for the engine, which waits for "
    "it. Use try_publish, or do it on another thread."};
}

[[nodiscard]] inline error no_such_organizer(organizer_id id) {
  return {ec::not_found, "There is no organizer " + std::to_string(id) + ".",
          "organizer"};
}

/// Also for another organizer's.
[[nodiscard]] inline error no_such_webhook() {
  return {ec::not_found, "No WebHook matches the given query."};
}

} // namespace fanfare
