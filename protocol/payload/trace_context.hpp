// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The headers of W3C Trace Context (https://www.w3.org/TR/trace-context/,
/// sections 3.2 and 3.3), to the extent that Fanfare passes them on. Any
/// thread.

#include <string_view>

namespace fanfare::protocol {

/// "00-TRACE-PARENT-FLAGS" in lower-case hexadecimal, or of a later version.
[[nodiscard]] bool is_traceparent(std::string_view text);
/// Header text of 1 to 512 bytes.
[[nodiscard]] bool is_tracestate(std::string_view text);
/// Whether `notification::trace` may be this; it may also be empty.
[[nodiscard]] bool is_trace(std::string_view text);

} // namespace fanfare::protocol
