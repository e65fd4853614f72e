// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/security/vault.hpp"

#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <set>
#include <string>
#include <utility>

namespace fanfare::protocol {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// 32 bytes in both ways of writing them.
const std::string
  hex_of_a = "4141414141414141414141414141414141414141414141414141414141414141";
const std::string base64_of_a = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=";
const std::string
  hex_of_b = "bBBbBbbBbbBbbBbbBbbBbbBbbBbbBbbBbbBbbBbbBbbBbbBbbBbbBbbBbbBbbBbb";

vault vault_of(std::string_view text) {
  return vault::from_text(text).value();
}

// -- sealing ------------------------------------------------------------------

TEST(VaultTest, OpensWhatItSealed) {
  const auto safe = vault_of(hex_of_a);
  EXPECT_TRUE(safe.encrypts());
  for (const auto& plain :
       {std::string{}, std::string{"x"}, std::string{"whsec_secret"},
        std::string{"a\0b", 3}, std::string(1'000'000, 'x')})
    for (const std::string_view purpose : {"secret", "header", ""}) {
      const auto sealed = safe.seal(plain, purpose);
      EXPECT_EQ(sealed.size(), plain.size() + 29);
      EXPECT_TRUE(vault::is_encrypted(sealed));
      EXPECT_EQ(safe.open(sealed, purpose).value(), plain);
    }
  EXPECT_EQ(safe.open(safe.seal(std::string_view{}, {}), {}).value(), "");
  EXPECT_THAT(safe.seal("whsec_secret", "secret"), Not(HasSubstr("whsec")));
}

TEST(VaultTest, KeepsTextAsItIsWithoutAKey) {
  const vault none;
  EXPECT_FALSE(none.encrypts());
  for (const std::string plain : {"", "whsec_secret", "\x02"}) {
    const auto sealed = none.seal(plain, "secret");
    EXPECT_EQ(sealed, '\x01' + plain);
    EXPECT_FALSE(vault::is_encrypted(sealed));
    EXPECT_EQ(none.open(sealed, "secret").value(), plain);
    // One that was stored before there was a key.
    EXPECT_EQ(vault_of(hex_of_a).open(sealed, "secret").value(), plain);
  }
}

TEST(VaultTest, NeverUsesANonceTwice) {
  const auto safe = vault_of(hex_of_a);
  std::set<std::string> nonces;
  std::set<std::string> sealed;
  for (int i = 0; i < 1000; ++i) {
    const auto one = safe.seal("the same", "secret");
    nonces.insert(one.substr(1, 12));
    sealed.insert(one.substr(13));
  }
  EXPECT_EQ(nonces.size(), 1000U);
  EXPECT_EQ(sealed.size(), 1000U);
}

TEST(VaultTest, OpensNothingWithAnotherKey) {
  const auto sealed = vault_of(hex_of_a).seal("whsec_secret", "secret");
  for (const auto& other : {vault{}, vault_of(hex_of_b)}) {
    const auto opened = other.open(sealed, "secret");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ec::invalid_argument);
    EXPECT_THAT(opened.error().detail, HasSubstr("give the key that"));
  }
}

TEST(VaultTest, OpensNothingForAnotherPurpose) {
  const auto safe = vault_of(hex_of_a);
  const auto sealed = safe.seal("text", "secret");
  for (const std::string_view purpose : {"header", "secre", "secrets", ""})
    EXPECT_FALSE(safe.open(sealed, purpose)) << purpose;
}

TEST(VaultTest, OpensNothingThatWasChanged) {
  const auto safe = vault_of(hex_of_a);
  const auto sealed = safe.seal("whsec_secret", "secret");
  for (std::size_t at = 0; at < sealed.size(); ++at)
    for (unsigned bit = 0; bit < 8; ++bit) {
      auto changed = sealed;
      changed[at] = static_cast<char>(changed[at] ^ (1U << bit));
      EXPECT_FALSE(safe.open(changed, "secret")) << at << ' ' << bit;
    }
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_FALSE(safe.open(sealed.substr(0, size), "secret")) << size;
  EXPECT_FALSE(safe.open(sealed + '\0', "secret"));
  EXPECT_FALSE(safe.open(sealed + sealed, "secret"));
  // No byte of format that there is not.
  for (const auto format : {'\0', '\x03', 'w', '\xff'}) {
    const auto opened = safe.open(format + sealed.substr(1), "secret");
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, ec::invalid_argument);
  }
  EXPECT_FALSE(vault::is_encrypted(""));
}

