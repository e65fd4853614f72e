// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/tls_identity.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <cerrno>
#include <cstring>
#include <fstream>

namespace fanfare::protocol {

namespace {

/// OpenSSL's first error, which is the cause of the others.
std::string reason() {
  const auto code = ERR_peek_error();
  const char* text = code ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return text ? text : "unknown error";
}

error bad(const std::string& what, const std::string& file,
          const std::string& why) {
  return {ec::invalid_argument, what + file + " cannot be used: " + why};
}

/// Why a file cannot be read; empty if it can.
std::string unreadable(const std::string& file) {
  errno = 0;
  std::ifstream in{file};
  if (in.peek() != std::ifstream::traits_type::eof())
    return {};
  return errno != 0 ? std::strerror(errno) : "it is empty";
}

/// A server has nobody to ask for a passphrase.
int no_passphrase(char*, int, int, void*) {
  return 0;
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_size,
                    const unsigned char* in, unsigned in_size, void*) {
  static constexpr unsigned char known[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, known, sizeof known - 1, in,
                            in_size)
      != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

} // namespace

tls_identity::tls_identity(token) : context_(boost::asio::ssl::context::tls) {
  auto* raw = context_.native_handle();
  SSL_CTX_set_min_proto_version(raw, TLS1_2_VERSION);
  // Forward secrecy and authenticated encryption only, as all of TLS 1.3's are.
  SSL_CTX_set_cipher_list(raw, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_options(raw, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION
                             | SSL_OP_CIPHER_SERVER_PREFERENCE
                             | SSL_OP_PRIORITIZE_CHACHA
                             // A request's own length says where it ends.
                             | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(raw, SSL_MODE_ENABLE_PARTIAL_WRITE
                          | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
                          // Idle connections hold no buffers.
                          | SSL_MODE_RELEASE_BUFFERS);
  // Clients keep their sessions, in tickets.
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_default_passwd_cb(raw, no_passphrase);
  SSL_CTX_set_alpn_select_cb(raw, choose_protocol, nullptr);
}

result<std::shared_ptr<tls_identity>>
tls_identity::load(const std::string& certificate_file,
                   const std::string& key_file) {
  static const std::string certificate = "the TLS certificate in ";
  static const std::string key = "the TLS key in ";
  if (const auto why = unreadable(certificate_file); !why.empty())
    return bad(certificate, certificate_file, why);
  if (const auto why = unreadable(key_file); !why.empty())
    return bad(key, key_file, why);
  auto out = std::make_shared<tls_identity>(token{});
  auto* raw = out->context_.native_handle();
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(raw, certificate_file.c_str()) != 1)
    return bad(certificate, certificate_file,
               reason() + "; give PEM, the server's certificate first");
  if (SSL_CTX_use_PrivateKey_file(raw, key_file.c_str(), SSL_FILETYPE_PEM)
      != 1) {
    const auto code = ERR_peek_error();
    if (ERR_GET_LIB(code) == ERR_LIB_X509
        && ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH) {
      ERR_clear_error();
      return bad(key, key_file,
                 "it does not belong to the certificate in "
                   + certificate_file);
    }
    return bad(key, key_file, reason() + "; give PEM without a passphrase");
  }
  if (SSL_CTX_check_private_key(raw) != 1) {
    ERR_clear_error();
    return bad(key, key_file,
               "it does not belong to the certificate in " + certificate_file);
  }
  return out;
}

SSL* tls_identity::accept(int descriptor) const noexcept {
  auto* context = const_cast<boost::asio::ssl::context&>(context_)
                    .native_handle();
  auto* made = SSL_new(context);
  if (made == nullptr)
    return nullptr;
  if (SSL_set_fd(made, descriptor) != 1) {
    SSL_free(made);
    return nullptr;
  }
  SSL_set_accept_state(made);
  return made;
}

} // namespace fanfare::protocol
