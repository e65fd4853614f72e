// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Reads the JSON value of one delivery setting after the other. Every fault is
/// a sentence under the setting's key; a value with faults is of no use.

#include "protocol/payload/json_slices.hpp"
#include "protocol/rest/delivery/delivery_patch.hpp"
#include "protocol/rest/service.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace fanfare::protocol::rest {

[[nodiscard]] inline std::string_view text_of(boost::json::string_view text) {
  return {text.data(), text.size()};
}

/// One thread.
class setting_reader {
public:
  /// `text` is what the settings were parsed from. All must outlive it,
  /// `secrets` also the edits that it helped to make.
  setting_reader(std::string_view text, const secret_opener& secrets,
                 delivery_faults& faults)
    : text_{text},
      secrets_{secrets},
      faults_{faults} {}

  /// Faults are reported under this key from now on.
  void begin(std::string_view key) {
    key_ = key;
    before_ = faults_.size();
  }
  /// No faults since `begin`.
  [[nodiscard]] bool fine() const {
    return faults_.size() == before_;
  }
  void fault(std::string sentence) {
    faults_.emplace_back(key_, std::move(sentence));
  }
  /// The setting as it was sent, where a value does not say enough.
  [[nodiscard]] std::string_view source() const {
    return member_of(text_, key_).value_or("");
  }
  /// Opens stored secrets that are to be kept.
  [[nodiscard]] const secret_opener& secrets() const {
    return secrets_;
  }

  // -- values -----------------------------------------------------------------
  //
  // `name` is the member that sentences speak of; empty: the setting itself.

  /// A number of seconds.
  std::optional<std::chrono::milliseconds>
  time(const boost::json::value& json, std::chrono::milliseconds least,
       std::chrono::milliseconds most, std::string_view name);
  std::optional<std::uint32_t> whole(const boost::json::value& json,
                                     double least, double most,
                                     std::string_view name = {});
  bool boolean(const boost::json::value& json);
  /// Printable ASCII of at most `most` characters.
  std::string plain(const boost::json::value& json, std::size_t most,
                    std::string_view name = {});

  /// Calls `read(name, value)` for each member of an object; false from it
  /// means the member is unknown. Returns fine().
  template <class Read>
  bool
  members(const boost::json::value& json, std::string_view name, Read read) {
    if (!json.is_object()) {
      fault(name.empty() ? "Must be an object."
                         : std::string{name} + " must be an object.");
      return false;
    }
    for (const auto& item : json.get_object())
      if (!read(text_of(item.key()), item.value()))
        fault("Unknown key \"" + std::string{text_of(item.key())} + "\""
              + (name.empty() ? "." : " in " + std::string{name} + "."));
    return fine();
  }
  template <class Read>
  bool members(const boost::json::value& json, Read read) {
    return members(json, {}, std::move(read));
  }

private:
  std::string_view text_;
  const secret_opener& secrets_;
  delivery_faults& faults_;
  std::string key_;
  std::size_t before_ = 0;
};

} // namespace fanfare::protocol::rest
