// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What the engine's interface takes and refuses. How it delivers is shown by
// the tests of the actors and by those with real processes.

#include "fanfare/engine.hpp"

#include "engine/rest_service.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

namespace fanfare {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::string
  traced = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

class EngineTest : public testing::Test {
protected:
  void start(engine_options options = {}) {
    engine_.reset();
    options.data = folder_.path() / "data";
    options.threads = 1;
    auto started = engine::start(std::move(options));
    ASSERT_TRUE(started) << started.error().detail;
    engine_ = *std::move(started);
    owner_ = engine_->ensure_organizer("shop").value().id;
    engine_->ensure_action_type("shop.order.*").value();
  }

  void SetUp() override {
    start();
  }

  /// What only the REST server sees.
  [[nodiscard]] std::unique_ptr<protocol::rest::service> rest() {
    return make_rest_service(*engine_);
  }

  [[nodiscard]] webhook hook() const {
    webhook made;
    made.target_url = "https://example.com/hook";
    made.action_types = {"shop.order.*"};
    made.enabled = false; // nothing is to be sent
    return made;
  }

  /// The field at fault.
  std::string refused(const webhook& wanted) {
    const auto added = engine_->add_webhook(owner_, wanted);
    if (added)
      return "";
    EXPECT_EQ(added.error().code, ec::invalid_argument);
    EXPECT_FALSE(added.error().detail.empty());
    return added.error().field;
  }

  /// All bytes of the data directory.
  std::string on_disk() {
    std::string all;
    for (const auto& file :
         std::filesystem::recursive_directory_iterator{folder_.path()})
      if (file.is_regular_file()) {
        std::ifstream in{file.path(), std::ios::binary};
        all.append(std::istreambuf_iterator<char>{in}, {});
      }
    return all;
  }

