// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#pragma once

/// Notifications from a file or a pipe, cut into batches that the API takes:
/// one JSON object, an array of them, or one on each line (NDJSON). Lines are
/// read as they are needed, so a pipe may be endless.

#include <cstddef>
#include <deque>
#include <istream>
#include <optional>
#include <string>
#include <vector>

namespace fanfare::cli {

/// What one request publishes.
struct batch {
  std::string body; ///< a JSON array
  /// Of each item: its line, or its place in the array, counted from 1.
  std::vector<std::size_t> places;
};

class batch_reader {
public:
  static constexpr std::size_t most_items = 1'000;
  static constexpr std::size_t most_bytes = 1024 * 1024; ///< of the body
  static constexpr std::size_t most_bytes_of_array = std::size_t{64} << 20;

  explicit batch_reader(std::istream& in);

  /// The next batch; nothing at the end. Throws a `command_error` that names
  /// the first line or item that is wrong; nothing of its batch is given then.
  std::optional<batch> next();

  /// "line" or "item": what places count.
  [[nodiscard]] const char* unit() const noexcept {
    return unit_;
  }

private:
  struct item {
    std::string text;
    std::size_t place = 0;
  };

  std::optional<std::string> read_line();
  std::optional<item> next_item();
  void begin();
  void read_document(std::string text, std::size_t most);
  [[noreturn]] void fail(std::size_t place, const std::string& why) const;

  std::istream& in_;
  const char* unit_ = "line";
  bool begun_ = false;
  std::size_t line_ = 0;     ///< number of the last one read
  std::deque<item> waiting_; ///< come before what `in_` still has
};

} // namespace fanfare::cli
