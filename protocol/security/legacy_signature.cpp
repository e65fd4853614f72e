// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/security/legacy_signature.hpp"

#include "protocol/base64.hpp"
#include "protocol/security/hmac.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <iterator>
#include <utility>

namespace fanfare::protocol {

namespace {

/// Calls `add` with the pieces of the text that is signed.
template <class Function>
void expand(std::string_view content, const signed_content& what,
            Function add) {
  const std::pair<std::string_view, std::string_view> places[] = {
    {"{id}", what.id}, {"{timestamp}", what.timestamp}, {"{body}", what.body}};
  std::size_t literal = 0; // where what was not added yet begins
  std::size_t at = 0;
  while ((at = content.find('{', at)) != std::string_view::npos) {
    const auto* const place = std::find_if(
      std::begin(places), std::end(places),
      [&](const auto& p) { return content.substr(at).starts_with(p.first); });
    if (place == std::end(places)) {
      ++at;
      continue;
    }
    add(content.substr(literal, at - literal));
    add(place->second);
    at += place->first.size();
    literal = at;
  }
  add(content.substr(literal));
}

template <class Hash>
void append_legacy_signature(const legacy_signature& how,
                             std::string_view secret,
                             const signed_content& what, std::string& out) {
  const hmac_key<Hash> key{secret};
  typename hmac_key<Hash>::run hmac{key};
  expand(how.content, what, [&](std::string_view piece) { hmac.add(piece); });
  const auto digest = hmac.finish();
  switch (how.text) {
    case legacy_signature::encoding::hex:
      for (const auto byte : digest) {
        constexpr std::string_view digits = "0123456789abcdef";
        out += digits[byte >> 4U];
        out += digits[byte & 15U];
      }
      return;
    case legacy_signature::encoding::base64: {
      std::array<char, base64_length(Hash::size)> text{};
      encode_base64(digest, text.data());
      out.append(text.data(), text.size());
      return;
    }
  }
}

} // namespace

void append_legacy_header(const legacy_signature& how, std::string_view secret,
                          const signed_content& what, std::string& out) {
  out.append(how.header).append(": ");
  expand(how.prefix, {.id = what.id, .timestamp = what.timestamp},
         [&out](std::string_view piece) { out.append(piece); });
  switch (how.digest) {
    case legacy_signature::hash::sha1:
      append_legacy_signature<sha1>(how, secret, what, out);
      break;
    case legacy_signature::hash::sha256:
      append_legacy_signature<sha256>(how, secret, what, out);
      break;
    case legacy_signature::hash::sha512:
      append_legacy_signature<sha512>(how, secret, what, out);
      break;
  }
  out.append("\r\n");
}

} // namespace fanfare::protocol
