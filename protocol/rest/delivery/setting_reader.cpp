// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/delivery/setting_reader.hpp"

#include "protocol/rules/header_rules.hpp"

#include <cmath>

namespace fanfare::protocol::rest {

namespace {

using std::chrono::milliseconds;

std::string whole_number(double least, double most) {
  return "Must be a whole number from "
       + std::to_string(static_cast<long>(least)) + " to "
       + std::to_string(static_cast<long>(most)) + ".";
}

} // namespace

std::optional<milliseconds>
setting_reader::time(const boost::json::value& json, milliseconds least,
                     milliseconds most, std::string_view name) {
  if (!json.is_number()) {
    fault(std::string{name} + " must be a number of seconds.");
    return std::nullopt;
  }
  const double value = json.to_number<double>();
  const double rounded = std::round(value * 1000);
  if (!(rounded >= static_cast<double>(least.count())
        && rounded <= static_cast<double>(most.count()))) {
    fault(std::string{name} + " must be " + (least.count() == 0 ? "0" : "0.001")
          + " to "
          + std::to_string(
            std::chrono::duration_cast<std::chrono::seconds>(most).count())
          + " seconds.");
    return std::nullopt;
  }
  return milliseconds{static_cast<std::int64_t>(rounded)};
}

std::optional<std::uint32_t>
setting_reader::whole(const boost::json::value& json, double least, double most,
                      std::string_view name) {
  const bool is_whole = json.is_int64() || json.is_uint64();
  const double value = is_whole ? json.to_number<double>() : -1;
  if (value >= least && value <= most)
    return static_cast<std::uint32_t>(value);
  auto sentence = whole_number(least, most);
  if (!name.empty())
    sentence = std::string{name} + " m" + sentence.substr(1);
  fault(std::move(sentence));
  return std::nullopt;
}

bool setting_reader::boolean(const boost::json::value& json) {
  if (json.is_bool())
    return json.get_bool();
  fault("Must be true or false.");
  return false;
}

std::string setting_reader::plain(const boost::json::value& json,
                                  std::size_t most, std::string_view name) {
  const auto whose = name.empty() ? std::string{"This"} : std::string{name};
  if (!json.is_string()) {
    fault(whose + " must be a text.");
    return {};
  }
  const auto found = text_of(json.get_string());
  if (found.size() > most)
    fault(whose + " must have at most " + std::to_string(most)
          + " characters.");
  else if (!is_header_text(found) || found.find('\t') != found.npos)
    fault(whose + " must be printable ASCII.");
  return std::string{found};
}

} // namespace fanfare::protocol::rest
