// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// An organizer with much to do costs another one little.

#include "tests/e2e/support/e2e_test.hpp"

#include <boost/json.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace fanfare::test {

namespace {

namespace json = boost::json;
using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr std::size_t busy_webhooks = 20;
constexpr std::size_t waiting = sanitized ? 5'000 : 50'000;
constexpr std::size_t rounds = 60;

class FairnessTest : public E2eTest {
protected:
  void serve(const std::vector<std::string>& args,
             std::vector<std::string> wrapper = {}) {
    api_.reset();
    server_.reset();
    server_.emplace(server_options{
      .data = dir_ / "data", .args = args, .wrapper = std::move(wrapper)});
    add_organizer("busy");
    add_organizer("quiet");
    add_webhook("quiet", {.url = quick_.url("/")});
  }

  /// From a publish to its arrival, in milliseconds, in order.
  std::vector<double> delays() {
    std::vector<double> out;
    for (std::size_t i = 0; i < rounds; ++i) {
      const auto before = quick_.size();
      const auto begun = steady_clock::now();
      publish("quiet", "ABC23");
      if (!quick_.wait_for(before + 1, patience))
        throw std::runtime_error{"it did not arrive"};
      out.push_back(std::chrono::duration<double, std::milli>(
                      quick_.records().at(before).time - begun)
                      .count());
    }
    std::ranges::sort(out);
    return out;
  }

  /// Of the busy organizer, to receivers that take 50 ms.
  void pile_up() {
    for (std::size_t i = 0; i < busy_webhooks; ++i)
      add_webhook("busy", {.url = slow_.url('/' + std::to_string(i))});
    json::array some;
    for (std::size_t i = 0; i < 500; ++i)
      some.push_back(json::object{{"action", order_placed},
                                  {"event", "democon"},
                                  {"code", std::to_string(i)}});
    for (std::size_t n = 0; n < waiting / busy_webhooks; n += some.size()) {
      const auto answer = api().post(publish_path("busy"), some);
      if (answer.status != 202)
        throw std::runtime_error{"publishing: " + answer.body};
    }
  }

  void expect_fair() {
    const auto without = delays();
    pile_up();
    ASSERT_TRUE(slow_.wait_for(100, patience)); // it is at work
    const auto with = delays();
    const auto p50 = rounds / 2;
    const auto p90 = rounds * 9 / 10;
    const auto left = waiting - std::min(waiting, slow_.size());
    std::printf(
      "without a backlog: p50 %.1f ms, p90 %.1f ms; beside one of "
      "another organizer: p50 %.1f ms, p90 %.1f ms (%zu still wait)\n",
      without[p50], without[p90], with[p50], with[p90], left);
    EXPECT_LT(with[p90], sanitized ? 3'000.0 : 1'000.0);
    EXPECT_LT(with[p90], 20 * without[p90] + (sanitized ? 1'000 : 200));
    EXPECT_GT(left, waiting / 2); // there was a backlog all the time
  }

  http_sink quick_;
  http_sink slow_{
    [](const request_record&) { return response_plan::late(50ms); }};
};

TEST_F(FairnessTest, ABacklogThatFillsItsOrganizersShareDelaysNoOther) {
  serve({"--max-per-organizer", "8"});
  expect_fair();
}

TEST_F(FairnessTest, ABacklogThatFillsTheServerDelaysNoOtherMuch) {
  // So few files that the busy one takes all places there are.
  serve({"--threads", "1"}, {"sh", "-c", "ulimit -n 256; exec \"$@\"", "sh"});
  expect_fair();
}

} // namespace

} // namespace fanfare::test
