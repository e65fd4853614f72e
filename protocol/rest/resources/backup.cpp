// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/backup.hpp"

#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/messages/request_body.hpp"
#include "protocol/server/body_stream.hpp"

#include <boost/json/object.hpp>

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <string>
#include <utility>

namespace fanfare::protocol::rest {

namespace {

using clock = std::chrono::steady_clock;

/// What a client may take for a piece: meanwhile the store keeps all pages.
constexpr std::chrono::seconds slowest_piece{15};

/// Answers with what it gets, but for the last piece: whoever has all of it may
/// ask for another backup at once, so that one has to have ended before.
class answering_sink final : public backup_sink {
public:
  answering_sink(const exchange& x, clock::time_point until)
    : x_(x),
      until_(until) {}

  [[nodiscard]] bool has_answered() const {
    return to_.has_value();
  }

  result<void> begin(std::uint64_t size) override {
    auto [writer, reader] = body_writer::make(size);
    to_.emplace(std::move(writer));
    http_response answer{
      .headers = {{"Content-Type", "application/octet-stream"},
                  {"Content-Disposition",
                   "attachment; filename=\"fanfare.backup\""},
                  {"Cache-Control", "no-store"}},
      .body = {},
      .stream = std::move(reader)};
    x_.respond(std::move(answer));
    return {};
  }

  result<void> write(std::string_view bytes) override {
    auto sent = finish();
    held_.assign(bytes);
    return sent;
  }

  /// Sends the last piece.
  result<void> finish() {
    if (held_.empty()
        || to_->write(held_, std::min(until_, clock::now() + slowest_piece)))
      return {};
    return error{ec::io_error, "The client has gone, or was too slow."};
  }

private:
  const exchange& x_;
  clock::time_point until_;
  std::optional<body_writer> to_;
  std::string held_; ///< the newest piece
};

/// The pace that is asked for; nothing was: the usual one.
std::optional<http_response> read_options(const exchange& x,
                                          backup_options& out) {
  boost::json::object asked;
  if (!x.request.body.empty())
    if (auto failure = read_object(x, asked))
      return failure;
  field_errors errors;
  for (const auto& item : asked) {
    const std::string_view key{item.key().data(), item.key().size()};
    const auto* number = item.value().if_int64();
    if (key != "bytes_per_second")
      errors.add(key, "Unknown key.");
    else if (number == nullptr || *number < 0)
      errors.add(key, "Must be a number of bytes; 0: no limit.");
    else
      out.bytes_per_second = static_cast<std::size_t>(*number);
  }
  if (errors.empty())
    return std::nullopt;
  return errors.answer(x);
}

} // namespace

void serve_backup(const std::shared_ptr<exchange>& x) {
  backup_options options;
  if (auto failure = read_options(*x, options))
    return x->respond(std::move(*failure));
  // It takes long: not on a thread that others wait for to write.
  x->api.run.blocking([x, options] {
    answering_sink to{*x, clock::now() + options.longest};
    result<void> made;
    try {
      made = x->service.back_up(to, options);
    } catch (const std::exception& e) { // must not end the thread
      made = error{ec::internal, e.what()};
    }
    // Once it has begun, all there is to say of a failure is to break off.
    if (made)
      (void)to.finish(); // who has gone is not told
    else if (!to.has_answered())
      x->respond(answer_to(*x, made.error()));
  });
}

} // namespace fanfare::protocol::rest
