// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Errors as values. Every function that can fail for a reason other than a
/// programmer's mistake returns `result<T>`; its error carries a code for
/// programs and a sentence that tells a person what to do.
///
///     auto engine = fanfare::engine::start({.data = "data"});
///     if (!engine)
///       std::cerr << engine.error().detail << '\n';
///
/// The codes convert to `std::error_code`s, of the category
/// `fanfare::error_category()`, and equal the matching `std::errc`:
/// `if (failed.code == std::errc::no_space_on_device)`.

#include "fanfare/export.hpp"

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <variant>

namespace fanfare {

/// The kind of failure. The names describe the state found. The numbers are
/// stable; new ones are added at the end.
enum class ec : std::uint8_t {
  ok = 0,
  // -- the caller's input -----------------------------------------------------
  invalid_argument = 1, ///< a value is outside the documented range
  not_found = 2, ///< no such organizer, event, webhook, token or notification
  already_exists = 3, ///< the slug or name is taken
  /// REST API only: a notification names another organizer than the path. The
  /// engine reports another organizer's objects as not_found.
  forbidden = 4,
  conflict = 5,  ///< the change contradicts what is stored
  too_large = 6, ///< more than the documented limit
  // -- the engine's state -----------------------------------------------------
  stopping = 7,   ///< the engine is stopping and accepts nothing new
  overloaded = 8, ///< too much accepted work waits for the disk: try again soon
  store_full = 9, ///< the disk or the store's maximum size is full
  // -- the data directory -----------------------------------------------------
  store_locked = 10,  ///< another engine uses the data directory
  store_foreign = 11, ///< the directory holds something other than a store
  store_newer = 12,   ///< the store was written by a newer version of Fanfare
  store_damaged = 13, ///< a record cannot be decoded
  io_error = 14,      ///< the operating system reported an error
  // -- the network ------------------------------------------------------------
  bind_failed = 15, ///< the listen address cannot be used
  internal = 16,    ///< a bug in Fanfare; the text says where
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

/// The category of these codes; its name is "fanfare". Any thread.
[[nodiscard]] FANFARE_API const std::error_category& error_category() noexcept;

/// Used by `std::error_code{code}`.
[[nodiscard]] inline std::error_code make_error_code(ec code) noexcept {
  return {static_cast<int>(code), error_category()};
}

/// True if they mean the same.
[[nodiscard]] inline bool operator==(ec code, std::errc condition) noexcept {
  return make_error_code(code) == condition;
}

/// A code, and a human-readable sentence. `field` names the input field at
/// fault ("target_url"), else it is empty.
struct error {
  ec code = ec::internal;
  std::string detail = {};
  std::string field = {};

  bool operator==(const error&) const = default;
};

/// Throws what `result::value()` throws for this error.
[[noreturn]] FANFARE_API void raise(const error& e);

/// A value, or why there is none. Accessing the value of a failure with `*` or
/// `->` is undefined, as for `std::optional`; `value()` throws.
template <class T>
class [[nodiscard]] result {
public:
  using value_type = T;

  result() requires std::default_initializable<T>
  = default;
  result(fanfare::error e) : state_(std::in_place_index<1>, std::move(e)) {}
  template <class U = T>
    requires(
      std::convertible_to<
        U,
        T> && !std::same_as<std::remove_cvref_t<U>, result> && !std::same_as<std::remove_cvref_t<U>, fanfare::error>)
  result(U&& value) : state_(std::in_place_index<0>, std::forward<U>(value)) {}

  [[nodiscard]] bool has_value() const noexcept {
    return state_.index() == 0;
  }
  [[nodiscard]] explicit operator bool() const noexcept {
    return has_value();
  }

  [[nodiscard]] T& operator*() & noexcept {
    return *std::get_if<0>(&state_);
  }
  [[nodiscard]] const T& operator*() const& noexcept {
    return *std::get_if<0>(&state_);
  }
  /// By value, so nothing refers into a temporary result.
  [[nodiscard]] T operator*() && {
    return std::move(*std::get_if<0>(&state_));
  }
  [[nodiscard]] T* operator->() noexcept {
    return std::get_if<0>(&state_);
  }
  [[nodiscard]] const T* operator->() const noexcept {
    return std::get_if<0>(&state_);
  }

  /// Throws `std::system_error` with the error's code and sentence if it holds
  /// one.
  T& value() & {
    check();
    return **this;
  }
  const T& value() const& {
    check();
    return **this;
  }
  T value() && {
    check();
    return *std::move(*this);
  }

  /// Undefined if there is a value.
  [[nodiscard]] const fanfare::error& error() const& noexcept {
    return *std::get_if<1>(&state_);
  }
  [[nodiscard]] fanfare::error error() && {
    return std::move(*std::get_if<1>(&state_));
  }

  bool operator==(const result&) const requires std::equality_comparable<T>
  = default;

private:
  void check() const {
    if (!has_value())
      raise(error());
  }

  std::variant<T, fanfare::error> state_;
};

/// Success, or why not.
template <>
class [[nodiscard]] result<void> {
public:
  using value_type = void;

  result() noexcept = default;
  result(fanfare::error e) : error_(std::move(e)), failed_(true) {}

  [[nodiscard]] bool has_value() const noexcept {
    return !failed_;
  }
  [[nodiscard]] explicit operator bool() const noexcept {
    return has_value();
  }
  /// Throws `std::system_error` if it holds an error.
  void value() const {
    if (failed_)
      raise(error_);
  }
  /// Undefined on success.
  [[nodiscard]] const fanfare::error& error() const& noexcept {
    return error_;
  }
  [[nodiscard]] fanfare::error error() && {
    return std::move(error_);
  }

  bool operator==(const result&) const = default;

private:
  fanfare::error error_{.code = ec::ok};
  bool failed_ = false;
};

} // namespace fanfare

template <>
struct std::is_error_code_enum<fanfare::ec> : std::true_type {};
