// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/request_log.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <random>
#include <utility>

namespace fanfare::protocol {

namespace {

using steady = std::chrono::steady_clock;

constexpr std::string_view header_name = "X-Request-Id";
constexpr std::size_t longest_id = 128;

/// Eight characters of this process and seven that count: short enough for a
/// string without memory of its own.
std::string make_id() {
  static constexpr std::string_view digits = "0123456789abcdefghijklmnopqrstuv";
  static constexpr std::size_t own_digits = 8;
  static const auto process = [] {
    std::random_device random;
    std::array<char, own_digits> out{};
    for (auto& c : out)
      c = digits[random() % digits.size()];
    return out;
  }();
  static std::atomic<std::uint64_t> next{0};
  std::array<char, 15> out{};
  std::ranges::copy(process, out.begin());
  auto number = next.fetch_add(1, std::memory_order_relaxed);
  for (auto i = out.size(); i > own_digits; number /= digits.size())
    out[--i] = digits[number % digits.size()];
  return {out.data(), out.size()};
}

std::string id_of(const http_request& head) {
  const auto given = head.header("x-request-id");
  return is_request_id(given) ? std::string{given} : make_id();
}

answered_request describe_request(const http_request& head) {
  return {.id = {},
          .method = head.method,
          .path = head.target.substr(0, head.target.find_first_of("?#")),
          .peer_address = head.peer_address};
}

void name(http_response& answer, std::string id) {
  answer.headers.emplace_back(header_name, std::move(id));
}

} // namespace

bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= longest_id
      && std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
               || (c >= '0' && c <= '9')
               || std::string_view{"-._~+/=:"}.find(c)
                    != std::string_view::npos;
         });
}

request_log::request_log(http_handler& next, listener told,
                         std::function<bool()> wanted)
  : next_(next),
    told_(std::move(told)),
    wanted_(std::move(wanted)) {}

void request_log::handle(http_request request,
                         std::function<void(http_response)> respond) {
  auto id = id_of(request);
  if (!tells())
    return next_.handle(std::move(request),
                        [id = std::move(id), respond = std::move(respond)](
                          http_response answer) mutable {
                          name(answer, std::move(id));
                          respond(std::move(answer));
                        });
  auto seen = std::make_shared<answered_request>(describe_request(request));
  seen->id = std::move(id);
  next_.handle(
    std::move(request), [this, seen, began = steady::now(),
                         respond = std::move(respond)](http_response answer) {
      seen->status = answer.status;
      seen->took = std::chrono::duration_cast<std::chrono::microseconds>(
        steady::now() - began);
      name(answer, seen->id);
      // Before the answer, after which a client may look.
      told_(*seen);
      respond(std::move(answer));
    });
}

std::optional<http_response> request_log::check_head(const http_request& head) {
  auto answer = next_.check_head(head);
  if (!answer)
    return answer;
  auto seen = describe_request(head);
  seen.id = id_of(head);
  seen.status = answer->status;
  name(*answer, seen.id);
  if (tells())
    told_(seen);
  return answer;
}

} // namespace fanfare::protocol
