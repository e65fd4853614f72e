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
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace fanfare {

/// Of the REST API: SHA-256 over who asks and the key that was sent. Of
/// `engine::publish_idempotent`: a mark with the key's length, the organizer
/// and the key as it is.
using idempotency_key = std::array<char, 32>;

/// How long an answer is kept.
inline constexpr std::chrono::hours idempotency_lifetime{24};

/// What was asked for under a key: the beginning of a SHA-256. A key that comes
/// back with another one is used for two things, of which one would be lost.
using request_fingerprint = std::array<char, 16>;

/// An answer as it was sent.
struct plain_answer {
  std::uint16_t status = 0;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  /// Absent: not known, as of an answer that Fanfare 0.1 stored.
  std::optional<request_fingerprint> asked = {};
  bool operator==(const plain_answer&) const = default;
};

/// That notifications were published, and all that rendering the answer to it
/// again takes. It is written together with them, when there is no answer yet.
struct publish_receipt {
  position first = 0;
  std::uint32_t count = 0; ///< their ids follow each other
  bool list = false;       ///< a list was sent and is answered
  std::uint32_t indent = 0;
  std::optional<request_fingerprint> asked = {}; ///< as of a plain answer
  /// The notifications were published by an earlier request. Not stored.
  bool repeated = false;
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
  /// Stored with the receipt; whoever gets an earlier answer compares.
  std::optional<request_fingerprint> asked = {};
};

} // namespace fanfare
