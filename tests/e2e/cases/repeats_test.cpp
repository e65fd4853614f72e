// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Requests on kept connections that end without an answer: which go out again
// at once, which do not, and what the log says.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/eventually.hpp"

#include <boost/json.hpp>

#include <gmock/gmock.h>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

class RepeatsTest : public E2eTest {
protected:
  /// A webhook whose first call was answered with 200.
  hook_id add_hook(const http_sink& sink, const json::object& delivery = {}) {
    start({"--schedule", "100ms"});
    add_organizer("acme");
    const auto hook = add_webhook("acme",
                                  {.url = sink.url(), .delivery = delivery});
    publish();
    EXPECT_TRUE(flag_of(wait_for_calls("acme", hook, 1)[0], "success"));
    return hook;
  }
};

TEST_F(RepeatsTest, AHandlerThatWorksAndDiesFailsTheAttempt) {
  http_sink sink{[](const request_record& request) {
    auto plan = request.number == 1 ? response_plan::closing()
                                    : response_plan{};
    if (request.number == 1)
      plan.delay = 1'500ms;
    return plan;
  }};
  const auto hook = add_hook(sink);
  publish();
  const auto log = wait_for_calls("acme", hook, 3);
  EXPECT_FALSE(flag_of(log[1], "success"));
  EXPECT_EQ(number_of(log[1], "return_code"), 0U);
  EXPECT_THAT(text_of(log[1], "reason"),
              HasSubstr("reset: the kept connection was closed 1."));
  EXPECT_FALSE(flag_of(log[1], "repeated"));
  // By the schedule, as the log says.
  EXPECT_TRUE(flag_of(log[2], "success"));
  EXPECT_EQ(number_of(log[2], "attempt"), 2U);
  EXPECT_FALSE(flag_of(log[2], "repeated"));
  EXPECT_EQ(log.size(), 3U);
  EXPECT_EQ(sink.size(), 3U);
}

TEST_F(RepeatsTest, AConnectionThatIsClosedAtOnceIsReplacedAndTheCallSaysSo) {
  http_sink sink{[](const request_record& request) {
    return request.number == 1 ? response_plan::closing() : response_plan{};
  }};
  const auto hook = add_hook(
    sink, {{"rate_limit", {{"count", 3}, {"seconds", 3600}}}});
  publish();
  const auto log = wait_for_calls("acme", hook, 2);
  EXPECT_TRUE(flag_of(log[1], "success"));
  EXPECT_TRUE(flag_of(log[1], "repeated"));
  EXPECT_FALSE(flag_of(log[0], "repeated"));
  EXPECT_EQ(number_of(log[1], "attempt"), 1U);
  EXPECT_EQ(sink.size(), 3U);
  // The receiver was asked three times, so its rate is used up.
  publish();
  EXPECT_TRUE(eventually(
    patience, [&] { return health("acme", hook).at("held_by") == "rate"; }));
  EXPECT_EQ(sink.size(), 3U);
}

} // namespace

} // namespace fanfare::test
