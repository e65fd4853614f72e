// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What becomes of spans between the tracer and the collector: bounds, retries,
// options. A real collector is in tests/tracing.

#include "engine/options.hpp"
#include "engine/tracing/export_pace.hpp"
#include "engine/tracing/span_queue.hpp"
#include "engine/tracing/trace_settings.hpp"
#include "tests/support/temp_dir.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

protocol::exchange_result collector_says(std::uint16_t status,
                                         std::string retry_after = {}) {
  protocol::exchange_result out;
  out.status = status;
  out.retry_after = std::move(retry_after);
  return out;
}

} // namespace

// -- queue --------------------------------------------------------------------

TEST(SpanQueue, WakesWhenThereIsSomethingAndWhenThereIsMuch) {
  span_queue queue{100, 3};
  EXPECT_TRUE(queue.push("a"));
  EXPECT_FALSE(queue.push("b"));
  EXPECT_FALSE(queue.has_batch());
  EXPECT_TRUE(queue.push("c"));
  EXPECT_TRUE(queue.has_batch());
  EXPECT_FALSE(queue.push("d"));
  EXPECT_THAT(queue.take(), ElementsAre("a", "b", "c"));
  EXPECT_FALSE(queue.push("e"));
  EXPECT_THAT(queue.take(), ElementsAre("d", "e"));
  EXPECT_THAT(queue.take(), IsEmpty());
  EXPECT_TRUE(queue.push("f"));
}

TEST(SpanQueue, WhatIsNewPushesOutWhatIsOld) {
  span_queue queue{3, 3};
  for (const auto* one : {"a", "b", "c", "d", "e"})
    queue.push(one);
  EXPECT_EQ(queue.counts().dropped, 2U);
  EXPECT_THAT(queue.take(), ElementsAre("c", "d", "e"));
}

TEST(SpanQueue, BytesAreBoundedToo) {
  span_queue queue{10, 10};
  const std::string big(span_queue::bytes_per_span * 4, 'x');
  for (int i = 0; i < 5; ++i)
    queue.push(big);
  EXPECT_EQ(queue.size(), 2U);
  EXPECT_EQ(queue.counts().dropped, 3U);
  // One that alone is too large takes the place of all.
  queue.push(std::string(span_queue::bytes_per_span * 20, 'y'));
  EXPECT_EQ(queue.size(), 1U);
  queue.push("z");
  EXPECT_THAT(queue.take(), ElementsAre("z"));
}

// -- retries ------------------------------------------------------------------

TEST(ExportPace, AnswersMeanWhatTheProtocolSays) {
  for (const int status : {200, 202, 299})
    EXPECT_EQ(judge(collector_says(static_cast<std::uint16_t>(status))),
              export_end::taken);
  for (const int status : {0, 429, 502, 503, 504})
    EXPECT_EQ(judge(collector_says(static_cast<std::uint16_t>(status))),
              export_end::again);
  for (const int status : {301, 400, 401, 404, 413, 500, 501})
    EXPECT_EQ(judge(collector_says(static_cast<std::uint16_t>(status))),
              export_end::refused);
}

TEST(ExportPace, WaitsGrowUntilABatchIsGivenUp) {
  export_pace pace{1};
  timestamp now{1'000'000ms};
  pace.begin(now);
  auto expected = export_pace::first_delay;
  std::vector<bool> ends;
  for (int i = 0; i < 6; ++i) {
    const auto next = pace.failed(collector_says(503), now);
    EXPECT_GE(next.wait, expected);
    EXPECT_LE(next.wait, expected + expected / 5);
    ends.push_back(next.gives_up);
    expected = std::min(expected * 2, export_pace::longest_delay);
    now += next.wait;
  }
  // 1 + 2 + 4 + 8 + 16 s, and 30 more are beyond a minute.
  EXPECT_THAT(ends, ElementsAre(false, false, false, false, false, true));
  // The next batch has a minute of its own, but the collector is still down.
  pace.begin(now);
  EXPECT_GE(pace.failed(collector_says(0), now).wait,
            export_pace::longest_delay);
  pace.succeeded();
  EXPECT_LT(pace.failed(collector_says(0), now).wait, 2s);
}

TEST(ExportPace, RetryAfterIsObeyedWithinReason) {
  export_pace pace{1};
  const timestamp now{1'000'000ms};
  pace.begin(now);
  EXPECT_EQ(pace.failed(collector_says(429, "20"), now).wait, 20s);
  const auto soon = pace.failed(collector_says(503, "0"), now);
  EXPECT_GE(soon.wait, 2s) << "not sooner than without";
  const auto late = pace.failed(collector_says(503, "86400"), now);
  EXPECT_EQ(late.wait, export_pace::patience);
  EXPECT_LT(pace.failed(collector_says(503, "nonsense"), now).wait, 30s);
}

