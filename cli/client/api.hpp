// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The API as the client's commands use it: values in, values out; everything
/// else is a `command_error` with its exit code and a sentence.

#include "cli/client/exit_code.hpp"
#include "cli/client/settings.hpp"
#include "protocol/client/api_client.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <string>
#include <string_view>

namespace fanfare::cli {

inline constexpr std::size_t no_limit = std::numeric_limits<std::size_t>::max();

/// A value of the server, and its text, in which numbers have all their digits.
struct api_answer {
  boost::json::value value;
  std::string text; ///< empty: there was none, and the value is null

  [[nodiscard]] const boost::json::object& as_object() const {
    return value.as_object();
  }
};

/// Not to be used by several threads at once.
class api {
public:
  /// `timeout` is for each request. Throws if the address is invalid.
  api(client_settings settings, std::chrono::milliseconds timeout);

  /// "/api/v1/organizers/SLUG/" and `rest`. Throws if no organizer is chosen.
  [[nodiscard]] std::string in_organizer(std::string_view rest) const;

  /// The number of a webhook of the organizer, which is given by that or by its
  /// name. Throws if no webhook has the name.
  [[nodiscard]] std::uint64_t webhook_number(const std::string& which);
  /// in_organizer("webhooks/NUMBER/") and `rest`. Throws as webhook_number().
  [[nodiscard]] std::string in_webhook(const std::string& which,
                                       std::string_view rest = {});

  [[nodiscard]] const client_settings& settings() const noexcept {
    return settings_;
  }

  api_answer get(const std::string& target);
  api_answer post(const std::string& target,
                  const boost::json::value& body = boost::json::object{});
  void erase(const std::string& target);
  /// Any other request.
  api_answer send(protocol::api_request request);

  /// Returns the answer, whatever its status. Throws if there is none.
  protocol::api_response ask(protocol::api_request request);
  /// The same of what is open to everybody.
  protocol::api_response ask_without_token(protocol::api_request request);
  /// The same for an answer of any size: see api_client::receive.
  protocol::api_response receive(protocol::api_request request,
                                 const protocol::answer_taker& to);
  /// What a refusal stands for, with the server's reason.
  [[nodiscard]] command_error
  error_of(const protocol::api_response& answer) const;
  /// Throws it.
  [[noreturn]] void refuse(const protocol::api_response& answer) const;

  /// Follows the pages of a list until its end, after `limit` items, or once
  /// `item` returns false.
  void each(std::string target, std::size_t limit,
            const std::function<bool(const boost::json::object&)>& item);

private:
  /// With a token, and with time. Throws if there is none.
  void complete(protocol::api_request& request) const;

  client_settings settings_;
  std::chrono::milliseconds timeout_;
  protocol::api_client client_;
  std::map<std::string, std::uint64_t> named_; ///< webhooks that were looked up
};

/// "webhooks/7/" and `rest`.
[[nodiscard]] std::string webhook_path(std::uint64_t id,
                                       std::string_view rest = {});

} // namespace fanfare::cli
