// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/access/authentication.hpp"

#include "protocol/rest/messages/answers.hpp"
#include "protocol/security/credentials.hpp"
#include "protocol/text.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::protocol::rest {

namespace {

/// The words of an `Authorization` header.
class credentials {
public:
  explicit credentials(const exchange& x)
    : words_{split_words(x.request.header("authorization"))} {}

  [[nodiscard]] bool is_token() const {
    return has_scheme("token");
  }
  /// RFC 6750.
  [[nodiscard]] bool is_bearer() const {
    return has_scheme("bearer");
  }
  [[nodiscard]] std::size_t keys() const {
    return words_.empty() ? 0 : words_.size() - 1;
  }
  /// The only key of either scheme; empty: there is none.
  [[nodiscard]] std::string_view key() const {
    return keys() == 1 && (is_token() || is_bearer()) ? words_[1]
                                                      : std::string_view{};
  }

private:
  [[nodiscard]] bool has_scheme(std::string_view name) const {
    return !words_.empty() && to_lower(words_[0]) == name;
  }

  std::vector<std::string_view> words_;
};

/// `challenge`: of the scheme that the client chose, beside the usual one.
http_response unauthorized(const exchange& x, std::string_view detail,
                           std::string challenge = {}) {
  auto out = refusal(x, 401, detail);
  out.headers.emplace_back("WWW-Authenticate", "Token");
  if (!challenge.empty())
    out.headers.emplace_back("WWW-Authenticate", std::move(challenge));
  return out;
}

/// The sentence is that of the compatible API, to which a Bearer's key of
/// another kind is none at all; the header says more (RFC 6750, 3).
http_response unauthorized_bearer(const exchange& x, const char* error,
                                  std::string_view description) {
  return unauthorized(x, "Authentication credentials were not provided.",
                      "Bearer error=\"" + std::string{error}
                        + "\", error_description=\"" + std::string{description}
                        + '"');
}

/// Notes a wrong key; the 429, if too many came from that address.
std::optional<http_response> throttled(const exchange& x,
                                       auth_limiter& limiter) {
  x.service.note_failed_login(x.request.peer_address);
  const auto wait = limiter.count_failure(x.request.peer_address);
  if (!wait)
    return std::nullopt;
  const auto seconds = std::to_string(wait->count());
  auto out = refusal(x, 429,
                     "Too many failed logins from this address. Try again in "
                       + seconds + (seconds == "1" ? " second." : " seconds."));
  out.headers.emplace_back("Retry-After", seconds);
  return out;
}

std::string_view fault_of_key(const exchange& x, std::string_view key) {
  return x.service.find_token(key) ? "Token inactive or deleted."
                                   : "Invalid token.";
}

} // namespace

std::string_view key_of(const exchange& x) {
  return credentials{x}.key();
}

std::optional<caller> identify(const exchange& x, std::string_view admin_hash) {
  const credentials given{x};
  const auto key = given.key();
  if (key.empty())
    return std::nullopt;
  if (auto found = x.service.find_token(key); found && !found->revoked)
    return caller{.value = std::move(found)};
  if (!admin_hash.empty()
      && equal_constant_time(hash_token_key(key), admin_hash))
    return caller{.server_admin = true, .value = nullptr};
  return std::nullopt;
}

std::optional<http_response> authenticate(const exchange& x,
                                          std::string_view admin_hash,
                                          auth_limiter& limiter, caller& who) {
  if (auto known = identify(x, admin_hash)) {
    who = std::move(*known);
    return std::nullopt;
  }
  const credentials given{x};
  if (given.is_bearer() && given.keys() != 1)
    return unauthorized_bearer(x, "invalid_request", "One key is needed.");
  if (!given.is_token() && !given.is_bearer())
    return unauthorized(x, "Authentication credentials were not provided.");
  if (given.keys() == 0)
    return unauthorized(x, "Invalid token header. No credentials provided.");
  if (given.keys() > 1)
    return unauthorized(
      x, "Invalid token header. Token string should not contain spaces.");
  if (auto refused = throttled(x, limiter))
    return refused;
  const auto fault = fault_of_key(x, given.key());
  return given.is_bearer() ? unauthorized_bearer(x, "invalid_token", fault)
                           : unauthorized(x, fault);
}

bool may(const caller& who, permissions needed, const organizer* owner) {
  if (who.server_admin || needed == any_token)
    return true;
  // The server's figures and its vocabulary are no organizer's: its admin does
  // not have them.
  if (needed == permission_metrics || needed == permission_register_types)
    return (who.value->permissions & needed) != 0;
  return owner != nullptr && needed != server_only
      && who.value->owner == owner->id
      && (who.value->permissions & (needed | permission_admin)) != 0;
}

} // namespace fanfare::protocol::rest
