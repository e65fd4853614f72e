// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/publication.hpp"

#include "protocol/publication_reader.hpp"

#include <boost/json/basic_parser_impl.hpp>

namespace fanfare::protocol {

result<publications> read_publications(std::string_view json,
                                       std::string_view organizer) {
  boost::json::parse_options options;
  options.max_depth = publication_depth_limit
                    + 1; // an array around it does not count
  boost::json::basic_parser<detail::publication_reader> parser{options,
                                                               organizer};
  boost::json::error_code failure;
  const auto used = parser.write_some(false, json.data(), json.size(), failure);
  if (!failure && used < json.size())
    failure = boost::json::error::extra_data;
  if (failure) {
    const auto& stopped = parser.handler().stopped();
    return error{ec::invalid_argument,
                 "JSON parse error - "
                   + (stopped.empty() ? failure.message() : stopped)
                   + " at byte " + std::to_string(used)};
  }
  return parser.handler().take();
}

std::string notification_body(position id, std::string_view rest) {
  std::string body = R"({"notification_id": )";
  body += std::to_string(id);
  body += rest;
  return body;
}

} // namespace fanfare::protocol
