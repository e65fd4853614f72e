// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "model/filter/compiler.hpp"

#include "model/filter/limits.hpp"
#include "model/filter/refusal.hpp"
#include "model/filter/text_search.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fanfare::filter {

namespace json = boost::json;

namespace {

struct named_operator {
  std::string_view name;
  op what;
  bool negated = false;
};

/// On a value. `$not` is not among them, it has no operand.
constexpr named_operator value_operators[] = {
  {"$eq", op::equal},
  {"$ne", op::equal, true},
  {"$in", op::in},
  {"$nin", op::in, true},
  {"$gt", op::greater},
  {"$gte", op::greater_equal},
  {"$lt", op::less},
  {"$lte", op::less_equal},
  {"$exists", op::exists},
  {"$startsWith", op::starts_with},
  {"$endsWith", op::ends_with},
  {"$contains", op::contains},
};

const named_operator* find_operator(std::string_view name) {
  const auto* at = std::find_if(std::begin(value_operators),
                                std::end(value_operators),
                                [&](const auto& o) { return o.name == name; });
  return at != std::end(value_operators) ? at : nullptr;
}

bool is_condition_operator(std::string_view name) {
  return name == "$and" || name == "$or" || name == "$not";
}

/// Where something stands in the filter. Lives on the stack, so that a path is
/// put together only for an error.
struct place {
  const place* within = nullptr;
  std::string_view name{};
  std::optional<std::size_t> index{};

  [[nodiscard]] std::string path() const {
    if (within == nullptr)
      return {};
    auto out = within->path();
    if (index)
      return out + "[" + std::to_string(*index) + "]";
    return out + (out.empty() ? "" : ".") + printable(name);
  }
  /// For the beginning of a sentence.
  [[nodiscard]] std::string subject() const {
    return within == nullptr ? "The filter" : path();
  }
  /// For its end.
  [[nodiscard]] std::string at() const {
    return within == nullptr ? "the top" : path();
  }
};

std::size_t dots_of(std::string_view name) {
  return static_cast<std::size_t>(std::count(name.begin(), name.end(), '.'));
}

/// Translates a filter. Its functions return whether they could and leave the
/// first fault in `fault`. A depth counts objects, from 1.
class compiler {
public:
  std::optional<error> fault;

  /// An object that is about the keys of the value at hand.
  bool conditions(const json::value& from, const place& here, std::size_t depth,
                  std::vector<condition>& out) {
    const auto* object = from.if_object();
    if (object == nullptr)
      return fail(here, "must be an object of conditions.");
    if (!check_depth(here, depth))
      return false;
    for (const auto& member : *object) {
      const auto name = view(member.key());
      const place inner{&here, name};
      if (name.starts_with('$')
            ? !condition_operator(name, member.value(), inner, depth, out)
            : !key(name, member.value(), inner, depth, out))
        return false;
    }
    return true;
  }

private:
  bool fail(error e) {
    fault = std::move(e);
    return false;
  }
  bool fail(const place& at, std::string_view what) {
    return fail(refused(at.subject() + " " + std::string{what}));
  }
  bool check_depth(const place& at, std::size_t depth) {
    return depth <= depth_limit || fail(nested_too_deep(at.path()));
  }

  bool key(std::string_view name, const json::value& from, const place& here,
           std::size_t depth, std::vector<condition>& out) {
    const auto inner = depth + dots_of(name);
    condition made{.what = op::key, .name = std::string{name}};
    if (!check_depth(here, inner)
        || !value_conditions(from, here, inner, made.children))
      return false;
    out.push_back(std::move(made));
    return true;
  }

  bool condition_operator(std::string_view name, const json::value& from,
                          const place& here, std::size_t depth,
                          std::vector<condition>& out) {
    if (!is_condition_operator(name)) {
      const auto where = "\"" + printable(name) + "\" at " + here.within->at();
      if (find_operator(name) != nullptr)
        return fail(refused("Operator " + where
                            + " is about a value; put it into the object of a "
                              "key."));
      return fail(
        refused("Unknown operator " + where + "; use one of $and, $or, $not."));
    }
    if (name == "$not") {
      condition made{.negated = true};
      if (!conditions(from, here, depth + 1, made.children))
        return false;
      out.push_back(std::move(made));
      return true;
    }
    const auto* list = from.if_array();
    if (list == nullptr || list->empty())
      return fail(here, "must be a list with at least one object.");
    condition either{.what = op::any};
    for (std::size_t i = 0; i < list->size(); ++i) {
      const place inner{&here, {}, i};
      // What must hold together with the rest needs no node of its own.
      if (name == "$and") {
        if (!conditions((*list)[i], inner, depth + 1, out))
          return false;
        continue;
      }
      condition each;
      if (!conditions((*list)[i], inner, depth + 1, each.children))
        return false;
      if (each.children.size() == 1) {
        auto only = std::move(each.children.front());
        each = std::move(only);
      }
      either.children.push_back(std::move(each));
    }
    if (name == "$or")
      out.push_back(std::move(either));
    return true;
  }

