// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/tracing/trace_settings.hpp"

#include "protocol/rules/header_rules.hpp"
#include "protocol/security/private_file.hpp"
#include "protocol/text.hpp"

#include <string.h> // NOLINT(modernize-deprecated-headers): explicit_bzero

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare {

namespace {

constexpr std::string_view signal_path = "/v1/traces";
constexpr std::size_t largest_header_file = std::size_t{64} * 1'024;
constexpr std::size_t longest_queue = 1'000'000;
constexpr std::size_t largest_batch = 10'000;
constexpr std::chrono::hours longest_time{1};

error refuse(std::string_view option, std::string why) {
  const auto field = "tracing." + std::string{option};
  return {ec::invalid_argument, field + ' ' + std::move(why), field};
}

void erase(std::string& secret) {
  ::explicit_bzero(secret.data(), secret.size());
  secret.clear();
}

/// As OTEL_EXPORTER_OTLP_ENDPOINT is read: a base, below which each signal has
/// its path (OpenTelemetry Protocol Exporter, "Endpoint URLs for OTLP/HTTP").
std::string url_of(std::string_view endpoint) {
  if (endpoint.ends_with(signal_path))
    return std::string{endpoint};
  while (endpoint.ends_with('/'))
    endpoint.remove_suffix(1);
  return std::string{endpoint}.append(signal_path);
}

result<void> check_numbers(const tracing_options& o) {
  if (!(o.sample >= 0 && o.sample <= 1)) // NaN, too
    return refuse("sample", "must be a number from 0 to 1");
  if (o.queue == 0 || o.queue > longest_queue)
    return refuse("queue",
                  "must be from 1 to " + std::to_string(longest_queue));
  if (o.batch == 0 || o.batch > largest_batch)
    return refuse("batch",
                  "must be from 1 to " + std::to_string(largest_batch));
  for (const auto& [name, value] :
       {std::pair{"interval", o.interval}, std::pair{"timeout", o.timeout}})
    if (value.count() <= 0 || value > longest_time)
      return refuse(name, "must be more than 0 and at most 1 hour");
  if (o.service_name.empty() || o.service_name.size() > 255
      || !protocol::is_plain_text(o.service_name))
    return refuse("service_name", "must have 1 to 255 bytes of UTF-8");
  return {};
}

/// What does not may be a part of the value, which is not repeated.
bool looks_like_name(std::string_view text) {
  return std::ranges::all_of(text, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
        || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

/// Appends "NAME: VALUE" lines. The value is not repeated: it may be a secret.
result<void> add_header(std::string& to, std::string_view text,
                        std::string_view option, const std::string& place) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos)
    return refuse(option, place + "must be NAME=VALUE");
  const auto name = protocol::trim(text.substr(0, equals));
  const auto value = protocol::trim(text.substr(equals + 1));
  if (const auto fault = protocol::header_fault(name, value))
    return refuse(option, place
                            + (looks_like_name(name)
                                 ? "is no header: " + *fault
                                 : "is no header: write NAME=VALUE"));
  to.append(name).append(": ").append(value).append("\r\n");
  if (to.size() > protocol::header_bytes_limit)
    return refuse(option, "has more than 16 KiB of headers");
  return {};
}

result<void> add_file(std::string& to, const std::string& path) {
  auto text = protocol::read_private_file(path, largest_header_file);
  if (!text)
    return error{text.error().code, text.error().detail, "tracing.header_file"};
  result<void> added;
  std::string_view rest = *text;
  for (std::size_t number = 1; added && !rest.empty(); ++number) {
    const auto end = std::min(rest.find('\n'), rest.size());
    const auto line = protocol::trim(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (line.empty() || line.starts_with('#'))
      continue;
    added = add_header(to, line, "header_file",
                       path + ", line " + std::to_string(number) + ", ");
  }
  erase(*text);
  return added;
}

result<std::string> read_headers(const tracing_options& o) {
  std::string out;
  for (const auto& each : o.headers)
    if (auto added = add_header(out, each, "headers", ""); !added)
      return added.error();
  if (!o.header_file.empty())
    if (auto added = add_file(out, o.header_file); !added)
      return added.error();
  return out;
}

} // namespace

result<trace_settings> read_trace_settings(tracing_options& o) {
  if (auto checked = check_numbers(o); !checked)
    return checked.error();
  auto headers = read_headers(o);
  for (auto& each : o.headers)
    erase(each);
  o.headers.clear();
  if (!headers)
    return headers.error();
  trace_settings out;
  if (o.endpoint.empty()) {
    if (!headers->empty())
      return refuse("endpoint", "is missing, and headers mean nothing without "
                                "a collector: give that too, or leave them "
                                "out");
    return out;
  }
  if (o.endpoint.find_first_of("?#") != std::string::npos)
    return refuse("endpoint", "must have neither a query nor a fragment: what "
                              "the collector asks for goes into headers");
  protocol::request_style style{.headers = std::move(*headers)};
  style.content_type = "application/x-protobuf";
  const auto url = url_of(o.endpoint);
  auto parsed = protocol::target::parse(url, style);
  erase(style.headers);
  if (!parsed)
    return refuse("endpoint",
                  "is no address of a collector: " + parsed.error().detail);
  out.collector = std::move(*parsed);
  out.shown = protocol::name_url(url);
  return out;
}

} // namespace fanfare
