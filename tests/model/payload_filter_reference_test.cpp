// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "model/payload_filter.hpp"
#include "tests/model/payload_filter_test.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <gtest/gtest.h>

#include <limits>
#include <random>
#include <string>

namespace fanfare {
namespace {

namespace json = boost::json;

// What the header says, as plainly as possible and on the filter's own JSON.

static_assert(std::numeric_limits<long double>::digits >= 64,
              "all numbers of JSON must fit exactly");

long double plain_number(const json::value& v) {
  if (v.is_int64())
    return static_cast<long double>(v.get_int64());
  if (v.is_uint64())
    return static_cast<long double>(v.get_uint64());
  return static_cast<long double>(v.get_double());
}

bool plain_equal(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number())
    return plain_number(a) == plain_number(b);
  if (a.is_array() && b.is_array()) {
    if (a.get_array().size() != b.get_array().size())
      return false;
    for (std::size_t i = 0; i < a.get_array().size(); ++i)
      if (!plain_equal(a.get_array()[i], b.get_array()[i]))
        return false;
    return true;
  }
  if (a.is_object() && b.is_object()) {
    for (const auto& m : a.get_object())
      if (!b.get_object().contains(m.key())
          || !plain_equal(m.value(), b.get_object().at(m.key())))
        return false;
    return a.get_object().size() == b.get_object().size();
  }
  return a.kind() == b.kind() && a == b;
}

/// -1, 0, 1; 2 if there is no order.
int plain_order(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) {
    const auto x = plain_number(a);
    const auto y = plain_number(b);
    return x < y ? -1 : x > y ? 1 : 0;
  }
  if (a.is_string() && b.is_string()) {
    const std::string x{a.get_string().c_str()};
    const std::string y{b.get_string().c_str()};
    return x < y ? -1 : x > y ? 1 : 0;
  }
  return 2;
}

const json::value* plain_find(const json::value* from, const std::string& key) {
  if (from == nullptr || !from->is_object())
    return nullptr;
  if (from->get_object().contains(key))
    return &from->get_object().at(key);
  const auto dot = key.find('.');
  if (dot == std::string::npos)
    return nullptr;
  return plain_find(plain_find(from, key.substr(0, dot)), key.substr(dot + 1));
}

bool plain_conditions(const json::object& filter, const json::value* seen);

bool plain_value(const json::value& filter, const json::value* seen);

bool plain_operator(const std::string& name, const json::value& operand,
                    const json::value* seen) {
  const auto value = seen == nullptr ? json::value{} : *seen;
  const auto in_list = [&](const json::array& list, const json::value& v) {
    for (const auto& each : list)
      if (plain_equal(each, v))
        return true;
    return false;
  };
  const auto text = value.is_string() ? std::string{value.get_string().c_str()}
                                      : std::string{};
  const auto wanted = operand.is_string()
                      ? std::string{operand.get_string().c_str()}
                      : std::string{};
  if (name == "$eq")
    return plain_equal(operand, value);
  if (name == "$ne")
    return !plain_equal(operand, value);
  if (name == "$in")
    return in_list(operand.get_array(), value);
  if (name == "$nin")
    return !in_list(operand.get_array(), value);
  if (name == "$gt")
    return plain_order(value, operand) == 1;
  if (name == "$gte")
    return plain_order(value, operand) == 1 || plain_order(value, operand) == 0;
  if (name == "$lt")
    return plain_order(value, operand) == -1;
  if (name == "$lte")
    return plain_order(value, operand) == -1
        || plain_order(value, operand) == 0;
  if (name == "$exists")
    return operand.get_bool() == (seen != nullptr);
  if (name == "$startsWith")
    return value.is_string() && text.substr(0, wanted.size()) == wanted;
  if (name == "$endsWith")
    return value.is_string() && text.size() >= wanted.size()
        && text.substr(text.size() - wanted.size()) == wanted;
  if (name == "$contains") {
    if (value.is_array())
      return in_list(value.get_array(), operand);
    return value.is_string() && operand.is_string()
        && text.find(wanted) != std::string::npos;
  }
  return !plain_value(operand, seen); // $not
}

