// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The boundary between C and C++: handles, errors, structs of other versions,
/// texts. The interface for C is written on the public one for C++ and on
/// nothing below it.

#include "fanfare/engine.hpp"
#include "fanfare/fanfare.h"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <exception>
#include <functional>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

struct fanfare_engine {
  std::unique_ptr<fanfare::engine> it;
};

namespace fanfare::c {

using std::chrono::milliseconds;

// -- errors -------------------------------------------------------------------

/// invalid_argument.
[[nodiscard]] error bad(std::string field, std::string sentence);

[[nodiscard]] inline error bad_null(std::string field) {
  return bad(std::move(field), "It must not be NULL.");
}

/// Fills the members that a program of any version has declared; `to` may be
/// null.
fanfare_code report(fanfare_error* to, int code, std::string_view detail,
                    std::string_view field);
fanfare_code report(fanfare_error* to, const error& e);

/// Runs `body`, which returns a result; an error and what it throws become a
/// code.
template <class Body>
fanfare_code guarded(fanfare_error* to, Body&& body) noexcept {
  try {
    const auto done = body();
    return done ? FANFARE_OK : report(to, done.error());
  } catch (const std::bad_alloc&) {
    return report(to, FANFARE_OUT_OF_MEMORY, "There is no memory left.", "");
  } catch (const std::exception& e) {
    return report(to, FANFARE_INTERNAL, e.what(), "");
  } catch (...) {
    return report(to, FANFARE_INTERNAL, "An unknown exception.", "");
  }
}

/// The same with the engine of a handle.
template <class Body>
fanfare_code with_engine(const fanfare_engine* handle, fanfare_error* to,
                         Body&& body) noexcept {
  using answer = std::invoke_result_t<Body, engine&>;
  return guarded(to, [&]() -> answer {
    if (handle == nullptr)
      return bad("engine", "It must not be NULL: start one.");
    return body(*handle->it);
  });
}

/// Hands the value of a success to `use`, which returns a result<void>.
template <class T, class Use>
result<void> and_then(result<T> from, Use&& use) {
  return from ? use(*std::move(from)) : from.error();
}

/// Writes the value of a success, or what `part` makes of it, unless `to` is
/// null.
template <class T, class To, class Part = std::identity>
result<void> put(const result<T>& from, To* to, Part part = {}) {
  if (!from)
    return from.error();
  if (to != nullptr)
    *to = std::invoke(part, *from);
  return {};
}

// -- structs ------------------------------------------------------------------

/// Takes a struct of a program that may be older or newer.
template <class Struct>
result<void> take(const Struct* from, Struct& to, const char* name) {
  if (from == nullptr)
    return bad_null(name);
  if (from->size < sizeof(std::size_t))
    return bad("size", std::string{"Set the size of "} + name
                         + " to sizeof its struct.");
  const auto known = std::min(from->size, sizeof to);
  const auto* bytes = reinterpret_cast<const unsigned char*>(from);
  if (std::any_of(bytes + known, bytes + from->size,
                  [](unsigned char c) { return c != 0; }))
    return bad("size", std::string{name}
                         + " says something that this version of Fanfare does "
                           "not know: use a newer one.");
  std::memcpy(&to, from, known);
  to.size = sizeof to;
  return {};
}

/// Fills a struct of a program that may be older or newer.
template <class Struct>
result<void> give(Struct from, Struct* to, const char* name) {
  if (to == nullptr)
    return bad_null(name);
  if (to->size < sizeof(std::size_t))
    return bad("size", std::string{"Set the size of "} + name
                         + " to sizeof its struct.");
  from.size = to->size;
  const auto known = std::min(to->size, sizeof from);
  std::memcpy(to, &from, known);
  std::memset(reinterpret_cast<char*>(to) + known, 0, to->size - known);
  return {};
}

template <class Struct>
void initialize(Struct* to, std::size_t size, Struct defaults) {
  if (to == nullptr || size < sizeof(std::size_t))
    return;
  to->size = size;
  (void)give(defaults, to, "");
}

// -- texts and times ----------------------------------------------------------

/// Of NULL, an empty one.
[[nodiscard]] std::string to_text(const char* from);
/// The parts that are not empty.
[[nodiscard]] std::vector<std::string> split(const char* from, char at);
[[nodiscard]] std::string join(const std::vector<std::string>& parts, char by);

/// A copy for fanfare_free_text.
result<void> give_text(const std::string& from, char** to);

[[nodiscard]] inline std::int64_t since_epoch(timestamp t) {
  return t.time_since_epoch().count();
}
/// Of none, 0.
[[nodiscard]] inline std::int64_t
since_epoch(const std::optional<timestamp>& t) {
  return t ? since_epoch(*t) : 0;
}

} // namespace fanfare::c
