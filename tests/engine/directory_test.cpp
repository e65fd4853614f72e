// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Tokens in memory: who finds them, and when they were last used.

#include "engine/directory.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace fanfare::test {

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;
using use = storage::touch_tokens::use;

constexpr organizer_id owner = 1;

timestamp moment_of(std::int64_t milliseconds) {
  return timestamp{timestamp::duration{milliseconds}};
}

class DirectoryTokensTest : public ::testing::Test {
protected:
  DirectoryTokensTest() {
    storage::add_organizer op;
    op.done = owner_;
    tokens_.observe(op);
  }

  token add(token_id id, std::string hash,
            std::optional<timestamp> last_used = {}) {
    storage::add_token op;
    op.value.id = id;
    op.value.owner = owner;
    op.value.hash = std::move(hash);
    op.value.last_used = last_used;
    op.done = op.value;
    tokens_.observe(op);
    return op.value;
  }

  /// As the store answers it.
  void revoke(token value) {
    value.revoked = true;
    storage::revoke_token op{.owner = owner, .id = value.id};
    op.done = std::move(value);
    tokens_.observe(op);
  }

  std::optional<timestamp> last_used() {
    return tokens_.tokens(owner).at(0).last_used;
  }

  const organizer owner_{.id = owner, .slug = "acme", .name = "Acme"};
  directory tokens_;
};

TEST_F(DirectoryTokensTest, AreUnknownOnceTheirOrganizerIsRemoved) {
  add(7, "hash");
  storage::remove_organizer op{.id = owner};
  op.done = owner_;
  tokens_.observe(op);
  EXPECT_FALSE(tokens_.find_token("hash", moment_of(5)));
  EXPECT_FALSE(tokens_.find_organizer("acme"));
  EXPECT_EQ(tokens_.find_slug(owner), "");
  // Whoever gets the slug has another id.
  storage::add_organizer next;
  next.done = organizer{.id = owner + 1, .slug = "acme", .name = "Acme"};
  tokens_.observe(next);
  EXPECT_FALSE(tokens_.find_token("hash", moment_of(5)));
  EXPECT_THAT(tokens_.tokens(owner + 1), IsEmpty());
}

TEST_F(DirectoryTokensTest, AreFoundByTheirHashOnly) {
  const auto stored = add(7, "hash");
  const auto found = tokens_.find_token("hash", moment_of(5));
  ASSERT_TRUE(found);
  EXPECT_EQ(*found, stored);
  EXPECT_FALSE(tokens_.find_token("has", moment_of(5)));
  EXPECT_FALSE(tokens_.find_token("", moment_of(5)));
}

TEST_F(DirectoryTokensTest, AreNotCopiedForThoseWhoFindThem) {
  add(7, "hash");
  EXPECT_EQ(tokens_.find_token("hash", moment_of(5)),
            tokens_.find_token("hash", moment_of(6)));
}

TEST_F(DirectoryTokensTest, SayWhenTheyWereLastUsed) {
  add(7, "hash");
  EXPECT_EQ(last_used(), std::nullopt);
  (void)tokens_.find_token("another", moment_of(5));
  EXPECT_EQ(last_used(), std::nullopt);
  (void)tokens_.find_token("hash", moment_of(0));
  EXPECT_EQ(last_used(), moment_of(0));
}

TEST_F(DirectoryTokensTest, TakeUsesWithinASecondForOne) {
  add(7, "hash", moment_of(10'000));
  EXPECT_EQ(last_used(), moment_of(10'000));
  (void)tokens_.find_token("hash", moment_of(10'999));
  EXPECT_EQ(last_used(), moment_of(10'000));
  EXPECT_THAT(tokens_.take_token_uses(), IsEmpty());
  (void)tokens_.find_token("hash", moment_of(11'000));
  EXPECT_EQ(last_used(), moment_of(11'000));
  // A clock that was set back does not undo a use.
  (void)tokens_.find_token("hash", moment_of(1));
  EXPECT_EQ(last_used(), moment_of(11'000));
}

TEST_F(DirectoryTokensTest, GiveEachUseOnceToBeSaved) {
  add(1, "one");
  add(2, "two");
  add(3, "three", moment_of(3));
  EXPECT_THAT(tokens_.take_token_uses(), IsEmpty());
  (void)tokens_.find_token("one", moment_of(5'000));
  (void)tokens_.find_token("one", moment_of(6'000));
  (void)tokens_.find_token("two", moment_of(7'000));
  EXPECT_THAT(
    tokens_.take_token_uses(),
    UnorderedElementsAre(use{1, moment_of(6'000)}, use{2, moment_of(7'000)}));
  EXPECT_THAT(tokens_.take_token_uses(), IsEmpty());
  (void)tokens_.find_token("two", moment_of(8'000));
  EXPECT_THAT(tokens_.take_token_uses(), ElementsAre(use{2, moment_of(8'000)}));
}

TEST_F(DirectoryTokensTest, AreRevokedForWhoeverComesNextAndKeepTheirTime) {
  const auto stored = add(7, "hash");
  const auto before = tokens_.find_token("hash", moment_of(5'000));
  revoke(stored);
  EXPECT_FALSE(before->revoked); // who has it may read it in peace
  const auto after = tokens_.find_token("hash", moment_of(9'000));
  ASSERT_TRUE(after);
  EXPECT_TRUE(after->revoked);
  EXPECT_THAT(tokens_.tokens(owner), IsEmpty());
  // The use before it, not the attempt behind it.
  EXPECT_THAT(tokens_.take_token_uses(), ElementsAre(use{7, moment_of(5'000)}));
}

TEST_F(DirectoryTokensTest, OfOthersAreNotListed) {
  add(7, "hash");
  EXPECT_THAT(tokens_.tokens(owner), SizeIs(1));
  EXPECT_THAT(tokens_.tokens(owner + 1), IsEmpty());
}

} // namespace

} // namespace fanfare::test
