// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Names of webhooks, and the end of organizers and events.

#include "tests/storage/every_store.hpp"

#include <gmock/gmock.h>

#include <set>

namespace fanfare::test {

namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

} // namespace

class RemovalTest : public every_store_test {
protected:
  organizer_id add(const std::string& slug) {
    return run(add_organizer{.slug = slug, .name = slug}).done.value().id;
  }

  add_webhook named(organizer_id owner, const std::string& name) {
    add_webhook op;
    op.value = hook_of(owner, {1});
    op.value->delivery.name = name;
    return op;
  }

  change_webhook rename(webhook_id id, const std::string& name) {
    return change_of(
      id, [name](webhook_record& hook) { hook.delivery.name = name; });
  }

  webhook_id find(organizer_id owner, const std::string& name) {
    const auto found = store_->registry().find_webhook(owner, name);
    if (!found) {
      EXPECT_EQ(found.error().code, ec::not_found);
      return 0;
    }
    return found->id;
  }

  /// Removes it and all it has, `most` webhooks per commit.
  std::size_t remove(organizer_id id, std::size_t most) {
    EXPECT_TRUE(run(remove_organizer{.id = id}).done);
    return clear(id, most);
  }

  std::size_t clear(organizer_id id, std::size_t most) {
    std::size_t cleared = 0;
    webhook_id before = 0;
    for (bool more = true; more;) {
      const auto part = run(clear_organizer{
        .id = id, .before = before, .most = most, .now = {}, .cleared = {}});
      EXPECT_TRUE(part.done) << part.done.error().detail;
      EXPECT_LE(part.cleared.size(), most);
      cleared += part.cleared.size();
      more = part.done && *part.done;
      if (more)
        before = part.cleared.back().id;
    }
    return cleared;
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, RemovalTest, every_store(), name_of_store);

// -- names --------------------------------------------------------------------

TEST_P(RemovalTest, AWebhookIsFoundByItsNameAlsoAfterARestart) {
  const auto acme = add("acme");
  const auto other = add("other");
  const auto hook = run(named(acme, "billing")).done.value();
  const auto same = run(named(other, "billing")).done.value();
  EXPECT_EQ(hook.delivery.name, "billing");
  reopen();
  EXPECT_EQ(find(acme, "billing"), hook.id);
  EXPECT_EQ(find(other, "billing"), same.id);
  EXPECT_EQ(find(acme, "Billing"), 0U);
  EXPECT_EQ(find(acme, ""), 0U);
  EXPECT_EQ(store_->registry().find_webhook(hook.id).value(), hook);
}

TEST_P(RemovalTest, ANameIsGivenOnceWithinAnOrganizer) {
  const auto acme = add("acme");
  const auto first = run(named(acme, "billing")).done.value();
  const auto second = run(named(acme, "")).done.value();
  const auto added = run(named(acme, "billing"));
  EXPECT_EQ(code_of(added.done), ec::invalid_argument);
  EXPECT_EQ(added.done.error().field, "delivery.name");
  const auto changed = run(rename(second.id, "billing"));
  EXPECT_EQ(code_of(changed.done), ec::invalid_argument);
  EXPECT_EQ(store_->registry().find_webhook(second.id).value(), second);
  // It may keep its own.
  EXPECT_TRUE(run(rename(first.id, "billing")).done);
}

TEST_P(RemovalTest, OfEditsOfOneCommitTheFirstGetsTheName) {
  const auto acme = add("acme");
  const auto a = add_hook(acme, {1}).id;
  const auto b = add_hook(acme, {1}).id;
  const auto batch = run_together(rename(a, "x"), rename(b, "x"),
                                  rename(a, "y"), rename(b, "x"));
  EXPECT_TRUE(std::get<change_webhook>(batch[0]).done);
  EXPECT_FALSE(std::get<change_webhook>(batch[1]).done);
  EXPECT_TRUE(std::get<change_webhook>(batch[2]).done);
  EXPECT_TRUE(std::get<change_webhook>(batch[3]).done);
  EXPECT_EQ(find(acme, "x"), b);
  EXPECT_EQ(find(acme, "y"), a);
}

TEST_P(RemovalTest, ANameThatIsGivenUpIsFree) {
  const auto acme = add("acme");
  const auto first = run(named(acme, "billing")).done.value().id;
  EXPECT_TRUE(run(rename(first, "")).done);
  EXPECT_EQ(find(acme, "billing"), 0U);
  const auto second = run(named(acme, "billing")).done.value().id;
  reopen();
  EXPECT_EQ(find(acme, "billing"), second);
}

// -- organizers ---------------------------------------------------------------

TEST_P(RemovalTest, NothingOfARemovedOrganizerIsLeftButNumbers) {
  const auto acme = add("acme");
  auto op = named(acme, "billing");
  op.value->secrets.push_back(
    {.sealed = "secret", .created = {}, .expires = {}});
  op.value->delivery.headers = {{"X-Key", "secret"}};
  const auto hook = run(std::move(op)).done.value();
  publish(draft_of(1, acme));
  append(call_of(hook.id, 1, outcome::retried, 0));
  ASSERT_THAT(store_->deliveries().retries(hook.id).value(), SizeIs(1));
  EXPECT_EQ(remove(acme, 10), 1U);
  reopen();
  const auto left = store_->registry().find_webhook(hook.id).value();
  EXPECT_TRUE(left.is_removed());
  EXPECT_EQ(left.target_url, "");
  EXPECT_THAT(left.secrets, IsEmpty());
  EXPECT_THAT(left.delivery.headers, IsEmpty());
  EXPECT_EQ(left.delivery.name, "");
  EXPECT_EQ(code_of(run(change_of(hook.id, [](webhook_record&) {})).done),
            ec::not_found);
  EXPECT_THAT(store_->deliveries().retries(hook.id).value(), IsEmpty());
  EXPECT_EQ(find(acme, "billing"), 0U);
  EXPECT_EQ(store_->registry().count_webhooks(acme, true).value(), 0U);
  const auto organizers = store_->registry().organizers().value();
  ASSERT_THAT(organizers, SizeIs(1));
  EXPECT_EQ(organizers[0], (organizer{.id = acme, .slug = "", .name = ""}));
}

TEST_P(RemovalTest, TheSlugIsFreeAndTheIdIsNot) {
  const auto acme = add("acme");
  const auto hook = add_hook(acme, {1}).id;
  remove(acme, 10);
  reopen();
  const auto again = add("acme");
  EXPECT_GT(again, acme);
  EXPECT_GT(add_hook(again, {1}).id, hook);
  EXPECT_EQ(store_->registry().count_webhooks(again, {}).value(), 1U);
}

TEST_P(RemovalTest, NothingIsAddedToOrChangedInARemovedOrganizer) {
  const auto acme = add("acme");
  const auto hook = add_hook(acme, {1}).id;
  const auto con = run(add_event{.owner = acme, .slug = "con", .name = "Con"})
                     .done.value();
  EXPECT_TRUE(run(remove_organizer{.id = acme}).done);
  token t;
  t.owner = acme;
  auto enable = change_of(
    hook, [](webhook_record& h) { h.current().enabled = true; });
  enable.owner = acme;
  EXPECT_EQ(code_of(run(named(acme, "x")).done), ec::not_found);
  EXPECT_EQ(code_of(run(enable).done), ec::not_found);
  EXPECT_EQ(code_of(run(add_token{.value = t}).done), ec::not_found);
  EXPECT_EQ(
    code_of(run(add_event{.owner = acme, .slug = "e", .name = "e"}).done),
    ec::not_found);
  EXPECT_EQ(code_of(run(remove_organizer{.id = acme}).done), ec::not_found);
  EXPECT_EQ(code_of(run(change_organizer{
                          .id = acme,
                          .edit = [](organizer&) { return result<void>{}; }})
                      .done),
            ec::not_found);
  EXPECT_EQ(
    code_of(
      run(clear_organizer{.id = acme + 1, .now = {}, .cleared = {}}).done),
    ec::not_found);
  EXPECT_EQ(con.owner, acme);
}

TEST_P(RemovalTest, AStopInTheMiddleLeavesTheRestToBeClearedLater) {
  const auto acme = add("acme");
  const auto other = add("other");
  std::set<webhook_id> all;
  for (int i = 0; i < 25; ++i) {
    all.insert(add_hook(acme, {1}).id);
    add_hook(other, {1});
  }
  EXPECT_TRUE(run(remove_organizer{.id = acme}).done);
  const auto first = run(clear_organizer{
    .id = acme, .before = 0, .most = 10, .now = {}, .cleared = {}});
  EXPECT_TRUE(first.done.value());
  ASSERT_THAT(first.cleared, SizeIs(10));
  EXPECT_EQ(first.cleared.front().id, *all.rbegin());
  EXPECT_EQ(store_->registry().count_webhooks(acme, true).value(), 15U);
  reopen();
  // Its name says that it has not ended.
  EXPECT_EQ(store_->registry().organizers()->front().name, "acme");
  EXPECT_EQ(clear(acme, 10), 25U);
  EXPECT_EQ(store_->registry().count_webhooks(acme, true).value(), 0U);
  EXPECT_EQ(store_->registry().count_webhooks(other, true).value(), 25U);
  EXPECT_EQ(store_->registry().organizers()->front().name, "");
}

// -- events -------------------------------------------------------------------

TEST_P(RemovalTest, AnEventIsRenamedAndRemovedByItsOwnerOnly) {
  const auto acme = add("acme");
  const auto con = run(add_event{.owner = acme, .slug = "con", .name = "Con"})
                     .done.value();
  EXPECT_EQ(
    code_of(
      run(rename_event{.owner = acme + 1, .id = con.id, .name = "x"}).done),
    ec::not_found);
  EXPECT_EQ(run(rename_event{.owner = acme, .id = con.id, .name = "Con 2"})
              .done.value()
              .name,
            "Con 2");
  EXPECT_EQ(code_of(run(remove_event{.owner = acme + 1, .id = con.id}).done),
            ec::not_found);
  EXPECT_EQ(run(remove_event{.owner = acme, .id = con.id}).done.value().slug,
            "con");
  reopen();
  EXPECT_EQ(code_of(run(remove_event{.owner = acme, .id = con.id}).done),
            ec::not_found);
  EXPECT_THAT(
    store_->registry().events().value(),
    ElementsAre(event{.id = con.id, .owner = acme, .slug = "", .name = ""}));
  // The next of this slug is another one.
  const auto next = run(add_event{.owner = acme, .slug = "con", .name = "Con"})
                      .done.value();
  EXPECT_NE(next.id, con.id);
}

} // namespace fanfare::test
