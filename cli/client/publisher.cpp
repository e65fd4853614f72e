// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/publisher.hpp"

#include "cli/client/output.hpp"

#include <boost/json/parse.hpp>

#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string_view>
#include <thread>

namespace fanfare::cli {

namespace {

using namespace std::chrono_literals;

constexpr int most_tries = 6;
constexpr std::chrono::seconds longest_pause = 30s;

std::optional<std::chrono::seconds>
asked_pause(const protocol::api_response& answer) {
  const auto text = answer.header("Retry-After");
  unsigned seconds = 0;
  const auto [end, failed] = std::from_chars(
    text.data(), text.data() + text.size(), seconds);
  if (failed != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return std::min(std::chrono::seconds{seconds}, longest_pause);
}

} // namespace

std::string make_idempotency_key() {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    throw command_error{exit_code::refused,
                        "the system gives no random numbers"};
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const auto byte : bytes) {
    out += digits[byte >> 4];
    out += digits[byte & 15];
  }
  return out;
}

boost::json::value publisher::publish(const std::string& body,
                                      const std::string& key) {
  std::chrono::milliseconds pause = 500ms;
  for (int attempt = 1;; ++attempt, pause *= 2) {
    std::string trouble;
    auto wait = pause;
    try {
      const auto answer = server_.ask(
        {.method = "POST",
         .target = server_.in_organizer("notifications/"),
         .body = body,
         .headers = {{"Idempotency-Key", key}}});
      connected_ = true;
      if (answer.status / 100 == 2)
        return boost::json::parse(answer.body);
      // 409: the first attempt is still running.
      const bool again = answer.status == 503 || answer.status == 429
                      || (answer.status == 409 && attempt > 1);
      if (!again || attempt == most_tries)
        server_.refuse(answer);
      trouble = server_.error_of(answer).what();
      if (const auto asked = asked_pause(answer))
        wait = *asked;
    } catch (const command_error& e) {
      const bool lost = e.code == exit_code::not_connected
                     && (connected_
                         || !std::string_view{e.what()}.starts_with("cannot"));
      if (!lost || attempt == most_tries)
        throw;
      connected_ = true;
      trouble = e.what();
    }
    output::note("fanfare: " + trouble + "; trying again");
    std::this_thread::sleep_for(wait);
  }
}

} // namespace fanfare::cli
