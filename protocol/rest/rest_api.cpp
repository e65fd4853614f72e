// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/rest_api.hpp"

#include "protocol/rest/answers.hpp"
#include "protocol/rest/api_docs.hpp"
#include "protocol/rest/authentication.hpp"
#include "protocol/rest/calls.hpp"
#include "protocol/rest/exchange.hpp"
#include "protocol/rest/filter_preview.hpp"
#include "protocol/rest/health.hpp"
#include "protocol/rest/idempotency.hpp"
#include "protocol/rest/negotiation.hpp"
#include "protocol/rest/networks.hpp"
#include "protocol/rest/notifications.hpp"
#include "protocol/rest/openapi.hpp"
#include "protocol/rest/registry.hpp"
#include "protocol/rest/replay.hpp"
#include "protocol/rest/secret.hpp"
#include "protocol/rest/webhooks.hpp"

#include <boost/json/array.hpp>

#include <optional>
#include <string_view>
#include <utility>

namespace fanfare::protocol::rest {

namespace {

/// What a resource answers to, and who may ask.
struct rule {
  std::string_view name;
  std::string_view allow;
  std::uint8_t read = no_permission; ///< any of these bits
  std::uint8_t write = no_permission;
};

/// Publications beyond this are not read on an I/O thread: a few hundred
/// microseconds.
constexpr std::size_t large_publication = 64 * 1024;

constexpr std::uint8_t log_readers = permission_webhooks
                                   | permission_notifications;

constexpr rule rule_of(resource what) {
  constexpr auto hooks = permission_webhooks;
  constexpr auto admin = permission_admin;
  switch (what) {
    case resource::organizers:
      return {"Organizer List", "GET, POST, HEAD, OPTIONS"};
    case resource::networks:
      return {"Organizer Networks", "GET, PATCH, HEAD, OPTIONS"};
    case resource::events:
      return {"Event List", "GET, POST, HEAD, OPTIONS", admin, admin};
    case resource::tokens:
      return {"Token List", "GET, POST, HEAD, OPTIONS", admin, admin};
    case resource::token:
      return {"Token Instance", "DELETE, OPTIONS", admin, admin};
    case resource::action_types:
      return {"Action Type List", "GET, POST, HEAD, OPTIONS", any_permission};
    case resource::webhooks:
      return {"Web Hook List", "GET, POST, HEAD, OPTIONS", hooks, hooks};
    case resource::webhook:
      return {"Web Hook Instance", "GET, PUT, PATCH, DELETE, HEAD, OPTIONS",
              hooks, hooks};
    case resource::delivery:
      return {"Delivery", "GET, PATCH, HEAD, OPTIONS", hooks, hooks};
    case resource::filter_preview:
      return {"Filter Preview", "POST, OPTIONS", hooks, hooks};
    case resource::secret:
      return {"Secret", "GET, HEAD, OPTIONS", hooks, hooks};
    case resource::rotate_secret:
      return {"Secret Rotation", "POST, OPTIONS", hooks, hooks};
    case resource::calls:
      return {"Call List", "GET, HEAD, OPTIONS", hooks, hooks};
    case resource::call:
      return {"Call Instance", "GET, HEAD, OPTIONS", hooks, hooks};
    case resource::retries:
      return {"Retry List", "GET, HEAD, OPTIONS", hooks, hooks};
    case resource::resend: return {"Resend", "POST, OPTIONS", hooks, hooks};
    case resource::expedite:
      return {"Expedite Retries", "POST, OPTIONS", hooks, hooks};
    case resource::drop: return {"Drop Retries", "POST, OPTIONS", hooks, hooks};
    case resource::test: return {"Test Call", "POST, OPTIONS", hooks, hooks};
    case resource::replay:
      return {"Replay", "GET, POST, DELETE, HEAD, OPTIONS", hooks, hooks};
    case resource::health:
      return {"Web Hook Health", "GET, HEAD, OPTIONS", hooks, hooks};
    case resource::notifications:
      return {"Notification List", "POST, OPTIONS", permission_notifications,
              permission_notifications};
    case resource::notification:
      return {"Notification Instance", "GET, HEAD, OPTIONS", log_readers,
              log_readers};
    case resource::healthz: return {"Health", "GET, HEAD"};
    case resource::readyz: return {"Readiness", "GET, HEAD"};
    case resource::idempotency_query:
      return {"Idempotency Query", "GET, HEAD", any_permission};
    case resource::openapi: return {"Description", "GET, HEAD"};
    case resource::docs: return {"Description Page", "GET, HEAD"};
  }
  return {};
}

/// Whether it is answered to everybody.
constexpr bool is_open(resource what) {
  return what == resource::healthz || what == resource::readyz
      || what == resource::openapi || what == resource::docs;
}

/// Whether `method` is one of the list `allow`.
bool allows(std::string_view allow, std::string_view method) {
  while (!allow.empty()) {
    const auto end = allow.find(", ");
    if (allow.substr(0, end) == method)
      return true;
    allow.remove_prefix(end == std::string_view::npos ? allow.size() : end + 2);
  }
  return false;
}

/// Whether it changes something, or could.
bool is_write(const exchange& x) {
  return !x.is_read() && !x.is("OPTIONS");
}

bool has_organizer(resource what) {
  return what != resource::organizers && what != resource::action_types
      && what != resource::idempotency_query;
}

http_response method_refused(const exchange& x, std::string_view allow) {
  auto out = refusal(x, 405,
                     "Method \"" + x.request.method + "\" not allowed.");
  out.headers.emplace_back("Allow", allow);
  return out;
}

http_response metadata(const exchange& x, const rule& r) {
  boost::json::object body;
  body["name"] = json_string(r.name);
  body["description"] = "";
  body["renders"] = boost::json::array{"application/json"};
  body["parses"] = boost::json::array{"application/json"};
  return json_answer(x, 200, body);
}

http_response key_is_running(const exchange& x) {
  auto out = refusal(x, 409, "Concurrent request with idempotency key.");
  out.headers.emplace_back("Retry-After", "5");
  return out;
}

http_response redirect(const exchange& x) {
  http_response out;
  out.status = 301;
  out.headers.emplace_back("Content-Type", "text/html; charset=utf-8");
  auto location = x.path + '/';
  if (!x.raw_query.empty())
    location += '?' + x.raw_query;
  out.headers.emplace_back("Location", std::move(location));
  return out;
}

http_response state(const exchange& x) {
  const bool fine = x.route.what == resource::healthz || x.service.ready();
  boost::json::object body;
  body["status"] = x.route.what == resource::healthz ? "ok"
                 : fine                              ? "ready"
                                                     : "not ready";
  return json_answer(x, fine ? 200 : 503, body);
}

/// The answer to a path that is no resource of the API, or that needs none of
/// its checks.
std::optional<http_response> serve_unrouted(const exchange& x) {
  using verdict = route::verdict;
  switch (x.route.outcome) {
    case verdict::slash_missing:
      // A body would be lost on the way.
      if (x.is("POST") || x.is("PUT") || x.is("PATCH"))
        return html_not_found();
      return redirect(x);
    case verdict::unknown_api: return html_not_found();
    case verdict::unknown: return not_found(x);
    case verdict::found: break;
  }
  if (!is_open(x.route.what))
    return std::nullopt;
  if (!x.is_read())
    return method_refused(x, rule_of(x.route.what).allow);
  switch (x.route.what) {
    case resource::openapi: return serve_openapi(x);
    case resource::docs: return serve_api_docs(x);
    default: return state(x);
  }
}

/// Agrees on the form of the answer, or gives the 404 or 406.
std::optional<http_response> negotiate(exchange& x) {
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

/// Checks in the order that clients know: who, whether they may, which method.
std::optional<http_response> admit(exchange& x, std::string_view admin_hash,
                                   auth_limiter& limiter) {
  caller who;
  if (auto failure = authenticate(x, admin_hash, limiter, who))
    return failure;
  const auto r = rule_of(x.route.what);
  const bool owned = has_organizer(x.route.what);
  if (owned)
    if (auto found = x.service.find_organizer(x.route.organizer))
      x.owner = std::move(*found);
  const bool known = !owned || x.owner.id != 0;
  if (!known
      || !may(who, is_write(x) ? r.write : r.read, owned ? &x.owner : nullptr))
    return refusal(x, 403,
                   "You do not have permission to perform this action.");
  if (!allows(r.allow, x.request.method))
    return method_refused(x, r.allow);
  return std::nullopt;
}

/// Whether the answer comes from memory alone.
bool is_quick(const exchange& x) {
  switch (x.route.what) {
    case resource::organizers:
    case resource::events:
    case resource::tokens:
    case resource::action_types: return !is_write(x);
    case resource::webhook: return false; // its metadata says whether it exists
    default: return x.is("OPTIONS");
  }
}

http_response answer(const exchange& x) {
  switch (x.route.what) {
    case resource::webhooks: return serve_webhooks(x);
    case resource::webhook: return serve_webhook(x);
    default: break;
  }
  if (x.is("OPTIONS"))
    return metadata(x, rule_of(x.route.what));
  switch (x.route.what) {
    case resource::organizers: return serve_organizers(x);
    case resource::events: return serve_events(x);
    case resource::tokens: return serve_tokens(x);
    case resource::token: return serve_token(x);
    case resource::action_types: return serve_action_types(x);
    case resource::networks: return serve_networks(x);
    case resource::delivery: return serve_delivery(x);
    case resource::filter_preview: return serve_filter_preview(x);
    case resource::secret: return serve_secret(x);
    case resource::rotate_secret: return serve_secret_rotation(x);
    case resource::calls: return serve_calls(x);
    case resource::call: return serve_call(x);
    case resource::resend: return serve_resend(x);
    case resource::retries: return serve_retries(x);
    case resource::expedite: return serve_expedite(x);
    case resource::drop: return serve_drop(x);
    case resource::replay: return serve_replay(x);
    case resource::health: return serve_health(x);
    case resource::notification: return serve_notification(x);
    case resource::webhooks:
    case resource::webhook:
    case resource::notifications:
    case resource::test:
    case resource::healthz:
    case resource::readyz:
    case resource::idempotency_query:
    case resource::openapi:
    case resource::docs: break;
  }
  return not_found(x);
}

} // namespace

std::vector<route_rule> route_rules() {
  std::vector<route_rule> all;
  for (auto& [path, what] : known_paths()) {
    const auto r = rule_of(what);
    all.push_back({std::move(path), r.allow, is_open(what), r.read, r.write});
  }
  return all;
}

rest_api::rest_api(rest::service& of, rest_api_options options)
  : service_{of},
    options_{std::move(options)},
    limiter_{options_.failed_logins} {}

void rest_api::handle(http_request request,
                      std::function<void(http_response)> respond) {
  const auto x = std::make_shared<exchange>(std::move(request),
                                            std::move(respond), service_);
  try {
    serve(x);
  } catch (const std::exception& e) { // must not end the server's thread
    x->respond(answer_to(*x, {ec::internal, e.what()}));
  }
}

bool rest_api::is_keyed(const exchange& x) const {
  // The answers to a new token and to a new secret have it in them, and it must
  // not be kept anywhere in clear.
  if (x.route.outcome == route::verdict::found
      && (x.route.what == resource::tokens
          || x.route.what == resource::rotate_secret))
    return false;
  return is_write(x) && x.path.starts_with("/api/")
      && !key_header(x.request).empty()
      && identify(x, options_.admin_token_hash);
}

bool rest_api::begin_keyed(exchange& x) {
  const auto key = make_idempotency_key(x.request.header("authorization"),
                                        key_header(x.request));
  auto entry = running_.enter(key);
  if (!entry)
    return false;
  x.keyed = std::make_shared<keyed_request>(service_, key, std::move(*entry),
                                            std::move(x.respond));
  x.respond = [keyed = x.keyed](http_response response) {
    keyed_request::answer(keyed, std::move(response));
  };
  return true;
}

void rest_api::serve_idempotency_query(std::shared_ptr<exchange> x) {
  const auto key = x->query.last("key").value_or("");
  if (key.empty())
    return x->respond(refusal(*x, 404, "No idempotency key given."));
  const auto id = make_idempotency_key(x->request.header("authorization"), key);
  if (running_.contains(id))
    return x->respond(key_is_running(*x));
  options_.run_blocking([x = std::move(x), id] {
    const auto kept = x->service.find_answer(id);
    x->respond(!kept   ? answer_to(*x, kept.error())
               : *kept ? to_response(**kept)
                       : refusal(*x, 404, "Idempotency key not seen before."));
  });
}

void rest_api::serve(std::shared_ptr<exchange> x) {
  x->route = find_route(x->path);
  if (is_keyed(*x) && !begin_keyed(*x))
    return x->respond(key_is_running(*x));
  if (auto done = serve_unrouted(*x))
    return x->respond(std::move(*done));
  if (auto failure = negotiate(*x))
    return x->respond(std::move(*failure));
  if (auto failure = admit(*x, options_.admin_token_hash, limiter_))
    return x->respond(std::move(*failure));
  if (x->route.what == resource::notifications && x->is("POST"))
    return serve_publication(std::move(x));
  if (is_quick(*x))
    return run(std::move(x));
  if (x->route.what == resource::idempotency_query)
    return serve_idempotency_query(std::move(x));
  const auto& run_it = is_write(*x) && options_.run_writing
                       ? options_.run_writing
                       : options_.run_blocking;
  run_it([this, x = std::move(x)] {
    if (x->keyed)
      if (const auto kept = service_.find_answer(x->keyed->key());
          kept && *kept)
        return x->keyed->answer_kept(**kept);
    run(x);
  });
}

void rest_api::serve_publication(std::shared_ptr<exchange> x) {
  if (!options_.run_reading || x->request.body.size() <= large_publication)
    return publish(std::move(x));
  options_.run_reading([x = std::move(x)] {
    try {
      publish(x);
    } catch (const std::exception& e) { // must not end the thread
      x->respond(answer_to(*x, {ec::internal, e.what()}));
    }
  });
}

std::optional<http_response> rest_api::check_head(const http_request& head) {
  exchange x{head, {}, service_};
  x.route = find_route(x.path);
  if (is_keyed(x))
    return std::nullopt; // whatever was answered to the key first
  auto answer = serve_unrouted(x);
  if (!answer)
    answer = negotiate(x);
  if (!answer)
    answer = admit(x, options_.admin_token_hash, limiter_);
  if (answer && answer->status < 400)
    answer.reset(); // for handle() to say
  return answer;
}

void rest_api::run(std::shared_ptr<exchange> x) {
  std::optional<http_response> out;
  try {
    if (x->route.what == resource::test && x->is("POST"))
      return serve_test(x); // answers once the attempt has ended
    out = answer(*x);
    if (x->is("OPTIONS"))
      out->headers.emplace_back("Allow", rule_of(x->route.what).allow);
  } catch (const std::exception& e) {
    out = answer_to(*x, {ec::internal, e.what()});
  }
  x->respond(std::move(*out));
}

} // namespace fanfare::protocol::rest
