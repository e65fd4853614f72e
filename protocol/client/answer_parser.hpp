// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Reads one HTTP/1.x answer (RFC 9112) as a webhook sender must: the status
/// line is the verdict. A receiver that answers "200" has done its work,
/// whatever is wrong with the rest, so nothing after the status line becomes a
/// failure. Fields and bodies are kept in bounded excerpts for the call log; an
/// unreadable part is dropped or cut, the result's `reason` says so, and the
/// connection is not reused. It also says if the log has not all of the head.

#include "protocol/client/transport.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::protocol {

/// Most bytes of an answer's header fields that are kept.
inline constexpr std::size_t kept_head = 8 * 1024;
/// Longest meaningful value of Retry-After: a date has 29.
inline constexpr std::size_t kept_retry_after = 128;

/// The status in "HTTP/1.x", blanks, three digits, and a blank before the
/// reason if there is one. Not `whole`: more of the line may come, and the
/// digits may go on.
[[nodiscard]] std::optional<unsigned> read_status(std::string_view line,
                                                  bool whole = true);

/// Another answer follows. Not so behind a 101.
[[nodiscard]] constexpr bool is_interim(unsigned status) {
  return status >= 100 && status < 200 && status != 101;
}

class answer_parser {
public:
  /// Writes into `out`, which must outlive it. Enforces the limits of head,
  /// body and log; its user enforces those of time.
  answer_parser(exchange_result& out, const exchange_limits& limits)
    : out_(&out),
      head_limit_(limits.head_limit),
      body_limit_(limits.body_limit),
      keep_limit_(limits.keep_limit) {}

  /// Reads the bytes after those taken so far, and returns how many it takes.
  /// Once it is done, the rest does not belong to the answer. Until then the
  /// rest is an incomplete line, to offer again with more bytes after it; with
  /// `full`, because there is no room for more, that line is taken as far as
  /// it goes and its end is dropped. O(bytes); throws only when memory runs
  /// out.
  std::size_t take(std::string_view bytes, bool full = false);

  /// The peer closed the connection after the bytes taken. `rest`: the
  /// incomplete line, for a better reason.
  void end(std::string_view rest = {});

  /// The connection broke there for this reason ("connection reset by peer").
  void break_off(std::string_view why, std::string_view rest = {});

  /// Nothing more will be read: `why` ("timeout: …") is for the log.
  void cut(std::string_view why);

  /// There is nothing more to read. If `failed`, the result's `status` is 0 and
  /// its `reason` says why; else `status` is the receiver's.
  [[nodiscard]] bool done() const noexcept {
    return at_ >= place::done;
  }
  [[nodiscard]] bool failed() const noexcept {
    return at_ == place::failed;
  }
  /// A final status line was read, so the answer cannot fail any more.
  [[nodiscard]] bool has_verdict() const noexcept {
    return out_->status != 0;
  }
  /// True if the connection can serve another request: the answer was complete
  /// and plain, its end is known, and neither side said "close".
  [[nodiscard]] bool reusable() const noexcept {
    return at_ == place::done && persistent_ && !close_ && !odd_;
  }
  /// True if the receiver announced that it closes the connection: it says so,
  /// it keeps none, or that is how the body ends.
  [[nodiscard]] bool announces_end() const noexcept {
    return close_ || !persistent_;
  }

  /// Bytes taken before the status line: empty lines, interim answers.
  [[nodiscard]] std::size_t before() const noexcept {
    return before_;
  }
  /// Whether anything of an answer came, be it an interim one. Empty lines are
  /// no part of one (RFC 9112, 2.2). `rest` as of `end`.
  [[nodiscard]] bool has_begun(std::string_view rest) const noexcept {
    return at_ != place::status_line || had_interim_
        || rest.find_first_not_of("\r\n") != rest.npos;
  }
  /// Whether an interim answer came before: the receiver has the request.
  [[nodiscard]] bool had_interim() const noexcept {
    return had_interim_;
  }

private:
  /// Bytes of interim answers and empty lines, unless a head may have more.
  static constexpr std::size_t before_limit = std::size_t{1} << 20;

  /// The next part. Everything before `body` consists of lines.
  enum class place : std::uint8_t {
    status_line,
    head,
    chunk_size,
    chunk_end,
    trailers,
    body,  ///< `left_` bytes
    chunk, ///< `left_` bytes
    until_close,
    done,
    failed,
  };
  /// The fields that it interprets.
  enum class field : std::uint8_t {
    other,
    content_length,
    transfer_encoding,
    connection,
    retry_after,
  };

  std::size_t take_lines(std::string_view bytes, bool full);
  std::size_t take_body(std::string_view bytes);
  void take_line(std::string_view line, bool whole);
  bool check_beginning(std::string_view bytes);
  void take_status_line(std::string_view line, bool whole);
  void take_field(std::string_view line, bool whole);
  void take_fold(std::string_view more, bool whole);
  static field field_named(std::string_view name);
  void note(std::string_view value);
  void note_length(std::string_view value);
  void on_head_end();
  void keep_field(std::string_view name, std::string_view value);
  void append_text(std::string& to, std::string_view text);
  void take_chunk_size(std::string_view line, bool whole);
  void begin_chunk();
  void keep_body(std::string_view bytes);
  [[nodiscard]] std::string_view where(std::string_view rest) const;
  [[nodiscard]] std::string amount() const;
  void exceed(std::string_view line);
  void unreadable(std::string_view why);
  void finish();
  void fail(std::string_view why);
  void spoil(std::string_view what);

  [[nodiscard]] std::size_t limit() const noexcept;
  [[nodiscard]] std::size_t most_before() const noexcept {
    return std::max(before_limit, head_limit_);
  }
  void check_before();
  void fail_before();
  [[nodiscard]] bool in_head() const noexcept {
    return at_ <= place::head;
  }

  exchange_result* out_;
  const std::size_t head_limit_;
  const std::size_t body_limit_;
  const std::size_t keep_limit_;

  /// From the fields of the current answer.
  struct framing {
    std::optional<std::uint64_t> length;
    bool length_unclear = false; ///< not a number, or two that differ
    bool coded = false;          ///< has a Transfer-Encoding
    bool chunked = false;        ///< the last of its codings
  } framing_;
  std::uint64_t left_ = 0;       ///< of the body or its chunk
  std::uint64_t body_bytes_ = 0; ///< of the body itself
  std::size_t head_ = 0;         ///< bytes taken, also of interim answers
  std::size_t before_ = 0;       ///< of these, before the status line
  std::size_t wire_body_ = 0;    ///< bytes taken after the head
  place at_ = place::status_line;
  field last_field_ = field::other;
  /// What of the head is in the log.
  struct logging {
    bool last = false;  ///< the last field is
    bool lacks = false; ///< a part has no room there
  } log_;
  bool interim_answer_ = false;
  bool had_interim_ = false;
  bool has_field_ = false; ///< a folded line can belong to one
  bool skipping_ = false;  ///< the rest of an overlong line
  bool close_ = false;
  bool persistent_ = false;
  /// Violates RFC 9112: where it ends may be ambiguous.
  bool odd_ = false;
};

} // namespace fanfare::protocol
