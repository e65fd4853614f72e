// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"

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

std::string percentage(const object& health, const char* key) {
  const auto* value = health.if_contains(key);
  if (value == nullptr || !value->is_number())
    return "-";
  return cell_text(value->to_number<double>() * 100) + " %";
}

void show(command_context& context, std::uint64_t webhook) {
  auto& server = context.server();
  const auto answer = server.get(
    server.in_organizer(webhook_path(webhook, "health/")));
  if (context.out().json())
    return context.out().document_text(answer.text);
  const auto& h = answer.as_object();
  const bool more = cell_of(h, "backlog_complete") == "no";
  context.out().fields({
    {"status", cell_of(h, "status")},
    {"held by", cell_of(h, "held_by")},
    {"held until", cell_of(h, "held_until")},
    {"breaker", numbers(h, "breaker")},
    {"calls looked at", cell_of(h, "calls")},
    {"since", cell_of(h, "since")},
    {"succeeded", percentage(h, "success_rate")},
    {"calls a minute", cell_of(h, "calls_per_minute")},
    {"took (s)", numbers(h, "execution_time")},
    {"answers", numbers(h, "return_codes")},
    {"retries", cell_of(h, "retries")},
    {"next retry", cell_of(h, "next_retry")},
    {"backlog", (more ? "more than " : "") + cell_of(h, "backlog")},
    {"oldest waiting", numbers(h, "oldest_waiting")},
    {"last success", cell_of(h, "last_success")},
    {"last error", numbers(h, "last_error")},
  });
}

} // namespace

void add_health_command(CLI::App& app, const command_adder& add) {
  auto webhook = std::make_shared<std::uint64_t>();
  auto* const health = add.command(
    app, "health", "Health of a webhook: success, speed, backlog",
    "  fanfare health 3",
    [webhook](command_context& context) { show(context, *webhook); });
  add_webhook(*health, *webhook);
}

} // namespace fanfare::cli
