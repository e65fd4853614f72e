// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/support/tls_client.hpp"

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <stdexcept>

namespace fanfare::test {

struct tls_client::impl {
  int fd = -1;
  SSL_CTX* context = nullptr;
  SSL* tls = nullptr;
  std::string in;

  bool more() {
    std::array<char, 16 * 1024> piece;
    const auto count = SSL_read(tls, piece.data(),
                                static_cast<int>(piece.size()));
    if (count <= 0)
      return false;
    in.append(piece.data(), static_cast<std::size_t>(count));
    return true;
  }

  std::string take(std::size_t count) {
    auto out = in.substr(0, count);
    in.erase(0, count);
    return out;
  }
};

tls_client::tls_client(std::uint16_t port, tls_client_options options)
  : impl_(std::make_unique<impl>()) {
  std::signal(SIGPIPE, SIG_IGN); // OpenSSL writes without MSG_NOSIGNAL
  auto& self = *impl_;
  self.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{.tv_sec = options.patience.count(), .tv_usec = 0};
  ::setsockopt(self.fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  ::setsockopt(self.fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(self.fd, reinterpret_cast<const sockaddr*>(&to), sizeof to)
      != 0)
    throw std::runtime_error{"tls_client: cannot connect"};
  self.context = SSL_CTX_new(TLS_client_method());
  // Offers even obsolete versions: refusing them is up to the server.
  SSL_CTX_set_security_level(self.context, 0);
  if (options.max_version != 0) {
    SSL_CTX_set_min_proto_version(self.context, 0);
    SSL_CTX_set_max_proto_version(self.context, options.max_version);
  }
  if (!options.ca_pem.empty()) {
    auto* text = BIO_new_mem_buf(options.ca_pem.data(),
                                 static_cast<int>(options.ca_pem.size()));
    auto* ca = PEM_read_bio_X509(text, nullptr, nullptr, nullptr);
    X509_STORE_add_cert(SSL_CTX_get_cert_store(self.context), ca);
    X509_free(ca);
    BIO_free(text);
    SSL_CTX_set_verify(self.context, SSL_VERIFY_PEER, nullptr);
  }
  self.tls = SSL_new(self.context);
  SSL_set_fd(self.tls, self.fd);
  if (!options.protocol.empty()) {
    const auto wire = static_cast<char>(options.protocol.size())
                    + options.protocol;
    SSL_set_alpn_protos(self.tls,
                        reinterpret_cast<const unsigned char*>(wire.data()),
                        static_cast<unsigned>(wire.size()));
  }
}

tls_client::~tls_client() {
  SSL_free(impl_->tls);
  SSL_CTX_free(impl_->context);
  ::close(impl_->fd);
}

bool tls_client::shake_hands() {
  return SSL_connect(impl_->tls) == 1;
}

std::string tls_client::version() const {
  return SSL_get_version(impl_->tls);
}

std::string tls_client::protocol() const {
  const unsigned char* text = nullptr;
  unsigned size = 0;
  SSL_get0_alpn_selected(impl_->tls, &text, &size);
  return {text, text + size};
}

std::string tls_client::server_name() const {
  auto* const shown = SSL_get1_peer_certificate(impl_->tls);
  std::array<char, 256> name{};
  if (shown != nullptr)
    X509_NAME_get_text_by_NID(X509_get_subject_name(shown), NID_commonName,
                              name.data(), static_cast<int>(name.size()));
  X509_free(shown);
  return name.data();
}

bool tls_client::send(std::string_view bytes) {
  return SSL_write(impl_->tls, bytes.data(), static_cast<int>(bytes.size()))
      == static_cast<int>(bytes.size());
}

std::string tls_client::read_until(std::string_view last) {
  std::size_t at = 0;
  while ((at = impl_->in.find(last)) == std::string::npos)
    if (!impl_->more())
      return impl_->take(impl_->in.size());
  return impl_->take(at + last.size());
}

std::string tls_client::read(std::size_t count) {
  while (impl_->in.size() < count && impl_->more()) {}
  return impl_->take(count);
}

bool tls_client::send_plain(std::string_view bytes) {
  return ::send(impl_->fd, bytes.data(), bytes.size(), MSG_NOSIGNAL)
      == static_cast<ssize_t>(bytes.size());
}

bool tls_client::closed_plain() {
  std::array<char, 4096> ignored;
  for (;;) {
    const auto count = ::recv(impl_->fd, ignored.data(), ignored.size(), 0);
    if (count <= 0)
      return count == 0 || errno == ECONNRESET;
  }
}

} // namespace fanfare::test
