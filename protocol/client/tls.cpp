// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/tls.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/ssl/error.hpp>

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

#include <chrono>
#include <utility>

namespace fanfare::protocol {

namespace {

namespace asio = boost::asio;

/// Where a connection remembers that the receiver asked for a certificate.
int asked_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr,
                                                nullptr);
  return index;
}

int note_question(SSL* ssl, void*) {
  static char yes;
  SSL_set_ex_data(ssl, asked_index(), &yes);
  return 1; // and go on with what the context holds
}

bool was_asked(const SSL* ssl) {
  return SSL_get_ex_data(ssl, asked_index()) != nullptr;
}

/// Where a connection remembers that it has refused to renegotiate.
int renegotiation_index() {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr,
                                                nullptr);
  return index;
}

void note_alert(const SSL* ssl, int where, int alert) {
  static char yes;
  if ((where & SSL_CB_WRITE_ALERT) == SSL_CB_WRITE_ALERT
      && (alert & 0xff) == SSL_AD_NO_RENEGOTIATION)
    SSL_set_ex_data(const_cast<SSL*>(ssl), renegotiation_index(), &yes);
}

bool has_refused_renegotiation(const SSL* ssl) {
  return SSL_get_ex_data(ssl, renegotiation_index()) != nullptr;
}

constexpr std::string_view asks = "tls: the receiver asks for a client "
                                  "certificate";

/// It closed the connection without an alert, after it had asked for one.
std::string closed_after_question(const SSL* ssl) {
  return SSL_get_certificate(ssl)
         ? "tls: the receiver was shown the client certificate and closed the "
           "connection; it may not accept it"
         : std::string{asks} + ", and closed the connection";
}

/// A stranger wrote it.
std::string common_name(const X509_NAME* of) {
  char name[65] = {};
  X509_NAME_get_text_by_NID(of, NID_commonName, name, sizeof name);
  for (char& c : name)
    if (c != 0 && (c < ' ' || c > '~'))
      c = '?';
  return name;
}

/// Of the certificates that were looked at, the first that is out of date.
std::string expired_one(SSL* ssl) {
  const auto* chain = SSL_get0_verified_chain(ssl);
  for (int i = 1; i < sk_X509_num(chain); ++i) {
    auto* each = sk_X509_value(chain, i);
    if (X509_cmp_current_time(X509_get0_notAfter(each)) < 0)
      return "tls: the certificate of an authority has expired ("
           + common_name(X509_get_subject_name(each)) + ")";
  }
  return "tls: certificate has expired";
}

/// The chain was broken before it led anywhere.
std::string not_signed(SSL* ssl) {
  std::string out = "tls: certificate is not signed by a trusted authority";
  if (sk_X509_num(SSL_get0_verified_chain(ssl)) == 1)
    out += ", or the receiver does not send its intermediate certificate";
  return out;
}

/// Some proxies read what passes, and show certificates that they sign.
std::string perhaps_of_proxy(SSL* ssl) {
  const auto* chain = SSL_get0_verified_chain(ssl);
  if (sk_X509_num(chain) == 0)
    return {};
  return "; the proxy may show its own in place of the receiver's (signed by "
       + common_name(X509_get_issuer_name(sk_X509_value(chain, 0))) + ")";
}

/// The alert in words, if it may be about the client's certificate.
std::optional<std::string> about_certificate(SSL* ssl, unsigned long raw) {
  if (ERR_GET_LIB(raw) != ERR_LIB_SSL)
    return {};
  const auto reason = ERR_GET_REASON(raw);
  if (reason == SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED)
    return std::string{asks};
  if (!was_asked(ssl))
    return {};
  const bool shown = SSL_get_certificate(ssl) != nullptr;
  switch (reason) {
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      if (shown)
        return "tls: the receiver does not know the authority of the client "
               "certificate";
      [[fallthrough]];
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
    case SSL_R_SSLV3_ALERT_NO_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
    case SSL_R_TLSV1_ALERT_DECRYPT_ERROR: break;
    default: return {};
  }
  if (!shown)
    return std::string{asks};
  std::string out = "tls: the receiver refused the client certificate";
  if (const char* text = ERR_reason_error_string(raw))
    out += " (" + std::string{text} + ")";
  return out;
}

