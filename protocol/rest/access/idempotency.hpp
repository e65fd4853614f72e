// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A request that carries an idempotency key is carried out once: its answer is
/// stored for 24 h and given to every repetition of it. Only known callers may
/// use keys: an answer must not outlive the token it was given to, and
/// strangers must not fill the store.
///
/// A key that comes back with another request is refused, or one of the two
/// would be lost (draft-ietf-httpapi-idempotency-key-header-07, section 2.7),
/// and neither a refusal nor a redirect is stored, since it changed nothing.
/// Under the header of the compatible API, X-Idempotency-Key, it is as there:
/// whatever is asked next gets the first answer, and those are stored too.

#include "model/idempotency.hpp"
#include "protocol/rest/access/running_keys.hpp"
#include "protocol/rest/exchange.hpp"
#include "protocol/rest/service.hpp"
#include "protocol/server/http_handler.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>

namespace fanfare::protocol::rest {

struct sent_key {
  std::string_view text;   ///< empty: none was sent
  bool compatible = false; ///< it came as X-Idempotency-Key
};

/// The `X-Idempotency-Key`, else the `Idempotency-Key`.
[[nodiscard]] sent_key key_header(const http_request& request);

/// Of method, target and body.
[[nodiscard]] request_fingerprint fingerprint_of(const http_request& request);

/// The key of stored answers for the sender of this `Authorization` header.
[[nodiscard]] idempotency_key
make_idempotency_key(std::string_view authorization, std::string_view key);

/// Whether an answer is worth storing. Not one that a repetition would change,
/// nor one that says `no-store`: it shows what is stored sealed. `compatible`:
/// as the compatible API has it, refusals and redirects too.
[[nodiscard]] bool is_kept(const http_response& answer, bool compatible);

[[nodiscard]] http_response to_response(const stored_answer& kept);

/// Makes `x.respond` store its answer under the request's key. False: a request
/// with that key is running.
[[nodiscard]] bool begin_keyed(exchange& x);

/// The 409 to a request whose key is in use.
[[nodiscard]] http_response key_is_running(const exchange& x);

/// The 422 to a request whose key was used for another one.
[[nodiscard]] http_response key_is_used(const exchange& x);

/// The one request that runs under a key, until its answer. If it is dropped
/// without one, the key is free again.
class keyed_request {
public:
  keyed_request(answer_store& answers, const idempotency_key& key,
                bool compatible, running_keys::entry running,
                std::function<void(http_response)> respond)
    : answers_{answers},
      key_{key},
      compatible_{compatible},
      running_{std::move(running)},
      respond_{std::move(respond)} {}

  [[nodiscard]] const idempotency_key& key() const {
    return key_;
  }
  /// What is asked for, stored with the answer, or none is. Takes a while if
  /// the body is large; before the request is carried out.
  void note(const http_request& request) {
    asked_ = fingerprint_of(request);
  }
  [[nodiscard]] const std::optional<request_fingerprint>& asked() const {
    return asked_;
  }
  /// Whether this answer is worth storing.
  [[nodiscard]] bool keeps(const http_response& answer) const {
    return is_kept(answer, compatible_);
  }
  /// Whether an answer that is stored may be given to this request.
  [[nodiscard]] bool accepts(const stored_answer& kept) const;
  /// Stores the answer if it is worth it, then sends the stored one. Once; any
  /// thread.
  static void answer(const std::shared_ptr<keyed_request>& to,
                     http_response response);
  /// Sends an answer that is stored already, marked as a repetition unless it
  /// is that of this request. Once; any thread.
  void answer_kept(const stored_answer& kept);

private:
  void respond(http_response response);

  answer_store& answers_;
  idempotency_key key_;
  bool compatible_;
  std::optional<request_fingerprint> asked_;
  running_keys::entry running_;
  std::function<void(http_response)> respond_;
};

} // namespace fanfare::protocol::rest
