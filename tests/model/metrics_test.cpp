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
  const std::vector<metric> round{{.name = "m", .help = "", .value = 1e6},
                                  {.name = "n", .help = "", .value = -0.5}};
  EXPECT_EQ(prometheus_text(round), "# HELP m \n# TYPE m gauge\nm 1000000\n"
                                    "# HELP n \n# TYPE n gauge\nn -0.5\n");
}

metric waits() {
  return {.name = "wait_seconds",
          .help = "How \"long\".",
          .type = metric::kind::histogram,
          .labels = {{"to", "a"}},
          .value = 3,
          .buckets = {{0.0001, 0}, {0.25, 2}, {60, 2}},
          .sum = 100.5};
}

TEST(PrometheusText, WritesHistograms) {
  EXPECT_EQ(prometheus_text({{waits()}}),
            "# HELP wait_seconds How \"long\".\n"
            "# TYPE wait_seconds histogram\n"
            "wait_seconds_bucket{to=\"a\",le=\"0.0001\"} 0\n"
            "wait_seconds_bucket{to=\"a\",le=\"0.25\"} 2\n"
            "wait_seconds_bucket{to=\"a\",le=\"60\"} 2\n"
            "wait_seconds_bucket{to=\"a\",le=\"+Inf\"} 3\n"
            "wait_seconds_sum{to=\"a\"} 100.5\n"
            "wait_seconds_count{to=\"a\"} 3\n");
}

TEST(OpenmetricsText, NamesUnitsAndFamiliesAndEnds) {
  const std::vector<metric> figures{{.name = "calls_total",
                                     .help = "Calls.",
                                     .type = metric::kind::counter,
                                     .value = 12},
                                    {.name = "bytes", .help = "B.", .value = 1},
                                    waits()};
  EXPECT_EQ(openmetrics_text(figures),
            "# HELP calls Calls.\n"
            "# TYPE calls counter\n"
            "calls_total 12\n"
            "# HELP bytes B.\n"
            "# TYPE bytes gauge\n"
            "bytes 1\n"
            "# HELP wait_seconds How \\\"long\\\".\n"
            "# TYPE wait_seconds histogram\n"
            "# UNIT wait_seconds seconds\n"
            "wait_seconds_bucket{to=\"a\",le=\"0.0001\"} 0\n"
            "wait_seconds_bucket{to=\"a\",le=\"0.25\"} 2\n"
            "wait_seconds_bucket{to=\"a\",le=\"60.0\"} 2\n"
            "wait_seconds_bucket{to=\"a\",le=\"+Inf\"} 3\n"
            "wait_seconds_sum{to=\"a\"} 100.5\n"
            "wait_seconds_count{to=\"a\"} 3\n"
            "# EOF\n");
  EXPECT_EQ(openmetrics_text({}), "# EOF\n");
}

} // namespace
} // namespace fanfare
