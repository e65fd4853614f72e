// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// The stream of a real server: live, over kills, with a thousand readers, and
// how it ends; and the command that prints it.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/e2e/support/stream_client.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/paths.hpp"

#include <boost/json/parse.hpp>

#include <gmock/gmock.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <map>
#include <set>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

class StreamTest : public E2eTest {
protected:
  void serve(std::vector<std::string> args = {}) {
    start(std::move(args));
    add_organizer("acme");
    add_event("acme", "democon");
  }

  stream_client open(const std::string& query = {},
                     const std::string& last_id = {},
                     const std::string& key = server::admin_key) {
    stream_client made{running().port(), key,
                       organizer_path("acme") + "stream/" + query, last_id};
    if (!made.wait_for_begin(patience))
      throw std::runtime_error{"no stream begins: " + made.head()
                               + made.rest()};
    return made;
  }

  /// Ids of a kind of message, in order.
  static std::vector<std::uint64_t>
  ids_of(const stream_client& in, std::string_view type, const char* key) {
    std::vector<std::uint64_t> out;
    for (const auto& m : in.messages())
      if (m.type == type)
        out.push_back(number_of(json::parse(m.data), key));
    return out;
  }

  /// Kilobytes of memory that the server has.
  std::size_t memory() {
    std::ifstream file{"/proc/" + std::to_string(running().process().pid())
                       + "/status"};
    for (std::string word; file >> word;)
      if (std::size_t kilobytes = 0; word == "VmRSS:" && file >> kilobytes)
        return kilobytes;
    throw std::runtime_error{"how much memory does it have?"};
  }

  command tail(std::vector<std::string> args, std::uint16_t port) const {
    args.insert(args.begin(), {"calls", "tail"});
    return {.program = fanfare_program(),
            .args = std::move(args),
            .env = {{"XDG_CONFIG_HOME", (dir_ / "config").string()},
                    {"FANFARE_URL", "http://127.0.0.1:" + std::to_string(port)},
                    {"FANFARE_TOKEN", server::admin_key},
                    {"FANFARE_ORGANIZER", "acme"}}};
  }

  http_sink sink_;
};

TEST_F(StreamTest, ShowsWhatHappensAsItHappens) {
  serve();
  auto one = open();
  EXPECT_THAT(one.head(), HasSubstr("Content-Type: text/event-stream"));
  const auto hook = add_webhook("acme", {.url = sink_.url()});
  ASSERT_TRUE(one.wait_for(1, patience));
  const auto id = publish("acme", "ABC23");
  ASSERT_TRUE(one.wait_for(3, patience));
  const auto& all = one.messages();
  EXPECT_EQ(all[0].type, "webhook");
  const auto change = json::parse(all[0].data);
  EXPECT_EQ(number_of(change, "webhook_id"), hook);
  EXPECT_EQ(text_of(change, "change"), "created");
  EXPECT_EQ(all[1].type, "notification");
  const auto published = json::parse(all[1].data);
  EXPECT_EQ(number_of(published, "notification_id"), id);
  EXPECT_EQ(text_of(published, "event"), "democon");
  EXPECT_THAT(text_of(published, "payload"), HasSubstr("ABC23"));
  EXPECT_EQ(all[2].type, "call");
  auto called = json::parse(all[2].data).as_object();
  EXPECT_EQ(number_of(called, "notification_id"), id);
  EXPECT_EQ(number_of(called, "webhook_id"), hook);
  EXPECT_TRUE(flag_of(called, "success"));
  // It is the entry of the log.
  const auto logged = calls("acme", hook).front();
  called.erase("webhook_id");
  for (const auto& member : called)
    EXPECT_EQ(member.value(), logged.at(member.key())) << member.key();
  for (const bool paused : {true, false})
    change_delivery("acme", hook, {{"paused", paused}});
  change_webhook("acme", hook, {{"enabled", false}});
  ASSERT_TRUE(one.wait_for(6, patience));
  std::vector<std::string> changes;
  for (auto i = 3U; i < 6; ++i)
    changes.push_back(text_of(json::parse(one.messages()[i].data), "change"));
  EXPECT_THAT(changes, ElementsAre("paused", "resumed", "disabled"));
}

