// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Signatures of calls by the Standard Webhooks specification 1.0: `v1` is
/// HMAC-SHA256 with a shared secret (whsec_BASE64), `v1a` is Ed25519 with a
/// private key (whsk_BASE64 of the 32 byte seed followed by the 32 byte public
/// key) whose public half (whpk_BASE64) is given to receivers. What is signed
/// is "ID.TIMESTAMP.BODY".

#include "fanfare/error.hpp"
#include "fanfare/types.hpp"

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace fanfare::protocol {

/// What a signature is about.
struct signed_content {
  std::string_view id;        ///< webhook-id
  std::string_view timestamp; ///< webhook-timestamp: seconds since 1970
  std::string_view body;
};

/// A key of either kind, with all that can be computed ahead. Immutable; any
/// thread (so: no OpenSSL context is shared between threads while signing).
class signing_key {
public:
  /// A new one from the system's random source: 32 bytes. Not for `none`.
  [[nodiscard]] static signing_key make(signing_algorithm algorithm);
  /// "whsec_…" (16 to 75 bytes in base64; the specification says 24 to 64) or
  /// "whsk_…" (64 bytes, or a seed of 32). Padding may be absent.
  /// invalid_argument, field "secret"; says nothing of what is in it.
  [[nodiscard]] static result<signing_key> parse(std::string_view text);

  signing_key(const signing_key&);
  signing_key(signing_key&&) noexcept;
  signing_key& operator=(const signing_key&);
  signing_key& operator=(signing_key&&) noexcept;
  ~signing_key();

  [[nodiscard]] signing_algorithm algorithm() const noexcept;
  /// "whsec_…" as it was given, or "whsk_…" with both halves. This is what to
  /// store and to show; the caller erases it if that matters.
  [[nodiscard]] std::string text() const;
  /// "whpk_…"; empty for a shared secret.
  [[nodiscard]] std::string public_text() const;

  /// Appends "v1,BASE64" or "v1a,BASE64". A shared secret allocates nothing
  /// but what `out` grows by.
  void sign(const signed_content& what, std::string& out) const;

private:
  struct state;
  explicit signing_key(std::shared_ptr<const state> s);
  std::shared_ptr<const state> state_; ///< its bytes are erased at the end
};

/// What a key that signatures are verified with is for: "whsec_…" of any length
/// but zero (a receiver takes what its sender made), "whpk_…" or "whsk_…".
/// invalid_argument, field "secret".
[[nodiscard]] result<signing_algorithm>
verification_algorithm(std::string_view key);

/// Whether one of the signatures of a `webhook-signature` header (separated by
/// spaces) is right by this key, as above; a key that is not one of those
/// verifies nothing. Constant time for v1. The age of the timestamp is the
/// caller's business.
[[nodiscard]] bool verify_signature(std::string_view key,
                                    const signed_content& what,
                                    std::string_view header);

/// Appends the three headers, each with its CRLF. `keys`: newest first; one
/// signature for each. Nothing if there are none.
void append_signature_headers(std::span<const signing_key> keys,
                              const signed_content& what, std::string& out);

} // namespace fanfare::protocol