  /// What stands at a key. `depth` is that of the object that the key is in.
  bool value_conditions(const json::value& from, const place& here,
                        std::size_t depth, std::vector<condition>& out) {
    const auto* object = from.if_object();
    if (object == nullptr)
      return operation({"", op::equal}, from, here, depth, out);
    const auto operators = std::count_if(
      object->begin(), object->end(),
      [](const auto& member) { return view(member.key()).starts_with('$'); });
    if (operators == 0)
      return conditions(from, here, depth + 1, out);
    if (static_cast<std::size_t>(operators) != object->size())
      return fail(here, "must hold either operators or plain keys, not both.");
    if (!check_depth(here, depth + 1))
      return false;
    return std::all_of(object->begin(), object->end(), [&](const auto& member) {
      return value_operator(view(member.key()), member.value(), here, depth + 1,
                            out);
    });
  }

  /// `depth` is that of the object of operators.
  bool value_operator(std::string_view name, const json::value& from,
                      const place& outer, std::size_t depth,
                      std::vector<condition>& out) {
    const place here{&outer, name};
    if (name == "$not") {
      condition made{.negated = true};
      if (!value_conditions(from, here, depth, made.children))
        return false;
      out.push_back(std::move(made));
      return true;
    }
    if (const auto* found = find_operator(name))
      return operation(*found, from, here, depth, out);
    const auto where = "\"" + printable(name) + "\" at " + outer.at();
    if (is_condition_operator(name))
      return fail(refused("Operator " + where
                          + " is about conditions; put it around the key."));
    std::string names;
    for (const auto& each : value_operators)
      names += std::string{each.name} + ", ";
    return fail(
      refused("Unknown operator " + where + "; use one of " + names + "$not."));
  }

  bool operation(const named_operator& o, const json::value& from,
                 const place& here, std::size_t depth,
                 std::vector<condition>& out) {
    condition made{.what = o.what, .negated = o.negated};
    switch (o.what) {
      case op::exists:
        if (!from.is_bool())
          return fail(here, "must be true or false.");
        made.negated = !from.get_bool();
        break;
      case op::in:
        if (!list_operand(from, here, depth, made))
          return false;
        break;
      case op::less:
      case op::less_equal:
      case op::greater:
      case op::greater_equal:
        if (!from.is_number() && !from.is_string())
          return fail(here, "must be a number or a text.");
        if (!operand(from, here, depth, made.operands))
          return false;
        break;
      case op::starts_with:
      case op::ends_with:
        if (text_of(from) == nullptr)
          return fail(here, "must be a text.");
        [[fallthrough]];
      default:
        if (!operand(from, here, depth, made.operands))
          return false;
    }
    if (made.what == op::contains)
      made.borders = borders_of(made.operands.front().text);
    out.push_back(std::move(made));
    return true;
  }

  bool list_operand(const json::value& from, const place& here,
                    std::size_t depth, condition& made) {
    const auto* list = from.if_array();
    if (list == nullptr)
      return fail(here, "must be a list.");
    auto& operands = made.operands;
    operands.reserve(list->size());
    for (std::size_t i = 0; i < list->size(); ++i)
      if (!operand((*list)[i], {&here, {}, i}, depth, operands))
        return false;
    const auto middle = std::stable_partition(
      operands.begin(), operands.end(),
      [](const literal& l) { return l.is_scalar(); });
    std::sort(operands.begin(), middle, [](const auto& a, const auto& b) {
      return std::is_lt(compare(a.as_scalar(), b.as_scalar()));
    });
    made.scalars = static_cast<std::uint16_t>(middle - operands.begin());
    return true;
  }

  /// `depth` is that of the object around the operand.
  bool operand(const json::value& from, const place& here, std::size_t depth,
               std::vector<literal>& out) {
    const auto seen = scalar_of(from);
    literal made{seen.what, seen.value, std::string{seen.text}};
    if (seen.what == kind::number && !seen.value.integral
        && std::isinf(seen.value.real))
      return fail(here, "is a number that is too large.");
    if (!made.is_scalar() && !check_depth(here, depth + 1))
      return false;
    if (const auto* list = from.if_array()) {
      made.items.reserve(list->size());
      for (std::size_t i = 0; i < list->size(); ++i)
        if (!operand((*list)[i], {&here, {}, i}, depth + 1, made.items))
          return false;
    } else if (const auto* object = from.if_object()) {
      std::vector<const json::key_value_pair*> sorted;
      sorted.reserve(object->size());
      for (const auto& member : *object)
        sorted.push_back(&member);
      std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
        return view(a->key()) < view(b->key());
      });
      made.items.reserve(sorted.size());
      made.keys.reserve(sorted.size());
      for (const auto* member : sorted) {
        const auto name = view(member->key());
        made.keys.emplace_back(name);
        if (!operand(member->value(), {&here, name}, depth + 1, made.items))
          return false;
      }
    }
    out.push_back(std::move(made));
    return true;
  }
};

} // namespace

result<std::vector<condition>> compile(const json::value& from) {
  std::vector<condition> conditions;
  compiler work;
  if (!work.conditions(from, {}, 1, conditions))
    return std::move(*work.fault);
  return conditions;
}

} // namespace fanfare::filter
