// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Spans, and the requests that carry them to a collector: the messages of
/// OTLP (https://opentelemetry.io/docs/specs/otlp/, opentelemetry-proto 1.x,
/// trace/v1/trace.proto and collector/trace/v1/trace_service.proto) as bytes.
/// Any thread.

#include "protocol/payload/trace_context.hpp"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace fanfare::protocol::otlp {

/// The numbers of the protocol.
enum class span_kind : std::uint8_t { client = 3, producer = 4 };

/// Its name must outlive it: they are literals.
struct attribute {
  std::string_view name;
  std::variant<std::string, std::int64_t, double, bool> value;
};

struct span_link {
  trace_context to;
};

struct span {
  trace_context self;
  std::uint64_t parent = 0;      ///< 0: there is none
  bool parent_is_remote = false; ///< of another process
  span_kind kind = span_kind::client;
  std::string name;
  std::chrono::sys_time<std::chrono::microseconds> start;
  std::chrono::sys_time<std::chrono::microseconds> end;
  std::vector<attribute> attributes = {};
  std::vector<span_link> links = {};
  bool failed = false;
  std::string why = {}; ///< if it failed
};

/// Beyond it, values of attributes are cut off.
inline constexpr std::size_t longest_attribute = 1'024;

/// One message `Span`. Texts that are no UTF-8 are mended.
[[nodiscard]] std::string encode(const span& from);

/// A message `Resource`: who made the spans.
[[nodiscard]] std::string
encode_resource(const std::vector<attribute>& attributes);

/// A message `ExportTraceServiceRequest` of encoded spans of one resource.
[[nodiscard]] std::string export_request(std::string_view resource,
                                         const std::vector<std::string>& spans);

/// What a collector did not take of a request that it answered with 200.
struct partial_success {
  std::uint64_t rejected = 0;
  std::string message; ///< also if it is only a warning
};
/// Of a message `ExportTraceServiceResponse`; anything else rejects nothing.
[[nodiscard]] partial_success read_response(std::string_view body);

} // namespace fanfare::protocol::otlp
