// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/tls.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace fanfare::protocol {

namespace {

namespace asio = boost::asio;

int session_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr,
                                                nullptr);
  return index;
}

int keep_session(SSL* ssl, SSL_SESSION* session) {
  auto* keeper = static_cast<tls_session*>(
    SSL_get_ex_data(ssl, session_index()));
  if (!keeper)
    return 0;
  keeper->keep(session);
  return 1; // the reference is ours now
}

std::string last_error() {
  const auto code = ERR_peek_last_error();
  const char* text = code ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return text ? text : "unknown error";
}

} // namespace

void tls_session::keep(SSL_SESSION* session) noexcept {
  if (session_)
    SSL_SESSION_free(session_);
  session_ = session;
}

tls_settings::tls_settings(token) : context_(asio::ssl::context::tls_client) {
  auto* raw = context_.native_handle();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  // Idle connections give their buffers back.
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
  // Sessions are kept per destination, not in one locked table for all.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_CLIENT
                                        | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(raw, keep_session);
  constexpr unsigned char only_http_1[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(raw, only_http_1, sizeof only_http_1 - 1);
}

result<std::shared_ptr<tls_settings>>
tls_settings::make(const std::string& ca_file) {
  auto out = std::make_shared<tls_settings>(token{});
  auto* raw = out->context_.native_handle();
  if (ca_file.empty()) {
    if (SSL_CTX_set_default_verify_paths(raw) != 1)
      return error{ec::io_error,
                   "the system's certificate authorities cannot be used: "
                     + last_error()};
  } else if (SSL_CTX_load_verify_locations(raw, ca_file.c_str(), nullptr)
             != 1) {
    return error{ec::io_error, "the certificate authorities in " + ca_file
                                 + " cannot be used: " + last_error()};
  }
  return out;
}

result<std::shared_ptr<tls_settings>>
tls_settings::trusting(const std::string& pem) {
  auto out = std::make_shared<tls_settings>(token{});
  boost::system::error_code failed;
  out->context_.add_certificate_authority(asio::buffer(pem), failed);
  if (failed)
    return error{ec::io_error, "the certificate authority cannot be used: "
                                 + failed.message()};
  return out;
}

bool prepare_tls(SSL* ssl, const std::string& host, bool is_address,
                 tls_session& session) {
  auto* wanted = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (is_address) {
    if (X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) != 1)
      return false;
  } else if (X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size()) != 1
             || SSL_set_tlsext_host_name(ssl, host.c_str()) != 1) {
    return false;
  }
  if (SSL_set_ex_data(ssl, session_index(), &session) != 1)
    return false;
  if (session.get() && SSL_SESSION_is_resumable(session.get()))
    SSL_set_session(ssl, session.get());
  return true;
}

void end_tls(SSL* ssl) noexcept {
  SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

std::string tls_failure(SSL* ssl, const boost::system::error_code& code,
                        const std::string& host) {
  switch (const auto verdict = SSL_get_verify_result(ssl)) {
    case X509_V_OK: break;
    case X509_V_ERR_CERT_HAS_EXPIRED: return "tls: certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "tls: certificate is not yet valid";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "tls: self-signed certificate";
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "tls: certificate is not signed by a trusted authority";
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "tls: certificate is not for this host (" + host + ")";
    case X509_V_ERR_CERT_REVOKED: return "tls: certificate was revoked";
    default:
      return "tls: certificate is not valid: "
           + std::string{X509_verify_cert_error_string(verdict)};
  }
  if (code == asio::error::eof || code == asio::ssl::error::stream_truncated)
    return "tls: connection closed during the handshake";
  if (code == asio::error::connection_reset || code == asio::error::broken_pipe)
    return "tls: connection reset during the handshake";
  if (code.category() == asio::error::get_ssl_category()) {
    const auto raw = static_cast<unsigned long>(
      static_cast<unsigned int>(code.value()));
    if (ERR_GET_LIB(raw) == ERR_LIB_SSL) {
      switch (ERR_GET_REASON(raw)) {
        case SSL_R_WRONG_VERSION_NUMBER:
        case SSL_R_HTTP_REQUEST:
        case SSL_R_PACKET_LENGTH_TOO_LONG:
          return "tls: the receiver does not speak TLS on this port";
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
          return "tls: the receiver does not speak TLS 1.2 or newer";
        default: break;
      }
    }
    if (const char* text = ERR_reason_error_string(raw))
      return "tls: handshake failed: " + std::string{text};
  }
  return "tls: handshake failed: " + code.message();
}

} // namespace fanfare::protocol
