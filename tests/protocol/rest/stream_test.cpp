// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// The stream of an organizer, turn by turn.

#include "protocol/rest/stream/message.hpp"
#include "protocol/rest/stream/stream_hub.hpp"
#include "tests/protocol/rest/rest_test.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <map>

namespace fanfare::test {
namespace {

using protocol::body_reader;
using protocol::rest::read_place;
using protocol::rest::stream_hub;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;
using namespace std::chrono_literals;

constexpr const char* stream_path = "/api/v1/organizers/dummy/stream/";

/// A message of a stream, or a place without one.
struct shown_message {
  std::string type;
  std::string id;
  std::string data;
};

std::vector<shown_message> messages_in(std::string_view text) {
  std::vector<shown_message> out;
  shown_message one;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.empty()) {
      if (!one.data.empty())
        out.push_back(one);
      one = {};
    } else if (line.starts_with("id: ")) {
      one.id = line.substr(4);
    } else if (line.starts_with("event: ")) {
      one.type = line.substr(7);
    } else if (line.starts_with("data: ")) {
      one.data = line.substr(6);
    } else {
      EXPECT_TRUE(line.starts_with(": ") || line == "retry: 2000") << line;
    }
  }
  return out;
}

/// "call 3", "notification 2", "webhook paused", "gap".
std::vector<std::string> names_in(std::string_view text) {
  std::vector<std::string> out;
  for (const auto& m : messages_in(text)) {
    const auto data = boost::json::parse(m.data).as_object();
    auto name = m.type;
    if (m.type == "call")
      name += ' ' + boost::json::serialize(data.at("id"));
    else if (m.type == "notification")
      name += ' ' + boost::json::serialize(data.at("notification_id"));
    else if (m.type == "webhook")
      name += ' ' + text_of(data.at("change"));
    out.push_back(std::move(name));
  }
  return out;
}

class StreamTest : public RestTest {
protected:
  StreamTest() {
    make_hook();
    make_hook();
  }

  struct client {
    std::shared_ptr<body_reader> from;
    bool ended = false;
  };

  client open(const std::string& query = {}, headers more = {},
              std::string_view key = "boss") {
    auto answer = ask("GET", stream_path + query, {}, key, std::move(more));
    EXPECT_EQ(answer.status, 200) << answer.body;
    EXPECT_TRUE(answer.blocking);
    return {.from = std::move(answer.stream)};
  }

  void turn(std::chrono::milliseconds later = {}) {
    now_ += later;
    api.streams().turn(now_);
  }

  /// All that a client gets until there is no more, within a second.
  std::string read(client& by) {
    std::string out;
    for (int quiet = 0; quiet < 3;) {
      std::string piece;
      switch (by.from->read(piece, [] {})) {
        case body_reader::found::bytes:
          out += piece;
          quiet = 0;
          break;
        case body_reader::found::nothing:
          ++quiet;
          turn(stream_hub::pace);
          break;
        case body_reader::found::end:
        case body_reader::found::broken: by.ended = true; return out;
      }
    }
    return out;
  }

  position publish(std::string body = R"({"a":1})",
                   const std::string& action = "pretix.event.order.placed",
                   event_id event = 0) {
    auto n = std::make_shared<notification>();
    n->id = service.journal.size() + 1;
    n->owner = owner;
    n->action = action;
    n->event = event;
    n->body = std::move(body);
    n->published = timestamp{1s * n->id};
    service.journal.push_back(std::move(n));
    service.tell_followers(owner);
    return service.journal.size();
  }

  call_id log(position subject, outcome result = outcome::delivered,
              webhook_id hook = 1) {
    call c;
    c.id = service.log.size() + 1;
    c.hook = hook;
    c.subject = subject;
    c.result = result;
    c.status = 200;
    c.time = timestamp{1s * c.id};
    c.response_body = "the answer";
    service.log.push_back(c);
    service.tell_followers(owner);
    return c.id;
  }

  void change(webhook_change::kind what, webhook_id hook = 1) {
    service.changes.push_back({.number = service.changes.size() + 1,
                               .owner = owner,
                               .hook = hook,
                               .what = what,
                               .time = timestamp{1s},
                               .sentence = "was told"});
    service.tell_followers(owner);
  }

