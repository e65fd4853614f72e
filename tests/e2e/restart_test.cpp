// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Stopping in order and going on afterwards.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/eventually.hpp"

#include <boost/json.hpp>
#include <boost/system/system_error.hpp>

#include <gmock/gmock.h>

#include <atomic>
#include <csignal>
#include <set>
#include <thread>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using std::chrono::steady_clock;
using std::chrono::system_clock;
using ::testing::ElementsAreArray;
using ::testing::HasSubstr;

class RestartTest : public E2eTest {
protected:
  void serve(std::vector<std::string> args = {}) {
    start(std::move(args));
    add_organizer("acme");
  }

  /// Publishes until the server says that it is stopping. False if it went
  /// without a word.
  bool wait_for_refusal(std::set<std::uint64_t>& accepted) {
    const json::value body{{"action", order_placed}};
    auto client = running().client();
    rest_response answer;
    try {
      while (true) {
        answer = client.post(publish_path("acme"), body);
        if (answer.status != 202)
          break;
        accepted.insert(number_of(answer.json(), "notification_id"));
      }
    } catch (const boost::system::system_error&) {
      return false;
    }
    EXPECT_EQ(answer.status, 503U) << answer.body;
    EXPECT_THAT(text_of(answer.json(), "detail"), HasSubstr("stopping"));
    return answer.status == 503;
  }

  static std::multiset<std::uint64_t> arrived(const http_sink& sink) {
    std::multiset<std::uint64_t> ids;
    for (const auto& record : sink.records())
      ids.insert(id_in(record.body));
    return ids;
  }
};

TEST_F(RestartTest, FinishesWhatIsInFlightAndGoesOnWithTheRestOnce) {
  serve();
  http_sink sink{
    [](const request_record&) { return response_plan::hanging(); }};
  const auto hook = add_webhook("acme", {.url = sink.url()});
  std::set<std::uint64_t> published;
  for (int i = 0; i < 50; ++i)
    published.insert(publish());
  ASSERT_TRUE(sink.wait_for(8, patience));

  ASSERT_TRUE(running().process().signal(SIGTERM));
  ASSERT_TRUE(wait_for_refusal(published));
  EXPECT_EQ(running().client().get("/healthz").status, 200U);
  EXPECT_EQ(running().client().get("/readyz").status, 503U);
  const auto under_way = sink.size();
  sink.set_handler({});
  sink.release();
  const auto status = running().process().wait(15s * (sanitized ? 3 : 1));
  ASSERT_TRUE(status);
  EXPECT_EQ(status->code, 0) << running().log_tail();
  EXPECT_EQ(sink.size(), under_way); // nothing was started while stopping

  start();
  const auto log = wait_for_calls("acme", hook, published.size());
  EXPECT_EQ(log.size(), published.size());
  stop();
  EXPECT_THAT(arrived(sink), ElementsAreArray(published));
}

TEST_F(RestartTest, StopsInTimeAlthoughAReceiverHangs) {
  serve();
  http_sink sink{
    [](const request_record&) { return response_plan::hanging(); }};
  add_webhook("acme", {.url = sink.url()});
  const auto id = publish();
  ASSERT_TRUE(sink.wait_for(1, patience));
  stop(); // waits 15 s at most
  sink.set_handler({});
  start();
  ASSERT_TRUE(sink.wait_for(2, patience));
  EXPECT_EQ(id_in(sink.records()[1].body), id);
}

TEST_F(RestartTest, RetriesWaitOutTheirTimeAcrossARestart) {
  serve({"--schedule", "4s,1h"});
  http_sink sink{[](const request_record& r) {
    return response_plan::answer(r.number == 0 ? 500 : 200);
  }};
  const auto hook = add_webhook("acme", {.url = sink.url()});
  const auto id = publish();
  ASSERT_TRUE(
    eventually(patience, [&] { return !retries("acme", hook).empty(); }));
  const auto before = text_of(retries("acme", hook)[0], "due");
  stop();
  start({"--schedule", "4s,1h"});
  EXPECT_EQ(text_of(retries("acme", hook).at(0), "due"), before);
  ASSERT_TRUE(sink.wait_for(2, patience));
  const auto records = sink.records();
  EXPECT_GE(records[1].time - records[0].time, 4s);
  EXPECT_EQ(records[1].body, records[0].body);
  const auto log = wait_for_calls("acme", hook, 2);
  EXPECT_EQ(number_of(log[1], "notification_id"), id);
  EXPECT_EQ(number_of(log[1], "attempt"), 2U);
  EXPECT_TRUE(flag_of(log[1], "success"));
}

