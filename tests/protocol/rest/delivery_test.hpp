// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the tests of delivery settings share: a webhook, the place of its
/// settings, and the texts of requests and answers.

#include "protocol/payload/json_text.hpp"
#include "protocol/security/vault.hpp"
#include "tests/protocol/rest/rest_test.hpp"

#include <gmock/gmock.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::test {

namespace json = boost::json;
using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

/// As the API writes it.
inline std::string compact(const json::value& value) {
  return protocol::to_json_text(value, 0);
}

inline std::string json_text(std::string_view text) {
  return compact(json::string{text.data(), text.size()});
}

/// {"KEY": VALUE}
inline std::string with(std::string_view key, std::string_view value) {
  return '{' + json_text(key) + ':' + std::string{value} + '}';
}

/// What a 400 says of one key.
inline std::string fault(std::string_view key, std::string_view sentence) {
  return with(key, '[' + json_text(sentence) + ']');
}

inline std::string list_of(std::size_t count, std::string_view item) {
  std::string out = "[";
  for (std::size_t i = 0; i < count; ++i)
    out += (i > 0 ? "," : "") + std::string{item};
  return out + ']';
}

class RestDeliveryTest : public RestTest {
protected:
  reply change(std::string_view body, headers more = {}) {
    return ask("PATCH", settings, body, "hooks", std::move(more));
  }

  std::string shown(const std::string& key) {
    return compact(get(settings).json().at(key));
  }

  /// Sent, and read back as `read` (empty: as it was sent).
  void taken(const std::string& key, const std::string& sent,
             std::string read = {}) {
    SCOPED_TRACE(key + ": " + sent.substr(0, 200));
    if (read.empty())
      read = sent;
    const auto changed = change(with(key, sent));
    EXPECT_EQ(changed.status, 200) << changed.body;
    if (changed.status != 200)
      return;
    EXPECT_EQ(compact(changed.json().at(key)), read);
    EXPECT_EQ(shown(key), read);
  }

  /// Refused by just this sentence; nothing is changed.
  void refused(const std::string& key, const std::string& sent,
               const std::string& sentence) {
    SCOPED_TRACE(key + ": " + sent.substr(0, 200));
    const auto before = service.hooks.front();
    const auto answer = change(with(key, sent));
    EXPECT_EQ(answer.status, 400);
    EXPECT_EQ(answer.body, fault(key, sentence));
    EXPECT_EQ(service.hooks.front(), before);
  }

  /// Refused by a sentence with this in it.
  void refused_for(const std::string& key, const std::string& sent,
                   const std::string& part) {
    SCOPED_TRACE(key + ": " + sent.substr(0, 200));
    const auto before = service.hooks.front();
    const auto answer = change(with(key, sent));
    EXPECT_EQ(answer.status, 400) << answer.body;
    const auto said = answer.json();
    ASSERT_TRUE(said.as_object().contains(key)) << answer.body;
    EXPECT_THAT(text_of(said.at(key).at(0)), HasSubstr(part));
    EXPECT_EQ(service.hooks.front(), before);
  }

  delivery_settings& stored() {
    return service.hooks.front().delivery;
  }

  /// From here on what is stored is encrypted.
  void use_key() {
    const auto made = protocol::vault::from_text(std::string(64, 'a'));
    ASSERT_TRUE(made);
    service.seals = *made;
  }

  std::string hook = make_hook();
  std::string settings = hook + "delivery/";
};

} // namespace fanfare::test
