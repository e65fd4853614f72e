// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/batch_reader.hpp"

#include "cli/client/exit_code.hpp"
#include "protocol/payload/json_slices.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/stream_parser.hpp>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

namespace fanfare::cli {

namespace {

namespace json = boost::json;

constexpr std::string_view white = " \t\r\n";

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(white);
  if (begin == std::string_view::npos)
    return {};
  return text.substr(begin, text.find_last_not_of(white) - begin + 1);
}

/// Why it cannot be a notification, as far as the client can tell; empty: it
/// can.
std::string fault_of(const json::value& value) {
  const auto* object = value.if_object();
  if (object == nullptr)
    return "it is not a JSON object";
  const auto* action = object->if_contains("action");
  if (action == nullptr)
    return "it has no \"action\"";
  return action->is_string() ? "" : "its \"action\" is not a text";
}

} // namespace

batch_reader::batch_reader(std::istream& in) : in_{in} {}

void batch_reader::fail(std::size_t place, const std::string& why) const {
  throw command_error{exit_code::usage, std::string{unit_} + " "
                                          + std::to_string(place) + ": " + why};
}

std::optional<std::string> batch_reader::read_line() {
  if (in_.peek() == std::istream::traits_type::eof())
    return std::nullopt;
  ++line_;
  std::string line;
  auto& buffer = *in_.rdbuf();
  for (auto c = buffer.sbumpc();
       c != std::istream::traits_type::eof() && c != '\n';
       c = buffer.sbumpc()) {
    line += static_cast<char>(c);
    if (line.size() > most_bytes_of_array)
      fail(line_, "it is larger than 64 MiB");
  }
  return line;
}

/// Detects which of the three forms the input has.
void batch_reader::begin() {
  begun_ = true;
  std::optional<std::string> line;
  do
    line = read_line();
  while (line && trimmed(*line).empty());
  if (!line)
    return;
  const auto text = trimmed(*line);
  if (text.front() == '[') {
    unit_ = "item";
    return read_document(std::move(*line), most_bytes_of_array);
  }
  json::error_code failed;
  json::parse(text, failed);
  if (failed == json::error::incomplete) // an object of several lines
    return read_document(std::move(*line), most_bytes);
  waiting_.push_back({std::string{text}, line_});
}

/// Reads to the end of the input, which is one value.
void batch_reader::read_document(std::string text, std::size_t most) {
  auto number = line_;
  while (const auto line = read_line()) {
    text += '\n';
    text += *line;
    if (text.size() > most)
      throw command_error{exit_code::usage,
                          "the input is larger than "
                            + std::to_string(most >> 20)
                            + " MiB; write one object on each line instead"};
  }
  json::stream_parser parser;
  json::error_code failed;
  const auto taken = parser.write_some(text, failed);
  const auto rest = std::string_view{text}.substr(taken);
  if (!failed && trimmed(rest).empty())
    parser.finish(failed);
  else if (!failed)
    failed = json::error::extra_data;
  if (failed) {
    unit_ = "line";
    number += static_cast<std::size_t>(std::count(
      text.begin(), text.begin() + static_cast<std::ptrdiff_t>(taken), '\n'));
    fail(number, "it is not valid JSON: " + failed.message());
  }
  if (!parser.release().is_array()) {
    waiting_.push_back({std::move(text), number});
    return;
  }
  std::size_t place = 0;
  for (const auto entry : protocol::items_of(text))
    waiting_.push_back({std::string{entry}, ++place});
}

std::optional<batch_reader::item> batch_reader::next_item() {
  if (!begun_)
    begin();
  if (!waiting_.empty()) {
    auto first = std::move(waiting_.front());
    waiting_.pop_front();
    return first;
  }
  while (auto line = read_line())
    if (const auto text = trimmed(*line); !text.empty())
      return item{std::string{text}, line_};
  return std::nullopt;
}

std::optional<batch> batch_reader::next() {
  batch out;
  out.body = "[";
  while (out.places.size() < most_items) {
    auto found = next_item();
    if (!found)
      break;
    json::error_code failed;
    const auto value = json::parse(found->text, failed);
    if (failed)
      fail(found->place, "it is not valid JSON: " + failed.message());
    if (const auto fault = fault_of(value); !fault.empty())
      fail(found->place, fault);
    if (found->text.size() + 2 > most_bytes)
      fail(found->place, "it is larger than 1 MiB");
    const std::size_t comma = out.places.empty() ? 0 : 1;
    if (out.body.size() + comma + found->text.size() + 1 > most_bytes) {
      waiting_.push_front(std::move(*found));
      break;
    }
    out.body.append(comma, ',');
    out.body += found->text;
    out.places.push_back(found->place);
  }
  if (out.places.empty())
    return std::nullopt;
  out.body += ']';
  return out;
}

} // namespace fanfare::cli
