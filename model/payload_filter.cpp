// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "model/payload_filter.hpp"

#include "model/filter/compiler.hpp"
#include "model/filter/condition.hpp"
#include "model/filter/last_body.hpp"
#include "model/filter/reader.hpp"
#include "model/filter/refusal.hpp"
#include "model/records.hpp"

#include <boost/json/monotonic_resource.hpp>
#include <boost/json/serialize.hpp>

#include <algorithm>
#include <utility>
#include <vector>

namespace fanfare {

namespace json = boost::json;

namespace {

/// An indented text becomes shorter.
constexpr std::size_t sent_limit = 8 * payload_filter::text_limit;

/// JSON text without the white space between its tokens.
std::string without_spacing(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\') {
      out += c;
      if (++i < text.size())
        out += text[i];
      continue;
    }
    if (c == '"')
      in_string = !in_string;
    if (in_string || (c != ' ' && c != '\t' && c != '\r' && c != '\n'))
      out += c;
  }
  return out;
}

} // namespace

struct payload_filter::node {
  std::vector<filter::condition> conditions; ///< must all hold
};

payload_filter::payload_filter() = default;

payload_filter::~payload_filter() = default;

result<std::shared_ptr<const payload_filter>>
payload_filter::compile(const json::value& conditions) {
  // Through its text, so that both ways in have the same limits and a filter
  // can always be read back from its text.
  return parse(json::serialize(conditions));
}

result<std::shared_ptr<const payload_filter>>
payload_filter::parse(std::string_view text) {
  if (text.size() > sent_limit)
    return filter::too_long();
  const auto value = filter::read_filter(text);
  if (!value)
    return value.error();
  auto compiled = filter::compile(*value);
  if (!compiled)
    return std::move(compiled).error();
  std::shared_ptr<payload_filter> made{new payload_filter};
  made->text_ = without_spacing(text);
  if (made->text_.size() > text_limit)
    return filter::too_long();
  made->root_ = std::make_unique<node>(node{std::move(*compiled)});
  return std::shared_ptr<const payload_filter>{std::move(made)};
}

json::value payload_filter::read(std::string_view text) {
  return filter::show_filter(text);
}

bool payload_filter::matches(const json::value& notification) const noexcept {
  return std::all_of(
    root_->conditions.begin(), root_->conditions.end(),
    [&](const auto& c) { return filter::holds(c, &notification); });
}

bool payload_filter::matches(std::uint64_t id,
                             std::string_view body) const noexcept {
  if (body.size() > remembered_limit) {
    json::monotonic_resource memory{body.size()};
    const auto value = filter::read_body(body, &memory);
    return value && matches(*value);
  }
  thread_local filter::last_body last;
  const auto* value = last.get(id, body);
  return value != nullptr && matches(*value);
}

bool filter_ref::operator==(const filter_ref& other) const {
  return value == other.value
      || (value != nullptr && other.value != nullptr
          && value->text() == other.value->text());
}

} // namespace fanfare
