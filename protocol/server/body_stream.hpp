// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The body of an answer that is made while it is sent. One thread writes, the
/// connection's thread reads; only a bounded number of bytes is in between. Its
/// size is announced, or it is open: it ends when nobody writes it any more.

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fanfare::protocol {

/// The end that an answer has. A client that goes away destroys it.
class body_reader;

/// The end that makes the body. One thread.
class body_writer {
public:
  /// Writer and reader of a body with so many bytes, which the answer
  /// announces.
  static std::pair<body_writer, std::shared_ptr<body_reader>>
  make(std::uint64_t size);

  /// The same of an open one.
  static std::pair<body_writer, std::shared_ptr<body_reader>> make_open();

  body_writer(body_writer&& other) noexcept = default;
  body_writer& operator=(body_writer&& other) noexcept;
  /// An open body is complete. What is missing of another one will never come:
  /// the connection is broken off.
  ~body_writer();

  /// Waits for room, but not after `until`. False: nobody reads it any more, or
  /// too slowly.
  [[nodiscard]] bool write(std::string_view bytes,
                           std::chrono::steady_clock::time_point until);

  /// Whether the client has taken all that was written. If not, `wake` is
  /// called once when it has, on any thread; it must not call back.
  [[nodiscard]] bool is_awaited(std::function<void()> wake);
  /// Whether nobody reads it any more.
  [[nodiscard]] bool is_abandoned() const;

private:
  friend class body_reader;
  struct shared;
  explicit body_writer(std::shared_ptr<shared> with) : with_(std::move(with)) {}
  static std::pair<body_writer, std::shared_ptr<body_reader>>
  make_both(std::optional<std::uint64_t> size);
  void end();

  std::shared_ptr<shared> with_;
};

class body_reader {
public:
  explicit body_reader(std::shared_ptr<body_writer::shared> with)
    : with_(std::move(with)) {}
  body_reader(const body_reader&) = delete;
  body_reader& operator=(const body_reader&) = delete;
  ~body_reader();

  /// Nothing: it is open.
  [[nodiscard]] std::optional<std::uint64_t> size() const;

  enum class found : std::uint8_t {
    bytes,   ///< here they are
    nothing, ///< yet: `wake` is called when that changes
    end,     ///< all were read
    broken,  ///< the rest will never come
  };
  /// Takes what is there, when all that was taken before is sent. `wake` is
  /// called at most once, on any thread, and must not call back.
  [[nodiscard]] found read(std::string& into, std::function<void()> wake);

private:
  std::shared_ptr<body_writer::shared> with_;
};

} // namespace fanfare::protocol
