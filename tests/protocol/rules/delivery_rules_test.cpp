// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rules/delivery_rules.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>

namespace fanfare::protocol {
namespace {

using namespace std::chrono_literals;

/// The field at fault, or nothing.
std::string fault(const std::function<void(delivery_settings&)>& set) {
  delivery_settings settings;
  set(settings);
  const auto checked = check_delivery(settings, vault{});
  if (checked)
    return "";
  EXPECT_EQ(checked.error().code, ec::invalid_argument);
  EXPECT_FALSE(checked.error().detail.empty());
  return checked.error().field;
}

TEST(DeliveryRules, TakeWhatIsDocumented) {
  EXPECT_EQ(fault([](auto&) {}), "");
  EXPECT_EQ(fault([](auto& s) {
              s.timeouts = {1ms, 300s, 5s, 30s, 30s};
              s.limits = {0, 256, 0};
              s.max_in_flight = 64;
              s.schedule.emplace(100, 0ms);
              s.max_age = std::chrono::days{30};
              s.final_statuses = {300, 409, 411, 599};
              s.headers = {{"X-Key", "k"}, {"Authorization", "Bearer b"}};
              s.user_agent_suffix = "shop/1";
              s.legacy = legacy_signature{.header = "X-Sig"};
              s.rate_limit = {.count = 1, .period = 1ms};
              s.resume_rate = {.count = 1'000'000, .period = 24h};
              s.batch = {.max_count = 100, .max_wait = 60s};
              s.proxy = "socks5://user:pass@proxy.example:1080";
            }),
            "");
}

TEST(DeliveryRules, NameTheSettingThatIsOutOfBounds) {
  EXPECT_EQ(fault([](auto& s) { s.timeouts.total = 301s; }),
            "delivery.timeouts");
  EXPECT_EQ(fault([](auto& s) { s.timeouts.dns = 0ms; }), "delivery.timeouts");
  EXPECT_EQ(fault([](auto& s) { s.limits.header_bytes = 255; }),
            "delivery.limits");
  EXPECT_EQ(fault([](auto& s) { s.max_in_flight = 0; }),
            "delivery.max_in_flight");
  EXPECT_EQ(fault([](auto& s) { s.max_in_flight = 65; }),
            "delivery.max_in_flight");
  EXPECT_EQ(fault([](auto& s) { s.schedule.emplace(101, 1s); }),
            "delivery.schedule");
  EXPECT_EQ(fault([](auto& s) { s.schedule = {{-1ms}}; }), "delivery.schedule");
  EXPECT_EQ(fault([](auto& s) { s.max_age = 0ms; }), "delivery.max_age");
  for (const std::vector<std::uint16_t>& wrong :
       {std::vector<std::uint16_t>{299}, {600}, {410}, {422, 400}, {400, 400}})
    EXPECT_EQ(fault([&](auto& s) { s.final_statuses = wrong; }),
              "delivery.final_statuses");
  EXPECT_EQ(fault([](auto& s) {
              for (std::uint16_t i = 0; i < 21; ++i)
                s.final_statuses.push_back(static_cast<std::uint16_t>(420 + i));
            }),
            "delivery.final_statuses");
  EXPECT_EQ(fault([](auto& s) { s.rate_limit = {.count = 0}; }),
            "delivery.rate_limit");
  EXPECT_EQ(fault([](auto& s) { s.resume_rate = {.count = 1, .period = 0ms}; }),
            "delivery.resume_rate");
  EXPECT_EQ(fault([](auto& s) { s.batch = {.max_count = 101}; }),
            "delivery.batch");
  EXPECT_EQ(fault([](auto& s) { s.batch = {.max_count = 1, .max_wait = 61s}; }),
            "delivery.batch");
}

TEST(DeliveryRules, TellProxiesThatAreAskedForNames) {
  EXPECT_TRUE(check_proxy_asked({}));
  EXPECT_TRUE(check_proxy_asked("socks5://p:1"));
  EXPECT_TRUE(check_proxy_asked("http://p:1"));
  const auto wrong = check_proxy_asked("socks5h://me:s3cret@p:1");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().field, "delivery.proxy");
  EXPECT_EQ(wrong.error().detail.find("s3cret"), std::string::npos);
  EXPECT_TRUE(check_proxy_asked(
    secret_text::sealed("socks5h://p:1", secret_text::use::proxy)));
}

TEST(DeliveryRules, LetNothingEndALineOfARequest) {
  EXPECT_EQ(fault([](auto& s) {
              s.headers = {{"X-A", "a\r\nX-B: b"}};
            }),
            "delivery.headers");
  EXPECT_EQ(fault([](auto& s) {
              s.headers = {{"X A", "a"}};
            }),
            "delivery.headers");
  EXPECT_EQ(fault([](auto& s) {
              s.headers = {{"Host", "a"}};
            }),
            "delivery.headers");
  EXPECT_EQ(fault([](auto& s) {
              s.headers = {{"X-A", "a"}, {"x-a", "b"}};
            }),
            "delivery.headers");
  EXPECT_EQ(fault([](auto& s) {
              s.headers.assign(33, {"X", "a"});
            }),
            "delivery.headers");
  EXPECT_EQ(fault([](auto& s) { s.user_agent_suffix = "a\nb"; }),
            "delivery.user_agent_suffix");
  EXPECT_EQ(fault([](auto& s) {
              s.legacy = legacy_signature{.header = "X-Sig", .prefix = "\r"};
            }),
            "delivery.signing");
}

TEST(DeliveryRules, KeepTheLegacySignatureReadable) {
  EXPECT_EQ(fault([](auto& s) { s.legacy = legacy_signature{}; }),
            "delivery.signing");
  EXPECT_EQ(fault([](auto& s) {
              s.legacy = legacy_signature{.header = "X-Sig", .content = "{id}"};
            }),
            "delivery.signing");
  EXPECT_EQ(fault([](auto& s) {
              s.legacy = legacy_signature{.header = "X-Sig"};
              s.headers = {{"x-sig", "a"}};
            }),
            "delivery.signing");
  EXPECT_EQ(fault([](auto& s) {
              s.legacy = legacy_signature{.header = "X-Sig"};
              s.signing = signing_algorithm::ed25519;
            }),
            "delivery.signing");
}

TEST(DeliveryRules, LookAtWaysOut) {
  EXPECT_EQ(fault([](auto& s) { s.proxy = "ftp://proxy"; }), "delivery.proxy");
  EXPECT_EQ(fault([](auto& s) { s.tls = {.ca = "no PEM"}; }), "delivery.tls");
  EXPECT_EQ(fault([](auto& s) { s.tls = {.key = "no PEM"}; }), "delivery.tls");
}

TEST(SealSecrets, SealsEachOnceUnderItsOwnPurpose) {
  const auto seals = vault::from_text(std::string(64, 'a')).value();
  delivery_settings settings;
  settings.headers = {{"X-Key", "k"}};
  settings.tls = {.key = "pem"};
  settings.proxy = "http://u:p@proxy.example";
  seal_secrets(settings, seals);
  for (const auto* one :
       {&settings.headers[0].value, &settings.tls->key, &settings.proxy}) {
    EXPECT_TRUE(one->is_sealed());
    EXPECT_TRUE(vault::is_encrypted(one->bytes()));
  }
  EXPECT_EQ(seals.open(settings.headers[0].value).value(), "k");
  EXPECT_EQ(seals.open(settings.tls->key).value(), "pem");
  const auto before = settings;
  seal_secrets(settings, seals);
  EXPECT_EQ(settings, before);
  const auto passed_off = secret_text::sealed(settings.tls->key.bytes(),
                                              secret_text::use::header);
  EXPECT_FALSE(seals.open(passed_off));
}

/// What is said about the timeouts, or nothing.
std::string timeout_fault(const delivery_settings::timeout_settings& settings,
                          std::chrono::milliseconds whole = 30s) {
  const auto checked = check_timeouts(settings, whole);
  if (checked)
    return "";
  EXPECT_EQ(checked.error().code, ec::invalid_argument);
  EXPECT_EQ(checked.error().field, "delivery.timeouts");
  return checked.error().detail;
}

TEST(DeliveryRules, LetNoStepTakeLongerThanTheWhole) {
  EXPECT_EQ(timeout_fault({}), "");
  EXPECT_EQ(timeout_fault({.first_byte = 30s}), "");
  EXPECT_EQ(timeout_fault({.first_byte = 120s}),
            "first_byte (120 s) is longer than total (30 s, the server's), "
            "which would end the attempt before: set total to at least as "
            "much.");
  EXPECT_EQ(timeout_fault({.first_byte = 120s, .total = 120s}), "");
  EXPECT_EQ(timeout_fault({.tls = 1250ms, .total = 1s}),
            "tls (1.25 s) is longer than total (1 s), which would end the "
            "attempt before: set total to at least as much.");
  EXPECT_NE(timeout_fault({.dns = 6s, .total = 5s}), "");
  EXPECT_NE(timeout_fault({.connect = 6s, .total = 5s}), "");
  EXPECT_EQ(timeout_fault({.connect = 60s}, 60s), "");
  // What is not set is the server's, and ends with the whole.
  EXPECT_EQ(timeout_fault({.total = 1s}), "");
}

TEST(DeliveryRules, KnowThePlaceholdersOfTheLegacySignature) {
  const auto fault_of = [](std::string prefix, std::string content) {
    return placeholder_fault({.header = "X",
                              .prefix = std::move(prefix),
                              .content = std::move(content)})
      .value_or("");
  };
  EXPECT_EQ(fault_of("", "{body}"), "");
  EXPECT_EQ(fault_of("t={timestamp},i={id},v1=", "{id}.{timestamp}.{body}"),
            "");
  EXPECT_EQ(fault_of("{", R"({"a b":{body},{}})"), "");
  EXPECT_EQ(fault_of("", "{url}{body}"),
            "template has \"{url}\", which nothing replaces; use {id}, "
            "{timestamp} and {body}.");
  EXPECT_EQ(fault_of("v1={body}", "{body}"),
            "prefix has \"{body}\", which nothing replaces; use {id} and "
            "{timestamp}.");
  EXPECT_NE(fault_of("", "{Timestamp}{body}"), "");
  EXPECT_NE(fault_of("", "{{webhook_id}{body}"), "");
  EXPECT_NE(fault_of("", "{id}"), "");
  EXPECT_EQ(fault([](auto& s) {
              s.legacy = legacy_signature{.header = "X", .prefix = "{url}"};
            }),
            "delivery.signing");
}

} // namespace
} // namespace fanfare::protocol
