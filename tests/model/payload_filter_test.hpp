// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the tests of filters share.

#include "model/payload_filter.hpp"

#include <boost/json/parse.hpp>

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace fanfare {

using filter_ptr = std::shared_ptr<const payload_filter>;

/// The filter of a text that is one.
inline filter_ptr filter_of(std::string_view text) {
  const auto made = payload_filter::parse(text);
  if (made)
    return *made;
  ADD_FAILURE() << text << ": " << made.error().detail;
  return payload_filter::parse("{}").value();
}

/// The sentence for a filter that is refused, "" for one that is not.
inline std::string sentence_for(std::string_view text) {
  const auto made = payload_filter::parse(text);
  if (made)
    return {};
  EXPECT_EQ(made.error().code, ec::invalid_argument);
  EXPECT_EQ(made.error().field, "filter");
  return made.error().detail;
}

struct case_of_matching {
  std::string_view filter;
  std::string_view body;
  bool expected;
};

/// Matches each body's text with its filter. A value of Boost's need not have
/// the same numbers.
template <std::size_t Count>
void check_texts(const case_of_matching (&cases)[Count]) {
  std::uint64_t id = 0;
  for (const auto& c : cases) {
    const auto filter = filter_of(c.filter);
    EXPECT_EQ(filter->matches(++id, c.body), c.expected)
      << c.filter << " on " << c.body;
    // The text means the same.
    EXPECT_EQ(filter_of(filter->text())->matches(id, c.body), c.expected)
      << filter->text() << " on " << c.body;
  }
}

/// Matches each body with its filter in all the ways there are.
template <std::size_t Count>
void check(const case_of_matching (&cases)[Count]) {
  check_texts(cases);
  for (const auto& c : cases)
    EXPECT_EQ(filter_of(c.filter)->matches(boost::json::parse(c.body)),
              c.expected)
      << c.filter << " on " << c.body;
}

inline std::string repeat(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i)
    out += text;
  return out;
}

} // namespace fanfare
