// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Requests that carry a key are carried out once: the answer to the first is
/// kept for 24 h and given to all that follow, whatever they ask. Only for
/// callers who are known: an answer must not outlive the token it was given to,
/// and strangers must not fill the store.

#include "fanfare/idempotency.hpp"
#include "protocol/rest/service.hpp"
#include "protocol/server/http_handler.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace fanfare::protocol::rest {

/// The `X-Idempotency-Key`, else the `Idempotency-Key`; empty: none.
[[nodiscard]] std::string_view key_header(const http_request& request);

/// What is kept under `key` for whoever sends this `Authorization` header.
[[nodiscard]] idempotency_key
make_idempotency_key(std::string_view authorization, std::string_view key);

/// Whether the answer is kept: those that would be another at the next try are
/// not, nor are those that say `no-store`, which show what is stored sealed.
[[nodiscard]] bool is_kept(const http_response& answer);

[[nodiscard]] http_response to_response(const stored_answer& kept);

/// Keys whose first request is being carried out. Any thread.
class running_keys {
public:
  /// Frees the key when it goes.
  class entry {
  public:
    entry(running_keys& all, const idempotency_key& key)
      : all_{&all},
        key_{key} {}
    entry(entry&& other) noexcept
      : all_{std::exchange(other.all_, nullptr)},
        key_{other.key_} {}
    entry& operator=(entry&&) = delete;
    ~entry() {
      free();
    }
    void free();

  private:
    running_keys* all_;
    idempotency_key key_;
  };

  /// Nothing: a request with this key is running.
  [[nodiscard]] std::optional<entry> enter(const idempotency_key& key);
  [[nodiscard]] bool contains(const idempotency_key& key) const;

private:
  mutable std::mutex mutex_;
  std::set<idempotency_key> keys_;
};

/// The one request that runs under a key, from its begin to its answer. If it
/// goes without an answer the key is free again.
class keyed_request {
public:
  keyed_request(answer_store& answers, const idempotency_key& key,
                running_keys::entry running,
                std::function<void(http_response)> respond)
    : answers_{answers},
      key_{key},
      running_{std::move(running)},
      respond_{std::move(respond)} {}

  [[nodiscard]] const idempotency_key& key() const {
    return key_;
  }
  /// Keeps the answer if it is worth it, and answers with what is kept. Once;
  /// any thread.
  static void answer(const std::shared_ptr<keyed_request>& to,
                     http_response response);
  /// Answers with what is kept already. Once; any thread.
  void answer_kept(const stored_answer& kept);

private:
  void respond(http_response response);

  answer_store& answers_;
  idempotency_key key_;
  running_keys::entry running_;
  std::function<void(http_response)> respond_;
};

} // namespace fanfare::protocol::rest