TEST(VaultTest, SealsWithTheFirstKeyAndOpensWithAll) {
  const auto before = vault_of(hex_of_a);
  const auto both = vault_of(hex_of_b + "\n" + hex_of_a + "\n");
  const auto after = vault_of(hex_of_b);
  const auto old_one = before.seal("old", "secret");
  EXPECT_EQ(both.open(old_one, "secret").value(), "old");
  const auto new_one = both.seal("new", "secret");
  EXPECT_EQ(both.open(new_one, "secret").value(), "new");
  EXPECT_EQ(after.open(new_one, "secret").value(), "new");
  EXPECT_FALSE(before.open(new_one, "secret"));
  EXPECT_FALSE(after.open(old_one, "secret"));
}

TEST(VaultTest, IsCopiedAndAssigned) {
  auto safe = vault_of(hex_of_a + "\n" + hex_of_b);
  const auto sealed = safe.seal("text", "secret");
  const auto copy = safe;
  auto& self = safe;
  safe = self;
  EXPECT_EQ(safe.open(sealed, "secret").value(), "text");
  safe = vault_of(hex_of_b);
  EXPECT_FALSE(safe.open(sealed, "secret"));
  EXPECT_EQ(copy.open(sealed, "secret").value(), "text");
  safe = vault{};
  EXPECT_FALSE(safe.encrypts());
}

// -- texts of keys ------------------------------------------------------------

TEST(VaultTest, ReadsAKeyInEachWayOfWritingIt) {
  const auto sealed = vault_of(hex_of_a).seal("text", "secret");
  for (const auto& text :
       {hex_of_a, hex_of_a + "\n", base64_of_a, base64_of_a + "\r\n",
        " \t" + base64_of_a + " \n\n", "# made today\n\n" + hex_of_a,
        "\n\n#" + hex_of_b + "\n  # another\n" + hex_of_a + "\n#",
        std::string(32, 'A')})
    EXPECT_EQ(vault_of(text).open(sealed, "secret").value(), "text") << text;
  EXPECT_TRUE(vault_of("BB" + hex_of_b.substr(2))
                .open(vault_of(hex_of_b).seal("x", "y"), "y"));
}

TEST(VaultTest, Takes32ArbitraryBytesForAKey) {
  std::string bytes;
  for (int i = 0; i < 32; ++i)
    bytes += static_cast<char>(i); // with line ends
  auto odd = '#' + std::string(31, '\xff');
  for (const auto& text : {bytes, odd, std::string(32, '\0')}) {
    const auto safe = vault::from_text(text);
    ASSERT_TRUE(safe);
    EXPECT_TRUE(safe->encrypts());
  }
  // But not what people wrote to say something.
  EXPECT_FALSE(vault::from_text("# 32 characters, but not a key.\n"));
  EXPECT_FALSE(vault::from_text(std::string(32, '\n')));
  for (const std::size_t size : {31, 33})
    EXPECT_FALSE(vault::from_text(std::string(size, '\xff')));
}

TEST(VaultTest, NamesTheBadLineButNotWhatIsInIt) {
  const std::pair<std::string, const char*> table[] = {
    {"SECRET", "line 1 "},
    {hex_of_a + "\nSECRET", "line 2 "},
    {"# one\n\n" + hex_of_a + "\r\n\nSECRET\n" + hex_of_b, "line 5 "},
    {hex_of_a.substr(1) + "\n", "line 1 "},
    {hex_of_a + "4", "line 1 "},
    {hex_of_a.substr(1) + "g", "line 1 "},
    {hex_of_a + " # comment", "line 1 "},
    {base64_of_a.substr(0, 43), "line 1 "},
    {base64_of_a.substr(0, 43) + "A", "line 1 "}, // 33 bytes
    {base64_of_a.substr(0, 42) + "==", "line 1 "},
    {'*' + base64_of_a.substr(1), "line 1 "},
    {"", "no key"},
    {"\n\n", "no key"},
    {"# SECRET\n", "no key"},
  };
  for (const auto& [text, about] : table) {
    SCOPED_TRACE(text);
    const auto safe = vault::from_text(text);
    ASSERT_FALSE(safe);
    EXPECT_EQ(safe.error().code, ec::invalid_argument);
    EXPECT_THAT(safe.error().detail, HasSubstr(about));
    EXPECT_THAT(safe.error().detail, Not(HasSubstr("SECRET")));
    EXPECT_THAT(safe.error().detail, Not(HasSubstr("4141")));
    EXPECT_THAT(safe.error().detail, Not(HasSubstr("QUFB")));
  }
}