  stream_hub::time_point now_{1h};
};

TEST_F(StreamTest, PlacesAreTexts) {
  const feed_place place{
    .call = 1207, .notification = 88, .run = 0x18f2c, .change = 3};
  EXPECT_EQ(protocol::rest::to_text(place), "1207.88.3.18f2c");
  EXPECT_EQ(read_place("1207.88.3.18f2c"), place);
  for (const auto* wrong : {"", "1", "1.2.3", "1.2.3.4.5", "1.2.3.", ".1.2.3",
                            "a.2.3.4", "-1.2.3.4", "1.2.3.4 ", "1,2,3,4",
                            "99999999999999999999.1.1.1", "1.2.3.g"})
    EXPECT_EQ(read_place(wrong), std::nullopt) << wrong;
}

TEST_F(StreamTest, BeginsWithAPlaceAndShowsWhatHappensFromThenOn) {
  log(publish());
  const auto answer = ask("GET", stream_path, {}, "boss");
  EXPECT_EQ(answer.header("Content-Type"), "text/event-stream; charset=utf-8");
  EXPECT_EQ(answer.header("Cache-Control"), "no-store");
  EXPECT_EQ(answer.header("X-Accel-Buffering"), "no");
  client one{.from = answer.stream};
  EXPECT_EQ(one.from->size(), std::nullopt);
  EXPECT_EQ(read(one), "retry: 2000\nid: 1.1.0.7\n\n");
  log(publish());
  change(webhook_change::kind::paused);
  const auto text = read(one);
  EXPECT_THAT(names_in(text),
              ElementsAre("notification 2", "call 2", "webhook paused"));
  EXPECT_TRUE(text.starts_with(
    "id: 1.2.0.7\nevent: notification\n"
    R"(data: {"notification_id":2,"datetime":"1970-01-01T00:00:02.000Z",)"
    R"("event":null,"action_type":"pretix.event.order.placed",)"
    R"("payload":"{\"a\":1}"})"
    "\n\nid: 2.2.0.7\nevent: call\n"
    R"(data: {"webhook_id":1,"id":2,"notification_id":2,)"))
    << text;
  EXPECT_TRUE(text.ends_with(
    "id: 2.2.1.7\nevent: webhook\n"
    R"(data: {"webhook_id":1,"datetime":"1970-01-01T00:00:01.000Z",)"
    R"("target_url":"","change":"paused","trouble":null,)"
    R"("detail":"was told"})"
    "\n\n"))
    << text;
  EXPECT_THAT(text, Not(HasSubstr("response_body")));
}

TEST_F(StreamTest, GoesOnAfterAnyMessageWithoutAGap) {
  auto whole = open();
  (void)read(whole);
  for (int i = 0; i < 300; ++i) {
    log(publish());
    if (i % 7 == 0)
      change(webhook_change::kind::changed);
  }
  const auto all = messages_in(read(whole));
  ASSERT_THAT(all, SizeIs(600 + 43));
  for (std::size_t i = 0; i < all.size(); i += 37) {
    auto rest = open("", {{"last-event-id", all[i].id}});
    auto found = messages_in(read(rest));
    // What follows, in whatever pages: by kind, since pages begin elsewhere.
    std::map<std::string, std::vector<std::string>> expected;
    std::map<std::string, std::vector<std::string>> got;
    for (auto j = i + 1; j < all.size(); ++j)
      expected[all[j].type].push_back(all[j].data);
    for (const auto& m : found)
      got[m.type].push_back(m.data);
    EXPECT_EQ(got, expected) << all[i].id;
  }
}

TEST_F(StreamTest, TakesThePlaceFromTheAddressToo) {
  log(publish());
  auto one = open("?last_event_id=0.1.0.7");
  EXPECT_THAT(names_in(read(one)), ElementsAre("call 1"));
  // What a client sends that was cut off is newer.
  auto two = open("?last_event_id=0.1.0.7", {{"last-event-id", "1.1.0.7"}});
  EXPECT_THAT(names_in(read(two)), IsEmpty());
}

