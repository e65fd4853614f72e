// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/rest_api.hpp"

#include "protocol/rest/access/authentication.hpp"
#include "protocol/rest/access/idempotency.hpp"
#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/negotiation.hpp"
#include "protocol/rest/resource.hpp"
#include "protocol/rest/resource_table.hpp"
#include "protocol/rest/router.hpp"
#include "protocol/rules/slug.hpp"

#include <boost/json/array.hpp>

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace fanfare::protocol::rest {

namespace {

http_response method_refused(const exchange& x) {
  auto out = refusal(x, 405,
                     "Method \"" + x.request.method + "\" not allowed.");
  out.headers.emplace_back("Allow", x.route.what->methods);
  return out;
}

http_response redirect(const exchange& x) {
  http_response out;
  out.status = 301;
  out.headers.emplace_back("Content-Type", "text/html; charset=utf-8");
  auto location = x.settings->public_url + x.path + '/';
  if (!x.raw_query.empty())
    location += '?' + x.raw_query;
  out.headers.emplace_back("Location", std::move(location));
  return out;
}

/// For a path that is right but for its slashes. What the compatible API has as
/// well answers as it does there.
http_response wrong_slashes(const exchange& x) {
  const auto meant = path_with_right_slashes(x.path);
  const auto named = find_route(meant);
  if (named.outcome != route::verdict::found || named.what->is_compatible())
    return x.route.outcome == route::verdict::unknown ? not_found(x)
                                                      : html_not_found();
  return refusal(x, 404,
                 "Not found. Mind the slashes: the path is " + meant + '.');
}

/// The answer to a path that names no resource.
std::optional<http_response> answer_unrouted(const exchange& x) {
  using verdict = route::verdict;
  switch (x.route.outcome) {
    case verdict::slash_missing:
      // A redirect would lose the body.
      if (x.is("POST") || x.is("PUT") || x.is("PATCH"))
        return wrong_slashes(x);
      return redirect(x);
    case verdict::unknown_api:
    case verdict::unknown: return wrong_slashes(x);
    case verdict::found: break;
  }
  return std::nullopt;
}

/// The answer of a resource that is open to everybody.
std::optional<http_response> answer_open(const exchange& x) {
  const auto& what = *x.route.what;
  if (!what.is_open())
    return std::nullopt;
  return what.allows(x.request.method) ? std::get<answering>(what.handler)(x)
                                       : method_refused(x);
}

/// Agrees on the form of the answer, or gives the 404 or 406.
std::optional<http_response> negotiate(exchange& x) {
  if (x.route.what->text)
    return std::nullopt;
  const std::string_view format = x.route.format.empty()
                                  ? x.query.last("format").value_or("")
                                  : std::string_view{x.route.format};
  if (!format.empty() && format != "json")
    return not_found(x);
  const auto indent = accept_json(accept_header(x.request));
  if (!indent)
    return refusal(x, 406, "Could not satisfy the request Accept header.");
  x.indent = *indent;
  return std::nullopt;
}

/// Whoever may know all organizers is told more than others, with the status
/// of the compatible API.
std::string unknown_organizer(const std::string& slug) {
  return "You do not have permission to perform this action: there is no "
         "organizer "
       + (is_slug(slug) ? '"' + slug + '"' : "of that name")
       + ". POST /api/v1/organizers/ or fanfare organizers create adds one.";
}

/// Checks in the order that clients rely on: who asks, whether they may, with
/// which method.
std::optional<http_response> admit(exchange& x, std::string_view admin_hash,
                                   auth_limiter& limiter) {
  caller who;
  if (auto failure = authenticate(x, admin_hash, limiter, who))
    return failure;
  x.token = who.value;
  const auto& what = *x.route.what;
  const bool owned = what.is_owned();
  if (owned)
    if (auto found = x.service.find_organizer(x.route.organizer))
      x.owner = std::move(*found);
  const bool known = !owned || x.owner.id != 0;
  if (!known && who.server_admin)
    return refusal(x, 403, unknown_organizer(x.route.organizer));
  if (!known
      || !may(who, x.is_write() ? what.write : what.read,
              owned ? &x.owner : nullptr))
    return refusal(x, 403,
                   "You do not have permission to perform this action.");
  if (!what.allows(x.request.method))
    return method_refused(x);
  return std::nullopt;
}

/// The answer that needs no resource, or only one that is open to everybody.
std::optional<http_response>
answer_early(exchange& x, std::string_view admin_hash, auth_limiter& limiter) {
  auto out = answer_unrouted(x);
  if (!out)
    out = answer_open(x);
  if (!out)
    out = negotiate(x);
  if (!out)
    out = admit(x, admin_hash, limiter);
  return out;
}

bool is_quick(const exchange& x) {
  switch (x.route.what->quick) {
    case from_memory::nothing: return false;
    case from_memory::options: return x.is("OPTIONS");
    case from_memory::reads: return !x.is_write();
    case from_memory::writes: return !x.is_read();
    case from_memory::all: return true;
  }
  return false;
}

http_response metadata(const exchange& x) {
  boost::json::object body;
  body["name"] = json_string(x.route.what->title);
  body["description"] = "";
  body["renders"] = boost::json::array{"application/json"};
  body["parses"] = boost::json::array{"application/json"};
  return json_answer(x, 200, body);
}

http_response describe(const exchange& x) {
  const auto& what = *x.route.what;
  auto out = what.describe != nullptr ? what.describe(x) : metadata(x);
  out.headers.emplace_back("Allow", what.methods);
  return out;
}

/// Hands the exchange to its resource.
void run(const std::shared_ptr<exchange>& x) {
  std::optional<http_response> out;
  try {
    const auto& handler = x->route.what->handler;
    if (x->is("OPTIONS"))
      out = describe(*x);
    else if (const auto* answer = std::get_if<answering>(&handler))
      out = (*answer)(*x);
    else
      return std::get<responding>(handler)(x);
  } catch (const std::exception& e) { // must not end the thread
    out = answer_to(*x, {ec::internal, e.what()});
  }
  x->respond(std::move(*out));
}

/// Goes on with `then` on a thread that may wait, unless the answer to the
/// request's key is stored already.
template <class Then>
void run_waiting(const std::shared_ptr<exchange>& x, Then then) {
  const auto& workers = x->api.run;
  const auto& start = x->is_write() && workers.writing ? workers.writing
                                                       : workers.blocking;
  start([x, then = std::move(then)] {
    if (x->keyed) {
      x->keyed->note(x->request);
      if (const auto kept = x->service.find_answer(x->keyed->key());
          kept && *kept)
        return x->keyed->accepts(**kept) ? x->keyed->answer_kept(**kept)
                                         : x->respond(key_is_used(*x));
    }
    then();
  });
}

/// Gives the answer that needed no resource, by way of the store if the key
/// keeps such ones.
void respond_early(const std::shared_ptr<exchange>& x, http_response answer) {
  if (!x->keyed || !x->keyed->keeps(answer))
    return x->respond(std::move(answer));
  run_waiting(x, [x, answer = std::move(answer)] { x->respond(answer); });
}

/// The paths of all resources, in the table's order.
std::vector<std::string> route_patterns() {
  std::vector<std::string> out;
  for (const auto& row : resource_table())
    out.emplace_back(row.path);
  return out;
}

/// In the table; beyond its end if it is none.
std::size_t place_of(const resource* what) {
  const auto all = resource_table();
  return what != nullptr ? static_cast<std::size_t>(what - all.data())
                         : all.size();
}

} // namespace

rest_api::rest_api(service& of, rest_api_options options)
  : context_{.service = of,
             .run = std::move(options.run),
             .settings = std::make_shared<const api_settings>(
               api_settings{.local_names = options.local_names,
                            .public_url = std::move(options.public_url)})},
    requests_{route_patterns()},
    page_{of, requests_,
          [this, more = std::move(options.more_figures)] {
            auto out = more ? more() : std::vector<metric>{};
            out.push_back({.name = "fanfare_api_streams",
                           .help = "Open streams of what happens.",
                           .type = metric::kind::gauge,
                           .value = static_cast<double>(streams_.size())});
            return out;
          }},
    admin_hash_{std::move(options.admin_token_hash)},
    limiter_{options.failed_logins},
    streams_{of, options.streams} {
  context_.figures = &page_;
  context_.streams = &streams_;
}

void rest_api::change(api_settings settings, std::size_t failed_logins) {
  context_.settings = std::make_shared<const api_settings>(std::move(settings));
  limiter_.change_burst(failed_logins);
}

request_kind rest_api::kind_of(const http_request& head) const {
  const std::string_view target = head.target;
  if (head.method == "POST" && keeps_order(target.substr(0, target.find('?'))))
    return request_kind::ordered;
  return kind_of_method(head.method);
}

std::uint64_t rest_api::mark_of(const http_request& head) const {
  const auto key = key_header(head).text;
  return key.empty() ? 0 : std::hash<std::string_view>{}(key) | 1;
}

void rest_api::handle(http_request request,
                      std::function<void(http_response)> respond) {
  const auto x = std::make_shared<exchange>(std::move(request),
                                            std::move(respond), context_);
  try {
    serve(x);
  } catch (const std::exception& e) { // must not end the server's thread
    x->respond(answer_to(*x, {ec::internal, e.what()}));
  }
}

bool rest_api::is_keyed(const exchange& x) const {
  if (x.route.outcome == route::verdict::found && !x.route.what->keyed)
    return false;
  return x.is_write() && x.path.starts_with("/api/")
      && !key_header(x.request).text.empty() && identify(x, admin_hash_);
}

void rest_api::serve(const std::shared_ptr<exchange>& x) {
  x->route = find_route(x->path);
  x->respond = [this, place = place_of(x->route.what),
                respond = std::move(x->respond)](http_response answer) {
    requests_.count(place, answer.status);
    respond(std::move(answer));
  };
  if (is_keyed(*x) && !begin_keyed(*x))
    return x->respond(key_is_running(*x));
  if (auto done = answer_early(*x, admin_hash_, limiter_))
    respond_early(x, std::move(*done));
  else if (is_quick(*x))
    run(x);
  else
    run_waiting(x, [x] { run(x); });
}

std::optional<http_response> rest_api::check_head(const http_request& head) {
  exchange x{head, {}, context_};
  x.route = find_route(x.path);
  if (is_keyed(x))
    return std::nullopt; // the key's stored answer comes first
  auto answer = answer_early(x, admin_hash_, limiter_);
  if (answer && answer->status < 400)
    answer.reset(); // handle() gives it
  if (answer)
    requests_.count(place_of(x.route.what), answer->status);
  return answer;
}

} // namespace fanfare::protocol::rest
