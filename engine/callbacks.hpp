// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Calls into the program. An exception from the program must not end a thread
/// of the engine: it is logged and dropped.

#include "actors/committer.hpp"

#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace fanfare {

/// Any thread.
class callbacks {
public:
  explicit callbacks(log_function log) : log_(std::move(log)) {}

  /// Runs `call`; `what` names it in the log ("A call observer").
  template <class Call>
  void run(std::string_view what, Call&& call) const {
    std::string thrown;
    try {
      call();
      return;
    } catch (const std::exception& e) {
      thrown = e.what();
    } catch (...) {
      thrown = "something that is no std::exception";
    }
    log_(log_level::error,
         std::string{what} + " of the program threw: " + thrown);
  }

private:
  log_function log_;
};

} // namespace fanfare
