// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The headers of W3C Trace Context (https://www.w3.org/TR/trace-context/,
/// sections 3.2 and 3.3), to the extent that Fanfare passes them on. Any
/// thread.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::protocol {

/// "00-TRACE-PARENT-FLAGS" in lower-case hexadecimal, or of a later version.
[[nodiscard]] bool is_traceparent(std::string_view text);
/// Header text of 1 to 512 bytes.
[[nodiscard]] bool is_tracestate(std::string_view text);
/// Whether `notification::trace` may be this; it may also be empty.
[[nodiscard]] bool is_trace(std::string_view text);

/// The 16 bytes of a trace's id as two numbers, the first 8 bytes first.
struct trace_id {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  bool operator==(const trace_id&) const = default;
};

/// What `traceparent` and `tracestate` say.
struct trace_context {
  static constexpr std::uint8_t sampled_flag = 1;

  trace_id trace;
  std::uint64_t span = 0; ///< of whoever sends it
  std::uint8_t flags = 0;
  std::string_view state = {}; ///< in the text that was read

  [[nodiscard]] bool sampled() const {
    return (flags & sampled_flag) != 0;
  }
};

/// Of `notification::trace`; nothing if it is empty or no trace. Of versions to
/// come, only the flags that are known are taken (section 4.2).
[[nodiscard]] std::optional<trace_context> read_trace(std::string_view text);
/// In the form of `notification::trace`.
[[nodiscard]] std::string write_trace(const trace_context& from);

} // namespace fanfare::protocol
