// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/body_stream.hpp"

namespace fanfare::protocol {

namespace {

/// Bytes that wait for the client.
constexpr std::size_t most_waiting = std::size_t{256} << 10;

} // namespace

struct body_writer::shared {
  explicit shared(std::optional<std::uint64_t> all) : size(all) {}

  /// With the lock held: who is to be told that there is news.
  std::function<void()> take_wake() {
    return std::exchange(wake, nullptr);
  }

  const std::optional<std::uint64_t> size; ///< none: it is open
  std::mutex mutex;
  std::condition_variable has_room;
  // Under the mutex.
  std::string waiting;
  std::uint64_t written = 0;
  bool writer_gone = false;
  bool reader_gone = false;
  std::function<void()> wake;      ///< of the reader, who waits for more
  std::function<void()> wake_back; ///< of the writer, who waits for that
};

std::pair<body_writer, std::shared_ptr<body_reader>>
body_writer::make(std::uint64_t size) {
  return make_both(size);
}

std::pair<body_writer, std::shared_ptr<body_reader>> body_writer::make_open() {
  return make_both(std::nullopt);
}

std::pair<body_writer, std::shared_ptr<body_reader>>
body_writer::make_both(std::optional<std::uint64_t> size) {
  auto with = std::make_shared<shared>(size);
  auto reader = std::make_shared<body_reader>(with);
  return {body_writer{std::move(with)}, std::move(reader)};
}

body_writer& body_writer::operator=(body_writer&& other) noexcept {
  if (this != &other) {
    end();
    with_ = std::move(other.with_);
  }
  return *this;
}

body_writer::~body_writer() {
  end();
}

void body_writer::end() {
  if (!with_)
    return;
  std::function<void()> wake;
  {
    const std::lock_guard guard{with_->mutex};
    with_->writer_gone = true;
    with_->wake_back = nullptr;
    wake = with_->take_wake();
  }
  if (wake)
    wake();
}

bool body_writer::is_awaited(std::function<void()> wake) {
  const std::lock_guard guard{with_->mutex};
  if (with_->wake)
    return true;
  with_->wake_back = std::move(wake);
  return false;
}

bool body_writer::is_abandoned() const {
  const std::lock_guard guard{with_->mutex};
  return with_->reader_gone;
}

bool body_writer::write(std::string_view bytes,
                        std::chrono::steady_clock::time_point until) {
  std::function<void()> wake;
  {
    std::unique_lock guard{with_->mutex};
    const bool fits = with_->has_room.wait_until(guard, until, [&] {
      return with_->reader_gone || with_->waiting.size() < most_waiting;
    });
    if (!fits || with_->reader_gone)
      return false;
    with_->waiting += bytes;
    with_->written += bytes.size();
    wake = with_->take_wake();
  }
  if (wake)
    wake();
  return true;
}

body_reader::~body_reader() {
  std::function<void()> wake_back;
  {
    const std::lock_guard guard{with_->mutex};
    with_->reader_gone = true;
    with_->wake = nullptr;
    with_->has_room.notify_all();
    wake_back = std::exchange(with_->wake_back, nullptr);
  }
  if (wake_back)
    wake_back();
}

std::optional<std::uint64_t> body_reader::size() const {
  return with_->size;
}

body_reader::found body_reader::read(std::string& into,
                                     std::function<void()> wake) {
  std::function<void()> wake_back;
  {
    const std::lock_guard guard{with_->mutex};
    if (!with_->waiting.empty()) {
      into = std::exchange(with_->waiting, {});
      with_->has_room.notify_all();
      return found::bytes;
    }
    if (with_->size ? with_->written == *with_->size : with_->writer_gone)
      return found::end;
    if (with_->writer_gone || (with_->size && with_->written > *with_->size))
      return found::broken;
    with_->wake = std::move(wake);
    wake_back = std::exchange(with_->wake_back, nullptr);
  }
  if (wake_back)
    wake_back();
  return found::nothing;
}

} // namespace fanfare::protocol
