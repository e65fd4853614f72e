// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/call_view.hpp"

#include "cli/client/time_text.hpp"

#include <cstdio>

namespace fanfare::cli {

namespace {

using boost::json::object;

std::string seconds(const object& call, std::string_view key) {
  const auto* value = call.if_contains({key.data(), key.size()});
  if (value == nullptr || !value->is_number())
    return {};
  char text[32];
  std::snprintf(text, sizeof text, "%.3f s", value->to_number<double>());
  return text;
}

std::string answer_of(const object& call) {
  const auto code = cell_of(call, "return_code");
  return code == "0" ? "none" : code;
}

bool is_set(const object& call, const char* key) {
  return cell_of(call, key) == "yes";
}

std::string result_of(const object& call) {
  return is_set(call, "success") ? "ok" : "failed";
}

std::string attempt_of(const object& call) {
  return cell_of(call, "attempt")
       + (is_set(call, "is_replay") ? " replay" : "");
}

} // namespace

std::vector<list_column> call_columns(bool with_webhook) {
  using enum column::side;
  std::vector<list_column> out{
    // Wide enough for later calls too, which a tail has not seen yet.
    {{"TIME", left, 11, true},
     [](const object& c) {
       return short_time(cell_of(c, "datetime"), time_now());
     }},
    {{"CALL", right, 5, true},
     [](const object& c) { return cell_of(c, "id"); }},
    {{"NOTIFICATION", right, 0},
     [](const object& c) { return cell_of(c, "notification_id"); }},
    {{"ACTION", left, 26},
     [](const object& c) { return cell_of(c, "action_type"); }},
    {{"TRY", left, 0, true}, attempt_of},
    list_column{{"RESULT", left, 6, true}, result_of}.red({"failed"}),
    {{"CODE", left, 0, true}, answer_of},
    {{"TOOK", right, 7, true},
     [](const object& c) { return seconds(c, "execution_time"); }},
    {{"REASON", left, 10},
     [](const object& c) { return cell_of(c, "reason"); }},
  };
  if (with_webhook)
    out.insert(out.begin() + 1, list_column::number("WEBHOOK", "webhook_id"));
  return out;
}

void show_call(output& out, const object& call) {
  std::vector<std::pair<std::string, std::string>> fields{
    {"call", cell_of(call, "id")},
    {"time", full_time(cell_of(call, "datetime"), time_now())},
    {"notification", cell_of(call, "notification_id")},
    {"action", cell_of(call, "action_type")},
    {"target", cell_of(call, "target_url")},
    {"attempt", attempt_of(call)},
    {"result", result_of(call)},
    {"answer", answer_of(call)},
    {"reason", cell_of(call, "reason")},
    {"took", seconds(call, "execution_time")},
  };
  if (const auto* timings = call.if_contains("timings");
      timings != nullptr && timings->is_object())
    for (const auto* part : {"dns", "connect", "tls", "first_byte"})
      fields.emplace_back(std::string{"  "} + part,
                          seconds(timings->get_object(), part));
  out.fields(fields);
  if (const auto sent = cell_of(call, "payload"); !sent.empty())
    out.section("Sent:", sent);
  std::string headers;
  if (const auto* got = call.if_contains("response_headers");
      got != nullptr && got->is_object())
    for (const auto& header : got->get_object())
      headers += std::string{header.key().data(), header.key().size()} + ": "
               + cell_text(header.value()) + "\n";
  if (!headers.empty())
    out.section("Headers of the answer:", headers);
  if (const auto body = cell_of(call, "response_body"); !body.empty())
    out.section("Body of the answer:", body);
}

} // namespace fanfare::cli
