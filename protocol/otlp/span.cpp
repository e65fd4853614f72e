// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/otlp/span.hpp"

#include "fanfare/version.hpp"
#include "protocol/otlp/protobuf.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <type_traits>

namespace fanfare::protocol::otlp {

namespace {

// -- numbers of the protocol's fields -----------------------------------------

namespace number {

constexpr std::uint32_t key = 1;
constexpr std::uint32_t value = 2;

constexpr std::uint32_t text_value = 1;
constexpr std::uint32_t truth_value = 2;
constexpr std::uint32_t integer_value = 3;
constexpr std::uint32_t real_value = 4;

// Of spans; links have the first three as well.
constexpr std::uint32_t trace = 1;
constexpr std::uint32_t span = 2;
constexpr std::uint32_t state = 3;
constexpr std::uint32_t parent = 4;
constexpr std::uint32_t name = 5;
constexpr std::uint32_t kind = 6;
constexpr std::uint32_t start = 7;
constexpr std::uint32_t end = 8;
constexpr std::uint32_t attributes = 9;
constexpr std::uint32_t links = 13;
constexpr std::uint32_t status = 15;
constexpr std::uint32_t flags = 16;
constexpr std::uint32_t link_flags = 6;

constexpr std::uint32_t status_message = 2;
constexpr std::uint32_t status_code = 3;

} // namespace number

constexpr std::uint64_t status_error = 2;
/// Beside the flags of W3C: whether a context is another process's is known,
/// and that it is.
constexpr std::uint32_t has_remote = 0x100;
constexpr std::uint32_t is_remote = 0x200;

// -- values -------------------------------------------------------------------

std::string big_endian(std::uint64_t value) {
  std::string out(8, '\0');
  for (auto& byte : out) {
    byte = static_cast<char>(value >> 56);
    value <<= 8;
  }
  return out;
}

/// Not within a character.
std::string shortened(std::string_view text) {
  auto out = to_valid_utf8(text.substr(0, longest_attribute));
  if (text.size() <= longest_attribute)
    return out;
  // What was cut in two is not UTF-8 any more, and was mended.
  constexpr std::string_view mended = "\xEF\xBF\xBD";
  while (out.ends_with(mended))
    out.resize(out.size() - mended.size());
  return out;
}

std::uint64_t
nanoseconds(std::chrono::sys_time<std::chrono::microseconds> when) {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(
    0, std::chrono::duration_cast<std::chrono::nanoseconds>(
         when.time_since_epoch())
         .count()));
}

void append(message_writer& to, std::uint32_t field, const attribute& from) {
  to.message(field, [&](message_writer& pair) {
    pair.bytes(number::key, from.name);
    pair.message(number::value, [&](message_writer& any) {
      std::visit(
        [&any](const auto& value) {
          using type = std::decay_t<decltype(value)>;
          if constexpr (std::is_same_v<type, std::string>)
            any.bytes(number::text_value, shortened(value));
          else if constexpr (std::is_same_v<type, bool>)
            any.varint(number::truth_value, value ? 1 : 0);
          else if constexpr (std::is_same_v<type, double>)
            any.fixed64(number::real_value,
                        std::bit_cast<std::uint64_t>(value));
          else
            any.varint(number::integer_value,
                       static_cast<std::uint64_t>(value));
        },
        from.value);
    });
  });
}

void append_ids(message_writer& to, const trace_context& from) {
  to.bytes(number::trace,
           big_endian(from.trace.high) + big_endian(from.trace.low));
  to.bytes(number::span, big_endian(from.span));
  if (!from.state.empty())
    to.bytes(number::state, from.state);
}

} // namespace

// -- requests -----------------------------------------------------------------

std::string encode(const span& from) {
  std::string out;
  out.reserve(512);
  message_writer to{out};
  append_ids(to, from.self);
  if (from.parent != 0)
    to.bytes(number::parent, big_endian(from.parent));
  to.bytes(number::name, shortened(from.name));
  to.varint(number::kind, static_cast<std::uint64_t>(from.kind));
  to.fixed64(number::start, nanoseconds(from.start));
  to.fixed64(number::end, nanoseconds(from.end));
  for (const auto& each : from.attributes)
    append(to, number::attributes, each);
  for (const auto& link : from.links)
    to.message(number::links, [&](message_writer& in) {
      append_ids(in, link.to);
      in.fixed32(number::link_flags, link.to.flags | has_remote);
    });
  if (from.failed)
    to.message(number::status, [&](message_writer& status) {
      if (!from.why.empty())
        status.bytes(number::status_message, shortened(from.why));
      status.varint(number::status_code, status_error);
    });
  to.fixed32(number::flags, from.self.flags | has_remote
                              | (from.parent_is_remote ? is_remote : 0U));
  return out;
}

std::string encode_resource(const std::vector<attribute>& attributes) {
  std::string out;
  message_writer to{out};
  for (const auto& each : attributes)
    append(to, 1, each);
  return out;
}

std::string export_request(std::string_view resource,
                           const std::vector<std::string>& spans) {
  std::string out;
  std::size_t size = resource.size() + 64;
  for (const auto& each : spans)
    size += each.size() + 8;
  out.reserve(size);
  message_writer{out}.message(1, [&](message_writer& of_resource) {
    of_resource.bytes(1, resource);
    of_resource.message(2, [&](message_writer& of_scope) {
      of_scope.message(1, [](message_writer& scope) {
        scope.bytes(1, "fanfare");
        scope.bytes(2, version);
      });
      for (const auto& each : spans)
        of_scope.bytes(2, each);
    });
  });
  return out;
}

partial_success read_response(std::string_view body) {
  partial_success out;
  message_reader response{body};
  while (const auto part = response.next()) {
    if (part->number != 1)
      continue;
    message_reader partial{part->bytes};
    while (const auto field = partial.next()) {
      if (field->number == 1)
        out.rejected = field->value;
      else if (field->number == 2)
        out.message = shortened(field->bytes);
    }
  }
  return out;
}

} // namespace fanfare::protocol::otlp