TEST_F(StreamTest, BeginsInThePast) {
  for (int i = 0; i < 5; ++i)
    log(publish());
  auto one = open("?since=1970-01-01T00:00:04Z");
  EXPECT_THAT(
    names_in(read(one)),
    ElementsAre("notification 4", "notification 5", "call 4", "call 5"));
}

TEST_F(StreamTest, ShowsWhatIsAskedFor) {
  const std::pair<std::string, std::vector<std::string>> cases[] = {
    {"types=call", {"call 1", "call 2", "call 3"}},
    {"types=notification",
     {"notification 1", "notification 2", "notification 3"}},
    {"types=webhook", {"webhook paused", "webhook resumed"}},
    {"types=call,webhook&webhook=2", {"call 2", "webhook resumed"}},
    {"types=call&types=webhook&webhook=1&webhook=2&success=false",
     {"call 2", "webhook paused", "webhook resumed"}},
    {"types=call&success=true", {"call 1", "call 3"}},
    {"types=call&event=second", {"call 3"}},
    {"types=notification&event=second", {"notification 3"}},
    {"types=call&action=pretix.event.order.paid", {"call 2"}},
    {"types=notification&action=pretix.event.order.*",
     {"notification 1", "notification 2", "notification 3"}},
    {"types=call&action_type=pretix.event.order.canceled", {}},
  };
  std::vector<client> clients;
  for (const auto& [query, expected] : cases) {
    publish(); // of an earlier time
    clients.clear();
    service.log.clear();
    service.journal.clear();
    service.changes.clear();
    auto one = open("?" + query);
    (void)read(one);
    log(publish());
    log(publish("{}", "pretix.event.order.paid"), outcome::retried, 2);
    log(publish("{}", "pretix.event.order.placed", 2));
    change(webhook_change::kind::paused);
    change(webhook_change::kind::resumed, 2);
    EXPECT_EQ(names_in(read(one)), expected) << query;
  }
}

TEST_F(StreamTest, ShowsPayloadsThatAreAskedFor) {
  const std::string large(70'000, 'x');
  const auto shown = [&](const std::string& query) {
    auto one = open(query);
    (void)read(one);
    log(publish());
    log(publish(large));
    std::map<std::string, boost::json::object> out;
    for (const auto& m : messages_in(read(one)))
      out[m.type + std::to_string(out.size())] = boost::json::parse(m.data)
                                                   .as_object();
    return out;
  };
  auto found = shown("?payload=true");
  EXPECT_EQ(found.at("notification0").at("payload"), R"({"a":1})");
  EXPECT_TRUE(found.at("notification1").at("payload").is_null());
  EXPECT_EQ(found.at("notification1").at("payload_omitted"), true);
  EXPECT_EQ(found.at("call2").at("payload"), R"({"a":1})");
  EXPECT_EQ(found.at("call2").at("response_body"), "the answer");
  EXPECT_TRUE(found.at("call3").at("payload").is_null());
  found = shown("?payload=false");
  EXPECT_FALSE(found.at("notification0").contains("payload"));
  EXPECT_FALSE(found.at("call2").contains("payload"));
  EXPECT_FALSE(found.at("call2").contains("response_headers"));
}

TEST_F(StreamTest, RefusesWhatItDoesNotKnow) {
  const std::pair<std::string, std::string> cases[] = {
    {"?typo=1", "There is no such parameter."},
    {"?types=calls", "Must be some of call, notification, webhook"},
    {"?webhook=x", "Must be the number of a webhook."},
    {"?webhook=99", "There is no webhook 99."},
    {"?event=none", "There is no event of that slug."},
    {"?action=none", "There is no action type of that name."},
    {"?success=maybe", "Must be true or false."},
    {"?payload=maybe", "Must be true or false."},
    {"?since=yesterday", "Enter a time with its zone"},
    {"?last_event_id=x", "Must be the id of a message of this stream"}};
  for (const auto& [query, sentence] : cases) {
    const auto answer = ask("GET", stream_path + query, {}, "boss");
    EXPECT_EQ(answer.status, 400) << query;
    EXPECT_THAT(answer.body, HasSubstr(sentence));
    EXPECT_EQ(answer.stream, nullptr);
  }
  const auto answer = ask("GET", stream_path, {}, "boss",
                          {{"last-event-id", "17"}});
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, HasSubstr("Last-Event-ID"));
  EXPECT_EQ(api.streams().size(), 0U);
}

