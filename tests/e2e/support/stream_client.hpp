// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A reader of a stream, by hand: one socket, so that a thousand of them need
/// one thread.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::test {

class stream_client {
public:
  struct message {
    std::string type;
    std::string data;
  };

  /// Connects and asks. `last_id` empty: from now on. `buffer`: the size of the
  /// receive buffer; 0: that of the system. Throws `std::system_error`.
  stream_client(std::uint16_t port, std::string_view key,
                std::string_view target, std::string_view last_id = {},
                int buffer = 0);
  stream_client(stream_client&& other) noexcept;
  stream_client& operator=(stream_client&& other) noexcept;
  ~stream_client();

  /// Takes what has come, or comes within `limit`. False: nothing, or it has
  /// ended.
  bool read(std::chrono::milliseconds limit = {});
  /// Reads until there are so many messages. False: it ends, or takes too long.
  bool wait_for(std::size_t messages, std::chrono::milliseconds limit);
  /// Reads until it has begun.
  bool wait_for_begin(std::chrono::milliseconds limit);
  bool wait_for_end(std::chrono::milliseconds limit);

  [[nodiscard]] const std::vector<message>& messages() const {
    return messages_;
  }
  [[nodiscard]] const std::string& last_id() const {
    return last_id_;
  }
  /// The answer up to the empty line.
  [[nodiscard]] const std::string& head() const {
    return head_;
  }
  /// What came that is no message yet.
  [[nodiscard]] const std::string& rest() const {
    return in_;
  }
  [[nodiscard]] bool ended() const {
    return ended_;
  }
  [[nodiscard]] int fd() const {
    return fd_;
  }

private:
  template <class Done>
  bool read_until(Done done, std::chrono::milliseconds limit);
  void parse();

  int fd_ = -1;
  std::string in_;
  std::string head_;
  std::vector<message> messages_;
  std::string last_id_;
  bool ended_ = false;
};

} // namespace fanfare::test
