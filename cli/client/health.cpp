// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"
#include "cli/client/time_text.hpp"

#include <CLI/CLI.hpp>

#include <memory>

namespace fanfare::cli {

namespace {

using boost::json::object;

std::string numbers(const object& health, const char* key) {
  const auto* value = health.if_contains(key);
  if (value == nullptr || !value->is_object())
    return {};
  std::string out;
  for (const auto& item : value->get_object()) {
    out += out.empty() ? "" : ", ";
    out.append(item.key().data(), item.key().size());
    out += ": " + cell_text(item.value());
  }
  return out;
}

std::string when(const object& of, const char* key) {
  const auto at = cell_of(of, key);
  return at.empty() ? "-" : full_time(at, time_now());
}

const object* part_of(const object& of, const char* key) {
  const auto* value = of.if_contains(key);
  return value != nullptr && value->is_object() ? &value->get_object()
                                                : nullptr;
}

std::string health_hold(const object& h) {
  const auto by = cell_of(h, "held_by");
  const auto until = cell_of(h, "held_until");
  return until.empty() || until == "-"
         ? by
         : by + ", until " + full_time(until, time_now());
}

std::string breaker_of(const object& h) {
  const auto* breaker = part_of(h, "breaker");
  if (breaker == nullptr)
    return {};
  auto out = cell_of(*breaker, "state");
  if (const auto failures = cell_of(*breaker, "failures");
      failures != "0" && failures != "-")
    out += ", failures in a row: " + failures + ", since "
         + when(*breaker, "failing_since");
  return out;
}

std::string oldest_of(const object& h) {
  const auto* oldest = part_of(h, "oldest_waiting");
  return oldest == nullptr
         ? "-"
         : "notification " + cell_of(*oldest, "notification_id")
             + ", published " + when(*oldest, "datetime");
}

std::string last_error_of(const object& h) {
  const auto* last = part_of(h, "last_error");
  return last == nullptr
         ? "-"
         : cell_of(*last, "reason") + ", call " + cell_of(*last, "call_id")
             + ", " + when(*last, "datetime");
}

std::string certificate_of(const object& h) {
  const auto expires = cell_of(h, "certificate_expires");
  return expires.empty() || expires == "-"
         ? std::string{}
         : "expires " + full_time(expires, time_now());
}

std::string percentage(const object& health, const char* key) {
  const auto* value = health.if_contains(key);
  if (value == nullptr || !value->is_number())
    return "-";
  return cell_text(value->to_number<double>() * 100) + " %";
}

void show(command_context& context, const std::string& webhook) {
  auto& server = context.server();
  const auto answer = server.get(server.in_webhook(webhook, "health/"));
  if (context.out().json())
    return context.out().document_text(answer.text);
  const auto& h = answer.as_object();
  const bool more = cell_of(h, "backlog_complete") == "no";
  const auto status = cell_of(h, "status");
  auto& out = context.out();
  out.figures({
    {"status", status, status == "failing" || status == "disabled"},
    {"held by", health_hold(h)},
    {"breaker", breaker_of(h)},
    {"calls looked at", cell_of(h, "calls")},
    {"since", when(h, "since")},
    {"succeeded", percentage(h, "success_rate")},
    {"calls a minute", cell_of(h, "calls_per_minute")},
    {"took (s)", numbers(h, "execution_time")},
    {"answers", numbers(h, "return_codes")},
    {"retries", cell_of(h, "retries")},
    {"next retry", when(h, "next_retry")},
    {"backlog", (more ? "more than " : "") + cell_of(h, "backlog")},
    {"oldest waiting", oldest_of(h)},
    {"last success", when(h, "last_success")},
    {"last error", last_error_of(h)},
    {"certificate", certificate_of(h)},
  });
  if (const auto advice = cell_of(h, "advice"); is_told(advice)) {
    out.blank();
    out.paragraph(advice, 0);
    out.paragraph("$ " + cell_of(h, "command"), 0);
  }
}

} // namespace

void add_health_command(CLI::App& app, const command_adder& add) {
  auto webhook = std::make_shared<std::string>();
  auto watch = std::make_shared<watching>();
  auto* const health = add.command(
    app, "health",
    "Health of a webhook: success, speed, backlog, what holds it",
    "  fanfare health 3\n  fanfare health 3 --watch",
    [webhook, watch](command_context& context) {
      repeat(context, *watch, [&] { show(context, *webhook); });
    });
  add_webhook(*health, *webhook);
  add_watch(*health, *watch);
}

} // namespace fanfare::cli