unsigned long raw_error(const boost::system::error_code& code) {
  return static_cast<unsigned long>(static_cast<unsigned int>(code.value()));
}

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* x) const {
    Free(x);
  }
};

using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free>>;
using x509_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;

bio_ptr reader(const std::string& pem) {
  return bio_ptr{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
}

/// There is nobody to ask for a passphrase.
int no_passphrase(char*, int, int, void* asked) {
  *static_cast<bool*>(asked) = true;
  return -1;
}

std::string last_error() {
  const auto code = ERR_peek_last_error();
  const char* text = code ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return text ? text : "unknown error";
}

/// Calls `take` with each certificate of a PEM text until it returns false.
/// Returns why it stopped early, if it did.
template <class Take>
std::optional<std::string>
for_each_certificate(const std::string& pem, Take take) {
  bool asked = false;
  std::size_t count = 0;
  const auto from = reader(pem);
  ERR_clear_error();
  for (;; ++count) {
    x509_ptr each{
      PEM_read_bio_X509_AUX(from.get(), nullptr, no_passphrase, &asked)};
    if (!each)
      break;
    if (!take(each.get()))
      return last_error();
  }
  const auto code = ERR_peek_last_error();
  if (ERR_GET_LIB(code) == ERR_LIB_PEM
      && ERR_GET_REASON(code) == PEM_R_NO_START_LINE) {
    ERR_clear_error();
    if (count == 0)
      return "there is no certificate in it; give PEM";
    return {}; // the end
  }
  return last_error();
}

/// What is given is trusted itself, whoever has signed it.
void trust_as_given(SSL_CTX* context) {
  X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context),
                              X509_V_FLAG_PARTIAL_CHAIN);
}

error refuse(const char* what, const std::string& why) {
  return {ec::invalid_argument, std::string{what} + " cannot be used: " + why,
          "tls"};
}

} // namespace

tls_settings::tls_settings(token) : context_(asio::ssl::context::tls_client) {
  auto* raw = context_.native_handle();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  // Idle connections give their buffers back.
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS);
  keep_sessions(raw);
  // For receivers that ask for a certificate only when they know the path.
  SSL_CTX_set_post_handshake_auth(raw, 1);
  SSL_CTX_set_info_callback(raw, note_alert);
  SSL_CTX_set_cert_cb(raw, note_question, nullptr);
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
  } else {
    trust_as_given(raw);
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
  trust_as_given(out->context_.native_handle());
  return out;
}

result<std::shared_ptr<tls_settings>>
tls_settings::of_webhook(const std::string& ca, const std::string& certificate,
                         const std::string& key) {
  static constexpr const char* of_ca = "the certificate authorities";
  static constexpr const char* of_certificate = "the client certificate";
  static constexpr const char* of_key = "the client key";
  if (certificate.empty() != key.empty())
    return key.empty() ? refuse(of_certificate, "its private key is missing")
                       : refuse(of_key, "its certificate is missing");
  auto out = std::make_shared<tls_settings>(token{});
  auto* raw = out->context_.native_handle();
  if (ca.empty()) {
    if (SSL_CTX_set_default_verify_paths(raw) != 1)
      return refuse(of_ca, last_error());
  } else {
    auto* store = SSL_CTX_get_cert_store(raw);
    if (const auto why = for_each_certificate(ca, [&](X509* each) {
          return X509_STORE_add_cert(store, each) == 1;
        }))
      return refuse(of_ca, *why);
    trust_as_given(raw);
  }
  if (certificate.empty())
    return out;
  bool first = true;
  if (const auto why = for_each_certificate(certificate, [&](X509* each) {
        return (std::exchange(first, false)
                  ? SSL_CTX_use_certificate(raw, each)
                  : static_cast<int>(SSL_CTX_add1_chain_cert(raw, each)))
            == 1;
      }))
    return refuse(of_certificate, *why);
  bool asked = false;
  const key_ptr mine{
    PEM_read_bio_PrivateKey(reader(key).get(), nullptr, no_passphrase, &asked)};
  if (asked || !mine) {
    const auto why = last_error();
    return refuse(of_key, asked ? "it has a passphrase; give it without"
                                : why + "; give PEM");
  }
  if (X509_check_private_key(SSL_CTX_get0_certificate(raw), mine.get()) != 1) {
    ERR_clear_error();
    return refuse(of_key, "it does not belong to the client certificate");
  }
  if (SSL_CTX_use_PrivateKey(raw, mine.get()) != 1)
    return refuse(of_key, last_error());
  return out;
}

