// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// The status of the server, and of an organizer.

#include "tests/protocol/rest/rest_test.hpp"

#include <gmock/gmock.h>

namespace fanfare::test {

namespace {

using trouble = troubled_webhook::trouble;
constexpr auto server_path = "/api/v1/status/";
constexpr auto organizer_path = "/api/v1/organizers/dummy/status/";

class StatusTest : public RestTest {
protected:
  StatusTest() {
    auto& s = service.overall;
    s.at = timestamp{std::chrono::milliseconds{2'000'000}};
    s.webhooks.failing = 1;
    s.webhooks.held[hold_reason::breaker] = 1;
    s.troubled = 1;
    s.worst.push_back({.id = 3,
                       .owner = owner,
                       .organizer = "dummy",
                       .target_url = "https://a.example/",
                       .what = trouble::failing,
                       .failures = 50,
                       .held_by = hold_reason::breaker});
  }

  /// Its row, after it is made so.
  boost::json::value row(const std::function<void(troubled_webhook&)>& make) {
    make(service.overall.worst[0]);
    return get(organizer_path).json().at("worst").at(0);
  }
};

TEST_F(StatusTest, OfTheServerIsTheAdministratorsOnly) {
  const auto answer = ask("GET", server_path, {}, "root");
  EXPECT_EQ(answer.status, 200);
  EXPECT_TRUE(answer.blocking);
  EXPECT_EQ(service.status_asked,
            (std::pair<organizer_id, std::size_t>{0, 10}));
  const auto shown = answer.json().as_object();
  for (const auto* key : {"version", "uptime", "queue", "commits", "disk"})
    EXPECT_TRUE(shown.contains(key)) << key;
  EXPECT_EQ(text_of(shown.at("worst").at(0).at("command")),
            "fanfare retries expedite 3 --organizer dummy");
  for (const auto* key : {"hooks", "publisher", "boss", "theirs"})
    EXPECT_EQ(ask("GET", server_path, {}, key).status, 403) << key;
}

TEST_F(StatusTest, OfAnOrganizerSaysNothingOfTheServer) {
  const auto answer = get(organizer_path);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(service.status_asked.first, owner);
  EXPECT_EQ(answer.json().as_object().size(), 4U);
  EXPECT_EQ(text_of(answer.json().at("worst").at(0).at("command")),
            "fanfare retries expedite 3");
  EXPECT_EQ(ask("GET", organizer_path, {}, "publisher").status, 403);
  EXPECT_EQ(ask("GET", organizer_path, {}, "theirs").status, 403);
}

TEST_F(StatusTest, ShowsAsManyAsAreAskedFor) {
  for (const std::string limit : {"0", "1", "100"}) {
    EXPECT_EQ(get(organizer_path + ("?limit=" + limit)).status, 200) << limit;
    EXPECT_EQ(service.status_asked.second, std::stoul(limit));
  }
  for (const std::string limit : {"101", "-1", "", "1.5", "x", "1 "})
    EXPECT_EQ(get(organizer_path + ("?limit=" + limit)).status, 400) << limit;
}

TEST_F(StatusTest, EachTroubleHasACommandThatHelps) {
  const std::vector<std::pair<hold_reason, std::string>> by_hold{
    {hold_reason::none, "fanfare calls list 3 --failed --limit 5"},
    {hold_reason::pause, "fanfare resume 3"},
    {hold_reason::order, "fanfare retries expedite 3"},
    {hold_reason::breaker, "fanfare retries expedite 3"},
    {hold_reason::retry_after, "fanfare retries expedite 3"},
    {hold_reason::rate, "fanfare webhooks edit 3 --delivery rate_limit=null"},
    {hold_reason::outage, "fanfare calls list 3 --failed --limit 5"}};
  for (const auto& [why, command] : by_hold)
    EXPECT_EQ(
      text_of(row([why = why](auto& w) { w.held_by = why; }).at("command")),
      command);
  const std::vector<std::pair<trouble, std::string>> by_trouble{
    {trouble::disabled, "fanfare webhooks edit 3 --enable"},
    {trouble::behind, "fanfare health 3"},
    {trouble::slow, "fanfare health 3"},
    {trouble::certificate, "fanfare webhooks show 3"}};
  for (const auto& [what, command] : by_trouble) {
    const auto one = row([what = what](auto& w) { w.what = what; });
    EXPECT_EQ(text_of(one.at("command")), command);
    EXPECT_FALSE(text_of(one.at("advice")).empty());
  }
}

TEST_F(StatusTest, WrongKeysAreNotedWithTheirAddress) {
  ask("GET", server_path, {}, "no-such-key");
  EXPECT_EQ(service.failed_logins.size(), 1U);
  ask("GET", server_path, {}, "root");
  ask("GET", server_path, {}, {});
  EXPECT_EQ(service.failed_logins.size(), 1U) << "none was given";
}

} // namespace

} // namespace fanfare::test
