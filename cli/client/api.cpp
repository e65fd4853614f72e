// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/api.hpp"

#include "protocol/rules/slug.hpp"
#include "protocol/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include <algorithm>
#include <charconv>
#include <utility>

namespace fanfare::cli {

namespace {

namespace json = boost::json;

protocol::api_client connect(const client_settings& settings) {
  auto made = protocol::api_client::make({.url = settings.url,
                                          .token = settings.token,
                                          .ca_file = settings.ca_file});
  if (!made)
    throw command_error{exit_code::usage, made.error().detail};
  return std::move(*made);
}

exit_code code_of(unsigned status) {
  switch (status) {
    case 401:
    case 403: return exit_code::not_authorized;
    case 404: return exit_code::not_found;
    default: return exit_code::refused;
  }
}

/// The sentences of {"detail": "…"} or {"field": ["…", …]}, nested ones too,
/// one per line.
void append_sentences(std::string& out, const std::string& name,
                      const json::value& value) {
  if (const auto* object = value.if_object()) {
    for (const auto& item : *object) {
      const std::string key{item.key().data(), item.key().size()};
      const bool bare = key == "detail" || key == "non_field_errors";
      append_sentences(out,
                       bare           ? name
                       : name.empty() ? key
                                      : name + "." + key,
                       item.value());
    }
  } else if (const auto* list = value.if_array()) {
    for (const auto& item : *list)
      append_sentences(out, name, item);
  } else {
    out += out.empty() ? "" : "\n";
    out += name.empty() ? "" : name + ": ";
    if (const auto* text = value.if_string())
      out.append(text->data(), text->size());
    else
      out += json::serialize(value);
  }
}

/// The path and query of a link. Its host is ignored: requests keep going to
/// the same server.
std::string target_of(const json::value& link) {
  const auto text = json::value_to<std::string>(link);
  const auto scheme = text.find("://");
  const auto path = text.find('/',
                              scheme == std::string::npos ? 0 : scheme + 3);
  return path == std::string::npos ? "" : text.substr(path);
}

} // namespace

api::api(client_settings settings, std::chrono::milliseconds timeout)
  : settings_{std::move(settings)},
    timeout_{timeout},
    client_{connect(settings_)} {}

std::string api::in_organizer(std::string_view rest) const {
  if (settings_.organizer.empty())
    throw command_error{exit_code::usage,
                        "no organizer is chosen; add --organizer SLUG, set "
                        "FANFARE_ORGANIZER, or log in with one"};
  if (!protocol::is_slug(settings_.organizer))
    throw command_error{exit_code::usage, "\"" + settings_.organizer
                                            + "\" is no organizer: "
                                            + std::string{protocol::slug_rule}};
  return "/api/v1/organizers/" + settings_.organizer + "/" + std::string{rest};
}

std::uint64_t api::webhook_number(const std::string& which) {
  std::uint64_t number = 0;
  const auto* const end = which.data() + which.size();
  if (std::from_chars(which.data(), end, number).ptr == end)
    return number;
  if (const auto known = named_.find(which); known != named_.end())
    return known->second;
  // A server that does not know the filter shows all of them.
  each(in_organizer("webhooks/?delivery=true&name="
                    + protocol::percent_encode(which)),
       1, [&](const json::object& hook) {
         const auto* const delivery = hook.if_contains("delivery");
         const auto* const name = delivery == nullptr
                                  ? nullptr
                                  : delivery->as_object().if_contains("name");
         if (name != nullptr && *name == json::string{which})
           number = hook.at("id").to_number<std::uint64_t>();
         return false;
       });
  if (number == 0)
    throw command_error{exit_code::not_found,
                        "no webhook of " + settings_.organizer
                          + " has the name \"" + which
                          + "\"; \"fanfare webhooks list\" shows them"};
  named_.emplace(which, number);
  return number;
}

std::string api::in_webhook(const std::string& which, std::string_view rest) {
  return in_organizer(webhook_path(webhook_number(which), rest));
}

api_answer api::get(const std::string& target) {
  return send({.target = target});
}

api_answer api::post(const std::string& target, const json::value& body) {
  return send(
    {.method = "POST", .target = target, .body = json::serialize(body)});
}

void api::erase(const std::string& target) {
  send({.method = "DELETE", .target = target});
}

void api::complete(protocol::api_request& request) const {
  if (settings_.token.empty())
    throw command_error{exit_code::not_authorized,
                        "there is no token for " + client_.origin()
                          + "; run fanfare login, or set FANFARE_TOKEN"};
  request.timeout = std::max(request.timeout, timeout_);
}

protocol::api_response api::ask(protocol::api_request request) {
  complete(request);
  return ask_without_token(std::move(request));
}

protocol::api_response api::ask_without_token(protocol::api_request request) {
  request.timeout = std::max(request.timeout, timeout_);
  auto answer = client_.send(request);
  if (!answer)
    throw command_error{exit_code::not_connected, answer.error().detail};
  return std::move(*answer);
}

protocol::api_response api::receive(protocol::api_request request,
                                    const protocol::answer_taker& to) {
  complete(request);
  auto answer = client_.receive(request, to);
  if (!answer)
    throw command_error{answer.error().code == ec::io_error
                          ? exit_code::not_connected
                          : exit_code::refused,
                        answer.error().detail};
  return std::move(*answer);
}

api_answer api::send(protocol::api_request request) {
  auto got = ask(std::move(request));
  if (got.status < 200 || got.status > 299)
    refuse(got);
  api_answer out;
  if (got.body.empty())
    return out;
  json::error_code failed;
  out.value = json::parse(got.body, failed);
  if (failed)
    throw command_error{exit_code::refused,
                        "the answer of " + client_.origin()
                          + " is no JSON; is it a Fanfare server?"};
  out.text = std::move(got.body);
  return out;
}

command_error api::error_of(const protocol::api_response& answer) const {
  const auto code = code_of(answer.status);
  const auto number = " (" + std::to_string(answer.status) + ")";
  if (answer.status / 100 == 3)
    return {code,
            "the server sends on to " + std::string{answer.header("Location")}
              + ", which is not followed; give the right address with --url"
              + number};
  json::error_code failed;
  const auto body = json::parse(answer.body, failed);
  std::string sentences;
  if (!failed)
    append_sentences(sentences, {}, body);
  if (sentences.empty())
    return {code,
            code == exit_code::not_found
              ? client_.origin()
                  + " does not know what was asked for; is it a Fanfare server "
                    "as new as this client?"
                  + number
              : client_.origin() + " refused without a reason" + number};
  return {code, sentences + number};
}

void api::refuse(const protocol::api_response& answer) const {
  throw error_of(answer);
}

void api::each(std::string target, std::size_t limit,
               const std::function<bool(const json::object&)>& item) {
  if (limit < 50) {
    target += target.find('?') == std::string::npos ? '?' : '&';
    target += "page_size=" + std::to_string(limit);
  }
  while (!target.empty() && limit > 0) {
    const auto page = get(target);
    const auto* object = page.value.if_object();
    const auto* results = object ? object->if_contains("results") : nullptr;
    if (results == nullptr || !results->is_array())
      throw command_error{exit_code::refused,
                          "the answer of " + client_.origin()
                            + " is no list; is it a Fanfare server?"};
    for (const auto& entry : results->get_array()) {
      if (limit-- == 0 || !entry.is_object() || !item(entry.get_object()))
        return;
    }
    const auto* next = object->if_contains("next");
    target = next && next->is_string() ? target_of(*next) : "";
  }
}

std::string webhook_path(std::uint64_t id, std::string_view rest) {
  return "webhooks/" + std::to_string(id) + "/" + std::string{rest};
}

} // namespace fanfare::cli