TEST_F(StreamTest, ShowsThatAWebhookFailsAndIsWellAgain) {
  serve({"--breaker-failures", "2", "--breaker-pause", "300ms"});
  std::atomic<unsigned> status{500};
  sink_.set_handler([&](const request_record&) {
    return response_plan::answer(status.load());
  });
  add_webhook("acme", {.url = sink_.url(), .delivery = {{"schedule", {1, 1}}}});
  auto one = open("?types=webhook");
  publish();
  publish();
  const auto changes = [&] {
    std::vector<std::string> out;
    for (const auto& m : one.messages())
      out.push_back(text_of(json::parse(m.data), "change"));
    return out;
  };
  ASSERT_TRUE(one.wait_for(2, patience));
  EXPECT_THAT(changes(), ElementsAre("failing", "breaker_opened"));
  status = 200;
  ASSERT_TRUE(one.wait_for(4, patience));
  EXPECT_THAT(std::set<std::string>({changes()[2], changes()[3]}),
              ElementsAre("breaker_closed", "healthy"));
}

TEST_F(StreamTest, GoesOnOverKillsWithoutAGap) {
  serve();
  const auto hook = add_webhook("acme", {.url = sink_.url()});
  auto one = open("?types=call,notification");
  std::vector<std::uint64_t> published;
  std::vector<std::uint64_t> shown;
  std::vector<std::uint64_t> called;
  const auto take = [&](const stream_client& from) {
    for (const auto id : ids_of(from, "notification", "notification_id"))
      shown.push_back(id);
    for (const auto id : ids_of(from, "call", "id"))
      called.push_back(id);
  };
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 100; ++i) {
      published.push_back(publish());
      if (i % 10 == 0)
        one.read();
    }
    // In the middle of what is called and shown.
    kill();
    while (one.read(1s))
      ;
    take(one);
    start();
    one = open("?types=call,notification", one.last_id());
  }
  wait_for_calls("acme", hook, published.size());
  // Once nothing more comes.
  const auto logged = calls("acme", hook);
  ASSERT_TRUE(eventually(patience, [&] {
    one.read(10ms);
    return !ids_of(one, "call", "id").empty()
        && ids_of(one, "call", "id").back() >= number_of(logged.back(), "id");
  }));
  take(one);
  EXPECT_EQ(shown, published);
  std::vector<std::uint64_t> in_log;
  for (const auto& c : calls("acme", hook))
    in_log.push_back(number_of(c, "id"));
  in_log.resize(std::min(in_log.size(), called.size()));
  EXPECT_EQ(called, in_log);
  EXPECT_GE(called.size(), published.size());
}

