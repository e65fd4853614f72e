// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/payload/trace_context.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace fanfare::protocol {

namespace {

const std::string
  some_trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

} // namespace

TEST(TraceContext, IsReadAndWritten) {
  const auto text = some_trace + "\na=1,b=2"; // the state refers to it
  const auto read = read_trace(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->trace, (trace_id{0x4bf92f3577b34da6, 0xa3ce929d0e0e4736}));
  EXPECT_EQ(read->span, 0x00f067aa0ba902b7U);
  EXPECT_TRUE(read->sampled());
  EXPECT_EQ(read->state, "a=1,b=2");
  EXPECT_EQ(write_trace(*read), text);
  EXPECT_EQ(write_trace(*read_trace(some_trace)), some_trace);
}

TEST(TraceContext, FlagsGoOnUnlessTheyAreUnknown) {
  auto text = some_trace;
  text.replace(text.size() - 2, 2, "02");
  EXPECT_FALSE(read_trace(text)->sampled());
  EXPECT_EQ(write_trace(*read_trace(text)), text);
  // Of a version to come.
  text = "cc" + some_trace.substr(2, some_trace.size() - 4) + "ff-more";
  EXPECT_EQ(read_trace(text)->flags, trace_context::sampled_flag);
  EXPECT_EQ(write_trace(*read_trace(text)), some_trace);
}

TEST(TraceContext, NothingElseIsOne) {
  for (const auto& text :
       std::vector<std::string>{"", "00-aa-bb-01", some_trace + "\n",
                                some_trace + "0", "ff" + some_trace.substr(2)})
    EXPECT_FALSE(read_trace(text)) << text;
}

} // namespace fanfare::protocol