bool prepare_tls(SSL* ssl, const std::string& host, bool is_address,
                 tls_sessions& sessions) {
  auto* wanted = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(wanted, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (is_address) {
    if (X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str()) != 1)
      return false;
  } else if (X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size()) != 1
             || SSL_set_tlsext_host_name(ssl, host.c_str()) != 1) {
    return false;
  }
  return use_sessions(ssl, sessions,
                      std::chrono::time_point_cast<timestamp::duration>(
                        std::chrono::system_clock::now()));
}

void end_tls(SSL* ssl) noexcept {
  SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
}

bool has_partial_record(const SSL* ssl) noexcept {
  // Once the header was read, OpenSSL waits for the body ("RB"); it counts only
  // the bytes of what it waits for.
  return SSL_has_pending(ssl) == 1
      || std::string_view{SSL_rstate_string(ssl)} == "RB";
}

std::string tls_failure(SSL* ssl, const boost::system::error_code& code,
                        const std::string& host, bool by_proxy) {
  const auto doubt = [&] {
    return by_proxy ? perhaps_of_proxy(ssl) : std::string{};
  };
  switch (const auto verdict = SSL_get_verify_result(ssl)) {
    case X509_V_OK: break;
    case X509_V_ERR_CERT_HAS_EXPIRED: return expired_one(ssl);
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "tls: certificate is not yet valid";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
      return "tls: self-signed certificate" + doubt();
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return not_signed(ssl) + doubt();
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return "tls: certificate is not for this host (" + host + ")";
    case X509_V_ERR_CERT_REVOKED: return "tls: certificate was revoked";
    default:
      return "tls: certificate is not valid: "
           + std::string{X509_verify_cert_error_string(verdict)};
  }
  if (code == asio::error::eof || code == asio::ssl::error::stream_truncated)
    return was_asked(ssl) ? closed_after_question(ssl)
                          : "tls: connection closed during the handshake";
  if (code == asio::error::connection_reset || code == asio::error::broken_pipe)
    return "tls: connection reset during the handshake";
  if (code.category() == asio::error::get_ssl_category()) {
    const auto raw = raw_error(code);
    if (auto why = about_certificate(ssl, raw))
      return *why;
    if (ERR_GET_LIB(raw) == ERR_LIB_SSL) {
      switch (ERR_GET_REASON(raw)) {
        case SSL_R_WRONG_VERSION_NUMBER:
        case SSL_R_HTTP_REQUEST:
        case SSL_R_PACKET_LENGTH_TOO_LONG:
          return "tls: the receiver does not speak TLS on this port";
        case SSL_R_UNSUPPORTED_PROTOCOL:
        case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
          return "tls: the receiver does not speak TLS 1.2 or newer";
        case SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
          return "tls: the receiver does not speak HTTP/1.1; it speaks HTTP/2 "
                 "only";
        case SSL_R_TLSV1_UNRECOGNIZED_NAME:
          return "tls: the receiver does not know the host " + host;
        case SSL_R_TLSV1_ALERT_INTERNAL_ERROR:
          return "tls: the receiver reports an internal error; it may not know "
                 "the host "
               + host;
        default: break;
      }
    }
    if (const char* text = ERR_reason_error_string(raw))
      return "tls: handshake failed: " + std::string{text};
  }
  return "tls: handshake failed: " + code.message();
}

std::optional<std::string>
tls_refusal(SSL* ssl, const boost::system::error_code& code, bool fresh) {
  if (has_refused_renegotiation(ssl))
    return "tls: the receiver wants to renegotiate, as some do to ask for a "
           "client certificate; let it ask in the handshake";
  if (code.category() == asio::error::get_ssl_category()
      && code != asio::ssl::error::stream_truncated) {
    const auto raw = raw_error(code);
    if (auto why = about_certificate(ssl, raw))
      return why;
    const char* text = ERR_reason_error_string(raw);
    return "tls: " + (text ? std::string{text} : code.message());
  }
  if (was_asked(ssl) && fresh)
    return closed_after_question(ssl);
  return {};
}

} // namespace fanfare::protocol