// -- options ------------------------------------------------------------------

namespace {

class TraceSettingsTest : public ::testing::Test {
protected:
  result<trace_settings> read(tracing_options options) {
    given_ = std::move(options);
    return read_trace_settings(given_);
  }
  /// "FIELD: DETAIL".
  std::string fault(tracing_options options) {
    const auto found = read(std::move(options));
    return found ? "" : found.error().field + ": " + found.error().detail;
  }
  std::string file(const std::string& text, bool is_private = true) {
    const auto path = dir_.write("headers", text);
    std::filesystem::permissions(
      path, std::filesystem::perms{is_private ? 0600U : 0640U});
    return path.string();
  }

  temp_dir dir_;
  tracing_options given_;
};

} // namespace

TEST_F(TraceSettingsTest, WithoutACollectorNothingIsTraced) {
  const auto found = read({});
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->collector);
}

TEST_F(TraceSettingsTest, ThePathIsBelowTheEndpoint) {
  const auto path = [this](const std::string& endpoint) {
    const auto found = read({.endpoint = endpoint});
    const auto head = found ? found->collector->head() : "";
    return head.substr(0, head.find(" HTTP"));
  };
  EXPECT_EQ(path("http://a:4318"), "POST /v1/traces");
  EXPECT_EQ(path("http://a:4318/"), "POST /v1/traces");
  EXPECT_EQ(path("https://a/team/x/"), "POST /team/x/v1/traces");
  EXPECT_EQ(path("http://a:4318/v1/traces"), "POST /v1/traces");
}

TEST_F(TraceSettingsTest, HeadersGoIntoTheHeadAndNowhereElse) {
  const auto found = read(
    {.endpoint = "https://user:pw@a/x",
     .headers = {"x-one=1", " x-two = a=b "},
     .header_file = file("# comment\n\nAuthorization=Bearer KEY\r\n")});
  ASSERT_TRUE(found);
  const auto& head = found->collector->head();
  EXPECT_THAT(head, HasSubstr("Content-Type: application/x-protobuf\r\n"));
  EXPECT_THAT(head, HasSubstr("x-one: 1\r\nx-two: a=b\r\n"
                              "Authorization: Bearer KEY\r\n"));
  EXPECT_THAT(head, Not(HasSubstr("Basic"))) << "the header wins";
  EXPECT_THAT(given_.headers, IsEmpty());
  EXPECT_EQ(found->shown, "https://a/x/v1/traces");
}

TEST_F(TraceSettingsTest, WhatMakesNoSenseIsRefusedAndSecretsAreNotRepeated) {
  const std::string url = "http://a";
  EXPECT_THAT(fault({.endpoint = "collector:4318"}),
              HasSubstr("tracing.endpoint: tracing.endpoint is no address of "
                        "a collector"));
  EXPECT_THAT(fault({.endpoint = "http://a?k=SECRET"}),
              HasSubstr("neither a query nor a fragment"));
  EXPECT_THAT(fault({.headers = {"a=b"}}), HasSubstr("is missing"));
  for (const auto* bad : {"SECRET", "a: SECRET", "Content-Type=SECRET",
                          "=SECRET", "a=SECRET\r\nb: c"}) {
    const auto found = fault({.endpoint = url, .headers = {bad}});
    EXPECT_THAT(found, HasSubstr("tracing.headers: ")) << bad;
    EXPECT_THAT(found, Not(HasSubstr("SECRET")));
    EXPECT_THAT(given_.headers, IsEmpty());
  }
  EXPECT_THAT(
    fault({.endpoint = url, .header_file = file("a=b\nSECRET\n")}),
    ::testing::AllOf(HasSubstr("headers, line 2, "), Not(HasSubstr("SECRET"))));
  EXPECT_THAT(fault({.endpoint = url, .header_file = file("a=b", false)}),
              HasSubstr("chmod 600"));
  EXPECT_THAT(fault({.endpoint = url, .header_file = "/nowhere"}),
              HasSubstr("tracing.header_file: cannot read /nowhere"));
  for (const double sample : {-0.1, 1.1, std::nan("")})
    EXPECT_THAT(fault({.endpoint = url, .sample = sample}),
                HasSubstr("tracing.sample: "));
  EXPECT_THAT(fault({.queue = 0}), HasSubstr("tracing.queue: "));
  EXPECT_THAT(fault({.queue = 1'000'001}), HasSubstr("tracing.queue: "));
  EXPECT_THAT(fault({.batch = 0}), HasSubstr("tracing.batch: "));
  EXPECT_THAT(fault({.interval = 0ms}), HasSubstr("tracing.interval: "));
  EXPECT_THAT(fault({.timeout = 61min}), HasSubstr("tracing.timeout: "));
  EXPECT_THAT(fault({.service_name = ""}), HasSubstr("service_name"));
}

} // namespace fanfare::test
