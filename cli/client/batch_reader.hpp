// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#pragma once

/// Reads notifications from a file or a pipe, in batches that the API accepts:
/// one JSON object, an array of them, or one per line (NDJSON). Lines are read
/// as they are needed, so a pipe may be endless.

#include <cstddef>
#include <deque>
#include <istream>
#include <optional>
#include <string>
#include <vector>

namespace fanfare::cli {

/// The body of one request.
struct batch {
  std::string body; ///< a JSON array
  /// Of each item: its line, or its place in the array, from 1.
  std::vector<std::size_t> places;
};

class batch_reader {
public:
  static constexpr std::size_t most_items = 1'000;
  static constexpr std::size_t most_bytes = 1024 * 1024; ///< of the body
  static constexpr std::size_t most_bytes_of_array = std::size_t{64} << 20;

  explicit batch_reader(std::istream& in);

  /// The next batch; nothing at the end. Throws a `command_error` that names
  /// the first faulty line or item, instead of returning its batch.
  std::optional<batch> next();

  /// "line" or "item": the unit of places.
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
  std::size_t line_ = 0;     ///< number of the last line read
  std::deque<item> waiting_; ///< to be returned before the rest of `in_`
};

} // namespace fanfare::cli
