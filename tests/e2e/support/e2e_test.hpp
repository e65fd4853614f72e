// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What end-to-end tests share: a data directory, a server on it, and short
/// words for what is asked of its API. They throw `std::runtime_error`, which
/// fails the test, when an answer is not the expected one.

#include "tests/e2e/support/rest_client.hpp"
#include "tests/e2e/support/server.hpp"
#include "tests/support/http_sink.hpp"
#include "tests/support/temp_dir.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fanfare::test {

constexpr const char* order_placed = "pretix.event.order.placed";
constexpr const char* order_paid = "pretix.event.order.paid";
/// A registered type that stands for everything that begins like it.
constexpr const char* order_changed = "pretix.event.order.changed.*";

/// A webhook to be registered.
struct hook_spec {
  std::string url;
  std::vector<std::string> types = {order_placed};
  /// Slugs; empty: all events.
  std::vector<std::string> events = {};
  bool enabled = true;
  boost::json::object delivery = {};
};

/// A member of an answer. Throws if there is none, or of another kind.
std::uint64_t number_of(const boost::json::value& object, const char* key);
std::string text_of(const boost::json::value& object, const char* key);
bool flag_of(const boost::json::value& object, const char* key);

/// The "notification_id" of a body that a sink got.
std::uint64_t id_in(const std::string& body);

/// A time of the API, in milliseconds since 1970.
std::int64_t milliseconds_of(const std::string& iso);

class E2eTest : public ::testing::Test {
protected:
  using hook_id = std::uint64_t;

  /// A graceful stop, if it still runs, has to exit with 0.
  void TearDown() override;

  /// On the data directory of the test; also again, after a stop.
  void start(std::vector<std::string> args = {}, bool allow_loopback = true);

  /// Gracefully. Fails unless it exits with 0.
  void stop();

  void kill();

  server& running();

  /// The administrator's connection to the server that runs.
  rest_client& api();

  void add_organizer(const std::string& slug);
  void add_event(const std::string& organizer, const std::string& slug);
  /// Returns its key.
  std::string add_token(const std::string& organizer,
                        const std::vector<std::string>& permissions);
  hook_id add_webhook(const std::string& organizer, const hook_spec& spec);
  void change_webhook(const std::string& organizer, hook_id id,
                      const boost::json::object& changes);
  boost::json::value webhook(const std::string& organizer, hook_id id);
  void change_delivery(const std::string& organizer, hook_id id,
                       const boost::json::object& changes);
  boost::json::value health(const std::string& organizer, hook_id id);

  std::uint64_t publish(const std::string& organizer,
                        const boost::json::object& notification);
  /// One of type `order_placed`, of the event "democon".
  std::uint64_t publish(const std::string& organizer = "acme",
                        const std::string& code = "ABC23");

  /// The whole log of a webhook, oldest first.
  std::vector<boost::json::object> calls(const std::string& organizer,
                                         hook_id id);
  /// The same, once it has at least so many entries.
  std::vector<boost::json::object>
  wait_for_calls(const std::string& organizer, hook_id id, std::size_t count,
                 std::chrono::milliseconds limit = patience);
  boost::json::array retries(const std::string& organizer, hook_id id);

  static std::string organizer_path(const std::string& organizer);
  static std::string webhook_path(const std::string& organizer, hook_id id);
  static std::string publish_path(const std::string& organizer);

  temp_dir dir_;
  std::optional<server> server_;
  std::optional<rest_client> api_;
};

} // namespace fanfare::test
