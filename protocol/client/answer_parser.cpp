// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/answer_parser.hpp"

#include "protocol/ascii.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <string>
#include <utility>

namespace fanfare::protocol {

namespace {

constexpr std::string_view no_http = "malformed answer: it does not begin with "
                                     "HTTP/1";
constexpr std::string_view speaks_http2 =
  "malformed answer: the receiver speaks HTTP/2 only on this port; Fanfare "
  "speaks HTTP/1.1";
constexpr std::string_view speaks_tls = "tls: the receiver speaks TLS on this "
                                        "port; the URL should begin with "
                                        "https://";

std::string_view trim_blanks(std::string_view text) {
  while (!text.empty() && is_blank(text.front()))
    text.remove_prefix(1);
  while (!text.empty() && (is_blank(text.back()) || text.back() == '\r'))
    text.remove_suffix(1);
  return text;
}

constexpr std::size_t minor_version = std::string_view{"HTTP/1."}.size();

/// Calls `each` with the elements of a comma-separated list (RFC 9110, 5.6.1).
template <class Each>
void for_each_element(std::string_view list, Each each) {
  while (!list.empty()) {
    const auto comma = std::min(list.find(','), list.size());
    if (const auto element = trim_blanks(list.substr(0, comma));
        !element.empty())
      each(element);
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
}

constexpr std::size_t http2_frame_header = 9;

/// The header of a frame with stream 0 that an HTTP/2 server may send first:
/// SETTINGS, or GOAWAY (RFC 9113, 4.1).
bool is_http2_frame(std::string_view bytes) {
  return bytes.size() >= http2_frame_header && bytes[0] == 0
      && (bytes[3] == 4 || bytes[3] == 7)
      && bytes.substr(5, 4) == std::string_view{"\0\0\0\0", 4};
}

/// An alert or a handshake message in a TLS record (RFC 8446, 5.1).
bool is_tls_record(std::string_view bytes) {
  return bytes.size() >= 2 && (bytes[0] == 0x15 || bytes[0] == 0x16)
      && bytes[1] == 0x03;
}

/// Either has just begun.
bool may_become_frame_or_record(std::string_view bytes) {
  return bytes.front() == '\0'
         ? bytes.size() < http2_frame_header
         : (bytes[0] == 0x15 || bytes[0] == 0x16) && bytes.size() < 2;
}

} // namespace

std::optional<unsigned> read_status(std::string_view line, bool whole) {
  if (line.size() <= minor_version || !is_digit(line[minor_version]))
    return std::nullopt;
  auto rest = line.substr(minor_version + 1);
  if (rest.empty() || !is_blank(rest.front()))
    return std::nullopt;
  rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  const auto code = rest.substr(0, 3);
  rest.remove_prefix(code.size());
  if (code.size() < 3 || !std::ranges::all_of(code, is_digit)
      || (rest.empty() ? !whole
                       : !is_blank(rest.front())
                           && rest.find_first_not_of('\r') != rest.npos))
    return std::nullopt;
  unsigned status = 0;
  std::from_chars(code.data(), code.data() + code.size(), status);
  return status;
}

// -- bytes --------------------------------------------------------------------

std::size_t answer_parser::take(std::string_view bytes, bool full) {
  std::size_t used = 0;
  while (!done() && used < bytes.size()) {
    const auto rest = bytes.substr(used);
    // What was taken makes room.
    const auto now = at_ >= place::body ? take_body(rest)
                                        : take_lines(rest, full && used == 0);
    if (now == 0)
      break;
    used += now;
  }
  return used;
}

/// Of the part that is read. What comes before the answer is no part of its
/// head.
std::size_t answer_parser::limit() const noexcept {
  if (!in_head())
    return body_limit_;
  if (at_ == place::head && interim_answer_)
    return most_before();
  return before_ + head_limit_;
}

/// Interim answers and empty lines, in all.
void answer_parser::check_before() {
  if (head_ > most_before())
    fail_before();
}

void answer_parser::fail_before() {
  fail("too large: what comes before the answer exceeds "
       + std::to_string(most_before()) + " bytes");
}

/// Takes one line, or what there is of one that is too long.
std::size_t answer_parser::take_lines(std::string_view bytes, bool full) {
  if (at_ == place::status_line) {
    before_ = head_;
    if (!check_beginning(bytes))
      return 0;
  }
  auto& taken = in_head() ? head_ : wire_body_;
  const auto most = limit() - std::min(taken, limit());
  const auto* end = static_cast<const char*>(
    std::memchr(bytes.data(), '\n', std::min(bytes.size(), most)));
  if (end == nullptr) {
    if (bytes.size() > most) {
      exceed(bytes.substr(0, most));
      return 0;
    }
    if (!full && !skipping_)
      return 0;
    taken += bytes.size();
    if (!std::exchange(skipping_, true)) {
      const bool first = at_ == place::status_line;
      take_line(bytes, false);
      if (first && has_verdict())
        spoil("head cut: its status line exceeds "
              + std::to_string(bytes.size()) + " bytes");
    }
    return bytes.size();
  }
  const auto size = static_cast<std::size_t>(end - bytes.data());
  taken += size + 1;
  if (std::exchange(skipping_, false)) {
    if (at_ == place::chunk_size) // its number was read when the line began
      begin_chunk();
    return size + 1;
  }
  auto line = bytes.substr(0, size);
  if (!line.empty() && line.back() == '\r')
    line.remove_suffix(1);
  else
    odd_ = true; // a bare LF (RFC 9112, 2.2)
  take_line(line, true);
  return size + 1;
}

std::size_t answer_parser::take_body(std::string_view bytes) {
  auto most = body_limit_ - wire_body_;
  if (most == 0) {
    exceed({});
    return 0;
  }
  if (at_ != place::until_close && left_ < most)
    most = static_cast<std::size_t>(left_);
  const auto part = bytes.substr(0, most);
  wire_body_ += part.size();
  keep_body(part);
  if (at_ == place::until_close)
    return part.size();
  left_ -= part.size();
  if (left_ == 0) {
    if (at_ == place::body)
      finish();
    else
      at_ = place::chunk_end;
  }
  return part.size();
}

void answer_parser::take_line(std::string_view line, bool whole) {
  switch (at_) {
    case place::status_line: take_status_line(line, whole); return;
    case place::head:
      if (line.empty())
        on_head_end();
      else if (is_blank(line.front()))
        take_fold(trim_blanks(line), whole);
      else
        take_field(line, whole);
      return;
    case place::chunk_size: take_chunk_size(line, whole); return;
    case place::chunk_end:
      if (line.empty())
        at_ = place::chunk_size;
      else
        unreadable("its chunks cannot be told apart");
      return;
    case place::trailers:
      if (line.empty())
        finish();
      return;
    case place::body:
    case place::chunk:
    case place::until_close:
    case place::done:
    case place::failed: return;
  }
}

// -- head ---------------------------------------------------------------------

/// Something else that speaks first (SSH, SMTP) may never end its line, so it
/// is not waited for. False: there is nothing to be read, or not yet.
bool answer_parser::check_beginning(std::string_view bytes) {
  // Left over from the answer before (RFC 9112, 2.2, has it of requests).
  if (bytes.front() == '\r' || bytes.front() == '\n')
    return true;
  constexpr std::string_view expected = "HTTP/1.";
  const auto size = std::min(bytes.size(), expected.size());
  if (std::memcmp(bytes.data(), expected.data(), size) == 0)
    return true;
  if (is_http2_frame(bytes))
    fail(speaks_http2);
  else if (is_tls_record(bytes))
    fail(speaks_tls);
  else if (!may_become_frame_or_record(bytes))
    fail(no_http);
  return false;
}

void answer_parser::take_status_line(std::string_view line, bool whole) {
  if (line.empty() || line == "\r") {
    odd_ = false;
    check_before();
    return;
  }
  const auto read = read_status(line, whole);
  if (!read)
    return fail("malformed answer: its status line has no status");
  const auto status = *read;
  if (status < 100)
    return fail("malformed answer: status below 100");
  persistent_ = line[minor_version] != '0';
  close_ = false;
  framing_ = {};
  has_field_ = false;
  log_.lacks = false;
  out_->response_head.clear();
  out_->retry_after.clear();
  interim_answer_ = is_interim(status);
  at_ = place::head;
  if (interim_answer_) {
    had_interim_ = true;
    return;
  }
  out_->status = static_cast<std::uint16_t>(status);
  if (status == 101) {
    spoil("switched to another protocol, which was not asked for");
    finish();
  }
}

void answer_parser::take_field(std::string_view line, bool whole) {
  const auto colon = line.find(':');
  const auto name = trim_blanks(line.substr(0, std::min(colon, line.size())));
  has_field_ = colon != std::string_view::npos && !name.empty();
  if (!has_field_) {
    // Such as a warning that PHP prints before its headers.
    spoil("a line of the head that is no field was left out");
    return;
  }
  odd_ |= is_blank(line[colon - 1]);
  last_field_ = field_named(name);
  log_.last = false;
  if (!whole) {
    // Longer than what the log keeps of the whole head.
    log_.lacks = true;
    if (last_field_ != field::other)
      spoil("a field of the head was cut");
    return;
  }
  const auto value = trim_blanks(line.substr(colon + 1));
  note(value);
  keep_field(name, value);
}

/// A line that begins with a blank continues the field before (RFC 9112, 5.2).
void answer_parser::take_fold(std::string_view more, bool whole) {
  odd_ = true;
  if (!has_field_) {
    spoil("a line of the head that is no field was left out");
    return;
  }
  note(more);
  auto& head = out_->response_head;
  if (!whole || !log_.last || head.size() + more.size() + 1 > kept_head) {
    log_.lacks = true;
    return;
  }
  head.resize(head.size() - 2);
  head.append(1, ' ');
  append_text(head, more);
  head.append("\r\n", 2);
}

answer_parser::field answer_parser::field_named(std::string_view name) {
  switch (name.size()) {
    case 10:
      return equals_lower(name, "connection") ? field::connection
                                              : field::other;
    case 11:
      return equals_lower(name, "retry-after") ? field::retry_after
                                               : field::other;
    case 14:
      return equals_lower(name, "content-length") ? field::content_length
                                                  : field::other;
    case 17:
      return equals_lower(name, "transfer-encoding") ? field::transfer_encoding
                                                     : field::other;
    default: return field::other;
  }
}

/// What a value of the last field means. A folded one is like a further
/// element.
void answer_parser::note(std::string_view value) {
  switch (last_field_) {
    case field::other: return;
    case field::content_length:
      for_each_element(value, [this](auto each) { note_length(each); });
      return;
    case field::transfer_encoding:
      for_each_element(value, [this](auto each) {
        // Of its parameters nothing is known (RFC 9112, 7).
        const auto coding = trim_blanks(each.substr(0, each.find(';')));
        framing_.coded |= !equals_lower(coding, "identity");
        framing_.chunked = equals_lower(coding, "chunked");
      });
      return;
    case field::connection:
      for_each_element(value, [this](auto each) {
        if (equals_lower(each, "close"))
          close_ = true;
        else if (equals_lower(each, "keep-alive"))
          persistent_ = true;
      });
      return;
    case field::retry_after:
      if (out_->retry_after.empty() && value.size() <= kept_retry_after)
        out_->retry_after = value;
      return;
  }
}

void answer_parser::note_length(std::string_view value) {
  std::uint64_t number = 0;
  const auto* const last = value.data() + value.size();
  const auto [end, failed] = std::from_chars(value.data(), last, number);
  if (failed != std::errc{} || end != last
      || (framing_.length && *framing_.length != number))
    framing_.length_unclear = true;
  else
    framing_.length = number;
}

void answer_parser::on_head_end() {
  if (interim_answer_) {
    at_ = place::status_line;
    check_before();
    return;
  }
  const auto status = out_->status;
  // RFC 9112, 6.3.
  if (status == 204 || status == 304) {
    // A 304 may tell the length of what it does not send; a 204 must not.
    odd_ |= framing_.coded
         || (status == 204 && framing_.length.value_or(0) > 0);
    finish();
  } else if (framing_.coded) {
    odd_ |= framing_.length.has_value() || framing_.length_unclear;
    at_ = framing_.chunked ? place::chunk_size : place::until_close;
  } else if (framing_.length_unclear) {
    unreadable("its Content-Length is unclear");
  } else if (framing_.length) {
    left_ = *framing_.length;
    at_ = place::body;
    if (left_ == 0)
      finish();
  } else if (status == 205) {
    // It has no body, and many forget to say so (RFC 9110, 15.3.6).
    odd_ = true;
    finish();
  } else {
    at_ = place::until_close;
  }
  persistent_ &= at_ != place::until_close;
}

void answer_parser::keep_field(std::string_view name, std::string_view value) {
  auto& head = out_->response_head;
  log_.last = head.size() + name.size() + value.size() + 4 <= kept_head;
  if (!log_.last) {
    log_.lacks = true;
    return;
  }
  if (head.empty())
    head.reserve(256);
  append_text(head, name);
  head.append(": ", 2);
  append_text(head, value);
  head.append("\r\n", 2);
}

/// RFC 9110, 5.5: NUL and CR within a field are dangerous to pass on.
void answer_parser::append_text(std::string& to, std::string_view text) {
  const auto from = to.size();
  to.append(text);
  if (std::memchr(text.data(), '\r', text.size()) == nullptr
      && std::memchr(text.data(), '\0', text.size()) == nullptr)
    return;
  for (auto i = from; i < to.size(); ++i)
    if (to[i] == '\r' || to[i] == '\0')
      to[i] = ' ';
  odd_ = true;
}

// -- body ---------------------------------------------------------------------

/// RFC 9112, 7.1. Extensions mean nothing to it.
void answer_parser::take_chunk_size(std::string_view line, bool whole) {
  const auto* const last = line.data() + line.size();
  const auto [end, failed] = std::from_chars(line.data(), last, left_, 16);
  if (failed != std::errc{}
      || (end != last && !is_blank(*end) && *end != ';' && *end != '\r')) {
    unreadable("its chunks cannot be told apart");
    return;
  }
  if (end != last && *end != ';')
    odd_ = true;
  if (whole)
    begin_chunk();
}

void answer_parser::begin_chunk() {
  at_ = left_ == 0 ? place::trailers : place::chunk;
}

void answer_parser::keep_body(std::string_view bytes) {
  body_bytes_ += bytes.size();
  auto& body = out_->response_body;
  if (body.size() < keep_limit_)
    body.append(bytes.substr(0, keep_limit_ - body.size()));
}

// -- endings ------------------------------------------------------------------

void answer_parser::end(std::string_view rest) {
  if (done())
    return;
  if (!has_verdict()) {
    const auto there = where(rest);
    fail((there.starts_with("within") ? "malformed answer: connection closed "
                                      : "reset: connection closed ")
         + std::string{there});
    return;
  }
  if (at_ == place::head)
    spoil("head ended early");
  else if (at_ != place::until_close)
    spoil("body ended after " + amount());
  finish();
}

void answer_parser::break_off(std::string_view why, std::string_view rest) {
  auto reason = "reset: " + std::string{why};
  if (!has_verdict())
    reason.append(" ").append(where(rest));
  cut(reason);
}

void answer_parser::cut(std::string_view why) {
  if (done())
    return;
  if (!has_verdict()) {
    fail(why);
    return;
  }
  spoil((at_ == place::head ? std::string{"head cut"}
                            : "body cut after " + amount())
        + ": " + std::string{why});
  finish();
}

/// What there is of an answer without a verdict.
std::string_view answer_parser::where(std::string_view rest) const {
  if (!has_begun(rest))
    return "before an answer";
  if (at_ == place::head)
    return "within the head";
  return rest.find_first_not_of("\r\n") == rest.npos ? "after an interim answer"
                                                     : "within the status line";
}

/// "2 of 3 bytes", "2 bytes, before its last chunk".
std::string answer_parser::amount() const {
  auto text = std::to_string(body_bytes_);
  if (framing_.coded)
    return text
         + (framing_.chunked ? " bytes, before its last chunk" : " bytes");
  if (framing_.length)
    text += " of " + std::to_string(*framing_.length);
  return text + " bytes";
}

/// A limit of size was reached, within this line if it is one.
void answer_parser::exceed(std::string_view line) {
  const bool in_status_line = at_ == place::status_line;
  if (in_status_line && read_status(line, false))
    take_status_line(line, false);
  if (done())
    return;
  if (!in_status_line && interim_answer_ && in_head())
    return fail_before();
  const auto limit = std::to_string(in_head() ? head_limit_ : body_limit_)
                   + " bytes";
  if (!has_verdict())
    return fail("too large: the head of the answer exceeds " + limit);
  spoil((in_head() ? "too large: head cut at " : "too large: body cut at ")
        + limit);
  finish();
}

/// Nobody can tell where the body ends.
void answer_parser::unreadable(std::string_view why) {
  spoil("body cut after " + std::to_string(body_bytes_)
        + " bytes: " + std::string{why});
  finish();
}

void answer_parser::finish() {
  at_ = place::done;
  if (log_.lacks && out_->reason.empty())
    out_->reason = "head cut in the log";
}

void answer_parser::fail(std::string_view why) {
  at_ = place::failed;
  out_->status = 0;
  out_->reason = why;
}

/// The answer stands, but not all of it is there. The log tells of the first
/// defect; what it leads to is not worth a line.
void answer_parser::spoil(std::string_view what) {
  odd_ = true;
  if (out_->reason.empty())
    out_->reason = what;
}

} // namespace fanfare::protocol
