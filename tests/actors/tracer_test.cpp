// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Which spans there are, and how they hang together, under a clock that the
// test moves. What they say is in tests/tracing.

#include "actors/tracer.hpp"

#include "protocol/otlp/protobuf.hpp"
#include "tests/actors/actor_test.hpp"

#include <gmock/gmock.h>

#include <set>
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

const std::string trace_digits = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string given_trace = "00-" + trace_digits + "-00f067aa0ba902b7-01";

std::string digits_of(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 15];
  }
  return out;
}

struct seen_span {
  std::string trace;
  std::string id;
  std::string parent;
  std::string name;
  std::uint64_t start = 0;
  std::uint64_t end = 0;
  std::vector<std::string> links; ///< ids of spans

  [[nodiscard]] bool is_call() const {
    return name == "POST";
  }
  /// What a receiver is told.
  [[nodiscard]] std::string traceparent() const {
    return "00-" + trace + '-' + id + "-01";
  }
};

std::uint64_t little_endian(std::string_view bytes) {
  std::uint64_t out = 0;
  for (auto i = bytes.size(); i > 0; --i)
    out = out << 8 | static_cast<unsigned char>(bytes[i - 1]);
  return out;
}

seen_span read_span(const std::string& bytes) {
  seen_span out;
  protocol::otlp::message_reader from{bytes};
  while (const auto field = from.next()) {
    switch (field->number) {
      case 1: out.trace = digits_of(field->bytes); break;
      case 2: out.id = digits_of(field->bytes); break;
      case 4: out.parent = digits_of(field->bytes); break;
      case 5: out.name = field->bytes; break;
      case 7: out.start = little_endian(field->bytes); break;
      case 8: out.end = little_endian(field->bytes); break;
      case 13: {
        protocol::otlp::message_reader link{field->bytes};
        while (const auto part = link.next())
          if (part->number == 2)
            out.links.push_back(digits_of(part->bytes));
        break;
      }
      default: break;
    }
  }
  return out;
}

class TracerTest : public NodeTest {
protected:
  TracerTest() {
    trace();
  }

  tracer_config config(double sample = 1) {
    return {.clock = &clock_,
            .sample = sample,
            .offer =
              [this](const std::string& bytes) {
                spans_.push_back(read_span(bytes));
              },
            .organizer_of = [](organizer_id) { return "o"; },
            .event_of = [](event_id) { return "e"; }};
  }

  /// A new process on what is on disk, with these settings.
  void trace(double sample = 1) {
    auto left = node_->store.contents();
    node_.reset();
    tracer_.emplace(config(sample));
    NodeTest::restart(std::move(left), {.tracing = &*tracer_});
  }

  void TearDown() override {
    NodeTest::TearDown();
    tracer_.reset();
  }

  [[nodiscard]] std::vector<seen_span> some(bool calls) const {
    std::vector<seen_span> out;
    std::ranges::copy_if(spans_, std::back_inserter(out),
                         [&](const auto& s) { return s.is_call() == calls; });
    return out;
  }
  [[nodiscard]] std::vector<seen_span> publishes() const {
    return some(false);
  }
  [[nodiscard]] std::vector<seen_span> calls() const {
    return some(true);
  }

  std::vector<seen_span> spans_;
  std::optional<tracer> tracer_;
};

} // namespace

// -- how they hang together ---------------------------------------------------

TEST_F(TracerTest, ACallIsBelowThePublishAndTheReceiverBelowTheCall) {
  node_->add_webhook();
  node_->publish_with(R"("x": 1)", given_trace + "\nvendor=1");
  ASSERT_THAT(publishes(), SizeIs(1));
  ASSERT_THAT(calls(), SizeIs(1));
  const auto publish = publishes()[0];
  const auto call = calls()[0];
  EXPECT_EQ(publish.trace, trace_digits);
  EXPECT_EQ(publish.parent, "00f067aa0ba902b7");
  EXPECT_EQ(call.trace, trace_digits);
  EXPECT_EQ(call.parent, publish.id);
  EXPECT_THAT(call.links, ElementsAre(publish.id));
  EXPECT_THAT(sent()[0].head, HasSubstr("traceparent: " + call.traceparent()
                                        + "\r\ntracestate: vendor=1\r\n"));
}

TEST_F(TracerTest, ATraceThatBeginsHereHasNoParent) {
  node_->add_webhook();
  node_->publish(2);
  ASSERT_THAT(publishes(), SizeIs(2));
  EXPECT_NE(publishes()[0].trace, publishes()[1].trace);
  for (const auto& publish : publishes())
    EXPECT_EQ(publish.parent, "");
  ASSERT_THAT(calls(), SizeIs(2));
  EXPECT_EQ(calls()[0].parent, publishes()[0].id);
  EXPECT_EQ(calls()[1].trace, publishes()[1].trace);
}

