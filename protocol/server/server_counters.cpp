// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/server_counters.hpp"

namespace fanfare::protocol {

std::vector<metric> server_counters::figures() const {
  return {{.name = "fanfare_api_connections",
           .help = "Connections of clients to the API.",
           .type = metric::kind::gauge,
           .value = static_cast<double>(open.value())},
          {.name = "fanfare_api_connections_accepted_total",
           .help = "Connections to the API that were accepted.",
           .type = metric::kind::counter,
           .value = static_cast<double>(accepted.value())},
          {.name = "fanfare_api_connections_refused_total",
           .help = "Connections to the API that were refused, because there "
                   "were too many.",
           .type = metric::kind::counter,
           .value = static_cast<double>(refused.value())}};
}

} // namespace fanfare::protocol
