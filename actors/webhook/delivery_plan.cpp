// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook/delivery_plan.hpp"

#include "protocol/security/legacy_signature.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <span>
#include <utility>

namespace fanfare {

namespace {

const protocol::vault& vault_of(const delivery_defaults& defaults) {
  static const protocol::vault without_key;
  return defaults.vault != nullptr ? *defaults.vault : without_key;
}

} // namespace

delivery_plan::delivery_plan(const webhook_record& hook,
                             const delivery_defaults& defaults)
  : backoff(defaults.backoff),
    limits(defaults.limits),
    pace(defaults.pace),
    disable_after(defaults.disable_after),
    thin(hook.delivery.thin),
    ordered(hook.delivery.ordered),
    paused(hook.delivery.paused),
    batch(hook.delivery.batch),
    final_statuses(hook.delivery.final_statuses),
    resumed(hook.resumed.value_or(timestamp{})) {
  const auto& own = hook.delivery;
  const auto& vault = vault_of(defaults);
  if (own.schedule)
    backoff.schedule = *own.schedule;
  backoff.max_age = own.max_age.value_or(backoff.max_age);
  limits.dns = own.timeouts.dns.value_or(limits.dns);
  limits.connect = own.timeouts.connect.value_or(limits.connect);
  limits.tls = own.timeouts.tls.value_or(limits.tls);
  limits.first_byte = own.timeouts.first_byte.value_or(limits.first_byte);
  limits.total = own.timeouts.total.value_or(limits.total);
  limits.min_rate = own.limits.min_rate.value_or(limits.min_rate);
  limits.head_limit = own.limits.header_bytes.value_or(limits.head_limit);
  limits.body_limit = own.limits.body_bytes.value_or(limits.body_limit);
  pace.cap = ordered ? 1 : own.max_in_flight.value_or(pace.cap);
  pace.rate = own.rate_limit;
  pace.resume_rate = own.resume_rate;
  read_secrets(hook, vault);
  read_egress(hook, defaults, vault);
  const auto how = style(hook, vault);
  lacking = !error.empty();
  if (lacking)
    return;
  auto parsed = protocol::target::parse(hook.target_url, how);
  if (parsed)
    to = *parsed;
  else
    error = "target URL: " + parsed.error().detail;
}

void delivery_plan::read_secrets(const webhook_record& hook,
                                 const protocol::vault& vault) {
  if (hook.delivery.signing == signing_algorithm::none)
    return;
  for (const auto& one : hook.secrets) {
    auto text = vault.open(one.sealed, "secret");
    auto key = text ? protocol::signing_key::parse(*text) : text.error();
    if (!key) {
      // Receivers would refuse unsigned calls or, worse, accept them.
      error = "secret: " + key.error().detail;
      return;
    }
    if (keys_.empty())
      secret_ = std::move(*text);
    keys_.push_back(std::move(*key));
    expire_.push_back(one.expires);
  }
  legacy_ = hook.delivery.legacy;
}

void delivery_plan::read_egress(const webhook_record& hook,
                                const delivery_defaults& defaults,
                                const protocol::vault& vault) {
  const auto& own = hook.delivery;
  auto fence = defaults.fence_of ? defaults.fence_of(hook.owner)
                                 : delivery_defaults::fence{};
  if (!own.tls && own.proxy.empty() && !fence.policy)
    return;
  auto made = std::make_shared<protocol::egress>();
  if (fence.policy)
    // Connections that were made within another fence are not reused.
    made->tag += 'o' + std::to_string(fence.generation);
  made->policy = std::move(fence.policy);
  if (own.tls) {
    auto key = own.tls->key.empty() ? result<std::string>{std::string{}}
                                    : vault.open(own.tls->key);
    auto tls = key ? protocol::tls_settings::of_webhook(
                 own.tls->ca, own.tls->certificate, *key)
                   : key.error();
    if (!tls) {
      error = "tls: " + tls.error().detail;
      return;
    }
    made->tls = std::move(*tls);
    made->tag += 't' + std::to_string(hook.id) + '.'
               + std::to_string(std::hash<std::string>{}(
                 own.tls->ca + '\n' + own.tls->certificate + '\n' + *key));
  }
  if (!own.proxy.empty()) {
    const auto url = vault.open(own.proxy);
    auto via = url ? protocol::proxy::parse(*url) : url.error();
    if (!via) {
      error = "proxy: " + via.error().detail;
      return;
    }
    if (via->resolves && !defaults.proxies_resolve) {
      error = "proxy: " + std::string{protocol::no_proxy_resolves};
      return;
    }
    made->via = std::make_shared<const protocol::proxy>(std::move(*via));
    made->tag += 'p' + std::to_string(std::hash<std::string>{}(*url));
  }
  by = std::move(made);
}

protocol::request_style delivery_plan::style(const webhook_record& hook,
                                             const protocol::vault& vault) {
  protocol::request_style how;
  how.method = hook.delivery.put ? "PUT" : "POST";
  how.user_agent_suffix = hook.delivery.user_agent_suffix;
  if (by)
    how.tag = by->tag;
  for (const auto& [name, text] : hook.delivery.headers) {
    const auto value = vault.open(text);
    if (!value) {
      error = "header " + name + ": " + value.error().detail;
      break;
    }
    how.headers.append(name).append(": ").append(*value).append("\r\n");
  }
  return how;
}

std::string
delivery_plan::render_headers(std::string_view id, std::string_view body,
                              std::string_view trace, timestamp now) {
  std::string out;
  while (!keys_.empty() && expire_.back() && *expire_.back() <= now) {
    keys_.pop_back();
    expire_.pop_back();
  }
  if (!keys_.empty()) {
    char digits[24];
    const auto* end = std::to_chars(
                        std::begin(digits), std::end(digits),
                        std::chrono::floor<std::chrono::seconds>(now)
                          .time_since_epoch()
                          .count())
                        .ptr;
    const protocol::signed_content what{
      id, {digits, static_cast<std::size_t>(end - digits)}, body};
    out.reserve(256);
    protocol::append_signature_headers(keys_, what, out);
    if (legacy_)
      protocol::append_legacy_header(*legacy_, secret_, what, out);
  }
  if (!trace.empty()) {
    const auto line = trace.find('\n');
    out.append("traceparent: ").append(trace.substr(0, line)).append("\r\n");
    if (line != std::string_view::npos)
      out.append("tracestate: ").append(trace.substr(line + 1)).append("\r\n");
  }
  return out;
}

} // namespace fanfare
