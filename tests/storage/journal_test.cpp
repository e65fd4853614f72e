// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/every_store.hpp"

namespace fanfare::test {

class JournalTest : public every_store_test {};

using positions = std::vector<position>;

INSTANTIATE_TEST_SUITE_P(Stores, JournalTest, every_store(), name_of_store);

TEST_P(JournalTest, GivesGrowingIdsAndStartsTheBodyWithThem) {
  auto first = publish(draft_of(1), at_ms(7));
  auto batch = run(publish_of({draft_of(1), draft_of(2, 1, "ü")}));
  EXPECT_EQ(first->id, 1U);
  EXPECT_EQ(first->body, R"({"notification_id": 1, "text": "x"})");
  EXPECT_EQ(ids_of(batch.done.value()), (positions{2, 3}));
  EXPECT_EQ(batch.done.value()[1]->body,
            R"({"notification_id": 3, "text": "ü"})");
  EXPECT_EQ(store_->journal().tail(), 3U);
}

TEST_P(JournalTest, IdsGoOnGrowingAfterARestart) {
  publish(draft_of(1));
  reopen();
  EXPECT_EQ(store_->journal().tail(), 1U);
  EXPECT_EQ(publish(draft_of(1))->id, 2U);
}

TEST_P(JournalTest, IdsGoOnGrowingWhenAllNotificationsHaveExpired) {
  publish(draft_of(1));
  publish(draft_of(1));
  run(expire{.notifications = {1, 2}});
  reopen();
  EXPECT_EQ(store_->journal().tail(), 2U);
  EXPECT_EQ(publish(draft_of(1))->id, 3U);
}

TEST_P(JournalTest, GivesBackWhatWasPublished) {
  std::vector<notification_ptr> published;
  for (auto size : {0, 1, 100, 1000, 3000, 5000, 1'000'000})
    published.push_back(
      publish(draft_of(3, 2, std::string(static_cast<std::size_t>(size), 'b')),
              at_ms(size)));
  reopen();
  for (const auto& n : published)
    EXPECT_EQ(*store_->journal().find(n->id).value(), *n);
  EXPECT_EQ(code_of(store_->journal().find(0)), ec::not_found);
  EXPECT_EQ(code_of(store_->journal().find(8)), ec::not_found);
}

TEST_P(JournalTest, IsSearchedFromTheNewest) {
  for (int i = 1; i <= 6; ++i)
    publish(draft_of(1 + i % 2, i % 3 == 0 ? 2 : 1), at_ms(10 * i));
  const auto find = [&](const notification_search& wanted) {
    return store_->journal().search(1, wanted).value();
  };
  EXPECT_EQ(ids_of(find({}).found), (positions{5, 4, 2, 1}))
    << "3 and 6 are another organizer's";
  EXPECT_EQ(ids_of(find({.types = {{2}}}).found), (positions{5, 1}));
  EXPECT_EQ(ids_of(find({.types = std::vector<action_type_id>{}}).found),
            positions{});
  EXPECT_EQ(ids_of(find({.before = 4}).found), (positions{2, 1}));
  EXPECT_EQ(ids_of(find({.since = at_ms(20), .until = at_ms(50)}).found),
            (positions{4, 2}));
  EXPECT_EQ(ids_of(find({.until = at_ms(10)}).found), positions{});
  EXPECT_EQ(ids_of(find({.since = at_ms(51)}).found), positions{});
  const auto page = find({.limit = 2});
  EXPECT_EQ(ids_of(page.found), (positions{5, 4}));
  EXPECT_EQ(page.next, 4U);
  EXPECT_EQ(page.looked_back_to, at_ms(40));
  const auto rest = find({.before = page.next, .limit = 2});
  EXPECT_EQ(ids_of(rest.found), (positions{2, 1}));
  EXPECT_EQ(rest.next, 0U) << "a full page may be the last";
  EXPECT_FALSE(rest.looked_back_to);
}

TEST_P(JournalTest, ASearchDoesABoundedAmountOfWork) {
  for (int i = 1; i <= 6; ++i)
    publish(draft_of(1, 1, std::string(2000, 'b')), at_ms(i));
  const auto none = [](const notification&) { return false; };
  const auto find = [&](const notification_search& wanted) {
    auto found = store_->journal().search(1, wanted).value();
    return std::pair{ids_of(found.found), found.next};
  };
  using outcome = std::pair<positions, position>;
  EXPECT_EQ(find({.takes = none, .max_scan = 2}), (outcome{{}, 5}));
  EXPECT_EQ(find({.takes = none, .max_read = 4001}), (outcome{{}, 5}));
  EXPECT_EQ(find({.types = {{7}}, .max_scan = 3}), (outcome{{}, 4}));
  EXPECT_EQ(find({.types = {{7}}, .max_read = 1}), (outcome{{}, 0}))
    << "those of other types are not read";
  EXPECT_EQ(find({.max_bytes = 1}), (outcome{{6}, 6}));
}

TEST_P(JournalTest, ReadsARange) {
  run(publish_of(std::vector<draft>(10, draft_of(1))));
  EXPECT_EQ(ids_of(store_->journal().read(3, 6, 100).value()),
            (positions{4, 5, 6}));
  EXPECT_EQ(ids_of(store_->journal().read(3, 100, 2).value()),
            (positions{4, 5}));
  EXPECT_EQ(ids_of(store_->journal().read(10, 100, 2).value()), positions{});
  EXPECT_EQ(ids_of(store_->journal().read(0, 10, 0).value()), positions{});
}

TEST_P(JournalTest, ABatchIsPublishedWhollyOrNotAtAll) {
  auto bad = draft_of(1);
  bad.new_event = std::string(600, 'x');
  auto good = draft_of(1);
  good.new_event = "democon";
  auto op = run(publish_of({good, bad}));
  EXPECT_EQ(op.done.error().field, "event");
  EXPECT_EQ(store_->journal().tail(), 0U);
  EXPECT_TRUE(op.new_events.empty());
  EXPECT_TRUE(store_->registry().events().value().empty());
}

TEST_P(JournalTest, RegistersAnEventOnceForItsOrganizer) {
  auto d = draft_of(1, 1);
  d.new_event = "democon";
  auto other = draft_of(1, 2);
  other.new_event = "democon";
  auto op = run(publish_of({d, d, other}));
  ASSERT_EQ(op.new_events.size(), 2U);
  EXPECT_EQ(op.new_events, store_->registry().events().value());
  auto ids = std::pair{op.new_events[0].id, op.new_events[1].id};
  EXPECT_EQ(op.done.value()[0]->event, ids.first);
  EXPECT_EQ(op.done.value()[1]->event, ids.first);
  EXPECT_EQ(op.done.value()[2]->event, ids.second);
  auto again = run(publish_of({d}));
  EXPECT_TRUE(again.new_events.empty());
  EXPECT_EQ(again.done.value()[0]->event, ids.first);
}

// -- backlog ------------------------------------------------------------------

TEST_P(JournalTest, ABacklogHoldsWhatMatchesInOrder) {
  auto hook = add_hook(1, {2, 4});
  run(publish_of(
    {draft_of(2), draft_of(3), draft_of(4), draft_of(2, 9), draft_of(2)}));
  EXPECT_EQ(backlog_of(hook.id), (positions{1, 3, 5}));
  EXPECT_EQ(backlog_of(hook.id, 1), (positions{3, 5}));
  EXPECT_EQ(backlog_of(hook.id, 5), positions{});
}

TEST_P(JournalTest, ABacklogSaysHowFarItHasLooked) {
  auto hook = add_hook(1, {2});
  run(publish_of({draft_of(2), draft_of(3), draft_of(3), draft_of(2),
                  draft_of(2), draft_of(1, 7)}));
  auto read = [&](position after, position upto, std::size_t matches,
                  std::size_t scan) {
    auto found = store_->journal()
                   .read_backlog(hook, after, upto, matches, scan)
                   .value();
    return std::pair{ids_of(found.matches), found.read_upto};
  };
  EXPECT_EQ(read(0, 100, 10, 100), std::pair(positions{1, 4, 5}, position{6}));
  EXPECT_EQ(read(0, 4, 10, 100), std::pair(positions{1, 4}, position{4}));
  EXPECT_EQ(read(0, 6, 1, 100), std::pair(positions{1}, position{1}));
  EXPECT_EQ(read(1, 6, 1, 100), std::pair(positions{4}, position{4}));
  EXPECT_EQ(read(0, 6, 10, 3), std::pair(positions{1}, position{3}));
  EXPECT_EQ(read(0, 6, 3, 100), std::pair(positions{1, 4, 5}, position{6}));
  EXPECT_EQ(read(6, 6, 10, 100), std::pair(positions{}, position{6}));
}

TEST_P(JournalTest, ABacklogSkipsWhatHasExpired) {
  auto hook = add_hook(1, {1});
  run(publish_of({draft_of(1), draft_of(1), draft_of(1)}));
  run(expire{.notifications = {2}});
  EXPECT_EQ(backlog_of(hook.id), (positions{1, 3}));
}

TEST_P(JournalTest, ABacklogFollowsWildcardsByTheActionWhateverItsType) {
  for (const auto* name : {"order.created", "order.*", "stock/low"})
    run(add_action_type{.name = name}).done.value();
  const auto publish_one = [&](action_type_id type, const char* action) {
    auto d = draft_of(type);
    d.action = action;
    return publish(d)->id;
  };
  auto made = hook_of(1, {});
  made.current().wildcards = {"order.*"};
  auto hook = run(add_webhook{.value = made}).done.value();
  made.current().wildcards = {"order.line.*", "stock/*"};
  const auto lines = run(add_webhook{.value = made}).done.value();
  const auto created = publish_one(1, "order.created");
  const auto added = publish_one(2, "order.line.added");
  const auto low = publish_one(3, "stock/low");
  const auto sent = publish_one(2, "order.sent");
  publish_one(0, "order.created"); // made up for one webhook
  run(add_action_type{.name = "order.paid"}).done.value();
  reopen();
  const auto paid = publish_one(4, "order.paid");
  EXPECT_EQ(backlog_of(hook.id), (positions{created, added, sent, paid}));
  EXPECT_EQ(backlog_of(lines.id), (positions{added, low}));
  EXPECT_EQ(
    ids_of(store_->journal().newest_matches(1, hook.current(), 2, 99).value()),
    (positions{paid, sent}));
  EXPECT_EQ(store_->deliveries().count_backlog(hook, 99)->count, 4U);
  const auto chosen = store_->deliveries().select(
    hook, {.asked = {.since = {}, .until = at_ms(1'000'000)},
           .upto = paid,
           .selecting = lines.current()});
  EXPECT_EQ(chosen->skipped, 1U) << "waits anyway";
  EXPECT_EQ(chosen->count, 1U);
  // A wildcard holds from its edit on.
  change(hook.id,
         [](webhook_record& h) { h.current().wildcards = {"stock/*"}; });
  const auto again = publish_one(3, "stock/low");
  publish_one(4, "order.paid");
  EXPECT_EQ(backlog_of(hook.id),
            (positions{created, added, sent, paid, again}));
}

// -- versions of subscriptions ------------------------------------------------

TEST_P(JournalTest, AWebhookGetsNothingFromBeforeItWasMade) {
  publish(draft_of(1));
  auto hook = add_hook(1, {1});
  publish(draft_of(1));
  EXPECT_EQ(hook.versions.front().from, 2U);
  EXPECT_EQ(load(hook.id).upto.cursor, 1U);
  EXPECT_EQ(backlog_of(hook.id), positions{2});
}

TEST_P(JournalTest, AnEditHoldsForWhatIsPublishedAfterIt) {
  auto hook = add_hook(1, {1});
  run(publish_of({draft_of(1), draft_of(2)}));
  change(hook.id, [](webhook_record& h) { h.current().types = {2}; });
  run(publish_of({draft_of(1), draft_of(2)}));
  EXPECT_EQ(backlog_of(hook.id), (positions{1, 4}));
}

TEST_P(JournalTest, EditsWithoutNotificationsBetweenThemAreOneVersion) {
  auto hook = add_hook(1, {1});
  change(hook.id, [](webhook_record& h) { h.current().types = {2}; });
  publish(draft_of(1));
  change(hook.id, [](webhook_record& h) { h.current().types = {3}; });
  change(hook.id, [](webhook_record& h) { h.current().types = {4}; });
  auto versions = load(hook.id).hook.versions;
  ASSERT_EQ(versions.size(), 2U);
  EXPECT_EQ(versions[0].value.types, std::vector<action_type_id>{2});
  EXPECT_EQ(versions[1].value.types, std::vector<action_type_id>{4});
  EXPECT_EQ(versions[1].from, 2U);
}

TEST_P(JournalTest, AnEditOfOtherFieldsMakesNoVersion) {
  auto hook = add_hook(1, {1});
  publish(draft_of(1));
  EXPECT_EQ(
    change(hook.id, [](webhook_record& h) { h.comment = "c"; }).versions,
    hook.versions);
}

TEST_P(JournalTest, VersionsAreKeptUntilACheckpointIsPastThem) {
  auto hook = add_hook(1, {1});
  for (action_type_id type = 2; type < 6; ++type) {
    publish(draft_of(1));
    change(hook.id, [=](webhook_record& h) { h.current().types = {type}; });
  }
  EXPECT_EQ(load(hook.id).hook.versions.size(), 5U);
  // After position 2 those from 3, 4 and 5 are needed.
  checkpoint(2);
  run(expire{.notifications = {1, 2}});
  auto changed = change(hook.id, [](webhook_record& h) { h.comment = "c"; });
  ASSERT_EQ(changed.versions.size(), 3U);
  EXPECT_EQ(changed.versions.front().from, 3U);
}

TEST_P(JournalTest, VersionsAreKeptWhileTheyExplainWhatTheJournalHolds) {
  auto hook = add_hook(1, {1});
  for (action_type_id type = 2; type < 6; ++type) {
    publish(draft_of(1));
    change(hook.id, [=](webhook_record& h) { h.current().types = {type}; });
  }
  checkpoint(4);
  auto edit = [](webhook_record& h) {
    h.comment = h.comment.value_or("") + 'c';
  };
  EXPECT_EQ(change(hook.id, edit).versions.size(), 5U);
  run(expire{.notifications = {1, 2, 3}});
  EXPECT_EQ(change(hook.id, edit).versions.front().from, 4U);
  run(expire{.notifications = {4}});
  EXPECT_EQ(change(hook.id, edit).versions.size(), 1U);
}

TEST_P(JournalTest, ManyVersionsAreNotKeptForExplanationsOnly) {
  auto hook = add_hook(1, {1});
  publish(draft_of(1));
  for (action_type_id type = 2; type < 102; ++type) {
    change(hook.id, [=](webhook_record& h) { h.current().types = {type}; });
    publish(draft_of(1));
    checkpoint(store_->journal().tail());
  }
  EXPECT_EQ(load(hook.id).hook.versions.size(), 64U);
}

TEST_P(JournalTest, AVersionKnowsWhenItWasMade) {
  auto hook = add_hook(1, {1});
  publish(draft_of(1));
  auto op = change_of(hook.id,
                      [](webhook_record& h) { h.current().enabled = false; });
  op.now = at_ms(77);
  EXPECT_EQ(run(op).done->versions.back().since, at_ms(77));
  reopen();
  EXPECT_EQ(load(hook.id).hook.versions.back().since, at_ms(77));
}

TEST_P(JournalTest, VersionsAreKeptForAWebhookThatIsBehind) {
  auto hook = add_hook(1, {1});
  for (action_type_id type = 2; type < 6; ++type) {
    publish(draft_of(1));
    change(hook.id, [=](webhook_record& h) { h.current().types = {type}; });
  }
  checkpoint(4, {{.hook = hook.id, .cursor = 1}});
  run(expire{.notifications = {1, 2, 3, 4}});
  auto changed = change(hook.id, [](webhook_record& h) { h.comment = "c"; });
  ASSERT_EQ(changed.versions.size(), 4U);
  EXPECT_EQ(changed.versions.front().from, 2U);
}

TEST_P(JournalTest, IsFollowedByOrganizer) {
  for (const organizer_id owner : {1U, 2U, 1U, 1U})
    publish(draft_of(1, owner), at_ms(10 * owner));
  const auto after = [&](organizer_id owner, position place,
                         const feed_limits& within = {}) {
    return store_->journal().newer(owner, place, within).value();
  };
  EXPECT_EQ(ids_of(after(1, 0).found), (std::vector<position>{1, 3, 4}));
  EXPECT_EQ(after(1, 0).upto, 4U);
  EXPECT_FALSE(after(1, 0).lost);
  EXPECT_TRUE(after(2, 2).found.empty());
  EXPECT_EQ(after(2, 2).upto, 4U);
  EXPECT_TRUE(after(3, 0).found.empty());
  const auto page = after(1, 1, {.most = 1});
  EXPECT_EQ(ids_of(page.found), std::vector<position>{3});
  EXPECT_EQ(page.upto, 3U);
  EXPECT_TRUE(page.more);
  EXPECT_TRUE(after(1, 0, {.max_bytes = 1}).more);
  reopen();
  EXPECT_EQ(ids_of(after(1, 1).found), (std::vector<position>{3, 4}));
  // One that is kept for a retry hides nothing.
  run(expire{.notifications = {2, 3}});
  EXPECT_FALSE(after(1, 0).lost);
  EXPECT_TRUE(after(1, 1).lost);
  EXPECT_EQ(ids_of(after(1, 1).found), std::vector<position>{4});
  EXPECT_FALSE(after(1, 4).lost);
}

TEST_P(JournalTest, KnowsWhatCameBefore) {
  const auto before = [&](std::int64_t ms) {
    return store_->journal().last_before(at_ms(ms)).value();
  };
  EXPECT_EQ(before(0), 0U);
  for (int i = 1; i <= 3; ++i)
    publish(draft_of(1), at_ms(10 * i));
  EXPECT_EQ(before(10), 0U);
  EXPECT_EQ(before(11), 1U);
  EXPECT_EQ(before(30), 2U);
  EXPECT_EQ(before(31), 3U);
}

} // namespace fanfare::test
