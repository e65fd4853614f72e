// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/webhook_secrets.hpp"

#include "protocol/security/signature.hpp"

#include <algorithm>
#include <string>
#include <utility>

namespace fanfare {

namespace {

constexpr std::string_view purpose = "secret";

} // namespace

void webhook_secrets::put(webhook_record& hook, std::string_view text,
                          timestamp now,
                          std::chrono::milliseconds overlap) const {
  auto& all = hook.secrets;
  std::erase_if(all, [now](const signing_secret& s) {
    return s.expires && *s.expires <= now;
  });
  for (auto& s : all)
    s.expires = std::min(s.expires.value_or(now + overlap), now + overlap);
  if (overlap.count() == 0)
    all.clear();
  if (all.size() >= limit)
    all.resize(limit - 1);
  all.insert(
    all.begin(),
    {.sealed = vault_.seal(text, purpose), .created = now, .expires = {}});
}

void webhook_secrets::ensure(webhook_record& hook, timestamp now) const {
  const auto wanted = hook.delivery.signing;
  if (wanted == signing_algorithm::none)
    return;
  if (!hook.secrets.empty()) {
    const auto text = vault_.open(hook.secrets.front().sealed, purpose);
    const auto key = text ? protocol::signing_key::parse(*text) : text.error();
    // One that cannot be read is not replaced in silence.
    if (!key || key->algorithm() == wanted)
      return;
  }
  put(hook, protocol::signing_key::make(wanted).text(), now,
      secret_rotation{}.overlap);
}

result<void> webhook_secrets::rotate(webhook_record& hook,
                                     const secret_rotation& how,
                                     timestamp now) const {
  const auto wanted = hook.delivery.signing;
  if (wanted == signing_algorithm::none)
    return error{ec::conflict,
                 "Calls of this webhook are not signed. Set \"signing\" in its "
                 "delivery settings first."};
  if (how.overlap < how.overlap.zero()
      || how.overlap > secret_rotation::longest_overlap)
    return error{ec::invalid_argument, "Must be 0 to 30 days.", "overlap"};
  auto text = how.secret;
  if (text.empty()) {
    text = protocol::signing_key::make(wanted).text();
  } else {
    const auto key = protocol::signing_key::parse(text);
    if (!key)
      return error{key.error().code, key.error().detail, "secret"};
    if (key->algorithm() != wanted)
      return error{
        ec::invalid_argument,
        wanted == signing_algorithm::ed25519
          ? "This webhook signs with Ed25519: give a key that begins "
            "with whsk_."
          : "This webhook signs with HMAC-SHA256: give a secret that "
            "begins with whsec_.",
        "secret"};
    text = key->text();
  }
  put(hook, text, now, how.overlap);
  return {};
}

result<secret_view> webhook_secrets::show(const webhook_record& hook,
                                          timestamp now) const {
  if (hook.delivery.signing == signing_algorithm::none || hook.secrets.empty())
    return error{ec::not_found, "Calls of this webhook are not signed."};
  const auto& newest = hook.secrets.front();
  const auto text = vault_.open(newest.sealed, purpose);
  if (!text)
    return text.error();
  const auto key = protocol::signing_key::parse(*text);
  if (!key)
    return key.error();
  secret_view out{.algorithm = key->algorithm(),
                  .secret = {},
                  .public_key = key->public_text(),
                  .created = newest.created,
                  .previous_until = {}};
  if (out.algorithm == signing_algorithm::hmac_sha256)
    out.secret = *text;
  for (const auto& s : hook.secrets)
    if (s.expires && *s.expires > now
        && (!out.previous_until || *s.expires > *out.previous_until))
      out.previous_until = s.expires;
  return out;
}

} // namespace fanfare
