// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rules/delivery_rules.hpp"

#include "protocol/client/egress.hpp"
#include "protocol/client/tls.hpp"
#include "protocol/rules/header_rules.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace fanfare::protocol {

namespace {

using namespace delivery_limits;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

error fault(std::string_view key, std::string sentence) {
  return {ec::invalid_argument, std::move(sentence),
          "delivery." + std::string{key}};
}

/// The first word in braces that is not among those; empty if there is none.
std::string_view unknown_placeholder(std::string_view text,
                                     std::span<const std::string_view> known) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  for (auto at = text.find('{'); at != std::string_view::npos;
       at = text.find('{', at + 1)) {
    auto end = at + 1;
    while (end < text.size() && is_letter(text[end]))
      ++end;
    if (end == at + 1 || end == text.size() || text[end] != '}')
      continue;
    const auto found = text.substr(at, end + 1 - at);
    if (std::ranges::find(known, found) == known.end())
      return found;
  }
  return {};
}

std::string in_seconds(milliseconds time) {
  auto text = std::to_string(time.count() / 1000);
  if (const auto rest = time.count() % 1000; rest != 0) {
    text += '.' + std::to_string(1000 + rest).substr(1);
    text.erase(text.find_last_not_of('0') + 1);
  }
  return text + " s";
}

/// The first fault found.
class checker {
public:
  explicit checker(const delivery_settings& settings) : s_(settings) {}

  std::optional<error> find(const vault& seals) {
    if (!s_.name.empty() && !is_webhook_name(s_.name))
      say("name", std::string{webhook_name_rule});
    times();
    numbers();
    statuses();
    headers();
    signing();
    way(seals);
    return std::move(found_);
  }

private:
  void say(std::string_view key, std::string sentence) {
    if (!found_)
      found_ = fault(key, std::move(sentence));
  }

  void time(std::string_view key, const std::optional<milliseconds>& value,
            milliseconds least, milliseconds most) {
    if (value && (*value < least || *value > most))
      say(key, "Must be " + std::to_string(least.count()) + " to "
                 + std::to_string(most.count()) + " milliseconds.");
  }

  void number(std::string_view key, const std::optional<std::uint32_t>& value,
              double least, double most) {
    if (value && (*value < least || *value > most))
      say(key, "Must be " + std::to_string(static_cast<long>(least)) + " to "
                 + std::to_string(static_cast<long>(most)) + ".");
  }

  void plain(std::string_view key, std::string_view value, std::size_t most) {
    if (value.size() > most)
      say(key, "Must have at most " + std::to_string(most) + " characters.");
    else if (!is_header_text(value) || value.find('\t') != value.npos)
      say(key, "Must be printable ASCII.");
  }

  void times() {
    for (const auto& value :
         {s_.timeouts.dns, s_.timeouts.connect, s_.timeouts.tls,
          s_.timeouts.first_byte, s_.timeouts.total})
      time("timeouts", value, 1ms, timeout_limit);
    time("max_age", s_.max_age, 1ms, age_limit);
    if (!s_.schedule)
      return;
    if (s_.schedule->size() > schedule_limit)
      say("schedule",
          "Must have at most " + std::to_string(schedule_limit) + " delays.");
    for (const auto delay : *s_.schedule)
      time("schedule", delay, 0ms, age_limit);
  }

  void numbers() {
    number("limits", s_.limits.min_rate, 0, min_rate_limit);
    number("limits", s_.limits.header_bytes, least_header_bytes,
           header_bytes_limit_of_answer);
    number("limits", s_.limits.body_bytes, 0, body_bytes_limit);
    number("max_in_flight", s_.max_in_flight, 1, in_flight_limit);
    rate("rate_limit", s_.rate_limit);
    rate("resume_rate", s_.resume_rate);
    if (s_.batch) {
      number("batch", s_.batch->max_count, 1, batch_limit);
      time("batch", s_.batch->max_wait, 0ms,
           milliseconds{static_cast<long>(batch_wait_limit)});
    }
  }

  void statuses() {
    const auto& all = s_.final_statuses;
    if (all.size() > final_statuses_limit)
      say("final_statuses", "Must have at most "
                              + std::to_string(final_statuses_limit)
                              + " statuses.");
    for (const auto status : all)
      if (auto wrong = final_status_fault(status))
        say("final_statuses", std::move(*wrong));
    if (std::ranges::adjacent_find(all, std::greater_equal{}) != all.end())
      say("final_statuses", "Must be ascending, each status once.");
  }

  void rate(std::string_view key,
            const std::optional<delivery_settings::rate>& value) {
    if (!value)
      return;
    number(key, value->count, 1, delivery_limits::rate_limit);
    time(key, value->period, 1ms, period_limit);
  }

  void headers() {
    if (s_.headers.size() > headers_limit)
      say("headers",
          "Must be at most " + std::to_string(headers_limit) + " headers.");
    std::set<std::string> names;
    std::size_t bytes = 0;
    for (const auto& [name, value] : s_.headers) {
      const auto text = value.is_sealed() ? std::string_view{}
                                          : std::string_view{value.bytes()};
      if (auto wrong = header_fault(name, text))
        say("headers", std::move(*wrong));
      if (!names.insert(to_lower(name)).second)
        say("headers", "\"" + name + "\" is given twice.");
      bytes += name.size() + value.bytes().size() + 4;
    }
    if (bytes > header_bytes_limit + s_.headers.size() * 64) // as sealed
      say("headers", "All headers together must have at most "
                       + std::to_string(header_bytes_limit) + " bytes.");
    plain("user_agent_suffix", s_.user_agent_suffix, suffix_limit);
  }