TEST_F(RestartTest, SendsAtOnceWhatCameDueMeanwhile) {
  serve({"--schedule", "1s,1h"});
  http_sink sink{
    [](const request_record&) { return response_plan::answer(500); }};
  const auto hook = add_webhook("acme", {.url = sink.url()});
  std::set<std::uint64_t> published;
  for (int i = 0; i < 30; ++i)
    published.insert(publish());
  ASSERT_TRUE(
    eventually(patience, [&] { return calls("acme", hook).size() >= 30; }));
  kill();
  sink.set_handler({});
  const auto known = sink.size();
  // Until the last one is due: 1.1 s at most after its attempt.
  const auto due = sink.records().back().time + 1500ms;
  ASSERT_TRUE(eventually(patience, [&] { return steady_clock::now() >= due; }));
  ASSERT_EQ(sink.size(), known);

  start({"--schedule", "1s,1h"});
  const auto listening = steady_clock::now();
  std::set<std::uint64_t> again;
  EXPECT_TRUE(eventually(patience, [&] {
    again.clear();
    const auto records = sink.records();
    for (auto i = known; i < records.size(); ++i)
      again.insert(id_in(records[i].body));
    return again.size() == published.size();
  }));
  EXPECT_LT(steady_clock::now() - listening, sanitized ? 15s : 5s);
  EXPECT_EQ(again, published);
}

TEST_F(RestartTest, ASecondSignalEndsItAtOnce) {
  serve();
  http_sink sink{
    [](const request_record&) { return response_plan::hanging(); }};
  add_webhook("acme", {.url = sink.url()});
  const auto id = publish();
  ASSERT_TRUE(sink.wait_for(1, patience));
  ASSERT_TRUE(running().process().signal(SIGTERM));
  ASSERT_TRUE(running().process().wait_for_line("second signal", patience,
                                                child_process::stream::err));
  std::set<std::uint64_t> accepted;
  ASSERT_TRUE(wait_for_refusal(accepted));
  ASSERT_TRUE(running().process().signal(SIGTERM));
  const auto status = running().process().wait(sanitized ? 9s : 3s);
  ASSERT_TRUE(status) << "it still runs";
  EXPECT_NE(status->code, 0);

  sink.set_handler({});
  start();
  // At least once: the call that was cut off is made again.
  ASSERT_TRUE(sink.wait_for(2 + accepted.size(), patience));
  EXPECT_EQ(arrived(sink).count(id), 2U);
}

TEST_F(RestartTest, RequestsDoNoHarmWhileItStops) {
  http_sink sink;
  for (int round = 0; round < 5; ++round) {
    SCOPED_TRACE(round);
    if (round == 0)
      serve();
    else
      start();
    const auto hook = add_webhook("acme", {.url = sink.url()});
    publish();
    wait_for_calls("acme", hook, 1);
    std::atomic<int> bad{0};
    std::atomic<bool> asking{false};
    std::vector<std::thread> askers;
    for (const auto& target :
         {webhook_path("acme", hook), webhook_path("acme", hook) + "calls/",
          organizer_path("acme") + "webhooks/", publish_path("acme") + "1/"})
      askers.emplace_back([&, target] {
        auto client = running().client();
        try {
          while (true) {
            const auto status = client.get(target).status;
            asking = true;
            if (status != 200 && status != 503)
              ++bad;
          }
        } catch (const boost::system::system_error&) {
          // It has ended.
        }
      });
    EXPECT_TRUE(eventually(patience, [&] { return asking.load(); }));
    running().process().signal(SIGTERM);
    const auto status = running().process().wait(patience);
    if (!status)
      kill(); // so that the askers end
    for (auto& asker : askers)
      asker.join();
    ASSERT_TRUE(status);
    EXPECT_EQ(status->code, 0) << to_string(*status) << '\n'
                               << running().log_tail();
    EXPECT_EQ(bad, 0);
  }
}

TEST_F(RestartTest, KeepsTheRegistryAndTheLog) {
  serve();
  add_event("acme", "democon");
  const auto key = add_token("acme", {"webhooks"});
  http_sink sink;
  const auto hook = add_webhook("acme", {.url = sink.url(),
                                         .types = {order_placed, order_paid},
                                         .events = {"democon"},
                                         .delivery = {{"max_in_flight", 3}}});
  const auto id = publish();
  wait_for_calls("acme", hook, 1);
  const auto before = webhook("acme", hook);
  const auto settings = api().get(webhook_path("acme", hook) + "delivery/");
  const auto log = calls("acme", hook);
  stop();
  start();
  EXPECT_EQ(webhook("acme", hook), before);
  EXPECT_EQ(api().get(webhook_path("acme", hook) + "delivery/").body,
            settings.body);
  EXPECT_EQ(calls("acme", hook), log);
  EXPECT_EQ(running().client(key).get(webhook_path("acme", hook)).status, 200U);
  EXPECT_GT(publish(), id);
}

} // namespace

} // namespace fanfare::test
