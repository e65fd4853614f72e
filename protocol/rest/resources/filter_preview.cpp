// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/filter_preview.hpp"

#include "model/payload_filter.hpp"
#include "protocol/payload/json_slices.hpp"
#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/request_body.hpp"
#include "protocol/rest/resources/webhooks.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace fanfare::protocol::rest {

http_response serve_filter_preview(const exchange& x) {
  webhook hook;
  if (auto failure = load_webhook(x, hook))
    return *failure;
  boost::json::object json;
  if (auto failure = read_object(x, json))
    return *failure;
  field_errors errors;
  std::string filter;
  const auto* sent = json.if_contains("filter");
  if (sent == nullptr) {
    errors.add("filter", "This field is required.");
  } else if (!sent->is_null()) {
    if (auto compiled = payload_filter::parse(
          member_of(x.request.body, "filter").value_or("")))
      filter = (*compiled)->text();
    else
      errors.add("filter", compiled.error().detail);
  }
  for (const auto& item : json)
    if (item.key() != "filter")
      errors.add({item.key().data(), item.key().size()}, "Unknown key.");
  if (!errors.empty())
    return errors.answer(x);
  const auto found = x.service.preview_filter(x.owner.id, hook.id,
                                              std::move(filter));
  if (!found)
    return answer_to(x, found.error());
  boost::json::array passed;
  for (const auto& n : found->passed) {
    boost::json::object one;
    one["notification_id"] = n->id;
    one["datetime"] = to_iso8601(n->published);
    one["action_type"] = json_string(n->action);
    passed.push_back(std::move(one));
  }
  boost::json::object out;
  out["looked_at"] = found->looked_at;
  out["count"] = found->passed.size();
  out["notifications"] = std::move(passed);
  return json_answer(x, 200, out);
}

} // namespace fanfare::protocol::rest
