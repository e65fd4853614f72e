// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/authentication.hpp"

#include "protocol/credentials.hpp"
#include "protocol/rest/answers.hpp"
#include "protocol/rest/text.hpp"

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
                       + seconds + " seconds.");
  out.headers.emplace_back("Retry-After", seconds);
  return out;
}

} // namespace

std::optional<http_response> authenticate(const exchange& x,
                                          std::string_view admin_hash,
                                          auth_limiter& limiter, caller& who) {
  const auto words = split_words(x.request.header("authorization"));
  if (words.empty() || to_lower(words[0]) != "token")
    return unauthorized(x, "Authentication credentials were not provided.");
  if (words.size() == 1)
    return unauthorized(x, "Invalid token header. No credentials provided.");
  if (words.size() > 2)
    return unauthorized(
      x, "Invalid token header. Token string should not contain spaces.");
  if (auto found = x.service.find_token(words[1])) {
    if (found->revoked)
      return wrong_key(x, "Token inactive or deleted.", limiter);
    who.value = std::move(found);
    return std::nullopt;
  }
  if (!admin_hash.empty()
      && equal_constant_time(hash_token_key(words[1]), admin_hash)) {
    who.server_admin = true;
    return std::nullopt;
  }
  return wrong_key(x, "Invalid token.", limiter);
}

bool may(const caller& who, std::uint8_t needed, const organizer* owner) {
  if (who.server_admin || needed == any_permission)
    return true;
  return owner != nullptr && needed != no_permission
      && who.value->owner == owner->id
      && (who.value->permissions & (needed | permission_admin)) != 0;
}

} // namespace fanfare::protocol::rest
