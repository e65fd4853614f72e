// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/log.hpp"

#include "cli/client/terminal_text.hpp"
#include "protocol/payload/json_text.hpp"

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>

namespace fanfare::cli {

namespace {

/// Between a message and the members that only JSON shows.
constexpr char members_follow = '\x1f';

std::string_view view(spdlog::string_view_t text) {
  return {text.data(), text.size()};
}

/// The message on one line, without what could move a terminal's cursor.
class plain_message final : public spdlog::custom_flag_formatter {
public:
  void format(const spdlog::details::log_msg& msg, const std::tm&,
              spdlog::memory_buf_t& to) override {
    const auto text = view(msg.payload);
    const auto shown = printable(text.substr(0, text.find(members_follow)));
    to.append(shown.data(), shown.data() + shown.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return spdlog::details::make_unique<plain_message>();
  }
};

/// The message as a string of JSON, with further members behind it.
class json_message final : public spdlog::custom_flag_formatter {
public:
  void format(const spdlog::details::log_msg& msg, const std::tm&,
              spdlog::memory_buf_t& to) override {
    const auto text = view(msg.payload);
    const auto end = std::min(text.find(members_follow), text.size());
    auto shown = protocol::json_quoted(text.substr(0, end));
    if (end < text.size())
      shown += text.substr(end + 1);
    to.append(shown.data(), shown.data() + shown.size());
  }
  [[nodiscard]] std::unique_ptr<custom_flag_formatter> clone() const override {
    return spdlog::details::make_unique<json_message>();
  }
};

std::unique_ptr<spdlog::formatter> formatter_of(log_format format) {
  auto out = std::make_unique<spdlog::pattern_formatter>();
  if (format == log_format::json)
    out->add_flag<json_message>('*').set_pattern(
      R"({"time":"%Y-%m-%dT%H:%M:%S.%e%z","level":"%l","message":%*})");
  else
    out->add_flag<plain_message>('*').set_pattern(
      "%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %*");
  return out;
}

void append_member(std::string& to, std::string_view name,
                   std::string_view value) {
  to += R"(,")";
  to += name;
  to += R"(":)";
  to += value;
}

/// A line about a request; only a log of JSON shows what is behind the mark.
std::string line_of(const protocol::answered_request& r) {
  char took[32];
  std::snprintf(took, sizeof took, "%.6f",
                static_cast<double>(r.took.count()) / 1e6);
  auto out = r.method + ' ' + r.path + " from " + r.peer_address + ": "
           + std::to_string(r.status) + " in " + took + " s, request " + r.id;
  // A client's text must not end the message.
  std::erase(out, members_follow);
  out += members_follow;
  append_member(out, "method", protocol::json_quoted(r.method));
  append_member(out, "path", protocol::json_quoted(r.path));
  append_member(out, "address", protocol::json_quoted(r.peer_address));
  append_member(out, "status", std::to_string(r.status));
  append_member(out, "seconds", took);
  append_member(out, "request_id", protocol::json_quoted(r.id));
  return out;
}

} // namespace

void open_log(log_format format, const std::string& level) {
  auto logger = spdlog::stderr_color_mt("fanfare");
  logger->set_formatter(formatter_of(format));
  spdlog::set_default_logger(std::move(logger));
  spdlog::set_level(spdlog::level::from_str(level));
  spdlog::flush_on(spdlog::level::info);
}

void write_log(log_level level, const std::string& line) {
  std::string text = line;
  std::ranges::replace(text, members_follow, ' '); // only requests have some
  switch (level) {
    case log_level::debug: spdlog::debug("{}", text); break;
    case log_level::info: spdlog::info("{}", text); break;
    case log_level::warning: spdlog::warn("{}", text); break;
    case log_level::error: spdlog::error("{}", text); break;
  }
}

void change_log(log_format format, const std::string& level) {
  spdlog::default_logger()->set_formatter(formatter_of(format));
  spdlog::set_level(spdlog::level::from_str(level));
}

bool tells_of_requests() {
  return spdlog::should_log(spdlog::level::debug);
}

protocol::request_log::listener tell_of_requests() {
  return [](const protocol::answered_request& r) {
    spdlog::debug("{}", line_of(r));
  };
}

} // namespace fanfare::cli
