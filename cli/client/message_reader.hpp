// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#pragma once

/// Reads Server-Sent Events (HTML Living Standard, 9.2) as they come.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace fanfare::cli {

struct stream_message {
  std::string type; ///< "message" if the server does not say
  std::string data;
};

class message_reader {
public:
  /// Bytes of a line, and of a message's data.
  static constexpr std::size_t most = std::size_t{16} << 20;

  using taker = std::function<void(const stream_message&)>;

  /// The next bytes; `take` gets each message that is complete. False: they
  /// are too many for a message.
  [[nodiscard]] bool put(std::string_view bytes, const taker& take);
  /// What comes now is another stream: what is not complete is forgotten.
  void begin_anew();

  /// Of the last complete block: where to go on. Empty: nowhere yet.
  [[nodiscard]] const std::string& last_id() const {
    return last_id_;
  }

private:
  void end_line(const taker& take);

  std::string line_;
  bool after_return_ = false; ///< a line feed belongs to the line that ended
  std::string type_;
  std::string data_;
  std::string id_;
  std::string last_id_;
};

} // namespace fanfare::cli