bool plain_value(const json::value& filter, const json::value* seen) {
  if (!filter.is_object())
    return plain_operator("$eq", filter, seen);
  const auto& object = filter.get_object();
  if (object.empty() || object.begin()->key()[0] != '$')
    return plain_conditions(object, seen);
  for (const auto& m : object)
    if (!plain_operator(std::string{m.key()}, m.value(), seen))
      return false;
  return true;
}

bool plain_conditions(const json::object& filter, const json::value* seen) {
  for (const auto& m : filter) {
    const std::string name{m.key()};
    bool held = name != "$or";
    if (name == "$and") {
      for (const auto& each : m.value().get_array())
        held = held && plain_conditions(each.get_object(), seen);
    } else if (name == "$or") {
      for (const auto& each : m.value().get_array())
        held = held || plain_conditions(each.get_object(), seen);
    } else if (name == "$not") {
      held = !plain_conditions(m.value().get_object(), seen);
    } else {
      held = plain_value(m.value(), plain_find(seen, name));
    }
    if (!held)
      return false;
  }
  return true;
}

/// Makes filters and notifications of few keys and values, so that they meet.
class generator {
public:
  json::object conditions(int depth) {
    json::object out;
    for (auto n = below(3) + (below(8) == 0 ? 0U : 1U); n > 0; --n) {
      const auto what = depth > 0 ? below(8) : 7;
      if (what == 0)
        out["$and"] = several(depth);
      else if (what == 1)
        out["$or"] = several(depth);
      else if (what == 2)
        out["$not"] = conditions(depth - 1);
      else
        out[key()] = condition(depth);
    }
    return out;
  }

  json::value value(int depth) {
    static const auto
      scalars = json::parse(
                  R"([null, true, false, 0, 1, 2, -1, 1.0, 1.5, -1.5, 2e0,
        9007199254740992, 9007199254740993, 9007199254740992.0,
        18446744073709551615, 1.8446744073709552e19, -9223372036854775808,
        -9.223372036854775808e18, 1e300, "", "a", "ab", "aab", "aaab", "b",
        "abab", "ä", "😀"])")
                  .as_array();
    const auto what = depth > 0 ? below(6) : 2;
    if (what == 0) {
      json::array list;
      for (auto n = below(3); n > 0; --n)
        list.push_back(value(depth - 1));
      return list;
    }
    if (what == 1)
      return object(depth - 1);
    return scalars[below(scalars.size())];
  }

  json::object object(int depth) {
    json::object out;
    for (auto n = below(5); n > 0; --n)
      out[key()] = value(depth);
    return out;
  }

  std::size_t below(std::size_t n) {
    return static_cast<std::size_t>(random_() % n);
  }

