// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/tail.hpp"

#include "cli/client/call_view.hpp"
#include "cli/client/message_reader.hpp"
#include "cli/client/terminal.hpp"
#include "protocol/text.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace fanfare::cli {

namespace {

using std::chrono::steady_clock;
using namespace std::chrono_literals;

/// Of a server that cannot be reached.
constexpr auto patience = 60s;
/// A stream says something every 15 s.
constexpr auto longest_silence = 45s;
constexpr std::chrono::milliseconds longest_pause = 30s;
/// A stream that has lasted for so long was worth the connection.
constexpr auto lasting = 10s;

class tail {
public:
  tail(command_context& context, const tail_options& options)
    : context_{context},
      options_{options},
      rows_{context.out(), call_columns(options.webhooks.size() != 1)} {}

  /// Held while a line is written, so that the end of the program does not cut
  /// it.
  std::timed_mutex& writing() {
    return writing_;
  }

  /// Prints calls until the stream breaks off. Throws what the server refuses,
  /// and that it is not reached.
  void listen() {
    messages_.begin_anew();
    protocol::api_request asked{.target = target(),
                                .headers = {{"Accept", "text/event-stream"}},
                                .timeout = longest_silence};
    if (const auto& last = messages_.last_id(); !last.empty())
      asked.headers.emplace_back("Last-Event-ID", last);
    const protocol::answer_taker to{
      .begin =
        [this](std::uint64_t) {
          begin();
          return result<void>{};
        },
      .take = [this](std::string_view bytes) { return take(bytes); }};
    const auto answer = context_.server().receive(std::move(asked), to);
    if (answer.status != 200)
      refuse(answer);
    throw command_error{exit_code::not_connected,
                        "the server has ended the stream"};
  }

  /// Waits before the next try. Throws `why` if it is in vain.
  void wait(const command_error& why) {
    if (why.code != exit_code::not_connected || !heard_
        || steady_clock::now() - *heard_ > patience)
      throw why;
    if (!std::exchange(lost_, true))
      output::note("fanfare: " + std::string{why.what()} + " (trying again)");
    std::this_thread::sleep_for(pause_);
    pause_ = std::min(2 * pause_, longest_pause);
  }

private:
  std::string target() {
    auto out = context_.server().in_organizer(
      "stream/?types=call&payload=true");
    for (const auto& which : options_.webhooks)
      out += "&webhook="
           + std::to_string(context_.server().webhook_number(which));
    if (options_.failed)
      out += "&success=false";
    if (!options_.since.empty())
      out += "&since=" + protocol::percent_encode(options_.since);
    return out;
  }

  void begin() {
    heard_ = began_ = steady_clock::now();
    if (std::exchange(lost_, false))
      output::note("fanfare: connected again");
    const std::lock_guard guard{writing_};
    rows_.flush(); // the header, before the first call
  }

  result<void> take(std::string_view bytes) {
    heard_ = steady_clock::now();
    // A server that ends each stream at once is not asked again and again.
    if (*heard_ - began_ >= lasting)
      pause_ = options_.interval;
    const std::lock_guard guard{writing_};
    const bool fits = messages_.put(
      bytes, [this](const stream_message& m) { show(m); });
    rows_.flush();
    if (fits)
      return {};
    return error{ec::too_large,
                 "the server's answer is no stream of calls; is it a Fanfare "
                 "server?"};
  }

  void show(const stream_message& m) {
    boost::json::error_code failed;
    const auto value = boost::json::parse(m.data, failed);
    if (failed || !value.is_object())
      return;
    if (m.type == "call")
      rows_.add(value.get_object());
    else if (m.type == "gap")
      output::note("fanfare: " + cell_of(value.get_object(), "detail"));
  }

  void refuse(const protocol::api_response& answer) {
    if (answer.status == 429 || answer.status == 503)
      throw command_error{exit_code::not_connected,
                          context_.server().error_of(answer).what()};
    if (answer.status == 404) {
      // Says so if it is the organizer that there is not.
      auto& server = context_.server();
      (void)server.get(server.in_organizer("webhooks/"));
      throw command_error{exit_code::not_found,
                          "the server has no stream of calls: it is older than "
                          "this program. Upgrade it, or use fanfare calls list "
                          "(404)"};
    }
    context_.server().refuse(answer);
  }

  command_context& context_;
  const tail_options& options_;
  list_printer rows_;
  message_reader messages_;
  std::timed_mutex writing_;
  std::optional<steady_clock::time_point> heard_; ///< of the server
  steady_clock::time_point began_;                ///< the stream
  std::chrono::milliseconds pause_ = options_.interval;
  bool lost_ = false; ///< and said so
};

} // namespace

void tail_calls(command_context& context, const tail_options& options) {
  for (const auto& which : options.webhooks) // says so if there is none
    (void)context.server().get(context.server().in_webhook(which));
  tail follower{context, options};
  end_on_signals([&follower] {
    // Never unlocked. Not waited for long: a pipe without a reader may hold it.
    static_cast<void>(follower.writing().try_lock_for(1s));
  });
  for (;;)
    try {
      follower.listen();
    } catch (const command_error& e) {
      follower.wait(e);
    }
}

} // namespace fanfare::cli
