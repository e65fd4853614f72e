// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The members of one JSON object that is passed on: ranges of a buffer of
/// rendered text, one for each distinct key. INTERNAL to publication.cpp.

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::protocol::detail {

class member_list {
public:
  struct member {
    std::size_t begin = 0;
    std::size_t key_end = 0; ///< behind the key's closing quote
    std::size_t end = 0;
  };

  void clear();
  /// Adds a member, or gives the one with the same key this value.
  void put(const std::string& text, member value);
  [[nodiscard]] const std::vector<member>& all() const {
    return members_;
  }

private:
  std::vector<member> members_;
  /// Only once there are many: a search of a few beats any index, but not of
  /// 100,000.
  std::map<std::string, std::size_t, std::less<>> index_;
};

} // namespace fanfare::protocol::detail
