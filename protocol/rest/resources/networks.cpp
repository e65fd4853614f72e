// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/networks.hpp"

#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/request_body.hpp"
#include "protocol/target/network.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <optional>
#include <string>
#include <vector>

namespace fanfare::protocol::rest {

namespace {

constexpr std::size_t networks_limit = 256;

using list = std::vector<std::string>;

boost::json::array to_json(const list& networks) {
  boost::json::array out;
  for (const auto& network : networks)
    out.push_back(json_string(network));
  return out;
}

boost::json::object to_json(const organizer& o) {
  boost::json::object out;
  out["allow"] = to_json(o.allow_networks);
  out["deny"] = to_json(o.deny_networks);
  return out;
}

std::optional<list> read_list(std::string_view key,
                              const boost::json::value& json,
                              field_errors& errors) {
  if (!json.is_array()) {
    errors.add(key, "Must be a list of networks such as \"10.0.0.0/8\".");
    return std::nullopt;
  }
  list out;
  for (const auto& item : json.get_array()) {
    const auto text = item.is_string() ? std::string{item.get_string().data(),
                                                     item.get_string().size()}
                                       : std::string{};
    const auto parsed = network::parse(text);
    if (!parsed) {
      errors.add(key, parsed.error().detail);
      return std::nullopt;
    }
    out.push_back(to_string(*parsed));
  }
  if (out.size() > networks_limit)
    errors.add(key, "Must have at most 256 networks.");
  return out;
}

} // namespace

http_response serve_networks(const exchange& x) {
  if (x.is_read())
    return json_answer(x, 200, to_json(x.owner));
  boost::json::object json;
  if (auto failure = read_object(x, json))
    return *failure;
  field_errors errors;
  std::optional<list> allow;
  std::optional<list> deny;
  for (const auto& item : json) {
    const std::string_view key{item.key().data(), item.key().size()};
    if (key == "allow")
      allow = read_list(key, item.value(), errors);
    else if (key == "deny")
      deny = read_list(key, item.value(), errors);
    else
      errors.add(key, "Unknown key.");
  }
  if (!errors.empty())
    return errors.answer(x);
  const auto changed = x.service.change_organizer(
    x.owner.id, [&](organizer& o) -> result<void> {
      if (allow)
        o.allow_networks = *allow;
      if (deny)
        o.deny_networks = *deny;
      return {};
    });
  return changed ? json_answer(x, 200, to_json(*changed))
                 : answer_to(x, changed.error());
}

} // namespace fanfare::protocol::rest
