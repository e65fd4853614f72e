// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/dns/answer.hpp"

#include <ares.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace fanfare::protocol {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Big-endian, as many bytes as told.
std::string number(std::uint32_t value, int bytes) {
  std::string out;
  for (int i = bytes - 1; i >= 0; --i)
    out += static_cast<char>(value >> (8 * i));
  return out;
}

constexpr unsigned type_a = 1;
constexpr unsigned type_soa = 6;
constexpr unsigned type_aaaa = 28;

/// Its name is that of the question.
std::string record(unsigned type, std::uint32_t ttl, const std::string& data) {
  return "\xc0\x0c" + number(type, 2) + number(1, 2) + number(ttl, 4)
       + number(static_cast<std::uint32_t>(data.size()), 2) + data;
}

std::string start_of_authority(std::uint32_t ttl, std::uint32_t minimum) {
  return record(type_soa, ttl,
                std::string("\1a\0", 3) + std::string("\1b\0", 3)
                  + std::string(16, '\0') + number(minimum, 4));
}

/// An answer about "x.test".
std::string message(unsigned type, const std::vector<std::string>& answers,
                    const std::vector<std::string>& authorities = {},
                    unsigned code = 0) {
  auto out = number(7, 2) + number(0x8180 | code, 2) + number(1, 2)
           + number(static_cast<std::uint32_t>(answers.size()), 2)
           + number(static_cast<std::uint32_t>(authorities.size()), 2)
           + number(0, 2) + std::string("\1x\4test\0", 8) + number(type, 2)
           + number(1, 2);
  for (const auto& each : answers)
    out += each;
  for (const auto& each : authorities)
    out += each;
  return out;
}

std::span<const unsigned char> bytes(std::string_view text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

std::vector<std::string> texts(const family_answer& answer) {
  std::vector<std::string> out;
  for (const auto& each : answer.addresses)
    out.push_back(each.to_string());
  return out;
}

TEST(FamilyAnswerTest, HasTheAddressesAndTheShortestLife) {
  const auto four = message(type_a, {record(type_a, 60, "\xc0\0\2\1"s),
                                     record(type_a, 20, "\xc0\0\2\2"s)});
  auto found = read_answer(ip_family::v4, ARES_SUCCESS, bytes(four));
  EXPECT_TRUE(found.done);
  EXPECT_THAT(texts(found), ElementsAre("192.0.2.1", "192.0.2.2"));
  EXPECT_EQ(found.life, 20s);
  EXPECT_FALSE(found.says_nothing());
  const auto six = message(
    type_aaaa, {record(type_aaaa, 86'400,
                       "\x20\1\xd\xb8"s + std::string(11, '\0') + '\1')});
  found = read_answer(ip_family::v6, ARES_SUCCESS, bytes(six));
  EXPECT_THAT(texts(found), ElementsAre("2001:db8::1"));
  EXPECT_EQ(found.life, dns_life::longest);
}

TEST(FamilyAnswerTest, SaysNothingOnlyIfItIsCertain) {
  for (const int status : {ARES_ENODATA, ARES_ENOTFOUND, ARES_EBADNAME}) {
    const auto found = read_answer(ip_family::v4, status, {});
    EXPECT_TRUE(found.done);
    EXPECT_TRUE(found.says_nothing()) << status;
    EXPECT_EQ(found.life, dns_life::shortest) << status;
  }
  for (const int status :
       {ARES_ESERVFAIL, ARES_ETIMEOUT, ARES_ECONNREFUSED, ARES_EREFUSED})
    EXPECT_FALSE(read_answer(ip_family::v4, status, {}).says_nothing())
      << status;
  const auto garbage = read_answer(ip_family::v4, ARES_SUCCESS, bytes("\x81"));
  EXPECT_THAT(garbage.addresses, IsEmpty());
  EXPECT_FALSE(garbage.says_nothing());
}

TEST(NegativeLifeTest, IsTheSmallerOfTheTwoOfTheStartOfAuthority) {
  struct row {
    std::uint32_t ttl;
    std::uint32_t minimum;
    seconds life;
  };
  for (const auto& [ttl, minimum, life] :
       {row{60, 7, 7s}, row{5, 900, 5s}, row{0, 10, 0s},
        row{0xffffffff, 0xffffffff, seconds{0xffffffff}}})
    EXPECT_EQ(negative_life(bytes(
                message(type_a, {}, {start_of_authority(ttl, minimum)}, 3))),
              life);
}

TEST(NegativeLifeTest, IsShortWithoutAStartOfAuthority) {
  EXPECT_EQ(negative_life({}), dns_life::shortest);
  EXPECT_EQ(negative_life(bytes(message(type_a, {}))), dns_life::shortest);
  // Where an answer belongs it is none.
  EXPECT_EQ(negative_life(bytes(message(type_a, {start_of_authority(60, 7)}))),
            dns_life::shortest);
}

TEST(NegativeLifeTest, ReadsNothingBehindTheEnd) {
  const auto whole = message(type_a, {}, {start_of_authority(60, 7)}, 3);
  for (std::size_t size = 0; size < whole.size(); ++size) {
    // Of its own size, so that a sanitizer sees a read behind it.
    const std::string cut = whole.substr(0, size);
    EXPECT_EQ(negative_life(bytes(cut)), dns_life::shortest) << size;
  }
}

} // namespace
} // namespace fanfare::protocol