  void signing() {
    if (s_.signing > signing_algorithm::ed25519)
      say("signing", "There is no such algorithm.");
    if (!s_.legacy)
      return;
    if (s_.legacy->digest > legacy_signature::hash::sha512
        || s_.legacy->text > legacy_signature::encoding::base64)
      say("signing", "There is no such digest or encoding of it.");
    if (s_.signing != signing_algorithm::hmac_sha256)
      say("signing", "legacy needs the algorithm hmac_sha256.");
    if (auto wrong = header_name_fault(s_.legacy->header))
      say("signing", "header: " + *wrong);
    plain("signing", s_.legacy->prefix, prefix_limit);
    plain("signing", s_.legacy->content, template_limit);
    if (auto wrong = placeholder_fault(*s_.legacy))
      say("signing", std::move(*wrong));
    if (auto fine = check_signing_header(s_); !fine)
      say("signing", fine.error().detail);
  }

  void way(const vault& seals) {
    if (s_.tls) {
      const auto key = seals.open(s_.tls->key);
      if (!key)
        say("tls", key.error().detail);
      else if (s_.tls->ca.size() > pem_limit
               || s_.tls->certificate.size() > pem_limit
               || key->size() > pem_limit)
        say("tls", "Each PEM text must have at most "
                     + std::to_string(pem_limit) + " bytes.");
      else if (auto fine = check_papers(*s_.tls, *key); !fine)
        say("tls", fine.error().detail);
    }
    if (s_.proxy.empty() || s_.proxy.is_sealed())
      return;
    plain("proxy", s_.proxy.bytes(), proxy_limit);
    if (auto parsed = proxy::parse(s_.proxy.bytes()); !parsed)
      say("proxy", parsed.error().detail);
  }

  const delivery_settings& s_;
  std::optional<error> found_;
};

} // namespace

void seal_secrets(delivery_settings& settings, const vault& seals) {
  using use = secret_text::use;
  for (auto& one : settings.headers)
    one.value = seals.seal(one.value, use::header);
  if (settings.tls && !settings.tls->key.empty())
    settings.tls->key = seals.seal(settings.tls->key, use::client_key);
  if (!settings.proxy.empty())
    settings.proxy = seals.seal(settings.proxy, use::proxy);
}

result<void> check_papers(const delivery_settings::tls_material& papers,
                          const std::string& key) {
  auto made = tls_settings::of_webhook(papers.ca, papers.certificate, key);
  if (!made)
    return error{ec::invalid_argument, made.error().detail, "tls"};
  return {};
}

std::optional<std::string> placeholder_fault(const legacy_signature& how) {
  static constexpr std::string_view of_template[] = {"{id}", "{timestamp}",
                                                     "{body}"};
  const std::span all{of_template};
  if (how.content.find("{body}") == std::string::npos)
    return "template must contain {body}; {id} and {timestamp} are replaced as "
           "well.";
  if (const auto word = unknown_placeholder(how.content, all); !word.empty())
    return "template has \"" + std::string{word}
         + "\", which nothing replaces; use {id}, {timestamp} and {body}.";
  if (const auto word = unknown_placeholder(how.prefix, all.first(2));
      !word.empty())
    return "prefix has \"" + std::string{word}
         + "\", which nothing replaces; use {id} and {timestamp}.";
  return std::nullopt;
}

std::optional<std::string> final_status_fault(double status) {
  if (status < least_final_status || status > most_final_status)
    return "Each status must be from 300 to 599: the others are successes or "
           "no "
           "answers.";
  if (status == 410)
    return "410 cannot be listed: it ends the webhook and all its retries "
           "already.";
  return std::nullopt;
}

result<void> check_timeouts(const delivery_settings::timeout_settings& settings,
                            milliseconds whole) {
  const std::pair<const char*, std::optional<milliseconds>> steps[] = {
    {"dns", settings.dns},
    {"connect", settings.connect},
    {"tls", settings.tls},
    {"first_byte", settings.first_byte}};
  const auto total = settings.total.value_or(whole);
  for (const auto& [name, step] : steps)
    if (step && *step > total)
      return fault("timeouts",
                   std::string{name} + " (" + in_seconds(*step)
                     + ") is longer than total (" + in_seconds(total)
                     + (settings.total ? "" : ", the server's")
                     + "), which would end the attempt before: set total to "
                       "at least as much.");
  return {};
}

result<void> check_proxy_asked(const secret_text& url) {
  if (url.empty() || url.is_sealed())
    return {};
  if (const auto parsed = proxy::parse(url.bytes()); parsed && parsed->resolves)
    return fault("proxy", std::string{no_proxy_resolves});
  return {};
}

bool is_webhook_name(std::string_view name) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  };
  return !name.empty() && name.size() <= webhook_name_limit
      && is_letter(name.front()) && std::ranges::all_of(name, [&](char c) {
           return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_'
               || c == '.';
         });
}

result<void> check_signing_header(const delivery_settings& settings) {
  if (!settings.legacy)
    return {};
  // With two headers of one name, receivers would see either.
  for (const auto& one : settings.headers)
    if (to_lower(one.name) == to_lower(settings.legacy->header))
      return error{ec::invalid_argument,
                   "The header \"" + settings.legacy->header
                     + "\" of the legacy signature is among \"headers\".",
                   "signing"};
  return {};
}

result<void> check_delivery(const delivery_settings& settings,
                            const vault& seals) {
  if (auto found = checker{settings}.find(seals))
    return std::move(*found);
  return {};
}

} // namespace fanfare::protocol
