// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/payload/composed_body.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <cstdint>

namespace fanfare::protocol {

std::string thin_body(std::string_view body) {
  boost::system::error_code failed;
  const auto whole = boost::json::parse({body.data(), body.size()}, failed);
  boost::json::object thin;
  if (!failed && whole.is_object())
    for (const auto* key : {"notification_id", "organizer", "event", "action"})
      if (const auto* value = whole.get_object().if_contains(key))
        thin.emplace(key, *value);
  const auto text = boost::json::serialize(thin);
  return {text.data(), text.size()};
}

std::string batch_body(std::span<const notification_ptr> all, bool thin) {
  std::size_t size = 2;
  for (const auto& n : all)
    size += n->body.size() + 1;
  std::string out;
  out.reserve(size);
  out += '[';
  for (const auto& n : all) {
    if (out.size() > 1)
      out += ',';
    if (thin)
      out += thin_body(n->body);
    else
      out += n->body;
  }
  out += ']';
  return out;
}

std::string batch_id(std::span<const notification_ptr> all) {
  // FNV-1a over the positions: the id must differ, it need not be secret.
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const auto& n : all)
    for (auto rest = n->id; rest != 0; rest >>= 8)
      hash = (hash ^ (rest & 0xff)) * 0x100000001b3;
  return "batch_" + std::to_string(all.front()->id) + '_'
       + std::to_string(all.size()) + '_' + std::to_string(hash);
}

} // namespace fanfare::protocol
