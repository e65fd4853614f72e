// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/e2e/support/e2e_test.hpp"

#include "tests/support/eventually.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include <algorithm>
#include <cstdio>
#include <stdexcept>

namespace fanfare::test {

namespace json = boost::json;

namespace {

rest_response expect(unsigned status, rest_response answer,
                     const std::string& what) {
  if (answer.status != status)
    throw std::runtime_error{what + ": " + std::to_string(answer.status) + ' '
                             + answer.body};
  return answer;
}

const json::value& member(const json::value& object, const char* key) {
  const auto* all = object.if_object();
  const auto* found = all ? all->if_contains(key) : nullptr;
  if (!found)
    throw std::runtime_error{std::string{"no "} + key + " in "
                             + json::serialize(object)};
  return *found;
}

json::array list_of(const std::vector<std::string>& texts) {
  json::array out;
  for (const auto& text : texts)
    out.emplace_back(text);
  return out;
}

} // namespace

std::uint64_t number_of(const json::value& object, const char* key) {
  return member(object, key).to_number<std::uint64_t>();
}

std::string text_of(const json::value& object, const char* key) {
  const auto& value = member(object, key);
  if (!value.is_string())
    throw std::runtime_error{std::string{key} + " is no text in "
                             + json::serialize(object)};
  return json::value_to<std::string>(value);
}

bool flag_of(const json::value& object, const char* key) {
  const auto& value = member(object, key);
  if (!value.is_bool())
    throw std::runtime_error{std::string{key} + " is no boolean in "
                             + json::serialize(object)};
  return value.get_bool();
}

std::uint64_t id_in(const std::string& body) {
  return number_of(json::parse(body), "notification_id");
}

std::int64_t milliseconds_of(const std::string& iso) {
  int year = 0;
  unsigned month = 0;
  unsigned day = 0;
  int hour = 0;
  int minute = 0;
  int second = 0;
  int millisecond = 0;
  if (std::sscanf(iso.c_str(), "%d-%u-%uT%d:%d:%d.%dZ", &year, &month, &day,
                  &hour, &minute, &second, &millisecond)
      != 7)
    throw std::runtime_error{"no time: " + iso};
  const std::chrono::sys_days date{std::chrono::year{year}
                                   / std::chrono::month{month}
                                   / std::chrono::day{day}};
  const auto time = date + std::chrono::hours{hour}
                  + std::chrono::minutes{minute} + std::chrono::seconds{second}
                  + std::chrono::milliseconds{millisecond};
  return time.time_since_epoch().count();
}

void E2eTest::TearDown() {
  api_.reset();
  if (server_ && HasFailure())
    std::printf("log of the server:\n%s", server_->log_tail().c_str());
  if (server_ && server_->process().running())
    stop();
}

void E2eTest::start(std::vector<std::string> args, bool allow_loopback) {
  api_.reset();
  server_.reset();
  server_.emplace(server_options{.data = dir_ / "data",
                                 .args = std::move(args),
                                 .allow_loopback = allow_loopback});
}

void E2eTest::stop() {
  const auto status = running().stop();
  EXPECT_EQ(status.code, 0) << to_string(status) << '\n'
                            << running().log_tail();
}

void E2eTest::kill() {
  running().kill();
}

server& E2eTest::running() {
  if (!server_)
    throw std::logic_error{"no server was started"};
  return *server_;
}

rest_client& E2eTest::api() {
  if (!api_)
    api_ = running().client();
  return *api_;
}

void E2eTest::add_organizer(const std::string& slug) {
  expect(201,
         api().post("/api/v1/organizers/", {{"slug", slug}, {"name", slug}}),
         "adding an organizer");
}

void E2eTest::add_event(const std::string& organizer, const std::string& slug) {
  expect(201,
         api().post(organizer_path(organizer) + "events/",
                    {{"slug", slug}, {"name", slug}}),
         "adding an event");
}

std::string E2eTest::add_token(const std::string& organizer,
                               const std::vector<std::string>& permissions) {
  return text_of(expect(201,
                        api().post(organizer_path(organizer) + "tokens/",
                                   {{"name", "a token"},
                                    {"permissions", list_of(permissions)}}),
                        "adding a token")
                   .json(),
                 "key");
}

E2eTest::hook_id E2eTest::add_webhook(const std::string& organizer,
                                      const hook_spec& spec) {
  json::object body;
  body["target_url"] = spec.url;
  body["enabled"] = spec.enabled;
  body["all_events"] = spec.events.empty();
  body["limit_events"] = list_of(spec.events);
  body["action_types"] = list_of(spec.types);
  if (!spec.delivery.empty())
    body["delivery"] = spec.delivery;
  return number_of(
    expect(201, api().post(organizer_path(organizer) + "webhooks/", body),
           "adding a webhook")
      .json(),
    "id");
}

void E2eTest::change_webhook(const std::string& organizer, hook_id id,
                             const json::object& changes) {
  expect(200, api().patch(webhook_path(organizer, id), changes),
         "changing a webhook");
}

json::value E2eTest::webhook(const std::string& organizer, hook_id id) {
  return expect(200, api().get(webhook_path(organizer, id)),
                "reading a webhook")
    .json();
}

void E2eTest::change_delivery(const std::string& organizer, hook_id id,
                              const json::object& changes) {
  expect(200, api().patch(webhook_path(organizer, id) + "delivery/", changes),
         "changing the delivery settings");
}

json::value E2eTest::health(const std::string& organizer, hook_id id) {
  return expect(200, api().get(webhook_path(organizer, id) + "health/"),
                "reading the health")
    .json();
}

std::uint64_t E2eTest::publish(const std::string& organizer,
                               const json::object& notification) {
  return number_of(
    expect(202, api().post(publish_path(organizer), notification), "publishing")
      .json(),
    "notification_id");
}

std::uint64_t E2eTest::publish(const std::string& organizer,
                               const std::string& code) {
  return publish(
    organizer,
    {{"action", order_placed}, {"event", "democon"}, {"code", code}});
}

std::vector<json::object> E2eTest::calls(const std::string& organizer,
                                         hook_id id) {
  std::vector<json::object> out;
  auto target = webhook_path(organizer, id) + "calls/";
  while (!target.empty()) {
    const auto page = expect(200, api().get(target), "reading the log").json();
    for (const auto& entry : member(page, "results").as_array())
      out.push_back(entry.as_object());
    target.clear();
    if (const auto& next = member(page, "next"); next.is_string()) {
      // An absolute link: what follows the host.
      const auto link = json::value_to<std::string>(next);
      target = link.substr(link.find('/', link.find("://") + 3));
    }
  }
  std::ranges::reverse(out);
  return out;
}

std::vector<json::object>
E2eTest::wait_for_calls(const std::string& organizer, hook_id id,
                        std::size_t count, std::chrono::milliseconds limit) {
  std::vector<json::object> found;
  eventually(limit, [&] {
    found = calls(organizer, id);
    return found.size() >= count;
  });
  if (found.size() < count) {
    std::string log;
    for (const auto& entry : found)
      log += json::serialize(entry) + '\n';
    throw std::runtime_error{"webhook " + std::to_string(id) + " has "
                             + std::to_string(found.size()) + " calls, not "
                             + std::to_string(count) + ":\n" + log};
  }
  return found;
}

json::array E2eTest::retries(const std::string& organizer, hook_id id) {
  const auto answer = expect(
                        200,
                        api().get(webhook_path(organizer, id) + "retries/"),
                        "reading the retries")
                        .json();
  return member(answer, "results").as_array();
}

std::string E2eTest::organizer_path(const std::string& organizer) {
  return "/api/v1/organizers/" + organizer + '/';
}

std::string E2eTest::webhook_path(const std::string& organizer, hook_id id) {
  return organizer_path(organizer) + "webhooks/" + std::to_string(id) + '/';
}

std::string E2eTest::publish_path(const std::string& organizer) {
  return organizer_path(organizer) + "notifications/";
}

} // namespace fanfare::test
