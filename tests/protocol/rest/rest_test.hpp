// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The API over a fake service, asked without sockets. Jobs that may block run
/// at once, but the fixture knows whether they asked to.

#include "protocol/rest/rest_api.hpp"
#include "protocol/security/credentials.hpp"
#include "tests/protocol/rest/fake_service.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fanfare::test {

using headers = std::vector<std::pair<std::string, std::string>>;

struct reply {
  std::uint16_t status = 0;
  headers fields;
  std::string body;
  bool blocking = false; ///< asked for a thread that may wait
  std::shared_ptr<protocol::body_reader> stream; ///< a body made meanwhile

  [[nodiscard]] std::string header(std::string_view name) const {
    for (const auto& [key, value] : fields)
      if (key == name)
        return value;
    return {};
  }
  [[nodiscard]] boost::json::value json() const {
    return boost::json::parse(body);
  }
};

/// The text of a JSON string.
inline std::string text_of(const boost::json::value& json) {
  const auto& text = json.as_string();
  return {text.data(), text.size()};
}

class RestTest : public ::testing::Test {
protected:
  static constexpr std::string_view json_type = "application/json";
  static constexpr std::string_view
    hooks_path = "/api/v1/organizers/dummy/webhooks/";

  RestTest() {
    owner = service.tenant("dummy", "hooks", permission_webhooks);
    service.tenant("dummy", "publisher", permission_notifications);
    service.tenant("dummy", "boss", permission_admin);
    other = service.tenant("other", "theirs", permission_admin);
    (void)service.add_event(owner, "dummy", "Dummy");
    (void)service.add_event(owner, "second", "Another");
    (void)service.add_event(other, "foreign", "Foreign");
  }

  reply send(protocol::http_request request) {
    reply out;
    int answers = 0;
    blocking_ = false;
    const int before = service.blocking_calls;
    api.handle(std::move(request), [&](protocol::http_response r) {
      ++answers;
      out.status = r.status;
      out.fields = std::move(r.headers);
      out.body = std::move(r.body);
      out.stream = std::move(r.stream);
    });
    EXPECT_EQ(answers, 1);
    out.blocking = blocking_;
    EXPECT_TRUE(blocking_ || service.blocking_calls == before || publishing_)
      << "waited for the disk on an I/O thread";
    return out;
  }

  /// `key` empty: no Authorization header.
  reply ask(std::string_view method, std::string_view target,
            std::string_view body = {}, std::string_view key = "hooks",
            headers more = {}) {
    protocol::http_request request;
    request.method = method;
    request.target = target;
    request.headers.emplace_back("host", "fanfare.example");
    if (!key.empty())
      request.headers.emplace_back("authorization",
                                   "Token " + std::string{key});
    bool typed = false;
    for (auto& field : more) {
      typed = typed || field.first == "content-type";
      request.headers.push_back(std::move(field));
    }
    if (!typed && !body.empty())
      request.headers.emplace_back("content-type", json_type);
    request.body = body;
    // The fake registers new events of a publish at once.
    publishing_ = target.find("/notifications/") != std::string_view::npos;
    return send(std::move(request));
  }

  reply get(std::string_view target, headers more = {}) {
    return ask("GET", target, {}, "hooks", std::move(more));
  }
  reply post(std::string_view body, headers more = {}) {
    return ask("POST", hooks_path, body, "hooks", std::move(more));
  }

  /// Registers a webhook and gives its path.
  std::string make_hook(
    std::string_view body =
      R"({"target_url":"https://google.com","limit_events":[],"action_types":[]})") {
    const auto made = post(body);
    EXPECT_EQ(made.status, 201) << made.body;
    return std::string{hooks_path} + std::to_string(service.hooks.size()) + '/';
  }

  fake_service service;
  organizer_id owner = 0;
  organizer_id other = 0;
  protocol::rest::rest_api api{
    service,
    {.admin_token_hash = protocol::hash_token_key("root"),
     .run = {.blocking =
               [this](const std::function<void()>& job) {
                 blocking_ = true;
                 job();
               }},
     .streams = {.most = 5, .most_of_organizer = 4, .own_thread = false}}};

private:
  bool blocking_ = false;
  bool publishing_ = false;
};

} // namespace fanfare::test