TEST_F(TracerTest, RetriesGoOnInTheSameTraceAfterARestart) {
  const auto hook = node_->add_webhook();
  code_ = 500;
  node_->publish();
  node_->publish_with(R"("x": 1)", given_trace);
  trace(0); // decides nothing about what was published
  node_->advance(6s);
  ASSERT_THAT(node_->calls(hook), SizeIs(4));
  const auto published = publishes();
  const auto called = calls();
  ASSERT_THAT(published, SizeIs(2));
  ASSERT_THAT(called, SizeIs(4));
  std::set<std::string> ids;
  for (const auto& call : called) {
    ids.insert(call.id);
    const auto& publish = published[call.trace == trace_digits ? 1 : 0];
    EXPECT_EQ(call.trace, publish.trace);
    EXPECT_EQ(call.parent, publish.id);
  }
  EXPECT_THAT(ids, SizeIs(4));
  for (std::size_t i = 0; i < called.size(); ++i)
    EXPECT_THAT(sent()[i % 2].head, HasSubstr("traceparent: 00-"));
}

TEST_F(TracerTest, ABatchLinksToItsMembersAndIsInNoTraceOfTheirs) {
  webhook_record w;
  w.owner = 1;
  w.target_url = "http://a.example/";
  w.versions.push_back({.from = 0, .value = {.types = {1}}});
  w.delivery.batch = {.max_count = 3, .max_wait = 1s};
  node_->add_webhook(std::move(w));
  node_->publish_with(R"("x": 1)", given_trace);
  node_->publish();
  // Not recorded, so that there is nothing to link to.
  node_->publish_with(R"("x": 1)", given_trace.substr(0, 53) + "00");
  ASSERT_THAT(publishes(), SizeIs(2));
  ASSERT_THAT(calls(), SizeIs(1));
  const auto call = calls()[0];
  EXPECT_THAT(call.links, ElementsAre(publishes()[0].id, publishes()[1].id));
  EXPECT_EQ(call.parent, "");
  EXPECT_NE(call.trace, publishes()[0].trace);
  EXPECT_NE(call.trace, publishes()[1].trace);
  EXPECT_THAT(sent()[0].head, HasSubstr(call.traceparent()));
}

TEST_F(TracerTest, TimesAreThoseOfTheLog) {
  hang();
  const auto hook = node_->add_webhook();
  node_->publish();
  auto answer = status(200);
  answer.timings.total = 1'500us;
  clock_.set(clock_.now() + 2ms);
  node_->wire.answer(0, std::move(answer));
  node_->run();
  ASSERT_THAT(calls(), SizeIs(1));
  const auto logged = node_->calls(hook).at(0).time.time_since_epoch();
  EXPECT_EQ(calls()[0].start, std::chrono::nanoseconds{logged}.count());
  EXPECT_EQ(calls()[0].end - calls()[0].start, 1'500'000U);
}

// -- which there are ----------------------------------------------------------

TEST_F(TracerTest, WhatIsNotRecordedIsPassedOnAsItCame) {
  node_->add_webhook();
  const auto unwanted = given_trace.substr(0, 53) + "00";
  node_->publish_with(R"("x": 1)", unwanted);
  EXPECT_THAT(spans_, IsEmpty());
  EXPECT_THAT(sent()[0].head, HasSubstr("traceparent: " + unwanted + "\r\n"));
}

TEST_F(TracerTest, WhatIsNotChosenSaysSo) {
  trace(0);
  node_->add_webhook();
  node_->publish();
  EXPECT_THAT(spans_, IsEmpty());
  EXPECT_THAT(sent()[0].head, ::testing::ContainsRegex(
                                "traceparent: 00-[0-9a-f]+-[0-9a-f]+-00\r\n"));
  node_->publish_with(R"("x": 1)", given_trace);
  EXPECT_THAT(spans_, SizeIs(2)) << "its publisher has decided otherwise";
}

TEST_F(TracerTest, TheRatioIsOfTheTraces) {
  for (const double sample : {0.0, 0.25, 1.0}) {
    tracer some_tracer{config(sample)};
    std::set<std::string> all;
    std::size_t chosen = 0;
    constexpr std::size_t count = 4'000;
    for (std::size_t i = 0; i < count; ++i) {
      const auto text = some_tracer.begin();
      const auto read = protocol::read_trace(text);
      ASSERT_TRUE(read) << text;
      all.insert(text);
      chosen += read->sampled() ? 1 : 0;
    }
    EXPECT_THAT(all, SizeIs(count));
    // Six standard deviations of a quarter are 165.
    EXPECT_NEAR(static_cast<double>(chosen), sample * count,
                sample == 0.25 ? 165 : 0);
  }
}

TEST_F(TracerTest, WithoutOneNothingIsAdded) {
  start({});
  node_->add_webhook();
  node_->publish();
  EXPECT_THAT(spans_, IsEmpty());
  EXPECT_THAT(sent()[0].head, Not(HasSubstr("trace")));
  EXPECT_EQ(sent()[0].what->trace, "");
}

} // namespace fanfare::test
