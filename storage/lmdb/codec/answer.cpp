// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/codec/answer.hpp"

#include "storage/lmdb/codec/fields.hpp"

#include <optional>
#include <utility>
#include <variant>

namespace fanfare::storage::lmdb {

namespace {

/// What was asked for follows the time. Written only if it is known.
constexpr std::uint8_t asked_layout = 2;

/// What kind of answer follows.
enum answer_kind : std::uint8_t { is_plain = 0, is_receipt = 1, is_list = 2 };

void put(byte_writer& to, const request_fingerprint& value) {
  for (const auto byte : value)
    to.u8(static_cast<std::uint8_t>(byte));
}

request_fingerprint get_fingerprint(byte_reader& from) {
  request_fingerprint value{};
  for (auto& byte : value)
    byte = static_cast<char>(from.u8());
  return value;
}

void put(byte_writer& to, const publish_receipt& value) {
  to.u8(value.list ? is_list : is_receipt);
  to.number(value.first);
  to.number(value.count);
  to.number(value.indent);
}

publish_receipt get_receipt(byte_reader& from, bool list) {
  publish_receipt value;
  value.list = list;
  value.first = from.number();
  value.count = from.number<std::uint32_t>();
  value.indent = from.number<std::uint32_t>();
  return value;
}

void put(byte_writer& to, const plain_answer& value) {
  to.u8(is_plain);
  to.number(value.status);
  to.number(value.headers.size());
  for (const auto& [name, text] : value.headers) {
    to.text(name);
    to.text(text);
  }
  to.text(value.body);
}

plain_answer get_plain(byte_reader& from) {
  plain_answer value;
  value.status = from.number<std::uint16_t>();
  const auto count = from.count();
  value.headers.reserve(count);
  for (std::size_t i = 0; i < count && from.ok(); ++i) {
    std::string name{from.text()};
    value.headers.emplace_back(std::move(name), from.text());
  }
  value.body = from.text();
  return value;
}

} // namespace

void encode(std::string& out, const remembered& value) {
  byte_writer to{out};
  std::visit(
    [&](const auto& answer) {
      to.u8(answer.asked ? asked_layout : first_layout);
      put(to, value.created);
      if (answer.asked)
        put(to, *answer.asked);
      put(to, answer);
    },
    value.answer);
}

bool decode(std::string_view in, remembered& value) {
  byte_reader from{in};
  const bool has_asked = has_later_layout(from, asked_layout);
  value.created = get_time(from);
  std::optional<request_fingerprint> asked;
  if (has_asked)
    asked = get_fingerprint(from);
  switch (from.u8()) {
    case is_plain: value.answer = get_plain(from); break;
    case is_receipt: value.answer = get_receipt(from, false); break;
    case is_list: value.answer = get_receipt(from, true); break;
    default: from.fail();
  }
  std::visit([&asked](auto& answer) { answer.asked = asked; }, value.answer);
  return from.complete();
}

} // namespace fanfare::storage::lmdb
