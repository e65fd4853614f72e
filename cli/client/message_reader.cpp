// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/message_reader.hpp"

#include <utility>

namespace fanfare::cli {

bool message_reader::put(std::string_view bytes, const taker& take) {
  for (const char c : bytes) {
    const bool second = std::exchange(after_return_, c == '\r') && c == '\n';
    if (second)
      continue;
    if (c == '\r' || c == '\n') {
      end_line(take);
    } else {
      line_ += c;
      if (line_.size() + data_.size() > most)
        return false;
    }
  }
  return true;
}

void message_reader::end_line(const taker& take) {
  const auto line = std::exchange(line_, {});
  if (line.empty()) {
    last_id_ = id_;
    stream_message made{std::exchange(type_, {}), std::exchange(data_, {})};
    if (made.data.empty())
      return;
    made.data.pop_back(); // the last line break
    if (made.type.empty())
      made.type = "message";
    return take(made);
  }
  const auto colon = line.find(':');
  const auto name = std::string_view{line}.substr(0, colon);
  auto value = colon == std::string::npos
               ? std::string_view{}
               : std::string_view{line}.substr(colon + 1);
  if (value.starts_with(' '))
    value.remove_prefix(1);
  if (name == "data")
    data_.append(value).append("\n");
  else if (name == "event")
    type_ = value;
  else if (name == "id" && value.find('\0') == std::string_view::npos)
    id_ = value;
}

void message_reader::begin_anew() {
  line_.clear();
  type_.clear();
  data_.clear();
  id_ = last_id_;
  after_return_ = false;
}

} // namespace fanfare::cli
