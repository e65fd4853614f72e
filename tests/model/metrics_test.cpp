// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "fanfare/metrics.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace fanfare {
namespace {

TEST(PrometheusText, DescribesEachNameOnce) {
  const std::vector<metric> figures{
    {.name = "calls_total",
     .help = "Calls.",
     .type = metric::kind::counter,
     .labels = {{"outcome", "delivered"}},
     .value = 12},
    {.name = "calls_total",
     .help = "Calls.",
     .type = metric::kind::counter,
     .labels = {{"outcome", "gone"}, {"lane", "0"}},
     .value = 0},
    {.name = "bytes", .help = "Bytes.", .value = 1.5}};
  EXPECT_EQ(prometheus_text(figures), "# HELP calls_total Calls.\n"
                                      "# TYPE calls_total counter\n"
                                      "calls_total{outcome=\"delivered\"} 12\n"
                                      "calls_total{outcome=\"gone\",lane=\"0\"}"
                                      " 0\n"
                                      "# HELP bytes Bytes.\n"
                                      "# TYPE bytes gauge\n"
                                      "bytes 1.5\n");
  EXPECT_EQ(prometheus_text({}), "");
}

TEST(PrometheusText, EscapesWhatWouldEndALine) {
  const std::vector<metric> figures{{.name = "m",
                                     .help = "a\\b\n\"c\"",
                                     .labels = {{"l", "a\\b\n\"c\""}},
                                     .value = 1}};
  EXPECT_EQ(prometheus_text(figures), "# HELP m a\\\\b\\n\"c\"\n"
                                      "# TYPE m gauge\n"
                                      "m{l=\"a\\\\b\\n\\\"c\\\"\"} 1\n");
}

TEST(PrometheusText, WritesLargeCountsExactly) {
  const std::vector<metric> figures{
    {.name = "m", .help = "", .value = 9007199254740992.0}};
  EXPECT_NE(prometheus_text(figures).find("\nm 9007199254740992\n"),
            std::string::npos);
}

} // namespace
} // namespace fanfare
