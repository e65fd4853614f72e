// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/secret.hpp"

#include "protocol/rest/delivery/request_settings.hpp"
#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/request_body.hpp"
#include "protocol/rest/resources/webhooks.hpp"

#include <boost/json/object.hpp>

#include <chrono>
#include <cmath>

namespace fanfare::protocol::rest {

namespace {

constexpr double longest_overlap = std::chrono::duration<
                                     double>{secret_rotation::longest_overlap}
                                     .count();

boost::json::object to_json(const secret_view& s) {
  boost::json::object out;
  out["secret"] = nullptr;
  if (!s.secret.empty())
    out["secret"] = json_string(s.secret);
  out["algorithm"] = json_string(name_of(s.algorithm));
  out["public_key"] = nullptr;
  if (!s.public_key.empty())
    out["public_key"] = json_string(s.public_key);
  out["created"] = to_iso8601(s.created);
  out["previous_until"] = nullptr;
  if (s.previous_until)
    out["previous_until"] = to_iso8601(*s.previous_until);
  return out;
}

http_response answer_with(const exchange& x, const result<secret_view>& s) {
  auto out = s ? json_answer(x, 200, to_json(*s)) : answer_to(x, s.error());
  out.headers.emplace_back("Cache-Control", "no-store");
  return out;
}

secret_rotation read_rotation(const boost::json::object& json,
                              field_errors& errors) {
  secret_rotation out;
  for (const auto& item : json) {
    const std::string_view key{item.key().data(), item.key().size()};
    const auto& value = item.value();
    if (key == "secret") {
      if (value.is_string() && !value.get_string().empty())
        out.secret.assign(value.get_string().data(), value.get_string().size());
      else if (!value.is_null())
        errors.add(key, "Must be a secret that begins with whsec_ or whsk_, or "
                        "null for a new one.");
    } else if (key == "overlap") {
      const double seconds = value.is_number() ? value.to_number<double>() : -1;
      if (value.is_null())
        out.overlap = secret_rotation{}.overlap;
      else if (seconds >= 0 && seconds <= longest_overlap)
        out.overlap = std::chrono::milliseconds{
          static_cast<std::int64_t>(std::round(seconds * 1000))};
      else
        errors.add(key, "Must be a number of seconds from 0 to 2592000.");
    } else {
      errors.add(key, "Unknown key.");
    }
  }
  return out;
}

} // namespace

http_response serve_secret(const exchange& x) {
  webhook hook;
  if (auto failure = load_webhook(x, hook))
    return *failure;
  auto found = x.service.find_secret(x.owner.id, hook.id);
  // The fault is not in the request: the server lacks the key.
  if (!found && found.error().code == ec::invalid_argument)
    found = error{ec::internal, found.error().detail};
  return answer_with(x, found);
}

http_response serve_secret_rotation(const exchange& x) {
  webhook hook;
  if (auto failure = load_webhook(x, hook))
    return *failure;
  boost::json::object json;
  if (auto failure = read_object(x, json))
    return *failure;
  field_errors errors;
  auto how = read_rotation(json, errors);
  if (!errors.empty())
    return errors.answer(x);
  return answer_with(
    x, x.service.rotate_secret(x.owner.id, hook.id, std::move(how)));
}

} // namespace fanfare::protocol::rest
