// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/settings.hpp"

#include "cli/private_file.hpp"
#include "protocol/client/api_client.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <utility>

namespace fanfare::cli {

namespace {

namespace fs = std::filesystem;

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

error damaged(const fs::path& file) {
  return {ec::store_damaged,
          file.string() + " is not what fanfare login writes; log in again"};
}

error io_failure(const std::string& what, const fs::path& file,
                 const std::error_code& why) {
  return {ec::io_error, what + " " + file.string() + ": " + why.message()};
}

} // namespace

result<fs::path> settings_file() {
  // The XDG base directory specification says to ignore relative ones.
  fs::path base = environment("XDG_CONFIG_HOME");
  if (!base.is_absolute()) {
    const auto home = environment("HOME");
    if (home.empty())
      return error{ec::invalid_argument,
                   "the environment has no HOME to keep the settings in; set "
                   "XDG_CONFIG_HOME to a directory"};
    base = fs::path{home} / ".config";
  }
  return base / "fanfare" / "client.json";
}

result<std::optional<client_settings>> load_settings() {
  const auto file = settings_file();
  if (!file)
    return std::optional<client_settings>{}; // so nothing can be stored
  std::error_code failed;
  if (!fs::exists(*file, failed) && !failed)
    return std::optional<client_settings>{};
  std::ifstream in{*file, std::ios::binary};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  if (!in)
    return error{ec::io_error, "cannot read " + file->string()};
  boost::json::error_code no_json;
  const auto json = boost::json::parse(text, no_json);
  if (no_json || !json.is_object())
    return damaged(*file);
  client_settings out;
  for (const auto& [key, place] :
       {std::pair{"url", &out.url}, std::pair{"token", &out.token},
        std::pair{"organizer", &out.organizer},
        std::pair{"ca_file", &out.ca_file}}) {
    const auto* value = json.get_object().if_contains(key);
    if (value == nullptr || !value->is_string())
      return damaged(*file);
    *place = boost::json::value_to<std::string>(*value);
  }
  return std::optional{out};
}

result<fs::path> save_settings(const client_settings& settings) {
  const auto file = settings_file();
  if (!file)
    return file.error();
  const auto directory = file->parent_path();
  std::error_code failed;
  fs::create_directories(directory.parent_path(), failed);
  const bool made = !failed && fs::create_directory(directory, failed);
  if (made)
    fs::permissions(directory, fs::perms::owner_all, failed);
  if (failed)
    return io_failure("cannot make", directory, failed);
  boost::json::object json;
  json["url"] = settings.url;
  json["token"] = settings.token;
  json["organizer"] = settings.organizer;
  json["ca_file"] = settings.ca_file;
  if (const auto written = write_private_file(
        *file, boost::json::serialize(json) + "\n");
      !written)
    return written.error();
  return *file;
}

result<bool> forget_settings() {
  const auto file = settings_file();
  if (!file)
    return false;
  std::error_code failed;
  const bool removed = fs::remove(*file, failed);
  if (failed)
    return io_failure("cannot remove", *file, failed);
  return removed;
}

result<client_settings> find_settings(const settings_options& options) {
  const auto stored = load_settings();
  if (!stored)
    return stored.error();
  client_settings out;
  if (*stored)
    out.url = (*stored)->url;
  if (const auto url = environment("FANFARE_URL"); !url.empty())
    out.url = url;
  if (!options.url.empty())
    out.url = options.url;
  const auto origin = protocol::api_origin(out.url);
  if (!origin)
    return origin.error();
  out.token = environment("FANFARE_TOKEN");
  out.organizer = options.organizer.empty() ? environment("FANFARE_ORGANIZER")
                                            : options.organizer;
  out.ca_file = options.ca_file;
  if (*stored) {
    const auto home = protocol::api_origin((*stored)->url);
    if (home && *home == *origin) {
      if (out.token.empty())
        out.token = (*stored)->token;
      if (out.organizer.empty())
        out.organizer = (*stored)->organizer;
      if (out.ca_file.empty())
        out.ca_file = (*stored)->ca_file;
    }
  }
  return out;
}

} // namespace fanfare::cli
