// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A resource of the API: a row of the table in resource_table.cpp. Router,
/// checks, dispatch and the tests of openapi.json read it from there.

#include "model/token.hpp"
#include "protocol/server/http_handler.hpp"

#include <cstdint>
#include <memory>
#include <string_view>
#include <variant>

namespace fanfare::protocol::rest {

struct exchange;

/// Whose token is enough: bits of `fanfare::permission`, any of which will do,
/// or one of these. The server's admin may do everything.
using permissions = std::uint8_t;
inline constexpr permissions server_only = 0; ///< nobody but that admin
inline constexpr permissions any_token = 0x7F;
inline constexpr permissions everybody = 0xFF; ///< no token needed

/// Requests that are answered from memory, on the I/O thread. All others run on
/// a thread that may wait for the disk.
enum class from_memory : std::uint8_t { nothing, options, reads, writes, all };

/// Makes the answer.
using answering = http_response (*)(const exchange&);
/// Answers through `exchange::respond`, on any thread.
using responding = void (*)(const std::shared_ptr<exchange>&);

struct resource {
  /// Below /api/v1/ and with a slash at the end: a pattern, whose parameters
  /// are in braces ({organizer}, {event}, {id}, {call}). Else taken literally.
  std::string_view path;
  /// Its name in the answer to OPTIONS.
  std::string_view title;
  /// As the `Allow` header has them.
  std::string_view methods;
  permissions read;  ///< GET, HEAD, OPTIONS
  permissions write; ///< the other methods
  /// Gets the methods above but OPTIONS.
  std::variant<answering, responding> handler;
  from_memory quick = from_memory::options;
  /// False: idempotency keys are ignored, since the answer shows a secret that
  /// must not be stored.
  bool keyed = true;
  /// Answers OPTIONS; null: with the title.
  answering describe = nullptr;
  /// What is posted is carried out in the order in which it came, so that posts
  /// of one connection need not wait for each other.
  bool ordered = false;
  /// Its answer is no JSON: it agrees on the form itself.
  bool text = false;

  /// Belongs to the organizer in its path.
  [[nodiscard]] constexpr bool is_owned() const {
    return path.find("{organizer}") != std::string_view::npos;
  }
  /// One that the compatible API has as well, whose clients know what becomes
  /// of a wrong path there.
  [[nodiscard]] constexpr bool is_compatible() const {
    return path == "/api/v1/organizers/"
        || path == "/api/v1/organizers/{organizer}/events/"
        || path == "/api/v1/organizers/{organizer}/webhooks/"
        || path == "/api/v1/organizers/{organizer}/webhooks/{id}/"
        || path == "/api/v1/idempotency_query";
  }
  /// Answered without a look at who asks.
  [[nodiscard]] constexpr bool is_open() const {
    return read == everybody;
  }
  [[nodiscard]] constexpr bool allows(std::string_view method) const {
    for (auto rest = methods;;) {
      const auto end = rest.find(", ");
      if (rest.substr(0, end) == method)
        return true;
      if (end == std::string_view::npos)
        return false;
      rest.remove_prefix(end + 2);
    }
  }
};

} // namespace fanfare::protocol::rest