TEST_F(StreamTest, IsAskedForByItsMediaType) {
  EXPECT_EQ(get(stream_path, {{"accept", "application/json"}}).status, 406);
  for (const auto* accept :
       {"text/event-stream", "text/*", "*/*", "text/html, text/event-stream"})
    EXPECT_EQ(get(stream_path, {{"accept", accept}}).status, 200) << accept;
}

TEST_F(StreamTest, HasAHeadAndNoMore) {
  const auto answer = ask("HEAD", stream_path);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.stream, nullptr);
  EXPECT_EQ(api.streams().size(), 0U);
}

TEST_F(StreamTest, ShowsCallsAndWebhooksToWhoMaySeeThem) {
  auto one = open("", {}, "publisher");
  (void)read(one);
  log(publish());
  change(webhook_change::kind::paused);
  EXPECT_THAT(names_in(read(one)), ElementsAre("notification 1"));
  const auto refused = ask("GET", std::string{stream_path} + "?types=call", {},
                           "publisher");
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, HasSubstr("permission webhooks"));
  EXPECT_EQ(ask("GET", stream_path, {}, "theirs").status, 403);
  EXPECT_EQ(ask("GET", stream_path, {}, "").status, 401);
}

TEST_F(StreamTest, SaysThatItIsThereAndWhere) {
  auto one = open("?types=call&success=false");
  (void)read(one);
  log(publish()); // which it does not show
  EXPECT_EQ(read(one), "");
  turn(stream_hub::heartbeat - 2s);
  EXPECT_EQ(read(one), "");
  turn(2s);
  EXPECT_EQ(read(one), ": heartbeat\nid: 1.1.0.7\n\n");
  EXPECT_EQ(read(one), "");
}

TEST_F(StreamTest, EndsWhenItsTokenIsRevoked) {
  const auto token = service.add_token(owner, "mine", permission_webhooks);
  auto one = open("", {}, token->key);
  (void)read(one);
  EXPECT_FALSE(one.ended);
  ASSERT_TRUE(service.revoke_token(owner, token->value.id));
  turn(stream_hub::check);
  (void)read(one);
  EXPECT_TRUE(one.ended);
  EXPECT_EQ(api.streams().size(), 0U);
}

TEST_F(StreamTest, ThereAreNotTooMany) {
  std::vector<client> all(4);
  for (auto& one : all)
    one = open();
  const auto refused = ask("GET", stream_path, {}, "boss");
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.body, HasSubstr("The organizer has 4 open streams"));
  EXPECT_EQ(refused.header("Retry-After"), "10");
  const std::string theirs = "/api/v1/organizers/other/stream/";
  auto fifth = ask("GET", theirs, {}, "theirs");
  EXPECT_EQ(fifth.status, 200);
  const auto full = ask("GET", theirs, {}, "theirs");
  EXPECT_EQ(full.status, 503);
  EXPECT_THAT(full.body, HasSubstr("The server has 5 open streams"));
  all.pop_back(); // its client has gone
  turn();
  EXPECT_EQ(ask("GET", theirs, {}, "theirs").status, 200);
}

TEST_F(StreamTest, ThatShowTheSameShareWhatIsRead) {
  std::vector<client> all;
  for (int i = 0; i < 4; ++i) {
    all.push_back(open("?types=call"));
    (void)read(all.back());
  }
  for (auto& one : all)
    (void)read(one);
  log(publish());
  const auto before = service.feed_reads;
  std::string piece;
  for (auto& one : all)
    (void)one.from->read(piece, [] {});
  turn(stream_hub::pace);
  EXPECT_EQ(service.feed_reads, before + 1);
  for (auto& one : all)
    EXPECT_THAT(names_in(read(one)), ElementsAre("call 1"));
}