// -- files --------------------------------------------------------------------

class VaultFileTest : public ::testing::Test {
protected:
  std::string file(std::string_view text, mode_t mode = 0600) {
    auto path = dir_.write("key", text).string();
    EXPECT_EQ(::chmod(path.c_str(), mode), 0);
    return path;
  }

  /// Expects a failure, and that its sentence names the file.
  static error failure(const std::string& path) {
    const auto safe = vault::from_file(path);
    EXPECT_FALSE(safe);
    if (safe)
      return {};
    EXPECT_THAT(safe.error().detail, HasSubstr(path));
    return safe.error();
  }

  test::temp_dir dir_;
};

TEST_F(VaultFileTest, ReadsWhatOnlyItsOwnerMay) {
  const auto sealed = vault_of(hex_of_a).seal("text", "secret");
  for (const mode_t mode : {0600U, 0400U, 0700U}) {
    const auto safe = vault::from_file(file(hex_of_a + "\n", mode));
    ASSERT_TRUE(safe) << mode;
    EXPECT_EQ(safe->open(sealed, "secret").value(), "text");
  }
  const auto target = file(base64_of_a);
  const auto link = (dir_ / "link").string();
  std::filesystem::create_symlink(target, link);
  EXPECT_TRUE(vault::from_file(link));
}

TEST_F(VaultFileTest, RefusesWhatOthersMayUse) {
  for (const mode_t mode :
       {0604U, 0602U, 0601U, 0640U, 0620U, 0610U, 0644U, 0666U}) {
    const auto found = failure(file(hex_of_a, mode));
    EXPECT_EQ(found.code, ec::invalid_argument) << mode;
    EXPECT_THAT(found.detail, HasSubstr("chmod 600"));
  }
}

TEST_F(VaultFileTest, RefusesWhatIsNoFile) {
  EXPECT_EQ(failure((dir_ / "absent").string()).code, ec::io_error);
  EXPECT_THAT(failure(dir_.path().string()).detail, HasSubstr("regular"));
  EXPECT_THAT(failure("/dev/null").detail, HasSubstr("regular"));
  // Nobody writes to it; it is not waited for.
  const auto pipe = (dir_ / "pipe").string();
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_THAT(failure(pipe).detail, HasSubstr("regular"));
}

TEST_F(VaultFileTest, SaysWhatIsWrongInIt) {
  EXPECT_THAT(failure(file("")).detail, HasSubstr("no key"));
  EXPECT_THAT(failure(file("# none yet\n")).detail, HasSubstr("no key"));
  const auto found = failure(file(hex_of_a + "\nSECRET\n"));
  EXPECT_EQ(found.code, ec::invalid_argument);
  EXPECT_THAT(found.detail, HasSubstr("line 2"));
  EXPECT_THAT(found.detail, Not(HasSubstr("SECRET")));
}

TEST_F(VaultFileTest, HasALimit) {
  const auto filled = [](std::size_t size) {
    return hex_of_a + "\n#" + std::string(size - hex_of_a.size() - 2, 'x');
  };
  EXPECT_TRUE(vault::from_file(file(filled(65'536))));
  const auto found = failure(file(filled(65'537)));
  EXPECT_EQ(found.code, ec::invalid_argument);
  EXPECT_THAT(found.detail, HasSubstr("64 KiB"));
}

TEST_F(VaultFileTest, ReadsAFileOf32Bytes) {
  EXPECT_TRUE(vault::from_file(file(std::string(32, '\xfe'))));
}

} // namespace
} // namespace fanfare::protocol
