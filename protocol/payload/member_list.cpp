// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/payload/member_list.hpp"

namespace fanfare::protocol::detail {

void member_list::clear() {
  members_.clear();
  index_.clear();
}

void member_list::put(const std::string& text, member value) {
  static constexpr std::size_t few = 16;
  const auto key_of = [&text](const member& m) {
    return std::string_view{text}.substr(m.begin, m.key_end - m.begin);
  };
  const auto key = key_of(value);
  if (members_.size() < few) {
    for (auto& m : members_)
      if (key_of(m) == key) {
        m = value;
        return;
      }
    members_.push_back(value);
    return;
  }
  if (index_.empty())
    for (std::size_t i = 0; i < members_.size(); ++i)
      index_.emplace(key_of(members_[i]), i);
  const auto [place, fresh] = index_.emplace(key, members_.size());
  if (fresh)
    members_.push_back(value);
  else
    members_[place->second] = value;
}

} // namespace fanfare::protocol::detail
