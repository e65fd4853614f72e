// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/tracing/export_pace.hpp"

#include "protocol/client/retry_after.hpp"

#include <algorithm>

namespace fanfare {

export_end judge(const protocol::exchange_result& exchange) {
  const auto status = exchange.status;
  if (status >= 200 && status <= 299)
    return export_end::taken;
  if (status == 0 || status == 429 || (status >= 502 && status <= 504))
    return export_end::again;
  return export_end::refused;
}

export_pace::next export_pace::failed(const protocol::exchange_result& exchange,
                                      timestamp now) {
  const auto spread = std::uniform_int_distribution<std::int64_t>{
    0, delay_.count() / 5}(random_);
  next out{.wait = delay_ + std::chrono::milliseconds{spread}};
  delay_ = std::min(delay_ * 2, longest_delay);
  if (const auto asked = protocol::read_retry_after(exchange.retry_after, now))
    // Whoever asks for more gets other spans then.
    out.wait = std::clamp(
      std::chrono::duration_cast<std::chrono::milliseconds>(*asked - now),
      out.wait, std::max(out.wait, patience));
  out.gives_up = now + out.wait - begun_ > patience;
  return out;
}

} // namespace fanfare
