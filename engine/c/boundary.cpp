// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/c/boundary.hpp"

#include <cstdlib>

namespace fanfare::c {

namespace {

template <std::size_t Size>
void put_text(char (&to)[Size], std::string_view text) {
  auto size = std::min(text.size(), Size - 1);
  while (size < text.size() && size > 0
         && (static_cast<unsigned char>(text[size]) & 0xC0U) == 0x80U)
    --size; // not in the middle of a character
  std::memcpy(to, text.data(), size);
  to[size] = '\0';
}

} // namespace

error bad(std::string field, std::string sentence) {
  return {ec::invalid_argument, std::move(sentence), std::move(field)};
}

fanfare_code report(fanfare_error* to, int code, std::string_view detail,
                    std::string_view field) {
  const auto has = [to](const auto& member) {
    const auto* end = reinterpret_cast<const char*>(&member + 1);
    return end <= reinterpret_cast<const char*>(to) + to->size;
  };
  if (to != nullptr && has(to->code)) {
    to->code = code;
    if (has(to->detail))
      put_text(to->detail, detail);
    if (has(to->field))
      put_text(to->field, field);
  }
  return static_cast<fanfare_code>(code);
}

fanfare_code report(fanfare_error* to, const error& e) {
  return report(to, static_cast<int>(e.code), e.detail, e.field);
}

std::string to_text(const char* from) {
  return from == nullptr ? std::string{} : std::string{from};
}

std::vector<std::string> split(const char* from, char at) {
  std::vector<std::string> parts;
  for (std::string_view rest = from == nullptr ? "" : from; !rest.empty();) {
    const auto end = std::min(rest.find(at), rest.size());
    if (end > 0)
      parts.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return parts;
}

std::string join(const std::vector<std::string>& parts, char by) {
  std::string out;
  for (const auto& part : parts)
    (out.empty() ? out : out += by) += part;
  return out;
}

result<void> give_text(const std::string& from, char** to) {
  if (to == nullptr)
    return bad_null("text");
  auto* made = static_cast<char*>(std::malloc(from.size() + 1));
  if (made == nullptr)
    throw std::bad_alloc{};
  std::memcpy(made, from.c_str(), from.size() + 1);
  *to = made;
  return {};
}

} // namespace fanfare::c

const char* fanfare_code_name(int32_t code) {
  if (code == FANFARE_OUT_OF_MEMORY)
    return "out_of_memory";
  return code < 0 || code > FANFARE_INTERNAL
         ? "unknown"
         : fanfare::to_string(static_cast<fanfare::ec>(code)).data();
}

const char* fanfare_version(void) {
  return fanfare::version.data();
}

void fanfare_free_text(char* text) {
  std::free(text);
}