private:
  std::string key() {
    static const std::string keys[] = {"a", "b", "c", "a.b", "b.a", "a.b.c"};
    return keys[below(std::size(keys))];
  }

  json::array several(int depth) {
    json::array out;
    for (auto n = below(3) + 1; n > 0; --n)
      out.push_back(conditions(depth - 1));
    return out;
  }

  json::value condition(int depth) {
    const auto what = below(6);
    if (what == 0 && depth > 0) {
      json::object within;
      for (auto n = below(3); n > 0; --n)
        within[key()] = condition(depth - 1);
      return within;
    }
    if (what < 3) {
      auto plain = value(2);
      return plain.is_object() ? json::value{{"$eq", plain}} : plain;
    }
    static const std::string names[] = {
      "$eq",  "$ne",     "$in",         "$nin",      "$gt",       "$gte", "$lt",
      "$lte", "$exists", "$startsWith", "$endsWith", "$contains", "$not"};
    json::object out;
    for (auto n = below(2) + 1; n > 0; --n) {
      const auto& name = names[below(std::size(names))];
      if (name == "$in" || name == "$nin") {
        json::array list;
        for (auto m = below(8); m > 0; --m)
          list.push_back(value(2));
        out[name] = list;
      } else if (name == "$exists") {
        out[name] = below(2) == 0;
      } else if (name == "$not") {
        out[name] = depth > 0 ? condition(depth - 1) : json::value{"a"};
      } else if (name == "$startsWith" || name == "$endsWith") {
        out[name] = value_that([](const auto& v) { return v.is_string(); });
      } else if (name.starts_with("$g") || name.starts_with("$l")) {
        out[name] = value_that(
          [](const auto& v) { return v.is_string() || v.is_number(); });
      } else {
        out[name] = value(2);
      }
    }
    return out;
  }

  template <class Predicate>
  json::value value_that(Predicate is_right) {
    for (;;) {
      auto v = value(0);
      if (is_right(v))
        return v;
    }
  }

  std::mt19937_64 random_{20'261'125};
};

TEST(PayloadFilter, AgreesWithAPlainReading) {
  generator make;
  int held = 0;
  constexpr int filters = 5'000;
  constexpr int bodies = 4;
  std::uint64_t id = 0;
  for (int i = 0; i < filters; ++i) {
    const auto conditions = make.conditions(3);
    const auto filter = payload_filter::compile(conditions);
    ASSERT_TRUE(filter) << json::serialize(conditions) << ": "
                        << filter.error().detail;
    ASSERT_EQ((*filter)->text(), json::serialize(conditions));
    for (int j = 0; j < bodies; ++j) {
      const json::value body = make.object(3);
      const auto expected = plain_conditions(conditions, &body);
      held += expected ? 1 : 0;
      ASSERT_EQ((*filter)->matches(body), expected)
        << json::serialize(conditions) << " on " << json::serialize(body);
      ASSERT_EQ((*filter)->matches(++id, json::serialize(body)), expected)
        << json::serialize(conditions) << " on " << json::serialize(body);
    }
  }
  // It is not all one or the other.
  EXPECT_GT(held, filters * bodies / 10);
  EXPECT_LT(held, filters * bodies * 9 / 10);
}

TEST(PayloadFilter, FindsTextsAsAPlainSearchDoes) {
  generator make;
  for (int i = 0; i < 3'000; ++i) {
    std::string text;
    std::string wanted;
    for (auto n = make.below(40); n > 0; --n)
      text += make.below(3) == 0 ? 'b' : 'a';
    for (auto n = make.below(8); n > 0; --n)
      wanted += make.below(3) == 0 ? 'b' : 'a';
    json::object filter;
    filter["x"] = json::object{{"$contains", wanted}};
    json::object body;
    body["x"] = text;
    EXPECT_EQ(payload_filter::compile(filter).value()->matches(body),
              text.find(wanted) != std::string::npos)
      << wanted << " in " << text;
  }
}

// Whatever comes, it is a filter or a sentence.
TEST(PayloadFilter, SurvivesDamagedTexts) {
  generator make;
  int refused = 0;
  for (int i = 0; i < 5'000; ++i) {
    auto text = json::serialize(make.conditions(3));
    for (auto n = make.below(3) + 1; n > 0; --n)
      text[make.below(text.size())] = R"({}[]",:$01aei.\)"[make.below(15)];
    const auto made = payload_filter::parse(text);
    if (made) {
      EXPECT_EQ(filter_of((*made)->text())->text(), (*made)->text());
      static_cast<void>((*made)->matches(1, text));
    } else {
      ++refused;
      EXPECT_EQ(made.error().field, "filter");
      EXPECT_TRUE(made.error().detail.ends_with(".")) << made.error().detail;
    }
  }
  EXPECT_GT(refused, 500);
}

} // namespace
} // namespace fanfare
