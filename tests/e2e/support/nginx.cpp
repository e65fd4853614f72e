// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/e2e/support/nginx.hpp"

#include "tests/e2e/support/server.hpp"
#include "tests/support/certs.hpp"
#include "tests/support/eventually.hpp"

#include <csignal>
#include <filesystem>
#include <initializer_list>
#include <stdexcept>
#include <utility>

namespace fanfare::test {

namespace {

using boost::asio::ip::tcp;

const std::filesystem::path nginx_program = "/usr/sbin/nginx";

void fill_in(std::string& text, const std::string& name,
             const std::string& value) {
  for (auto at = text.find(name); at != std::string::npos;
       at = text.find(name, at + value.size()))
    text.replace(at, name.size(), value);
}

} // namespace

bool nginx::installed() {
  return std::filesystem::exists(nginx_program);
}

nginx::nginx(std::string site) : place_{context_, tcp::v4()} {
  place_.set_option(tcp::socket::reuse_address{true});
  place_.bind({boost::asio::ip::address_v4::loopback(), 0});
  const auto own = self_signed();
  fill_in(site, "{port}", std::to_string(port()));
  fill_in(site, "{certificate}",
          dir_.write("certificate.pem", own.certificate_pem).string());
  fill_in(site, "{key}", dir_.write("key.pem", own.key_pem).string());
  std::string text = "daemon off;\n"
                     "master_process off;\n"
                     "pid nginx.pid;\n"
                     "error_log stderr;\n"
                     "events { }\n"
                     "http {\n"
                     "access_log off;\n";
  for (const auto* part : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"})
    text += std::string{part} + "_temp_path " + part + ";\n";
  dir_.write("nginx.conf", text + site + "}\n");
  process_.emplace(command{
    .program = nginx_program,
    .args = {"-e", "stderr", "-p", dir_.path().string(), "-c", "nginx.conf"}});
  if (!eventually(patience,
                  [this] { return listens() || !process_->running(); })
      || !process_->running()) {
    process_->kill();
    std::string said;
    for (const auto& line : process_->lines(child_process::stream::err))
      said += line + '\n';
    throw std::runtime_error{"nginx does not listen:\n" + said};
  }
}

nginx::~nginx() {
  process_->signal(SIGTERM);
  process_->wait(patience);
}

bool nginx::listens() const {
  boost::asio::io_context io;
  tcp::socket client{io};
  boost::system::error_code failed;
  client.connect(place_.local_endpoint(), failed);
  return !failed;
}

} // namespace fanfare::test
