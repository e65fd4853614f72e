// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"
#include "cli/client/time_text.hpp"
#include "cli/numbers.hpp"

#include <boost/json/array.hpp>

#include <CLI/CLI.hpp>

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace fanfare::cli {

namespace {

using boost::json::object;

struct status_options {
  std::size_t limit = 10;
  bool of_organizer = false;
  watching watch;
};

const object& part(const object& of, const char* key) {
  static const object none;
  const auto* value = of.if_contains(key);
  return value != nullptr && value->is_object() ? value->get_object() : none;
}

double number_of(const object& of, const char* key) {
  const auto* value = of.if_contains(key);
  return value != nullptr && value->is_number() ? value->to_number<double>()
                                                : 0;
}

std::string text_with(double value, const char* unit) {
  char text[48];
  std::snprintf(text, sizeof text, "%.3g %s", value, unit);
  return text;
}

std::string bytes_text(double bytes) {
  static constexpr const char* units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  for (; bytes >= 1024 && unit + 1 < std::size(units); ++unit)
    bytes /= 1024;
  char text[48];
  std::snprintf(text, sizeof text, bytes < 10 ? "%.1f %s" : "%.0f %s", bytes,
                units[unit]);
  return text;
}

void add_item(std::string& to, const std::string& item) {
  to += (to.empty() ? "" : ", ") + item;
}

/// "5 failing, 2 behind"; what is 0 is left out.
std::string
counted(const object& counts,
        const std::vector<std::pair<const char*, const char*>>& of) {
  std::string out;
  for (const auto& [key, words] : of)
    if (number_of(counts, key) > 0)
      add_item(out, cell_of(counts, key) + ' ' + words);
  return out;
}

std::string held_of(const object& counts) {
  std::string out;
  for (const auto& item : part(counts, "held"))
    if (item.value().is_number() && item.value().to_number<double>() > 0)
      add_item(out, std::string{item.key().data(), item.key().size()} + ' '
                      + cell_text(item.value()));
  return out;
}

std::vector<output::field> overview_of(const object& s) {
  const auto& hooks = part(s, "webhooks");
  const auto troubles = counted(
    hooks, {{"failing", "failing"}, {"behind", "behind"}, {"slow", "slow"}});
  const auto lately = counted(
    hooks, {{"disabled_lately", "disabled within a day"},
            {"certificates_expiring", "with a certificate that expires soon"}});
  std::vector<output::field> out{{"webhooks", cell_of(hooks, "enabled") + " of "
                                                + cell_of(hooks, "registered")
                                                + " enabled"},
                                 {"in trouble", troubles, true},
                                 {"held by", held_of(hooks)},
                                 {"also", lately}};
  if (!s.contains("version"))
    return out;
  const auto& queue = part(s, "queue");
  const auto& commits = part(s, "commits");
  const auto& disk = part(s, "disk");
  const auto& kept = part(s, "retention");
  out.push_back(
    {"queue", cell_of(queue, "in_flight") + " in flight, "
                + cell_of(queue, "waiting_webhooks") + " webhooks wait, "
                + cell_of(queue, "not_fanned_out") + " not fanned out"});
  out.push_back(
    {"commits", "last " + text_with(number_of(commits, "last") * 1e3, "ms")
                  + ", longest lately "
                  + text_with(number_of(commits, "longest") * 1e3, "ms")});
  out.push_back({"disk", bytes_text(number_of(disk, "store_bytes")) + " of "
                           + bytes_text(number_of(disk, "store_bytes_max"))
                           + " used; "
                           + bytes_text(number_of(disk, "free_bytes"))
                           + " of the disk free"});
  const auto oldest = cell_of(kept, "oldest");
  out.push_back(
    {"kept", rough_duration(std::chrono::milliseconds{
               static_cast<std::int64_t>(number_of(kept, "period") * 1e3)})
               + (oldest == "-"
                    ? std::string{}
                    : "; the oldest is of " + short_time(oldest, time_now()))});
  return out;
}

/// What is known of it, as the parts of a sentence.
std::string story_of(const object& one, timestamp now) {
  std::string out;
  const auto add = [&out](const std::string& what) {
    out += (out.empty() ? "" : "; ") + what;
  };
  if (number_of(one, "failures") > 0)
    add(
      cell_of(one, "failures")
      + (number_of(one, "failures") == 1 ? " failure" : " failures in a row"));
  if (const auto& last = part(one, "last_error"); !last.empty())
    add(cell_of(last, "reason"));
  if (const auto by = cell_of(one, "held_by"); by != "-") {
    const auto until = cell_of(one, "held_until");
    add("held by " + by
        + (until == "-" ? "" : ", until " + relative_time(until, now)));
  }
  if (const auto& oldest = part(one, "oldest_waiting"); !oldest.empty())
    add("oldest waiting: " + cell_of(oldest, "notification_id") + ", published "
        + relative_time(cell_of(oldest, "datetime"), now));
  if (const auto slow = cell_of(one, "slow"); slow != "-")
    add("a call took " + slow + " s");
  if (const auto expires = cell_of(one, "certificate_expires"); expires != "-")
    add("certificate expires " + relative_time(expires, now));
  return out;
}

void show_worst(output& out, const object& one, timestamp now) {
  const auto since = cell_of(one, "since");
  out.heading(cell_of(one, "trouble"),
              "webhook " + number_and_name(one) + " of "
                + cell_of(one, "organizer")
                + (since == "-" ? "" : ", since " + relative_time(since, now)));
  out.paragraph(cell_of(one, "target_url"), 2);
  out.paragraph(story_of(one, now), 2);
  if (const auto advice = cell_of(one, "advice"); is_told(advice))
    out.paragraph(advice, 2);
  if (const auto command = cell_of(one, "command"); is_told(command))
    out.paragraph("$ " + command, 2);
}

/// Of the server; of the organizer if that is wanted, or its token is all that
/// there is.
api_answer status_of(api& server, const status_options& o) {
  const auto rest = "status/?limit=" + std::to_string(o.limit);
  if (o.of_organizer)
    return server.get(server.in_organizer(rest));
  try {
    return server.get("/api/v1/" + rest);
  } catch (const command_error& e) {
    if (e.code != exit_code::not_authorized
        || server.settings().organizer.empty())
      throw;
  }
  return server.get(server.in_organizer(rest));
}

void show(command_context& context, const status_options& o) {
  auto& server = context.server();
  const auto answer = status_of(server, o);
  auto& out = context.out();
  if (out.json())
    return out.document_text(answer.text);
  const auto& s = answer.as_object();
  const auto now = time_now();
  if (s.contains("version")) {
    const bool ready = cell_of(s, "ready") == "yes";
    out.heading(ready ? "ready" : "not ready",
                "fanfare " + cell_of(s, "version") + " at "
                  + server.settings().url + ", up "
                  + rough_duration(std::chrono::milliseconds{
                    static_cast<std::int64_t>(number_of(s, "uptime") * 1e3)}),
                !ready);
  }
  out.figures(overview_of(s));
  const auto& worst = s.at("worst").as_array();
  for (const auto& one : worst) {
    out.blank();
    show_worst(out, one.as_object(), now);
  }
  if (number_of(s, "troubled") > static_cast<double>(worst.size()))
    output::note("These are the worst " + std::to_string(worst.size()) + " of "
                 + cell_of(s, "troubled") + "; --limit shows more.");
}

} // namespace

void add_status_command(CLI::App& app, const command_adder& add) {
  auto o = std::make_shared<status_options>();
  auto* const status = app.add_subcommand(
    "status", "What is wrong, the worst first, and the commands that help");
  add.make_command(*status,
                   "  fanfare status\n"
                   "  fanfare status --organizer democon --watch",
                   [o, status](command_context& context) {
                     // Without it, the whole server: unlike other commands.
                     o->of_organizer = status->count("--organizer") != 0;
                     repeat(context, o->watch, [&] { show(context, *o); });
                   });
  status
    ->add_option("--limit", o->limit, "How many of the worst webhooks to show")
    ->type_name("N")
    ->transform(decimal())
    ->check(CLI::Range(0, 100))
    ->capture_default_str();
  add_watch(*status, o->watch);
}

} // namespace fanfare::cli
