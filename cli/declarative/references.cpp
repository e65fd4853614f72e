// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/declarative/references.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <system_error>
#include <utility>

namespace fanfare::cli::declarative {

namespace {

/// Of a referenced file; the largest setting is a PEM text of 64 KiB.
constexpr std::size_t most_bytes = std::size_t{256} * 1024;

std::string without_line_end(std::string text) {
  if (text.ends_with('\n'))
    text.pop_back();
  if (text.ends_with('\r'))
    text.pop_back();
  return text;
}

} // namespace

process_references::process_references(std::filesystem::path base)
  : base_(std::move(base)) {}

std::string process_references::from_environment(const std::string& name,
                                                 std::string& fault) {
  const auto* const value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0') {
    fault = "The environment has no " + name + ": set it.";
    return {};
  }
  return without_line_end(value);
}

std::string process_references::from_file(const std::string& path,
                                          std::string& fault) {
  const auto file = base_ / path;
  std::error_code failed;
  if (!std::filesystem::is_regular_file(file, failed)) {
    fault = "There is no file " + file.string() + ".";
    return {};
  }
  std::ifstream in{file, std::ios::binary};
  std::string text(most_bytes + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  if (in.bad() || text.empty())
    fault = file.string() + " cannot be read, or is empty.";
  else if (text.size() > most_bytes)
    fault = file.string() + " is too large for a setting.";
  return fault.empty() ? without_line_end(std::move(text)) : std::string{};
}

} // namespace fanfare::cli::declarative
