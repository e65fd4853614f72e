// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/reload.hpp"

#include "cli/log.hpp"
#include "cli/option_values.hpp"
#include "fanfare/engine.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::cli {

namespace {

/// Sorted.
constexpr std::array<std::string_view, 26> reloadable{"allow-network",
                                                      "backup-dir",
                                                      "backup-every",
                                                      "backup-keep",
                                                      "backup-rate",
                                                      "breaker-failures",
                                                      "breaker-pause",
                                                      "connect-timeout",
                                                      "deny-network",
                                                      "disable-after",
                                                      "dns-timeout",
                                                      "failed-logins",
                                                      "first-byte-timeout",
                                                      "log-format",
                                                      "log-level",
                                                      "max-age",
                                                      "max-in-flight",
                                                      "public-url",
                                                      "retention",
                                                      "retention-interval",
                                                      "schedule",
                                                      "tls-cert",
                                                      "tls-key",
                                                      "tls-timeout",
                                                      "total-timeout",
                                                      "trusted-proxy"};

bool is_of_tls(std::string_view option) {
  return option == "tls-cert" || option == "tls-key";
}

bool is_of_backups(std::string_view option) {
  return option.starts_with("backup-");
}

/// An address may have a password, and a header is made of one.
bool is_secret(std::string_view option) {
  return option == "proxy" || option == "otlp-endpoint"
      || option == "otlp-header";
}

std::string shown(const std::vector<std::string>& values) {
  std::string out;
  for (const auto& value : values)
    out += (out.empty() ? "" : ", ") + value;
  return out.empty() ? "nothing" : out;
}

log_format format_of(const serve_options& options) {
  return options.log_format == "json" ? log_format::json : log_format::text;
}

} // namespace

bool is_reloadable(std::string_view option) {
  return std::ranges::binary_search(reloadable, option);
}

bool option_reloader::reload(const reload_targets& to) {
  auto fresh = read_again(running_.command_line);
  if (!fresh) {
    spdlog::error("nothing has changed: {}", fresh.error().detail);
    return false;
  }
  const auto changed = changes_of(*fresh);
  if (auto applied = apply(to, *fresh, changed); !applied) {
    spdlog::error("nothing has changed: {}", applied.error().detail);
    return false;
  }
  return true;
}

std::vector<std::string>
option_reloader::changes_of(const read_options& fresh) const {
  std::vector<std::string> out;
  for (const auto& [name, values] : fresh.texts)
    if (const auto now = running_.texts.find(name);
        now == running_.texts.end() || now->second != values)
      out.push_back(name);
  return out;
}

result<void> option_reloader::apply(const reload_targets& to,
                                    read_options& fresh,
                                    const std::vector<std::string>& changed) {
  // -- what may be wrong ------------------------------------------------------
  auto& wanted = fresh.value;
  const bool has_tls = !running_.value.tls_cert.empty();
  auto identity = load_identity(wanted);
  if (!identity)
    return has_tls
           ? error{identity.error().code, "the old certificate stays in use: "
                                            + identity.error().detail}
           : identity.error();
  auto proxies = read_trusted_proxies(wanted);
  if (!proxies)
    return proxies.error();
  const bool has_plan = std::ranges::any_of(changed, is_of_backups);
  if (has_plan)
    if (auto made = backup_schedule::prepare(wanted.backups); !made)
      return explain_option(wanted, made.error());
  if (auto done = to.engine.change_options(wanted.engine); !done)
    return explain_option(wanted, done.error());

  // -- what cannot ------------------------------------------------------------
  to.server.change_trusted_proxies(std::move(*proxies));
  to.api.change({.local_names = !wanted.engine.network.allow.empty(),
                 .public_url = wanted.public_url},
                wanted.failed_logins);
  if (has_plan && to.backups)
    to.backups->change(wanted.backups);
  else if (has_plan)
    to.backups = backup_schedule::begin(to.engine, wanted.backups);
  // All that is said is seen by whoever reads the log as it was, or as it is
  // from now on.
  const bool to_all = spdlog::level::from_str(wanted.log_level)
                    < spdlog::get_level();
  if (to_all)
    change_log(format_of(wanted), wanted.log_level);
  if (has_tls && *identity) {
    to.server.change_identity(std::move(*identity));
    spdlog::info("new connections see the certificate that is now in {}",
                 wanted.tls_cert);
  }
  tell(fresh, changed);
  change_log(format_of(wanted), wanted.log_level);

  // -- what is in force -------------------------------------------------------
  for (const auto& name : changed)
    if (needs_restart(name, fresh))
      fresh.texts[name] = running_.texts[name];
  if (!has_tls)
    wanted.tls_cert.clear();
  else if (wanted.tls_cert.empty())
    wanted.tls_cert = running_.value.tls_cert;
  running_ = std::move(fresh);
  return {};
}

bool option_reloader::needs_restart(std::string_view option,
                                    const read_options& fresh) const {
  // Whether it speaks TLS at all is said when it begins to listen.
  return !is_reloadable(option)
      || (is_of_tls(option)
          && running_.value.tls_cert.empty() != fresh.value.tls_cert.empty());
}

void option_reloader::tell(const read_options& fresh,
                           const std::vector<std::string>& changed) const {
  if (changed.empty())
    spdlog::info("the options were read again; none has changed");
  for (const auto& name : changed) {
    const auto before = running_.texts.find(name);
    const auto values = is_secret(name)
                        ? "has changed"
                        : "was "
                            + shown(before == running_.texts.end()
                                      ? std::vector<std::string>{}
                                      : before->second)
                            + " and is " + shown(fresh.texts.at(name)) + " now";
    if (needs_restart(name, fresh))
      spdlog::warn("--{} {}: that needs a restart", name, values);
    else
      spdlog::info("--{} {}", name, values);
  }
}

} // namespace fanfare::cli