TEST_F(StreamTest, AThousandReadersHaveBoundedMemory) {
  serve();
  const auto hook = add_webhook("acme", {.url = sink_.url()});
  constexpr std::size_t most = 1'000;
  // One in ten reads, the others have small buffers and take nothing.
  const auto reads = [](std::size_t i) { return i % 10 == 1; };
  std::vector<stream_client> all;
  while (all.size() < most) {
    stream_client one{running().port(),
                      server::admin_key,
                      organizer_path("acme") + "stream/?types=call",
                      {},
                      reads(all.size()) ? 0 : 4'096};
    if (!one.wait_for_begin(patience))
      break; // as many as the limit of open files allows
    all.push_back(std::move(one));
  }
  ASSERT_GE(all.size(), 30U);
  const auto before = memory();
  constexpr std::size_t events = 1'500;
  for (std::size_t i = 0; i < events / 100; ++i) {
    boost::json::array batch;
    for (int j = 0; j < 100; ++j)
      batch.push_back({{"action", order_placed}, {"event", "democon"}});
    ASSERT_EQ(api().post(publish_path("acme"), batch).status, 202U);
  }
  wait_for_calls("acme", hook, events);
  for (std::size_t i = 0; i < all.size(); ++i)
    if (reads(i)) {
      ASSERT_TRUE(all[i].wait_for(events, patience)) << i;
    }
  const auto after = std::max(memory(), before);
  RecordProperty("readers", std::to_string(all.size()));
  RecordProperty("kilobytes", std::to_string(after - before));
#ifndef __SANITIZE_ADDRESS__ // whose own memory is not what is measured
  EXPECT_LT(after - before, 192U << 10) << all.size() << " readers";
#endif
  const auto expected = ids_of(all[1], "call", "id");
  ASSERT_THAT(expected, SizeIs(events));
  for (std::size_t i = 11; i < all.size(); i += 10)
    EXPECT_EQ(ids_of(all[i], "call", "id"), expected);
  // Who took nothing gets it all, now or, once it was cut off, when it comes
  // again.
  auto& slow = all[0];
  auto got = ids_of(slow, "call", "id");
  while (got.size() < events && slow.wait_for(1, patience)) {
    while (slow.read(1s))
      ;
    for (const auto id : ids_of(slow, "call", "id"))
      got.push_back(id);
    slow = open("?types=call", slow.last_id());
  }
  EXPECT_EQ(got, expected);
  EXPECT_EQ(api().get("/healthz").status, 200U);
}

TEST_F(StreamTest, EndsWithTheServer) {
  serve();
  std::vector<stream_client> all;
  for (int i = 0; i < 20; ++i)
    all.push_back(open());
  const auto before = std::chrono::steady_clock::now();
  stop(); // exits with 0
  EXPECT_LT(std::chrono::steady_clock::now() - before, 10s);
  for (auto& one : all)
    EXPECT_TRUE(one.wait_for_end(patience));
}

TEST_F(StreamTest, EndsWhenItsTokenIsRevoked) {
  serve();
  const auto key = add_token("acme", {"webhooks"});
  auto one = open("", "", key);
  auto other = open();
  const auto tokens = api().get(organizer_path("acme") + "tokens/").json();
  const auto id = number_of(tokens.at("results").at(0), "id");
  ASSERT_EQ(
    api()
      .erase(organizer_path("acme") + "tokens/" + std::to_string(id) + "/")
      .status,
    204U);
  EXPECT_TRUE(one.wait_for_end(patience));
  EXPECT_FALSE(other.read(100ms));
  EXPECT_FALSE(other.ended());
}

TEST_F(StreamTest, TellsWhatIsLostWithRetention) {
  serve({"--retention", "1s", "--retention-interval", "200ms",
         "--checkpoint-interval", "200ms"});
  const auto hook = add_webhook("acme", {.url = sink_.url()});
  const auto beginning = open("?types=call,notification").last_id();
  publish();
  wait_for_calls("acme", hook, 1);
  ASSERT_TRUE(eventually(patience, [&] {
    publish(); // so that there is a newer one
    const auto left = calls("acme", hook);
    return !left.empty() && number_of(left.front(), "id") > 1;
  }));
  // The server keeps what is followed until it knows that nobody does.
  EXPECT_TRUE(eventually(patience, [&] {
    auto late = open("?types=call,notification", beginning);
    return late.wait_for(1, patience) && late.messages()[0].type == "gap"
        && late.messages()[0].data.find("not kept any more")
             != std::string::npos;
  }));
}

// -- calls tail ---------------------------------------------------------------

TEST_F(StreamTest, TailAsksOnceForAllWebhooks) {
  serve();
  for (int i = 0; i < 60; ++i)
    add_webhook("acme", {.url = sink_.url()});
  child_process process{tail({}, running().port())};
  const auto requests = [&] {
    std::map<std::string, std::string> out;
    const auto page = api().get("/metrics").body;
    for (std::size_t at = 0; at < page.size();) {
      const auto end = page.find('\n', at);
      const auto line = page.substr(at, end - at);
      at = end + 1;
      if (line.starts_with("fanfare_api_requests_total{"))
        for (const std::string what : {"/calls/", "/stream/"})
          if (const auto value = line.substr(line.rfind(' ') + 1);
              value != "0" && line.find(what) != std::string::npos)
            out[what] += value;
    }
    return out;
  };
  ASSERT_TRUE(
    eventually(patience, [&] { return requests()["/stream/"] == "1"; }));
  const auto id = publish();
  for (int i = 0; i < 60; ++i)
    ASSERT_TRUE(
      process.wait_for_line("\"id\":" + std::to_string(i + 1) + ",", patience))
      << i;
  EXPECT_EQ(requests(),
            (std::map<std::string, std::string>{{"/stream/", "1"}}));
  for (const auto& line : process.lines())
    EXPECT_EQ(number_of(json::parse(line), "notification_id"), id);
}

TEST_F(StreamTest, TailConnectsAgainWithoutAGap) {
  serve();
  const auto hook = add_webhook("acme", {.url = sink_.url()});
  const auto port = running().port();
  child_process process{tail({"--interval", "50ms"}, port)};
  // Until it listens, it is told of nothing.
  ASSERT_TRUE(eventually(patience, [&] {
    publish();
    return !process.lines().empty();
  }));
  kill();
  ASSERT_TRUE(process.wait_for_line("trying again", patience,
                                    child_process::stream::err));
  {
    // Called while nobody is told.
    start();
    for (int i = 0; i < 20; ++i)
      publish();
    wait_for_calls("acme", hook, 21);
    kill();
  }
  child_process again{
    {.program = fanfare_program(),
     .args = {"serve", "--listen", "127.0.0.1:" + std::to_string(port),
              "--data", (dir_ / "data").string(), "--allow-network",
              "127.0.0.0/8"},
     .env = {{"FANFARE_ADMIN_TOKEN", server::admin_key}}}};
  ASSERT_TRUE(again.wait_for_line("listening on", patience));
  ASSERT_TRUE(process.wait_for_line("connected again", patience,
                                    child_process::stream::err));
  rest_client api{port, server::admin_key};
  const auto body = boost::json::object{
    {"action", order_placed}, {"event", "democon"}, {"code", "LAST"}};
  ASSERT_EQ(api.post(publish_path("acme"), body).status, 202U);
  ASSERT_TRUE(process.wait_for_line("LAST", patience));
  std::vector<std::uint64_t> shown;
  for (const auto& line : process.lines())
    shown.push_back(number_of(json::parse(line), "id"));
  ASSERT_GT(shown.size(), 21U);
  for (std::size_t i = 1; i < shown.size(); ++i)
    EXPECT_EQ(shown[i], shown[i - 1] + 1);
  again.signal(SIGTERM);
  EXPECT_TRUE(again.wait(patience));
}

TEST_F(StreamTest, TailSaysThatAServerIsTooOld) {
  const http_sink old{[](const request_record& asked) {
    return asked.target.find("/stream/") != std::string::npos
           ? response_plan::answer(404, "<h1>Not Found</h1>")
           : response_plan::answer(200, R"({"count": 0, "results": []})");
  }};
  child_process process{tail({}, old.port())};
  const auto ended = process.wait(patience);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, 5);
  EXPECT_THAT(process.lines(child_process::stream::err),
              ElementsAre(HasSubstr("older than this program")));
}

TEST_F(StreamTest, TailSaysThatThereIsNoSuchOrganizer) {
  serve();
  child_process process{tail({"--organizer", "none"}, running().port())};
  const auto ended = process.wait(patience);
  ASSERT_TRUE(ended);
  EXPECT_THAT(process.lines(child_process::stream::err),
              ElementsAre(AllOf(HasSubstr("no organizer"),
                                Not(HasSubstr("older than")))));
}

TEST_F(StreamTest, TailKnowsWhichWebhooksThereAre) {
  serve();
  child_process process{tail({"99"}, running().port())};
  const auto ended = process.wait(patience);
  ASSERT_TRUE(ended);
  EXPECT_EQ(ended->code, 5);
}

} // namespace

} // namespace fanfare::test
