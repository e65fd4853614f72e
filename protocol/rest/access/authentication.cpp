// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/access/authentication.hpp"

#include "protocol/rest/messages/answers.hpp"
#include "protocol/security/credentials.hpp"
#include "protocol/text.hpp"

#include <string>
#include <utility>

namespace fanfare::protocol::rest {

namespace {

http_response unauthorized(const exchange& x, std::string_view detail) {
  auto out = refusal(x, 401, detail);
  out.headers.emplace_back("WWW-Authenticate", "Token");
  return out;
}

http_response wrong_key(const exchange& x, std::string_view detail,
                        auth_limiter& limiter) {
  const auto wait = limiter.count_failure(x.request.peer_address);
  if (!wait)
    return unauthorized(x, detail);
  const auto seconds = std::to_string(wait->count());
  auto out = refusal(x, 429,
                     "Too many failed logins from this address. Try again in "
                       + seconds + (seconds == "1" ? " second." : " seconds."));
  out.headers.emplace_back("Retry-After", seconds);
  return out;
}

} // namespace

std::optional<caller> identify(const exchange& x, std::string_view admin_hash) {
  const auto words = split_words(x.request.header("authorization"));
  if (words.size() != 2 || to_lower(words[0]) != "token")
    return std::nullopt;
  if (auto found = x.service.find_token(words[1]); found && !found->revoked)
    return caller{.value = std::move(found)};
  if (!admin_hash.empty()
      && equal_constant_time(hash_token_key(words[1]), admin_hash))
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
  const auto words = split_words(x.request.header("authorization"));
  if (words.empty() || to_lower(words[0]) != "token")
    return unauthorized(x, "Authentication credentials were not provided.");
  if (words.size() == 1)
    return unauthorized(x, "Invalid token header. No credentials provided.");
  if (words.size() > 2)
    return unauthorized(
      x, "Invalid token header. Token string should not contain spaces.");
  return wrong_key(x,
                   x.service.find_token(words[1]) ? "Token inactive or deleted."
                                                  : "Invalid token.",
                   limiter);
}

bool may(const caller& who, permissions needed, const organizer* owner) {
  if (who.server_admin || needed == any_token)
    return true;
  return owner != nullptr && needed != server_only
      && who.value->owner == owner->id
      && (who.value->permissions & (needed | permission_admin)) != 0;
}

} // namespace fanfare::protocol::rest
