// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "tests/storage/every_store.hpp"

namespace fanfare::test {

class RegistryTest : public every_store_test {
protected:
  organizer add(std::string slug) {
    return run(add_organizer{.slug = std::move(slug), .name = "N"})
      .done.value();
  }
};

INSTANTIATE_TEST_SUITE_P(Stores, RegistryTest, every_store(), name_of_store);

TEST_P(RegistryTest, KeepsEverythingOverARestart) {
  auto org = add("bigevents");
  auto democon = run(add_event{
                       .owner = org.id, .slug = "democon", .name = "Demo"})
                   .done.value();
  auto type = run(add_action_type{.name = "a.b.*"}).done.value();
  token t;
  t.owner = org.id;
  t.name = "api";
  t.permissions = permission_webhooks | permission_notifications;
  t.hash = std::string(32, '\xfe');
  t.created = at_ms(12);
  t = run(add_token{.value = t}).done.value();
  auto hook = add_hook(org.id, {type.id});
  reopen();
  EXPECT_EQ(store_->registry().organizers().value(), std::vector{org});
  EXPECT_EQ(store_->registry().events().value(), std::vector{democon});
  EXPECT_EQ(store_->registry().action_types().value(), std::vector{type});
  EXPECT_EQ(store_->registry().tokens().value(), std::vector{t});
  EXPECT_EQ(store_->registry().find_webhook(hook.id).value(), hook);
}

TEST_P(RegistryTest, GivesIdsFromOneWithoutRepeats) {
  EXPECT_EQ(add("a").id, 1U);
  EXPECT_EQ(add("b").id, 2U);
  reopen();
  EXPECT_EQ(add("c").id, 3U);
}

TEST_P(RegistryTest, RefusesTakenNamesAndChangesNothing) {
  auto org = add("a");
  auto again = run(add_organizer{.slug = "a", .name = "other"});
  EXPECT_EQ(code_of(again.done), ec::already_exists);
  EXPECT_EQ(store_->registry().organizers().value(), std::vector{org});
  run(add_event{.owner = 1, .slug = "e", .name = ""});
  EXPECT_EQ(code_of(run(add_event{.owner = 1, .slug = "e", .name = ""}).done),
            ec::already_exists);
  EXPECT_TRUE(run(add_event{.owner = 2, .slug = "e", .name = ""}).done);
  run(add_action_type{.name = "t"});
  EXPECT_EQ(code_of(run(add_action_type{.name = "t"}).done),
            ec::already_exists);
}

TEST_P(RegistryTest, RefusesWhatIsNoName) {
  const auto codes = [this](const std::string& name) {
    return std::vector{
      code_of(run(add_organizer{.slug = name, .name = ""}).done),
      code_of(run(add_event{.owner = 1, .slug = name, .name = ""}).done),
      code_of(run(add_action_type{.name = name}).done)};
  };
  EXPECT_EQ(codes(""), std::vector(3, ec::invalid_argument));
  EXPECT_EQ(codes(std::string(10'000, 'a')), std::vector(3, ec::too_large));
  EXPECT_EQ(codes(std::string(500, 'a')), std::vector(3, ec::ok));
  EXPECT_EQ(store_->registry().organizers()->size(), 1U);
  EXPECT_EQ(store_->registry().events()->size(), 1U);
  EXPECT_EQ(store_->registry().action_types()->size(), 1U);
}

TEST_P(RegistryTest, ARefusedOperationDoesNotStopTheOthersOfItsBatch) {
  auto batch = run_together(add_organizer{.slug = "a", .name = ""},
                            add_organizer{.slug = "a", .name = ""},
                            add_organizer{.slug = "b", .name = ""});
  EXPECT_TRUE(std::get<add_organizer>(batch[0]).done);
  EXPECT_EQ(code_of(std::get<add_organizer>(batch[1]).done),
            ec::already_exists);
  EXPECT_EQ(std::get<add_organizer>(batch[2]).done.value().id, 2U);
}

TEST_P(RegistryTest, RevokesATokenOfItsOrganizerOnly) {
  token t;
  t.owner = 1;
  t = run(add_token{.value = t}).done.value();
  EXPECT_EQ(code_of(run(revoke_token{.owner = 2, .id = t.id}).done),
            ec::not_found);
  EXPECT_EQ(code_of(run(revoke_token{.owner = 1, .id = 99}).done),
            ec::not_found);
  EXPECT_FALSE(store_->registry().tokens().value().front().revoked);
  EXPECT_TRUE(run(revoke_token{.owner = 1, .id = t.id}).done.value().revoked);
  EXPECT_TRUE(store_->registry().tokens().value().front().revoked);
}

TEST_P(RegistryTest, ChangesAWebhookOfItsOrganizerOnly) {
  auto hook = add_hook(1, {1});
  auto op = change_of(
    hook.id, [](webhook_record& h) { h.target_url = "http://other/"; });
  op.owner = 2;
  EXPECT_EQ(code_of(run(op).done), ec::not_found);
  EXPECT_EQ(store_->registry().find_webhook(hook.id).value(), hook);
  op.owner = 1;
  EXPECT_EQ(run(op).done.value().target_url, "http://other/");
  EXPECT_EQ(store_->registry().find_webhook(hook.id).value().target_url,
            "http://other/");
}

TEST_P(RegistryTest, AnEditThatFailsChangesNothing) {
  auto hook = add_hook(1, {1});
  change_webhook op;
  op.id = hook.id;
  op.edit = [](webhook_record& h) -> result<void> {
    h.target_url = "half done";
    return error{ec::invalid_argument, "no", "target_url"};
  };
  EXPECT_EQ(run(op).done.error().field, "target_url");
  EXPECT_EQ(store_->registry().find_webhook(hook.id).value(), hook);
}

TEST_P(RegistryTest, AnEditCannotChangeIdOwnerAndOldVersions) {
  auto hook = add_hook(1, {1});
  publish(draft_of(1));
  auto changed = change(hook.id, [](webhook_record& h) {
    h.id = 77;
    h.owner = 9;
    h.current().types = {5};
    h.versions.insert(h.versions.begin(), h.versions.front());
  });
  EXPECT_EQ(changed.id, hook.id);
  EXPECT_EQ(changed.owner, 1U);
  ASSERT_EQ(changed.versions.size(), 2U);
  EXPECT_EQ(changed.versions[0], hook.versions[0]);
  EXPECT_EQ(changed.versions[1].value.types, std::vector<action_type_id>{5});
}

TEST_P(RegistryTest, ListsWebhooksOfAnOrganizerByPageAndState) {
  std::vector<webhook_id> ids;
  for (int i = 0; i < 6; ++i)
    ids.push_back(add_hook(i % 2 == 0 ? 1 : 2, {1}).id);
  set_enabled(ids[2], false);
  auto list = [&](std::optional<bool> enabled, std::size_t offset,
                  std::size_t limit) {
    std::vector<webhook_id> found;
    for (const auto& hook :
         store_->registry().webhooks(1, enabled, offset, limit).value())
      found.push_back(hook.id);
    return found;
  };
  EXPECT_EQ(list({}, 0, 10), (std::vector{ids[0], ids[2], ids[4]}));
  EXPECT_EQ(list({}, 1, 1), std::vector{ids[2]});
  EXPECT_EQ(list({}, 3, 10), std::vector<webhook_id>{});
  EXPECT_EQ(list(true, 0, 10), (std::vector{ids[0], ids[4]}));
  EXPECT_EQ(list(true, 1, 10), std::vector{ids[4]});
  EXPECT_EQ(list(false, 0, 10), std::vector{ids[2]});
  EXPECT_EQ(store_->registry().count_webhooks(1, {}).value(), 3U);
  EXPECT_EQ(store_->registry().count_webhooks(1, true).value(), 2U);
  EXPECT_EQ(store_->registry().count_webhooks(1, false).value(), 1U);
  EXPECT_EQ(store_->registry().count_webhooks(3, {}).value(), 0U);
}

TEST_P(RegistryTest, VisitsAllWebhooksOnceInOrder) {
  std::vector<operation> batch;
  for (int i = 0; i < 1000; ++i)
    batch.emplace_back(add_webhook{.value = hook_of(1, {1})});
  ASSERT_TRUE(store_->commit(batch));
  webhook_id next = 1;
  ASSERT_TRUE(
    store_->registry().for_each_webhook([&](const webhook_record& hook) {
      EXPECT_EQ(hook.id, next++);
      return true;
    }));
  EXPECT_EQ(next, 1001U);
}

TEST_P(RegistryTest, NotesWhenTokensWereLastUsed) {
  token t;
  t.owner = 1;
  t.hash = std::string(32, 'h');
  const auto id = run(add_token{.value = t}).done->id;
  run(touch_tokens{{{id, at_ms(5)}, {id + 1, at_ms(5)}}});
  reopen();
  ASSERT_EQ(store_->registry().tokens()->size(), 1U);
  EXPECT_EQ(store_->registry().tokens()->front().last_used, at_ms(5));
  run(touch_tokens{{{id, at_ms(4)}}});
  EXPECT_EQ(store_->registry().tokens()->front().last_used, at_ms(5));
  // A revoked one stays so.
  run(revoke_token{.owner = 1, .id = id});
  run(touch_tokens{{{id, at_ms(6)}}});
  EXPECT_TRUE(store_->registry().tokens()->front().revoked);
}

} // namespace fanfare::test
