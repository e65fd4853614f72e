// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Errors as values. Every function that can fail for a reason other than a
/// programmer's mistake returns `result<T>`; its error carries a code that
/// programs decide on and a sentence that tells a person what to do.

#include <boost/system/result.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace fanfare {

/// What went wrong. The names say the state that was found.
enum class ec : std::uint8_t {
  ok = 0,
  // -- the caller's input --------------------------------------------------
  invalid_argument, ///< a value is outside of what is documented
  not_found,      ///< no such organizer, event, webhook, token or notification
  already_exists, ///< the slug or name is taken
  forbidden,      ///< the resource belongs to another organizer
  conflict,       ///< the change contradicts what is stored
  too_large,      ///< more than the documented limit
  // -- the engine's state --------------------------------------------------
  stopping,   ///< the engine is stopping and accepts nothing new
  overloaded, ///< too much accepted work waits for the disk: try again soon
  store_full, ///< the disk or the store's maximum size is full
  // -- the data directory --------------------------------------------------
  store_locked,  ///< another process uses the data directory
  store_foreign, ///< the directory holds something else than a Fanfare store
  store_newer,   ///< the store was written by a newer version of Fanfare
  store_damaged, ///< a record cannot be decoded
  io_error,      ///< the operating system reported an error
  // -- the network ----------------------------------------------------------
  bind_failed, ///< the listen address cannot be used
  internal,    ///< a defect of Fanfare; the text says where
};

/// The code as documented, e.g. "store_full".
[[nodiscard]] constexpr std::string_view to_string(ec code) noexcept {
  switch (code) {
    case ec::ok: return "ok";
    case ec::invalid_argument: return "invalid_argument";
    case ec::not_found: return "not_found";
    case ec::already_exists: return "already_exists";
    case ec::forbidden: return "forbidden";
    case ec::conflict: return "conflict";
    case ec::too_large: return "too_large";
    case ec::stopping: return "stopping";
    case ec::overloaded: return "overloaded";
    case ec::store_full: return "store_full";
    case ec::store_locked: return "store_locked";
    case ec::store_foreign: return "store_foreign";
    case ec::store_newer: return "store_newer";
    case ec::store_damaged: return "store_damaged";
    case ec::io_error: return "io_error";
    case ec::bind_failed: return "bind_failed";
    case ec::internal: return "internal";
  }
  return "unknown";
}

/// A code, and a sentence for people. Where the input of one field is at fault
/// `field` names it ("target_url"), else it is empty.
struct error {
  ec code = ec::internal;
  std::string detail;
  std::string field = {};

  bool operator==(const error&) const = default;
};

/// Found by `result::value()` when it holds an error: asking for the value of a
/// failure is a programmer's mistake.
[[noreturn]] inline void
throw_exception_from_error(const error& e, const boost::source_location&) {
  throw std::logic_error{std::string{to_string(e.code)} + ": " + e.detail};
}

template <class T>
using result = boost::system::result<T, error>;

} // namespace fanfare
