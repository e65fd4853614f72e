// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/exchange_clock.hpp"

namespace fanfare::protocol {

namespace {

using std::chrono::milliseconds;
using namespace std::chrono_literals;

} // namespace

std::string in_seconds(milliseconds value) {
  const auto count = value.count();
  if (count < 1000)
    return std::to_string(count) + " ms";
  auto text = std::to_string(count / 1000);
  if (auto rest = count % 1000; rest != 0) {
    auto digits = std::to_string(1000 + rest).substr(1);
    digits.erase(digits.find_last_not_of('0') + 1);
    text += "." + digits;
  }
  return text + " s";
}

bool exchange_clock::is_too_slow(const exchange_limits& limits,
                                 std::size_t received, time_point now) const {
  if (limits.min_rate == 0 || waits_for != phase::answer || received == 0)
    return false;
  const auto since = std::chrono::duration_cast<milliseconds>(now
                                                              - phase_started);
  return since >= 1s
      && static_cast<double>(received) * 1000
           < static_cast<double>(limits.min_rate)
               * static_cast<double>(since.count());
}

std::string exchange_clock::timeout_reason(const exchange_limits& limits,
                                           bool proxied, time_point now) const {
  if (deadline > now)
    return "timeout: the answer came with less than "
         + std::to_string(limits.min_rate) + " bytes per second (min_rate)";
  if (deadline < ends)
    switch (waits_for) {
      case phase::dns:
        return "timeout: name look-up took longer than "
             + in_seconds(limits.dns) + " (dns)";
      case phase::connect:
        return std::string{"timeout: connect "}
             + (proxied ? "through the proxy " : "") + "took longer than "
             + in_seconds(limits.connect) + " (connect)";
      case phase::tls:
        return "timeout: TLS handshake took longer than "
             + in_seconds(limits.tls) + " (tls)";
      case phase::first_byte:
        return "timeout: no answer within " + in_seconds(limits.first_byte)
             + " (first_byte)";
      case phase::answer:
      case phase::total: break;
    }
  return std::string{"timeout: no "}
       + (waits_for == phase::answer ? "complete " : "") + "answer within "
       + in_seconds(limits.total) + " (total)";
}

} // namespace fanfare::protocol
