// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/tls_sessions.hpp"

#include <openssl/ssl.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <utility>

namespace fanfare::protocol {

namespace {

int owner_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr,
                                                nullptr);
  return index;
}

/// Where a session has the second of the full handshake that it comes from.
/// OpenSSL copies it to the sessions that follow from this one.
int verified_index() {
  static const int index = SSL_SESSION_get_ex_new_index(0, nullptr, nullptr,
                                                        nullptr, nullptr);
  return index;
}

int on_new_session(SSL* ssl, SSL_SESSION* session) {
  auto* owner = static_cast<tls_sessions*>(SSL_get_ex_data(ssl, owner_index()));
  if (!owner)
    return 0;
  if (!SSL_SESSION_get_ex_data(session, verified_index()))
    SSL_SESSION_set_ex_data(
      session, verified_index(),
      // A number where OpenSSL has room for a pointer only.
      // NOLINTNEXTLINE(performance-no-int-to-ptr)
      reinterpret_cast<void*>(static_cast<std::intptr_t>(std::time(nullptr))));
  owner->keep(session_ptr{session});
  return 1; // the reference is ours now
}

std::optional<timestamp> end_of(const X509* certificate) {
  std::tm end{};
  if (!certificate
      || ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1)
    return {};
  return timestamp{std::chrono::seconds{::timegm(&end)}};
}

bool may_resume(SSL_SESSION* session, timestamp now) {
  const timestamp verified{std::chrono::seconds{reinterpret_cast<std::intptr_t>(
    SSL_SESSION_get_ex_data(session, verified_index()))}};
  const auto end = end_of(SSL_SESSION_get0_peer(session));
  return SSL_SESSION_is_resumable(session) == 1
      && now < verified + tls_sessions::longest_use && end && now < *end;
}

} // namespace

void session_deleter::operator()(SSL_SESSION* session) const noexcept {
  SSL_SESSION_free(session);
}

void tls_sessions::keep(session_ptr session) noexcept {
  std::ranges::move_backward(kept_.begin(), kept_.end() - 1, kept_.end());
  kept_.front() = std::move(session);
}

session_ptr tls_sessions::take(timestamp now) noexcept {
  for (auto& each : kept_)
    if (each && !may_resume(each.get(), now))
      each = nullptr;
  if (!kept_.front())
    std::ranges::rotate(kept_, kept_.begin() + 1);
  auto& newest = kept_.front();
  if (!newest)
    return {};
  if (SSL_SESSION_get_protocol_version(newest.get()) < TLS1_3_VERSION) {
    SSL_SESSION_up_ref(newest.get());
    return session_ptr{newest.get()};
  }
  auto out = std::move(newest);
  std::ranges::rotate(kept_, kept_.begin() + 1);
  return out;
}

std::optional<timestamp> tls_sessions::note_handshake(SSL* ssl) {
  const auto end = end_of(SSL_get0_peer_certificate(ssl));
  if (SSL_session_reused(ssl) != 1 || !certificate_end_)
    certificate_end_ = end;
  return certificate_end_;
}

void keep_sessions(SSL_CTX* context) {
  // Per destination, not in one locked table for all.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT
                                            | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, on_new_session);
}

bool use_sessions(SSL* ssl, tls_sessions& sessions, timestamp now) {
  if (SSL_set_ex_data(ssl, owner_index(), &sessions) != 1)
    return false;
  if (const auto session = sessions.take(now))
    SSL_set_session(ssl, session.get());
  return true;
}

} // namespace fanfare::protocol
