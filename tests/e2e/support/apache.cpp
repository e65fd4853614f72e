// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/e2e/support/apache.hpp"

#include "tests/e2e/support/server.hpp"

#include <csignal>
#include <filesystem>
#include <stdexcept>

namespace fanfare::test {

namespace {

namespace fs = std::filesystem;
using boost::asio::ip::tcp;

const fs::path program = "/usr/sbin/apache2";
const fs::path modules = "/usr/lib/apache2/modules";

fs::path module_file(const std::string& name) {
  return modules / ("mod_" + name + ".so");
}

std::string to_load(const std::string& name) {
  return "LoadModule " + name + "_module " + module_file(name).string() + '\n';
}

} // namespace

bool apache::installed() {
  return fs::exists(program) && fs::exists(module_file("mpm_prefork"));
}

apache::apache(const apache_options& options) : place_{context_, tcp::v4()} {
  place_.set_option(tcp::socket::reuse_address{true});
  place_.bind({boost::asio::ip::address_v4::loopback(), 0});
  configure(options);
  // It ends all of its process group, which must not be the test's, and when it
  // is killed its workers live on.
  process_.emplace(
    command{.program = "setsid",
            .args = {"setpriv", "--pdeathsig", "TERM", program.string(),
                     "-DFOREGROUND", "-f", (dir_ / "apache.conf").string()}});
  if (!process_->wait_for_line("resuming normal operations", patience,
                               child_process::stream::err)) {
    process_->signal(SIGTERM);
    process_->wait(std::chrono::seconds{10});
    std::string said;
    for (const auto& line : process_->lines(child_process::stream::err))
      said += line + '\n';
    throw std::runtime_error{"Apache does not listen:\n" + said};
  }
}

apache::~apache() {
  process_->signal(SIGTERM);
  process_->wait(patience);
}

void apache::configure(const apache_options& options) {
  const auto hook = dir_.write("hook", "#!/bin/sh\n"
                                       "cat >/dev/null\n"
                                         + options.work
                                         + "\n"
                                           "echo Content-Type: text/plain\n"
                                           "echo\n"
                                           "echo ok\n");
  // Root's Apache has workers that are nobody.
  fs::permissions(dir_.path(), fs::perms::others_exec, fs::perm_options::add);
  fs::permissions(hook, fs::perms{0755});
  const auto most = std::to_string(options.workers) + '\n';
  auto text = "ServerRoot " + dir_.path().string()
            + "\n"
              "DefaultRuntimeDir .\n"
              "PidFile pid\n"
              "ErrorLog /dev/stderr\n"
              "ServerName localhost\n"
              "User nobody\n"
              "Group nogroup\n"
              "Listen 127.0.0.1:"
            + std::to_string(port()) + '\n';
  for (const auto* name : {"mpm_prefork", "authz_core", "alias", "cgi"})
    text += to_load(name);
  for (const auto& name : options.modules)
    text += to_load(name);
  for (const auto* name : {"ServerLimit", "StartServers", "MinSpareServers",
                           "MaxSpareServers", "MaxRequestWorkers"})
    text += std::string{name} + ' ' + most;
  // Longer than any test may take.
  text += "KeepAliveTimeout 300\n"
          "MaxKeepAliveRequests 0\n"
          "ScriptAlias /hook "
        + hook.string() + '\n' + options.directives;
  dir_.write("apache.conf", text);
}

} // namespace fanfare::test