TEST_F(StreamTest, AClientThatTakesNothingGetsAPageAtATime) {
  auto one = open("?types=call");
  (void)read(one);
  for (int i = 0; i < 5'000; ++i)
    log(1);
  std::string piece;
  ASSERT_EQ(one.from->read(piece, [] {}), body_reader::found::nothing);
  const auto before = service.feed_reads;
  for (int i = 0; i < 100; ++i)
    turn(stream_hub::pace);
  EXPECT_EQ(service.feed_reads, before + 1);
  // It gets the rest when it does.
  EXPECT_THAT(names_in(read(one)), SizeIs(5'000));
}

TEST_F(StreamTest, APageOfLargePayloadsIsCut) {
  auto one = open("?payload=true");
  (void)read(one);
  const auto what = publish(std::string(60'000, '\n')); // each is two
  for (int i = 0; i < 40; ++i)
    log(what);
  change(webhook_change::kind::paused);
  turn(stream_hub::pace);
  std::string page;
  ASSERT_EQ(one.from->read(page, [] {}), body_reader::found::bytes);
  EXPECT_LT(page.size(), 1U << 20);
  // Whoever goes on after it misses nothing, and gets nothing twice.
  const auto all = messages_in(page + read(one));
  std::map<std::string, int> seen;
  for (const auto& name : names_in(page))
    ++seen[name];
  auto other = open("?payload=true",
                    {{"last-event-id", messages_in(page).back().id}});
  for (const auto& name : names_in(read(other)))
    ++seen[name];
  EXPECT_THAT(seen, SizeIs(1 + 40 + 1));
  EXPECT_THAT(all, SizeIs(1 + 40 + 1));
  for (const auto& [name, times] : seen)
    EXPECT_EQ(times, 1) << name;
}

TEST_F(StreamTest, TellsWhenPartOfThePastIsGone) {
  for (int i = 0; i < 5; ++i)
    log(publish());
  service.oldest_call = 4;
  auto one = open("", {{"last-event-id", "1.5.0.7"}});
  const auto text = read(one);
  EXPECT_THAT(names_in(text), ElementsAre("gap", "call 4", "call 5"));
  const auto gap = boost::json::parse(messages_in(text).front().data);
  EXPECT_EQ(gap.at("lost"), boost::json::array{"call"});
  EXPECT_THAT(text_of(gap.at("detail")), HasSubstr("is not kept any more"));
  // Which holds until it has all that is left.
  EXPECT_EQ(messages_in(text).front().id, "");
}

TEST_F(StreamTest, TellsWhatIsInTroubleInPlaceOfChangesThatAreGone) {
  service.run = 8;
  service.changes.push_back({.owner = owner,
                             .hook = 2,
                             .what = webhook_change::kind::troubled,
                             .trouble = troubled_webhook::trouble::failing});
  auto one = open("", {{"last-event-id", "0.0.3.7"}});
  const auto all = messages_in(read(one));
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(boost::json::parse(all[0].data).at("lost"),
            boost::json::array{"webhook"});
  const auto shown = boost::json::parse(all[1].data);
  EXPECT_EQ(shown.at("change"), "troubled");
  EXPECT_EQ(shown.at("trouble"), "failing");
  EXPECT_TRUE(shown.at("datetime").is_null());
  EXPECT_EQ(all[1].id, "0.0.3.7"); // whoever ends here gets it again
}

TEST_F(StreamTest, NobodyFollowsWhenAllHaveGone) {
  {
    auto one = open();
    auto two = open();
    (void)read(one);
    (void)read(two);
    EXPECT_EQ(service.followers.size(), 1U);
  }
  turn();
  EXPECT_TRUE(service.followers.empty());
  EXPECT_EQ(api.streams().size(), 0U);
  // Nothing is left to do.
  EXPECT_EQ(api.streams().turn(now_), stream_hub::time_point::max());
}

TEST_F(StreamTest, EndsWhenTheFeedCannotBeRead) {
  auto one = open();
  (void)read(one);
  service.feed_error = error{ec::io_error, "the disk is gone"};
  log(publish());
  EXPECT_THAT(read(one), HasSubstr(": ends: the disk is gone"));
  EXPECT_TRUE(one.ended);
}

} // namespace
} // namespace fanfare::test
