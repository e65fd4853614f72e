// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What is kept of a request that carried an idempotency key, so that its
/// repetition gets the same answer and does nothing.

#include "fanfare/types.hpp"

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace fanfare {

/// Of the REST API: SHA-256 over who asks and the key that was sent. Of
/// `engine::publish_once`: a mark with the key's length, the organizer and the
/// key as it is.
using idempotency_key = std::array<char, 32>;

/// How long an answer is kept.
inline constexpr std::chrono::hours idempotency_lifetime{24};

/// An answer as it was sent.
struct plain_answer {
  std::uint16_t status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  bool operator==(const plain_answer&) const = default;
};

/// That notifications were published, and all that rendering the answer to it
/// again takes. It is written together with them, when there is no answer yet.
struct publish_receipt {
  position first = 0;
  std::uint32_t count = 0; ///< their ids follow each other
  bool list = false;       ///< a list was sent and is answered
  std::uint32_t indent = 0;
  bool operator==(const publish_receipt&) const = default;
};

using stored_answer = std::variant<plain_answer, publish_receipt>;
/// Null: none is kept.
using stored_answer_ptr = std::shared_ptr<const stored_answer>;

/// An answer and the time from which its lifetime counts.
struct remembered {
  timestamp created;
  stored_answer answer;
  bool operator==(const remembered&) const = default;

  [[nodiscard]] bool is_live(timestamp now) const {
    return now - created < idempotency_lifetime;
  }
};

/// A publish that is to happen once, however often it is asked for.
struct publish_once {
  idempotency_key key{};
  bool list = false;
  std::uint32_t indent = 0;
};

} // namespace fanfare
