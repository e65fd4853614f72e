// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What the conformance tests share: tables of requests with the whole answer
/// to each, asked of a real server over real sockets. One server serves all
/// tests of a suite; each test has organizers of its own. The numbers beside
/// the tests (§5.1) are those of the compatible API's description.

#include "tests/e2e/support/rest_client.hpp"
#include "tests/e2e/support/server.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/json/value.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::test {

/// Who asks. All but the first have a token of `$org`, unless it says else.
enum class as : std::uint8_t {
  nobody,   ///< without a token
  admin,    ///< the server's
  manager,  ///< "webhooks"
  sender,   ///< "notifications"
  owner,    ///< "admin"
  stranger, ///< all permissions, of `$other`
};

/// One request and its answer. In all texts `$org` and `$other` stand for the
/// two organizers of the test, `$host` for the server's HOST:PORT and `$id` for
/// `ConformanceTest::id_`.
struct row {
  std::string method;
  /// Below /api/v1/organizers/$org/ unless it begins with a slash.
  std::string target;
  std::optional<std::string> body = {};
  unsigned status = 200;
  /// Every byte of it; unset: not looked at.
  std::optional<std::string> answer = {};
  /// Sent on top of the usual ones, in place of them if the names are the same.
  rest_client::fields sent = {};
  /// Must be in the answer.
  rest_client::fields expected = {};
  as who = as::manager;
};

class ConformanceTest : public ::testing::Test {
protected:
  static void SetUpTestSuite();
  static void TearDownTestSuite();

  /// Makes the organizers: `$org` with the events "dummy" (named Zulu) and
  /// "second" (named Alpha), `$other` with "foreign".
  void SetUp() override;

  /// Sends the request of a row and nothing else.
  rest_response ask(const row& r);
  /// Also checks what holds for all answers: their type, and which of them have
  /// WWW-Authenticate and Allow. A GET is asked again as a HEAD, which must
  /// have the same head and no body.
  rest_response expect(const row& r);
  void expect_all(const std::vector<row>& rows);

  /// With `$…` replaced.
  std::string fill(std::string text) const;

  /// POST webhooks/ of a whole object that has `value` for `field` and valid
  /// ones for the others.
  static std::string body_with(std::string_view field, std::string_view value);
  /// Checks that `value` for `field` is stored and rendered as `rendered`.
  void expect_taken(std::string_view field, std::string_view value,
                    std::string_view rendered);
  /// Checks that it is a 400 with these sentences (JSON strings) about that
  /// field alone, in POST, PUT and PATCH, and that nothing changed.
  void expect_refused(std::string_view field, std::string_view value,
                      std::string_view sentences);

  /// Adds a webhook and makes it `$id`. `fields` is in front of valid ones for
  /// the rest: `"comment":"x",`.
  std::string add_webhook(std::string_view fields = {});
  void add_event(const std::string& organizer, const std::string& slug,
                 const std::string& name);
  /// Returns its key.
  std::string add_token(const std::string& organizer, std::string_view name,
                        std::string_view permissions,
                        std::string* id = nullptr);
  /// A key for `Authorization`.
  std::string key_of(as who) const;

  /// Ends the server, by SIGKILL or gracefully, and starts it again on the same
  /// data.
  void restart(bool gracefully);

  static server& running();

  std::string org_;
  std::string other_;
  std::string id_;
  std::map<as, std::string> keys_;

private:
  rest_client& client(as who);

  std::map<as, rest_client> clients_;
};

/// `value` as a JSON string.
std::string as_json(std::string_view value);

/// {"detail":"…"}
std::string detail(std::string_view sentence);

inline const std::string no_permission = detail(
  "You do not have permission to perform this action.");
inline const std::string no_such_webhook = detail(
  "No WebHook matches the given query.");
inline const std::string not_found = detail("Not found.");

} // namespace fanfare::test
