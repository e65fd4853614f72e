// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "model/filter/literal.hpp"

#include <algorithm>

namespace fanfare::filter {

bool equal(const literal& l, const boost::json::value& v) {
  if (l.what == kind::text) {
    // The commonest, and none that is encoded begins like a text.
    const auto* text = v.if_string();
    return text != nullptr && view(*text) == l.text;
  }
  const auto seen = scalar_of(v);
  if (l.is_scalar() || l.what != seen.what)
    return std::is_eq(compare(l.as_scalar(), seen));
  if (l.what == kind::list) {
    const auto& list = v.get_array();
    return std::equal(l.items.begin(), l.items.end(), list.begin(), list.end(),
                      equal);
  }
  const auto& object = v.get_object();
  if (object.size() != l.keys.size())
    return false;
  // Keys of `v` are looked up in `l`, not the other way round: `l` may hold
  // long keys, which would be hashed for each of many small objects.
  return std::all_of(object.begin(), object.end(), [&](const auto& member) {
    const auto key = view(member.key());
    const auto at = std::lower_bound(l.keys.begin(), l.keys.end(), key);
    return at != l.keys.end() && *at == key
        && equal(l.items[static_cast<std::size_t>(at - l.keys.begin())],
                 member.value());
  });
}

} // namespace fanfare::filter
