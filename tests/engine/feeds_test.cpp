// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Feeds: that those who are up to date and those who are behind see the same,
// each entry once.

#include "engine/feeds.hpp"

#include "storage/embedded.hpp"
#include "tests/storage/store_steps.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <optional>
#include <random>

namespace fanfare::test {

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class standing_clock final : public wall_clock {
public:
  [[nodiscard]] timestamp now() const override {
    return at;
  }
  timestamp at = at_ms(1'000);
};

/// A store whose commits are told to the feeds as the engine does.
class FeedsTest : public store_steps<storage::store> {
protected:
  FeedsTest() {
    store_ = storage::open_embedded(dir_.path(), {}).value();
    for (const organizer_id owner : {1U, 2U}) {
      const auto made = add_hook(owner, {1});
      watch_.troubles.put(made.id, owner, true, false, clock_.now());
    }
    begin();
  }

  void begin() {
    feeds_.emplace(*store_, watch_, clock_);
  }

  template <class Operation>
  Operation commit(Operation op) {
    std::vector<operation> batch;
    batch.emplace_back(std::move(op));
    EXPECT_TRUE(store_->commit(batch));
    feeds_->observe(batch.front());
    return std::get<Operation>(std::move(batch.front()));
  }

  void happen(organizer_id owner, std::size_t bytes = 1) {
    commit(publish_of({draft_of(1, owner, std::string(bytes, 'x'))}));
    auto made = call_of(owner, store_->journal().tail(), outcome::delivered,
                        store_->journal().tail());
    made.response_body = std::string(bytes, 'y');
    commit(append_call{std::move(made)});
  }

  /// Follows an organizer as a stream does.
  struct follower {
    feed_place at;
    std::shared_ptr<void> following;
    bool news = false;
    std::vector<call_id> calls;
    std::vector<position> notifications;
  };

  std::unique_ptr<follower> follow(organizer_id owner) {
    auto made = std::make_unique<follower>();
    made->at = feeds_->end();
    made->following = feeds_->follow(owner, [&to = *made] { to.news = true; });
    return made;
  }

  /// Reads until there is no more.
  void read(follower& by, organizer_id owner, feed_limits within = {}) {
    for (bool more = true; more;) {
      const auto page = feeds_->read(owner, by.at, within).value();
      for (const auto& c : page.calls)
        by.calls.push_back(c.what->id);
      for (const auto& n : page.notifications)
        by.notifications.push_back(n->id);
      EXPECT_FALSE(page.lost.calls || page.lost.notifications);
      by.at = page.next;
      more = page.more;
    }
  }

  /// All that the store has of the organizer.
  follower everything(organizer_id owner) const {
    follower out;
    const auto called = store_->call_log().newer(owner, 0, {}).value();
    for (const auto& c : called.found)
      out.calls.push_back(c.id);
    const auto published = store_->journal().newer(owner, 0, {}).value();
    for (const auto& n : published.found)
      out.notifications.push_back(n->id);
    return out;
  }

  temp_dir dir_;
  standing_clock clock_;
  operator_watch watch_{
    .events = {[](log_level, const std::string&) {}, clock_,
               [](organizer_id) { return std::string{"acme"}; }}};
  std::optional<feeds> feeds_;
};

TEST_F(FeedsTest, TellOnceUntilTheyAreRead) {
  auto one = follow(1);
  happen(2);
  EXPECT_FALSE(one->news);
  happen(1);
  EXPECT_TRUE(std::exchange(one->news, false));
  happen(1);
  EXPECT_FALSE(one->news);
  read(*one, 1);
  EXPECT_THAT(one->calls, ElementsAre(2, 3));
  happen(1);
  EXPECT_TRUE(std::exchange(one->news, false));
  read(*one, 1);
  EXPECT_THAT(one->calls, ElementsAre(2, 3, 4));
  EXPECT_THAT(one->notifications, ElementsAre(2, 3, 4));
}

TEST_F(FeedsTest, ReadNothingFromDiskForWhoIsUpToDate) {
  auto one = follow(1);
  happen(1);
  // Known from here on: what came before the first was there to be read.
  read(*one, 1);
  // The store does not have this one, so who sees it was told.
  logged_call made;
  made.id = 100;
  made.hook = 1;
  made.subject = 1;
  feeds_->observe(append_call{made});
  const auto page = feeds_->read(1, one->at, {}).value();
  ASSERT_THAT(page.calls, SizeIs(1));
  EXPECT_EQ(page.calls[0].what->id, 100U);
  EXPECT_EQ(page.calls[0].subject->id, 1U);
}

TEST_F(FeedsTest, ShowTheSameWhereverOneBegins) {
  std::mt19937 random{7}; // NOLINT: the same each time
  const auto chance = [&](unsigned of) { return random() % of == 0; };
  std::vector<std::unique_ptr<follower>> all;
  std::vector<std::pair<follower, feed_place>> known;
  for (int step = 0; step < 500; ++step) {
    if (chance(25)) {
      all.push_back(follow(1));
      // What it is to see: all that the store gets from now on.
      known.emplace_back(everything(1), all.back()->at);
    }
    if (chance(50) && !all.empty()) {
      // Nobody follows for a moment, be they up to date or not.
      if (chance(2))
        for (auto& one : all)
          read(*one, 1);
      for (auto& one : all)
        one->following.reset();
      happen(1);
      for (auto& one : all)
        one->following = feeds_->follow(1, [] {});
    }
    happen(1 + random() % 2);
    for (auto& one : all)
      if (chance(20))
        read(*one, 1,
             {.most = 1 + random() % 50,
              .max_bytes = chance(4) ? 100U : 1'000'000U,
              .max_scan = 1 + random() % 100});
  }
  const auto whole = everything(1);
  for (std::size_t i = 0; i < all.size(); ++i) {
    read(*all[i], 1);
    auto& before = known[i].first;
    before.calls.insert(before.calls.end(), all[i]->calls.begin(),
                        all[i]->calls.end());
    before.notifications.insert(before.notifications.end(),
                                all[i]->notifications.begin(),
                                all[i]->notifications.end());
    EXPECT_EQ(before.calls, whole.calls);
    EXPECT_EQ(before.notifications, whole.notifications);
  }
}

TEST_F(FeedsTest, KeepABoundedPart) {
  auto one = follow(1);
  read(*one, 1);
  const auto beginning = one->at;
  for (int i = 0; i < 400; ++i)
    happen(1, 16'000); // more than is kept
  read(*one, 1);
  EXPECT_THAT(one->calls, SizeIs(400));
  EXPECT_THAT(one->notifications, SizeIs(400));
  auto late = follow(1);
  late->at = beginning;
  read(*late, 1);
  EXPECT_EQ(late->calls, one->calls);
}

TEST_F(FeedsTest, LeaveToTheStoreWhoseCallsNobodyKnows) {
  auto one = follow(1);
  read(*one, 1);
  const auto made = add_hook(1, {1}); // which the board does not have yet
  happen(1);
  commit(append_call{call_of(made.id, 1, outcome::delivered, 1)});
  happen(1);
  EXPECT_TRUE(one->news);
  read(*one, 1);
  EXPECT_THAT(one->calls, ElementsAre(1, 2, 3));
}

TEST_F(FeedsTest, PassOverWhatIsNotWanted) {
  auto one = follow(1);
  happen(1);
  const auto page = feeds_
                      ->read(1, one->at,
                             {.calls = true, .notifications = false})
                      .value();
  EXPECT_THAT(page.calls, SizeIs(1));
  EXPECT_THAT(page.notifications, IsEmpty());
  EXPECT_EQ(page.next, feeds_->end());
}

TEST_F(FeedsTest, ShowChangesOfWebhooks) {
  auto one = follow(1);
  const auto hook = *store_->registry().find_webhook(1);
  const auto theirs = *store_->registry().find_webhook(2);
  watch_.changes.note(webhook_change::kind::paused, hook, "was paused",
                      at_ms(5));
  EXPECT_TRUE(one->news);
  watch_.changes.note(webhook_change::kind::paused, theirs, "was paused",
                      at_ms(5));
  auto page = feeds_->read(1, one->at, {}).value();
  ASSERT_THAT(page.changes, SizeIs(1));
  EXPECT_EQ(page.changes[0]->what, webhook_change::kind::paused);
  EXPECT_EQ(page.changes[0]->number, 1U);
  EXPECT_EQ(page.next.change, 2U);
  EXPECT_FALSE(page.lost.changes);
  EXPECT_THAT(feeds_->read(1, page.next, {})->changes, IsEmpty());
  // More than are kept.
  for (std::size_t i = 0; i < webhook_changes::most; ++i)
    watch_.changes.note(webhook_change::kind::changed, theirs, "", at_ms(6));
  EXPECT_FALSE(feeds_->read(1, page.next, {})->lost.changes);
  EXPECT_TRUE(feeds_->read(1, one->at, {})->lost.changes);
}

TEST_F(FeedsTest, ShowWhatIsInTroubleAfterARestart) {
  auto place = feeds_->end();
  place.change = 3;
  clock_.at += std::chrono::seconds{1};
  begin();
  watch_.troubles.report(1, 1, {.failures = 4, .failing_since = at_ms(900)},
                         clock_.now());
  const auto page = feeds_->read(1, place, {}).value();
  EXPECT_TRUE(page.lost.changes);
  ASSERT_THAT(page.changes, SizeIs(1));
  EXPECT_EQ(page.changes[0]->what, webhook_change::kind::troubled);
  EXPECT_EQ(page.changes[0]->trouble, troubled_webhook::trouble::failing);
  EXPECT_EQ(page.changes[0]->time, at_ms(900));
  EXPECT_EQ(page.changes[0]->target_url, "http://127.0.0.1/");
  EXPECT_FALSE(feeds_->read(1, page.next, {})->lost.changes);
}

TEST_F(FeedsTest, BeginAnewForAPlaceThatIsNotTheirs) {
  happen(1);
  const feed_place strange{
    .call = 900, .notification = 1, .run = feeds_->end().run};
  const auto page = feeds_->read(1, strange, {}).value();
  EXPECT_TRUE(page.lost.calls);
  EXPECT_EQ(page.next, feeds_->end());
}

TEST_F(FeedsTest, FindThePlaceOfATime) {
  commit(publish_of({draft_of(1)}, at_ms(10'000)));
  commit(publish_of({draft_of(1)}, at_ms(20'000)));
  EXPECT_EQ(feeds_->place_at(at_ms(15'000))->notification, 1U);
  EXPECT_EQ(feeds_->place_at(at_ms(30'000))->notification, 2U);
}

TEST_F(FeedsTest, KeepNothingWhileNobodyFollows) {
  happen(1);
  auto one = follow(1);
  happen(1);
  EXPECT_TRUE(std::exchange(one->news, false));
  one->following.reset();
  happen(1);
  EXPECT_FALSE(one->news);
  read(*one, 1);
  EXPECT_THAT(one->calls, ElementsAre(2, 3));
}

} // namespace

} // namespace fanfare::test
