// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/certs.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ssl/context.hpp>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <utility>

namespace fanfare::test {

namespace {

template <auto Free>
struct freed_by {
  template <class T>
  void operator()(T* x) const {
    Free(x);
  }
};

using bio_ptr = std::unique_ptr<BIO, freed_by<BIO_free>>;
using key_ptr = std::unique_ptr<EVP_PKEY, freed_by<EVP_PKEY_free>>;
using x509_ptr = std::unique_ptr<X509, freed_by<X509_free>>;
using extension_ptr = std::unique_ptr<X509_EXTENSION,
                                      freed_by<X509_EXTENSION_free>>;

void check(bool good, const char* what) {
  if (good)
    return;
  char text[256];
  ERR_error_string_n(ERR_get_error(), text, sizeof(text));
  throw std::runtime_error{std::string{what} + ": " + text};
}

template <class Write>
std::string to_pem(Write write) {
  bio_ptr bio{BIO_new(BIO_s_mem())};
  check(bio && write(bio.get()) == 1, "write PEM");
  BUF_MEM* memory = nullptr;
  BIO_get_mem_ptr(bio.get(), &memory);
  return {memory->data, memory->length};
}

bio_ptr reader(const std::string& pem) {
  return bio_ptr{BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))};
}

void extend(X509* cert, X509* issuer, int id, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  extension_ptr extension{
    X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str())};
  check(extension && X509_add_ext(cert, extension.get(), -1) == 1,
        value.c_str());
}

std::string alternative_names(const std::vector<std::string>& names) {
  std::string result;
  for (const auto& name : names) {
    boost::system::error_code no_address;
    boost::asio::ip::make_address(name, no_address);
    if (!result.empty())
      result += ',';
    result += (no_address ? "DNS:" : "IP:") + name;
  }
  return result;
}

/// Signed by `issuer`, or by itself if that is null.
certificate make(const certificate_options& options, bool authority,
                 const certificate* issuer) {
  key_ptr key{EVP_EC_gen("P-256")};
  check(key != nullptr, "make a key");
  x509_ptr cert{X509_new()};
  check(cert != nullptr, "make a certificate");
  X509_set_version(cert.get(), X509_VERSION_3);
  std::uint32_t serial = 0;
  check(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof(serial))
          == 1,
        "random serial");
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(cert.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(cert.get()), options.not_before.count());
  X509_gmtime_adj(X509_getm_notAfter(cert.get()), options.not_after.count());
  X509_set_pubkey(cert.get(), key.get());
  const auto& name = options.names.at(0);
  check(X509_NAME_add_entry_by_txt(
          X509_get_subject_name(cert.get()), "CN", MBSTRING_UTF8,
          reinterpret_cast<const unsigned char*>(name.data()),
          static_cast<int>(name.size()), -1, 0)
          == 1,
        "set the name");
  x509_ptr issuer_cert;
  key_ptr issuer_key;
  if (issuer != nullptr) {
    issuer_cert.reset(PEM_read_bio_X509(reader(issuer->certificate_pem).get(),
                                        nullptr, nullptr, nullptr));
    issuer_key.reset(PEM_read_bio_PrivateKey(reader(issuer->key_pem).get(),
                                             nullptr, nullptr, nullptr));
    check(issuer_cert && issuer_key, "read the issuer");
  }
  auto* signer = issuer_cert ? issuer_cert.get() : cert.get();
  X509_set_issuer_name(cert.get(), X509_get_subject_name(signer));
  extend(cert.get(), signer, NID_subject_key_identifier, "hash");
  extend(cert.get(), signer, NID_basic_constraints,
         authority ? "critical,CA:TRUE" : "CA:FALSE");
  if (authority) {
    extend(cert.get(), signer, NID_key_usage, "critical,keyCertSign,cRLSign");
  } else {
    extend(cert.get(), signer, NID_ext_key_usage, "serverAuth,clientAuth");
    extend(cert.get(), signer, NID_subject_alt_name,
           alternative_names(options.names));
  }
  check(X509_sign(cert.get(), issuer_key ? issuer_key.get() : key.get(),
                  EVP_sha256())
          > 0,
        "sign");
  return {
    to_pem([&](BIO* bio) { return PEM_write_bio_X509(bio, cert.get()); }),
    to_pem([&](BIO* bio) {
      return PEM_write_bio_PrivateKey(bio, key.get(), nullptr, nullptr, 0,
                                      nullptr, nullptr);
    }),
  };
}

} // namespace

certificate_authority::certificate_authority(std::string name)
  : own_{make({.names = {std::move(name)}}, true, nullptr)} {
  // nop
}

certificate_authority
certificate_authority::intermediate(std::string name,
                                    std::chrono::seconds not_after) const {
  return certificate_authority{make({.names = {std::move(name)},
                                     .not_before = -std::chrono::hours{48},
                                     .not_after = not_after},
                                    true, &own_)};
}

certificate
certificate_authority::issue(const certificate_options& options) const {
  return make(options, false, &own_);
}

certificate certificate_authority::good(std::vector<std::string> names) const {
  return issue({.names = std::move(names)});
}

certificate
certificate_authority::expired(std::vector<std::string> names) const {
  return issue({.names = std::move(names),
                .not_before = -std::chrono::hours{48},
                .not_after = -std::chrono::hours{1}});
}

certificate
certificate_authority::not_yet_valid(std::vector<std::string> names) const {
  return issue({.names = std::move(names),
                .not_before = std::chrono::hours{24},
                .not_after = std::chrono::hours{48}});
}

certificate certificate_authority::wrong_host() const {
  return issue({.names = {"wrong.example"}});
}

certificate self_signed(std::vector<std::string> names) {
  return make({.names = std::move(names)}, false, nullptr);
}

std::shared_ptr<boost::asio::ssl::context>
server_context(const certificate& cert, const std::string& client_ca) {
  namespace ssl = boost::asio::ssl;
  auto result = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(result->native_handle(), TLS1_2_VERSION);
  result->use_certificate_chain(boost::asio::buffer(cert.certificate_pem));
  result->use_private_key(boost::asio::buffer(cert.key_pem), ssl::context::pem);
  // Without a session id context, resumed sessions are refused.
  static const unsigned char id[] = "fanfare test";
  SSL_CTX_set_session_id_context(result->native_handle(), id, sizeof(id) - 1);
  if (!client_ca.empty()) {
    result->add_certificate_authority(boost::asio::buffer(client_ca));
    result->set_verify_mode(ssl::verify_peer
                            | ssl::verify_fail_if_no_peer_cert);
  }
  return result;
}

} // namespace fanfare::test
