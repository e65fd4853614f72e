// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What the operator's log lets through, and what it says of the rest.

#include "actors/event_log.hpp"

#include "tests/actors/support/fake_clock.hpp"

#include <gmock/gmock.h>

#include <string>
#include <vector>

namespace fanfare::test {

namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::SizeIs;

class EventLogTest : public ::testing::Test {
protected:
  void say(event_kind kind, std::size_t count,
           log_level level = log_level::info) {
    for (std::size_t i = 0; i < count; ++i)
      log_.say(kind, level, "line");
  }

  void advance(std::chrono::milliseconds by) {
    clock_.set(clock_.now() + by);
  }

  fake_clock clock_;
  std::vector<std::string> lines_;
  std::vector<log_level> levels_;
  event_log log_{[this](log_level level, const std::string& line) {
                   lines_.push_back(line);
                   levels_.push_back(level);
                 },
                 clock_, [](organizer_id) { return std::string{"demo"}; }};
};

TEST_F(EventLogTest, NamesAWebhookWithoutWhatMayBeSecret) {
  log_.say(event_kind::failing, log_level::info,
           {.id = 3, .owner = 1, .target_url = "https://u:secret@a.example/x"},
           "begins to fail");
  EXPECT_THAT(lines_, ElementsAre("webhook 3 of demo "
                                  "(https://a.example/x) begins to "
                                  "fail"));
}

TEST_F(EventLogTest, CountsWhatIsTooMuchOfOneKind) {
  say(event_kind::breaker, event_log::most + 5);
  EXPECT_THAT(lines_, SizeIs(event_log::most));
  say(event_kind::token, 1);
  EXPECT_THAT(lines_, SizeIs(event_log::most + 1)) << "another kind";
}

TEST_F(EventLogTest, SaysHowManyItLeftOutOnceTheirMinuteIsOver) {
  say(event_kind::breaker, event_log::most);
  say(event_kind::breaker, 4, log_level::warning);
  lines_.clear();
  levels_.clear();
  advance(event_log::period - 1ms);
  log_.sum_up();
  EXPECT_THAT(lines_, SizeIs(0));
  advance(1ms);
  log_.sum_up();
  log_.sum_up();
  EXPECT_THAT(lines_, ElementsAre("4 more like this about circuit breakers"));
  EXPECT_THAT(levels_, ElementsAre(log_level::warning));
}

TEST_F(EventLogTest, SaysSoBeforeTheNextOfThatKind) {
  say(event_kind::login, event_log::most + 2);
  lines_.clear();
  advance(event_log::period);
  say(event_kind::login, 1);
  EXPECT_THAT(lines_,
              ElementsAre("2 more like this about failed logins", "line"));
}

TEST_F(EventLogTest, TellsTheRestAtTheEnd) {
  say(event_kind::hold, event_log::most + 1);
  lines_.clear();
  log_.sum_up(true);
  EXPECT_THAT(lines_,
              ElementsAre("1 more like this about receivers that ask to wait"));
}

} // namespace

} // namespace fanfare::test