  test::temp_dir folder_;
  std::unique_ptr<engine> engine_;
  organizer_id owner_ = 0;
};

// -- registry -----------------------------------------------------------------

TEST_F(EngineTest, GivesBackTheWebhookThatItWasGiven) {
  engine_->add_event(owner_, "autumn", "Autumn").value();
  auto wanted = hook();
  wanted.all_events = false;
  wanted.events = {"autumn"};
  wanted.filter = R"({"total": {"$gt": 10}})";
  wanted.comment = "orders";
  wanted.delivery.max_in_flight = 3;
  wanted.delivery.headers = {{"X-Key", "k"}};
  const auto added = engine_->add_webhook(owner_, wanted).value();
  EXPECT_NE(added.id, 0U);
  EXPECT_EQ(added.owner, owner_);
  EXPECT_EQ(engine_->find_webhook(owner_, added.id).value(), added);
  EXPECT_THAT(engine_->webhooks(owner_).value(), ElementsAre(added));
  EXPECT_EQ(added.target_url, wanted.target_url);
  EXPECT_EQ(added.action_types, wanted.action_types);
  EXPECT_EQ(added.events, wanted.events);
  EXPECT_FALSE(added.all_events);
  EXPECT_FALSE(added.enabled);
  EXPECT_EQ(added.comment, wanted.comment);
  EXPECT_EQ(added.delivery.max_in_flight, 3U);
  EXPECT_THAT(added.filter, HasSubstr("$gt"));
  EXPECT_EQ(engine_->reveal(added.delivery.headers[0].value).value(), "k");
}

TEST_F(EngineTest, RefusesAWebhookThatCannotBe) {
  const auto with = [this](auto set) {
    auto wanted = hook();
    set(wanted);
    return refused(wanted);
  };
  EXPECT_EQ(with([](auto&) {}), "");
  EXPECT_EQ(with([](auto& w) { w.target_url = ""; }), "target_url");
  EXPECT_EQ(with([](auto& w) { w.target_url = "ftp://a.example"; }),
            "target_url");
  EXPECT_EQ(with([](auto& w) {
              w.target_url = "https://a.example/" + std::string(1'100, 'x');
            }),
            "target_url");
  EXPECT_EQ(with([](auto& w) { w.action_types = {"shop.cart"}; }),
            "action_types");
  EXPECT_EQ(with([](auto& w) { w.events = {"autumn"}; }), "events");
  EXPECT_EQ(with([](auto& w) {
              w.all_events = false;
              w.events = {"unknown"};
            }),
            "events");
  EXPECT_EQ(with([](auto& w) { w.filter = "{"; }), "filter");
  EXPECT_EQ(with([](auto& w) { w.filter = R"({"a": {"$no": 1}})"; }), "filter");
  EXPECT_EQ(with([](auto& w) { w.comment = std::string(256, 'x'); }),
            "comment");
  EXPECT_EQ(with([](auto& w) { w.comment = "\xFF"; }), "comment");
  EXPECT_EQ(with([](auto& w) { w.comment = std::string(1, '\0'); }), "comment");
  EXPECT_EQ(with([](auto& w) {
              w.target_url = std::string("https://a.example/\0", 19);
            }),
            "target_url");
  EXPECT_EQ(with([](auto& w) { w.delivery.max_in_flight = 65; }),
            "delivery.max_in_flight");
  EXPECT_EQ(with([](auto& w) {
              w.delivery.signing = static_cast<signing_algorithm>(77);
            }),
            "delivery.signing");
  EXPECT_EQ(with([](auto& w) {
              w.delivery.legacy = legacy_signature{.header = "X-Sign"};
              w.delivery.legacy->digest = static_cast<legacy_signature::hash>(
                99);
            }),
            "delivery.signing");
  EXPECT_EQ(with([](auto& w) {
              w.delivery.legacy = legacy_signature{.header = "X-Sign"};
              w.delivery.legacy->text = static_cast<legacy_signature::encoding>(
                99);
            }),
            "delivery.signing");
  EXPECT_EQ(engine_->count_webhooks(owner_).value(), 1U) << "only the good one";
}

TEST_F(EngineTest, ChangesAWebhookAsAWholeOrNotAtAll) {
  const auto added = engine_->add_webhook(owner_, hook()).value();
  const auto changed = engine_->change_webhook(owner_, added.id,
                                               [](webhook& w) -> result<void> {
                                                 w.comment = "new";
                                                 w.delivery.ordered = true;
                                                 w.id = 99;
                                                 w.owner = 99;
                                                 return {};
                                               });
  ASSERT_TRUE(changed) << changed.error().detail;
  EXPECT_EQ(changed->id, added.id);
  EXPECT_EQ(changed->owner, owner_);
  EXPECT_EQ(changed->comment, "new");
  EXPECT_TRUE(changed->delivery.ordered);

  const auto refused = engine_->change_webhook(owner_, added.id,
                                               [](webhook& w) -> result<void> {
                                                 w.comment = "newer";
                                                 w.target_url = "no URL";
                                                 return {};
                                               });
  EXPECT_EQ(refused.error().field, "target_url");
  const auto given_up = engine_->change_webhook(
    owner_, added.id, [](webhook& w) -> result<void> {
      w.comment = "newest";
      return error{ec::conflict, "Not now."};
    });
  EXPECT_EQ(given_up.error(), (error{ec::conflict, "Not now."}));
  EXPECT_EQ(engine_->find_webhook(owner_, added.id).value(), *changed);
  EXPECT_EQ(engine_->change_webhook(owner_ + 1, added.id, {}).error().code,
            ec::not_found);
}

TEST_F(EngineTest, KeepsSecretsSealedOnDiskAndWhenTheyAreHandedBack) {
  start({.secrets = {.keys = std::string(64, 'a')}});
  auto wanted = hook();
  wanted.delivery.headers = {{"X-Key", "opensesame"}};
  wanted.delivery.proxy = "http://user:opensesame@proxy.example:3128";
  const auto added = engine_->add_webhook(owner_, wanted).value();
  EXPECT_TRUE(added.delivery.headers[0].value.is_sealed());
  engine_
    ->change_webhook(owner_, added.id,
                     [&](webhook& w) -> result<void> {
                       w = added;
                       w.comment = "handed back";
                       return {};
                     })
    .value();
  const auto found = engine_->find_webhook(owner_, added.id).value();
  EXPECT_EQ(found.delivery, added.delivery);
  EXPECT_EQ(engine_->reveal(found.delivery.headers[0].value).value(),
            "opensesame");
  EXPECT_EQ(engine_->reveal(secret_text{"plain"}).value(), "plain");
  engine_->stop(1s);
  EXPECT_THAT(on_disk(), Not(HasSubstr("opensesame")));

  engine_.reset();
  const auto without = engine::start({.data = folder_.path() / "data"});
  EXPECT_FALSE(without) << "the signing secret cannot be read without the key";
}

TEST_F(EngineTest, ChecksWhatNamesThings) {
  EXPECT_EQ(engine_->add_organizer("no slug", "x").error().field, "slug");
  EXPECT_EQ(engine_->add_organizer("ok", "").error().field, "name");
  EXPECT_EQ(engine_->add_organizer("shop", "x").error().code,
            ec::already_exists);
  EXPECT_EQ(engine_->add_event(owner_, "", "x").error().field, "slug");
  EXPECT_EQ(engine_->ensure_organizer("shop").value().id, owner_);
  EXPECT_EQ(engine_->ensure_action_type("shop.order.*").value().id,
            engine_->find_action_type("shop.order.*")->id);
  EXPECT_EQ(engine_->ensure_action_type("fanfare.mine").error().code,
            ec::invalid_argument);
  EXPECT_EQ(engine_->ensure_organizer("/").error().field, "slug");
  for (const auto& name : {std::string{}, std::string(201, 'x'),
                           std::string{"\xC3"}, std::string("a\0b", 3)}) {
    EXPECT_EQ(engine_->add_organizer("ok", name).error().field, "name");
    EXPECT_EQ(engine_->add_event(owner_, "ok", name).error().field, "name");
    EXPECT_EQ(rest()->add_token(owner_, name, 1).error().field, "name");
    EXPECT_EQ(engine_
                ->change_organizer(owner_,
                                   [&](organizer& o) -> result<void> {
                                     o.name = name;
                                     return {};
                                   })
                .error()
                .field,
              "name");
  }
  for (const auto bits : std::initializer_list<std::uint8_t>{0, 32, 255})
    EXPECT_EQ(rest()->add_token(owner_, "ok", bits).error().field,
              "permissions");
}

TEST_F(EngineTest, NothingIsMadeForAnOrganizerThatDoesNotExist) {
  // Its id would be the next one's.
  const organizer_id next = owner_ + 1;
  const auto code = [](const auto& made) { return made.error().code; };
  EXPECT_EQ(code(engine_->add_event(next, "autumn", "Autumn")), ec::not_found);
  EXPECT_EQ(code(rest()->add_token(next, "key", permission_admin)),
            ec::not_found);
  EXPECT_EQ(code(engine_->add_webhook(next, hook())), ec::not_found);
  EXPECT_EQ(code(engine_->publish(next, {.action = "shop.order.placed"})),
            ec::not_found);
  EXPECT_EQ(
    code(engine_->publish(next, {.action = "shop.order.placed", .rest = "}"})),
    ec::not_found);
  ASSERT_EQ(engine_->ensure_organizer("second").value().id, next);
  EXPECT_THAT(rest()->tokens(next), ElementsAre());
  EXPECT_THAT(engine_->events(next), ElementsAre());
  EXPECT_EQ(engine_->count_webhooks(next).value(), 0U);
}

TEST_F(EngineTest, KeepsOnlyNetworksThatItCanRead) {
  const auto set = [this](std::vector<std::string> allow,
                          std::vector<std::string> deny) {
    const auto changed = engine_->change_organizer(
      owner_, [&](organizer& o) -> result<void> {
        o.allow_networks = allow;
        o.deny_networks = deny;
        return {};
      });
    return changed ? "" : changed.error().field;
  };
  EXPECT_EQ(set({"nonsense"}, {}), "allow_networks");
  EXPECT_EQ(set({}, {"127.0.0.0/8", "oops"}), "deny_networks");
  EXPECT_EQ(set({"10.0.0.0/8"}, {"::1"}), "");
  start();
  EXPECT_THAT(engine_->find_organizer("shop")->allow_networks,
              ElementsAre("10.0.0.0/8"));
}

TEST_F(EngineTest, RefusesAReplayOrARotationThatCannotBe) {
  const auto id = engine_->add_webhook(owner_, hook()).value().id;
  const auto field = [&](replay_request asked) {
    const auto shown = engine_->preview_replay(owner_, id, asked);
    EXPECT_EQ(engine_->start_replay(owner_, id, asked).error().field,
              shown ? "" : shown.error().field);
    return shown ? "" : shown.error().field;
  };
  const auto at = [](int seconds) {
    return timestamp{std::chrono::seconds{seconds}};
  };
  EXPECT_EQ(field({.since = at(2), .until = at(2)}), "until");
  for (const double rate :
       {-1.0, 1e-300, 1e300, std::numeric_limits<double>::infinity(),
        std::numeric_limits<double>::quiet_NaN()})
    EXPECT_EQ(field({.since = at(1), .until = at(2), .rate = rate}), "rate");
  EXPECT_EQ(field({.since = at(1), .until = at(2), .rate = 1}), "")
    << "but for the webhook, which is disabled";
  EXPECT_EQ(engine_->rotate_secret(owner_, id, {.overlap = -1ms}).error().field,
            "overlap");
  EXPECT_EQ(
    engine_
      ->rotate_secret(owner_, id, {.overlap = std::chrono::milliseconds::max()})
      .error()
      .field,
    "overlap");
}

TEST_F(EngineTest, ChangesOptionsWhileItRunsAllOrNothing) {
  const auto period = [this] { return engine_->status().retention.period; };
  const auto refused = [this](engine_options wanted) {
    wanted.store.retention = 1h;
    const auto changed = engine_->change_options(wanted);
    EXPECT_FALSE(changed);
    return changed ? std::string{} : changed.error().field;
  };
  const auto before = period();
  EXPECT_EQ(refused({.network = {.allow = {"10.0.0.1/8"}}}), "network.allow");
  EXPECT_EQ(refused({.network = {.deny = {"10.0.0.1/8"}}}), "network.deny");
  EXPECT_EQ(refused({.retries = {.max_age = 0ms}}), "retries.max_age");
  EXPECT_EQ(refused({.concurrency = {.max_in_flight = 0}}),
            "concurrency.max_in_flight");
  EXPECT_EQ(refused({.timeouts = {.first_byte = 120s}}), "timeouts.first_byte");
  EXPECT_EQ(period(), before);

  auto local = hook();
  local.target_url = "http://receiver/";
  EXPECT_EQ(engine_->add_webhook(owner_, local).error().field, "target_url");
  // What cannot change is not looked at.
  EXPECT_TRUE(engine_->change_options({.data = "",
                                       .threads = 9'999,
                                       .network = {.allow = {"10.0.0.0/8"}},
                                       .store = {.retention = 1h}}));
  EXPECT_EQ(period(), 1h);
  EXPECT_TRUE(engine_->add_webhook(owner_, local));
  EXPECT_TRUE(engine_->change_options({}));
  EXPECT_EQ(period(), before);
}

TEST_F(EngineTest, CanLeaveOutTheTypesOfPretix) {
  EXPECT_TRUE(engine_->find_action_type("pretix.event.added"));
  engine_.reset();
  std::filesystem::remove_all(folder_.path() / "data");
  start({.builtin_types = false});
  EXPECT_FALSE(engine_->find_action_type("pretix.event.added"));
  EXPECT_TRUE(engine_->find_action_type("fanfare.webhook.disabled"));
}

TEST_F(EngineTest, UnderstandsWildcardsAndShowsThemAsTheyAre) {
  auto made = hook();
  made.action_types = {"order.*", "*", "pretix.event.added", "order.line.*"};
  const auto stored = engine_->add_webhook(owner_, made).value();
  std::ranges::sort(made.action_types);
  EXPECT_EQ(stored.action_types, made.action_types);
  made.action_types = {"order.*", "ordr.created"};
  EXPECT_EQ(refused(made), "action_types");
  made.action_types = {"pretix.*"};
  EXPECT_EQ(refused(made), "action_types");
}

TEST_F(EngineTest, RefusesOptionsByTheirName) {
  const auto field = [this](engine_options options) {
    options.data = folder_.path() / "other";
    const auto started = engine::start(std::move(options));
    return started ? std::string{"none"} : started.error().field;
  };
  EXPECT_EQ(field({.threads = 257}), "threads");
  EXPECT_EQ(field({.network = {.allow = {"10"}}}), "network.allow");
  EXPECT_EQ(field({.network = {.deny = {"10"}}}), "network.deny");
  EXPECT_EQ(field({.network = {.dns_servers = {"one.example"}}}),
            "network.dns_servers");
  EXPECT_EQ(field({.network = {.proxy = "ftp://a.example"}}), "network.proxy");
  EXPECT_EQ(field({.network = {.proxy = "http://a.example:1",
                               .no_proxy = {"a.example:1"}}}),
            "network.no_proxy");
  EXPECT_EQ(field({.network = {.proxy = "socks5h://a.example:1"}}),
            "network.proxy");
  EXPECT_EQ(field({.network = {.deny = {"a.example:1"}}}), "network.deny");
  EXPECT_EQ(field({.network = {.no_proxy = {"a.example"}}}),
            "network.no_proxy");
  EXPECT_EQ(field({.network = {.ca_file = "/nonexistent"}}), "network.ca_file");
  EXPECT_EQ(field({.secrets = {.keys = "short"}}), "secrets.keys");
  EXPECT_EQ(field({.secrets = {.key_file = "/nonexistent"}}),
            "secrets.key_file");
  EXPECT_EQ(field({.secrets = {.keys = std::string(64, 'a'),
                               .key_file = "/nonexistent"}}),
            "secrets.key_file");
  constexpr auto ever = std::chrono::milliseconds::max();
  EXPECT_EQ(field({.retries = {.max_age = 0ms}}), "retries.max_age");
  EXPECT_EQ(field({.retries = {.max_age = ever}}), "retries.max_age");
  EXPECT_EQ(field({.retries = {.schedule = {ever}}}), "retries.schedule");
  EXPECT_EQ(field({.retries = {.schedule = {-1ms}}}), "retries.schedule");
  EXPECT_EQ(field({.retries = {.schedule = std::vector(101, 1ms)}}),
            "retries.schedule");
  EXPECT_EQ(field({.retries = {.breaker_pause = -1h}}),
            "retries.breaker_pause");
  EXPECT_EQ(field({.retries = {.disable_after = -1h}}),
            "retries.disable_after");
  EXPECT_EQ(field({.timeouts = {.total = ever}}), "timeouts.total");
  EXPECT_EQ(field({.timeouts = {.dns = 0ms}}), "timeouts.dns");
  EXPECT_EQ(field({.timeouts = {.first_byte = 120s}}), "timeouts.first_byte");
  EXPECT_EQ(field({.timeouts = {.connect = 11s, .total = 10s}}),
            "timeouts.connect");
  constexpr auto most = std::numeric_limits<std::size_t>::max();
  EXPECT_EQ(field({.concurrency = {.max_in_flight = 0}}),
            "concurrency.max_in_flight");
  EXPECT_EQ(field({.concurrency = {.max_per_destination = 0}}),
            "concurrency.max_per_destination");
  EXPECT_EQ(field({.concurrency = {.max_per_organizer = 0}}),
            "concurrency.max_per_organizer");
  EXPECT_EQ(field({.concurrency = {.window = most}}), "concurrency.window");
  EXPECT_EQ(field({.store = {.max_size = 0}}), "store.max_size");
  EXPECT_EQ(field({.store = {.max_size = most}}), "store.max_size");
  EXPECT_EQ(field({.store = {.max_size = (std::size_t{4} << 20) - 1}}),
            "store.max_size");
  EXPECT_EQ(field({.store = {.retention = 0ms}}), "store.retention");
  EXPECT_EQ(field({.store = {.checkpoint_interval = ever}}),
            "store.checkpoint_interval");
  EXPECT_EQ(field({.store = {.commit_linger = -1us}}), "store.commit_linger");
  EXPECT_EQ(field({.publish_patience = ever}), "publish_patience");
  EXPECT_EQ(field({.publish_patience = -1ms}), "publish_patience");
  EXPECT_EQ(engine::start({.data = ""}).error().field, "data");
  EXPECT_EQ(engine::start({.data = std::string("a\0b", 3)}).error().field,
            "data");
  EXPECT_FALSE(std::filesystem::exists(folder_.path() / "other"))
    << "nothing is half done";
}

// -- publishing ---------------------------------------------------------------

TEST_F(EngineTest, PublishesInEachWayOneOrMany) {
  const auto one = [] { return publication{.action = "shop.order.placed"}; };
  const auto two = [&] { return std::vector{one(), one()}; };
  EXPECT_EQ(engine_->publish(owner_, one()).value(), 1U);
  EXPECT_EQ(engine_->publish(owner_, {.action = "shop.order.placed"}).value(),
            2U)
    << "braces are one publication";
  EXPECT_THAT(engine_->publish(owner_, two()).value(), ElementsAre(3, 4));
  EXPECT_EQ(engine_->publish_later(owner_, one()).get().value(), 5U);
  EXPECT_THAT(engine_->publish_later(owner_, two()).get().value(),
              ElementsAre(6, 7));
  EXPECT_EQ(
    engine_->publish_later(owner_, {.action = "unknown"}).get().error().field,
    "action");
  std::promise<result<position>> told;
  EXPECT_TRUE(engine_->try_publish(
    owner_, one(), [&](const result<position>& id) { told.set_value(id); }));
  EXPECT_EQ(told.get_future().get().value(), 8U);
  std::promise<result<std::vector<position>>> all_told;
  EXPECT_TRUE(engine_->try_publish(
    owner_, two(), [&](const auto& ids) { all_told.set_value(ids); }));
  EXPECT_THAT(all_told.get_future().get().value(), ElementsAre(9, 10));
  EXPECT_EQ(engine_->publish_once(owner_, "one", one()).value(), 11U);
  EXPECT_THAT(engine_->publish_once(owner_, "two", two()).value(),
              ElementsAre(12, 13));
  EXPECT_EQ(engine_->statistics().tail, 13U);
  // Nobody wants to know.
  EXPECT_TRUE(engine_->try_publish(owner_, one(), {}));
  EXPECT_TRUE(engine_->try_publish(owner_, two(), {}));
  EXPECT_EQ(engine_->publish(owner_, one()).value(), 17U);
  const auto stored = engine_->find_notification(owner_, 1).value();
  EXPECT_EQ(
    stored->body,
    R"({"notification_id": 1, "organizer": "shop", "action": "shop.order.placed"})");
}

TEST_F(EngineTest, RefusesWhatCannotBePublished) {
  const auto refused = [this](publication one) {
    const auto id = engine_->publish(owner_, std::move(one));
    return id
           ? ""
           : std::string{to_string(id.error().code)} + ' ' + id.error().field;
  };
  EXPECT_EQ(refused({.action = "shop.order.placed"}), "");
  EXPECT_EQ(refused({.action = "shop.cart"}), "invalid_argument action");
  EXPECT_EQ(refused({.action = ""}), "invalid_argument action");
  for (const auto& name :
       {std::string{"shop.order.a b"}, std::string{"shop.order.\xff"},
        "shop.order." + std::string(10'000, 'x')}) {
    const auto why = engine_->publish(owner_, {.action = name}).error();
    EXPECT_EQ(why.field, "action");
    EXPECT_EQ(why.detail.find(name), std::string::npos)
      << "what cannot be a name is not repeated";
  }
  EXPECT_EQ(refused({.action = "fanfare.webhook.disabled"}),
            "invalid_argument action");
  EXPECT_EQ(refused({.action = "shop.order.placed", .event = "a b"}),
            "invalid_argument event");
  EXPECT_EQ(refused({.action = "shop.order.placed", .payload = "[1]"}),
            "invalid_argument payload");
  EXPECT_EQ(refused({.action = "shop.order.placed", .trace = traced}), "");
  EXPECT_EQ(refused({.action = "shop.order.placed", .trace = traced + "\na=1"}),
            "");
  for (const auto& trace :
       {std::string{"x\r\nEvil: yes"}, traced + "\na=1\r\nEvil: yes",
        traced + "\n", traced + "\n" + std::string(513, 'x'),
        std::string(10'000'000, 'x')})
    EXPECT_EQ(refused({.action = "shop.order.placed", .trace = trace}),
              "invalid_argument trace");
  EXPECT_EQ(refused({.action = "shop.order.placed",
                     .rest = ", \"a\": \"" + std::string(1 << 20, 'x')}),
            "too_large rest");
  EXPECT_EQ(
    refused({.action = "shop.order.placed",
             .payload = R"({"a":")" + std::string(1 << 20, 'x') + "\"}"}),
    "too_large ");
  EXPECT_EQ(
    engine_->publish(owner_ + 1, {.action = "shop.order.placed"}).error().field,
    "organizer");
  EXPECT_EQ(engine_->publish(owner_, std::vector<publication>{}).error().code,
            ec::invalid_argument);
  EXPECT_EQ(engine_
              ->publish(owner_, std::vector<publication>(
                                  1'001, {.action = "shop.order.placed"}))
              .error()
              .code,
            ec::invalid_argument);
}

TEST_F(EngineTest, EachOfAListSaysAndBelongsToItsOwn) {
  const auto paid = engine_->ensure_action_type("shop.order.paid").value().id;
  const auto any = engine_->ensure_action_type("shop.order.*").value().id;
  const std::vector<publication> items{
    {.action = "shop.order.placed", .event = "spring", .payload = R"({"a":1})"},
    {.action = "shop.order.placed", .event = "spring", .payload = R"({"b":2})"},
    {.action = "shop.order.placed"},
    {.action = "shop.order.paid", .payload = R"({"c":3})"},
    {.action = "shop.order.paid", .event = "autumn"},
    {.action = "shop.order.placed", .event = "autumn", .trace = traced},
    {.action = "shop.order.placed",
     .event = "spring",
     .payload = R"({"b":2})"}};
  // The second time both events are known.
  for (int round = 0; round < 2; ++round) {
    const auto ids = engine_->publish(owner_, items).value();
    ASSERT_EQ(ids.size(), items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
      const auto got = engine_->find_notification(owner_, ids[i]).value();
      const auto& sent = items[i];
      EXPECT_EQ(got->action, sent.action) << i;
      EXPECT_EQ(got->type, sent.action == "shop.order.paid" ? paid : any) << i;
      EXPECT_EQ(got->trace, sent.trace) << i;
      EXPECT_EQ(got->event,
                sent.event.empty()
                  ? 0
                  : engine_->find_event(owner_, sent.event).value().id)
        << i;
      // What the same says that is published alone.
      const auto alone = engine_
                           ->find_notification(
                             owner_, engine_->publish(owner_, sent).value())
                           .value();
      const auto behind_id = [](const std::string& body) {
        return body.substr(body.find(','));
      };
      EXPECT_EQ(behind_id(got->body), behind_id(alone->body)) << i;
    }
  }
}

TEST_F(EngineTest, AListIsPublishedAsAWholeOrNotAtAll) {
  std::vector<publication> items(3, {.action = "shop.order.placed",
                                     .event = "autumn",
                                     .payload = R"({"a": 1})",
                                     .trace = traced});
  items[2].payload = "no JSON";
  const auto before = items;
  bool called = false;
  std::function<void(result<std::vector<position>>)> done = [&](const auto&) {
    called = true;
  };
  const auto refused = engine_->try_publish(owner_, std::move(items),
                                            std::move(done));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().detail, StartsWith("items[2]: "));
  EXPECT_EQ(refused.error().field, "payload");
  EXPECT_FALSE(called);
  EXPECT_TRUE(done) << "is the caller's again";
  ASSERT_EQ(items.size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(items[i].action, before[i].action);
    EXPECT_EQ(items[i].event, before[i].event);
    EXPECT_EQ(items[i].payload, before[i].payload);
    EXPECT_EQ(items[i].trace, before[i].trace);
    EXPECT_EQ(items[i].rest, "");
  }
  EXPECT_EQ(engine_->statistics().tail, 0U);
  EXPECT_FALSE(engine_->find_event(owner_, "autumn"));
}

TEST_F(EngineTest, TooMuchAtOnceIsTooLargeAndNotMerelyTooMuchForNow) {
  std::vector<publication> items(
    100, {.action = "shop.order.placed",
          .payload = R"({"a":")" + std::string(1'000'000, 'x') + "\"}"});
  EXPECT_EQ(engine_->publish(owner_, std::move(items)).error().code,
            ec::too_large);
}

TEST_F(EngineTest, TheBodyMayBeRenderedByThePublisher) {
  const auto id = engine_
                    ->publish(owner_, {.action = "shop.order.placed",
                                       .rest = R"(, "mine": true})"})
                    .value();
  EXPECT_EQ(engine_->find_notification(owner_, id).value()->body,
            R"({"notification_id": 1, "mine": true})");
}

TEST_F(EngineTest, PublishesOnceUnderAKey) {
  const publication one{.action = "shop.order.placed"};
  const auto id = engine_->publish_once(owner_, "order 7", one).value();
  EXPECT_EQ(engine_->publish_once(owner_, "order 7", one).value(), id);
  const auto other = engine_->publish_once(owner_, "order 8", one).value();
  EXPECT_EQ(other, id + 1);
  start();
  EXPECT_EQ(engine_->publish_once(owner_, "order 7", one).value(), id)
    << "also after a restart";
  EXPECT_EQ(engine_->statistics().tail, other);
  const auto second = engine_->ensure_organizer("second").value().id;
  EXPECT_EQ(engine_->publish_once(second, "order 7", one).value(), other + 1)
    << "keys belong to an organizer";
  EXPECT_EQ(engine_->publish_once(owner_, "", one).error().field, "key");
  EXPECT_EQ(
    engine_->publish_once(owner_, std::string(28, 'x'), one).error().field,
    "key");
  EXPECT_TRUE(engine_->publish_once(owner_, std::string(27, 'x'), one));
  const std::vector<publication> list{one, one};
  const auto ids = engine_->publish_once(owner_, "order 10", list).value();
  EXPECT_EQ(ids.size(), 2U);
  EXPECT_EQ(engine_->publish_once(owner_, "order 10", list).value(), ids);
  EXPECT_EQ(engine_->publish_once(owner_, "order 10", one).error().code,
            ec::conflict)
    << "that is another publish";
  EXPECT_EQ(engine_
              ->publish_once(owner_, "order 7",
                             {.action = "shop.order.placed", .payload = "{}"})
              .error()
              .field,
            "key");
  EXPECT_EQ(
    engine_->publish_once(owner_, "order 9", {.action = "no"}).error().field,
    "action");
}

TEST_F(EngineTest, RespondsUntilItIsStopped) {
  EXPECT_TRUE(engine_->responds(20s));
  engine_->publish(owner_, {.action = "shop.order.placed"}).value();
  EXPECT_TRUE(engine_->responds(20s));
  engine_->stop(1s);
  EXPECT_FALSE(engine_->responds(0s));
}

TEST_F(EngineTest, EverythingIsRefusedOnceItIsStopped) {
  const auto added = engine_->add_webhook(owner_, hook()).value();
  engine_->publish(owner_, {.action = "shop.order.placed"}).value();
  engine_->stop(1s);
  engine_->stop(1s);
  EXPECT_EQ(
    engine_->publish(owner_, {.action = "shop.order.placed"}).error().code,
    ec::stopping);
  EXPECT_EQ(engine_->add_webhook(owner_, hook()).error().code, ec::stopping);
  EXPECT_EQ(engine_->ensure_organizer("other").error().code, ec::stopping);
  EXPECT_FALSE(engine_->ready());
  engine_->wake();
  // Queries still answer.
  EXPECT_EQ(engine_->find_webhook(owner_, added.id).value(), added);
  EXPECT_EQ(engine_->find_notification(owner_, 1).value()->id, 1U);
  EXPECT_EQ(engine_->statistics().tail, 1U);
  EXPECT_EQ(engine_->ensure_organizer("shop").value().id, owner_);
}

TEST_F(EngineTest, TakesTheLargestNotificationIntoTheSmallestStore) {
  start({.store = {.max_size = std::size_t{4} << 20}});
  const auto largest = R"({"x": ")" + std::string((1U << 20) - 200, 'x')
                     + "\"}";
  const auto done = engine_->publish(
    owner_, {.action = "shop.order.placed", .payload = largest});
  EXPECT_TRUE(done) << done.error().detail;
}

TEST_F(EngineTest, TellsTheOperatorOnceThatItsStoreIsFull) {
  std::mutex mutex;
  std::vector<std::string> logged;
  start({.store = {.max_size = std::size_t{16} << 20},
         .log = [&](log_level, const std::string& text) {
           const std::lock_guard guard{mutex};
           logged.push_back(text);
         }});
  const publication large{.action = "shop.order.placed",
                          .payload = R"({"x": ")" + std::string(500'000, 'x')
                                   + "\"}"};
  std::size_t refused = 0;
  for (int i = 0; i < 100 && refused < 3; ++i) {
    const auto done = engine_->publish(owner_, large);
    ASSERT_TRUE(done || done.error().code == ec::store_full);
    refused += done ? 0 : 1;
  }
  EXPECT_EQ(refused, 3U);
  engine_.reset(); // it writes to `logged`
  EXPECT_THAT(logged, testing::Contains(testing::StartsWith(
                                          "the store is full: publishes are "))
                        .Times(1));
}

TEST_F(EngineTest, OutlivesWhatItsProgramThrows) {
  std::mutex mutex;
  std::vector<std::string> logged;
  start({.log = [&](log_level, const std::string& text) {
    const std::lock_guard guard{mutex};
    logged.push_back(text);
  }});
  EXPECT_TRUE(engine_->try_publish(
    owner_, publication{.action = "shop.order.placed"},
    [](const auto&) { throw std::runtime_error{"mine"}; }));
  EXPECT_EQ(engine_->publish(owner_, {.action = "shop.order.placed"}).value(),
            2U);
  const auto added = engine_->add_webhook(owner_, hook()).value();
  const auto changed = engine_->change_webhook(
    owner_, added.id,
    [](webhook&) -> result<void> { throw std::runtime_error{"mine"}; });
  EXPECT_EQ(changed.error().field, "edit");
  EXPECT_EQ(engine_->change_webhook(owner_, added.id, {}).error().field,
            "edit");
  EXPECT_EQ(engine_->change_organizer(owner_, {}).error().field, "edit");
  EXPECT_TRUE(engine_->ready());
  {
    const std::lock_guard guard{mutex};
    EXPECT_THAT(logged, testing::Contains("The callback of a publish of the "
                                          "program threw: mine"));
  }
  engine_.reset(); // before the log
}

/// What a program that this one starts finds open.
std::vector<std::string> inherited() {
  std::vector<std::string> out;
  auto* pipe = popen("for f in /proc/self/fd/*; do readlink $f; done", "re");
  char line[4'096];
  while (std::fgets(line, sizeof line, pipe) != nullptr)
    out.emplace_back(line);
  pclose(pipe);
  std::erase_if(out, [](const std::string& name) {
    return name.starts_with("pipe:") || name.starts_with("/proc/");
  });
  std::ranges::sort(out);
  return out;
}

TEST_F(EngineTest, ProgramsThatAreStartedInheritNothingOfIt) {
  engine_.reset();
  const auto before = inherited();
  // A receiver that takes the connection and never answers.
  const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(bind(listener, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 16), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size),
            0);
  start({.network = {.allow = {"127.0.0.0/8"}}});
  auto hanging = hook();
  hanging.enabled = true;
  hanging.target_url = "http://localhost:"
                     + std::to_string(ntohs(address.sin_port));
  engine_->add_webhook(owner_, hanging).value();
  engine_->publish(owner_, {.action = "shop.order.placed"}).value();
  pollfd arrived{.fd = listener, .events = POLLIN, .revents = 0};
  ASSERT_EQ(poll(&arrived, 1, 10'000), 1);
  EXPECT_EQ(inherited(), before);
  const auto begun = std::chrono::steady_clock::now();
  engine_.reset(); // with a call in flight
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 8s);
  close(listener);
}

TEST_F(EngineTest, HasFiguresOfAnOrganizersWebhooks) {
  const auto made = engine_->add_webhook(owner_, hook()).value();
  const auto text = prometheus_text(engine_->metrics(owner_).value());
  EXPECT_THAT(text, HasSubstr("\nfanfare_organizer_webhooks{organizer=\"shop\""
                              "} 1\n"));
  EXPECT_THAT(text, HasSubstr("fanfare_webhook_calls_total{organizer=\"shop\","
                              "webhook=\""
                              + std::to_string(made.id)
                              + "\",outcome=\"delivered\"} 0\n"));
  EXPECT_EQ(engine_->metrics(owner_ + 1).error().code, ec::not_found);
}

TEST_F(EngineTest, CountsWhatItDoes) {
  engine_
    ->publish(owner_,
              std::vector<publication>(3, {.action = "shop.order.placed"}))
    .value();
  const auto text = prometheus_text(engine_->metrics());
  EXPECT_THAT(text, HasSubstr("\nfanfare_notifications_total 3\n"));
  EXPECT_THAT(text, HasSubstr("\nfanfare_ready 1\n"));
  EXPECT_THAT(text,
              HasSubstr("fanfare_calls_total{outcome=\"delivered\"} 0\n"));
}

} // namespace
} // namespace fanfare
