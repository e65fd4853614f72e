// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/tail.hpp"

#include "cli/client/call_view.hpp"
#include "cli/client/terminal.hpp"
#include "protocol/text.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

namespace fanfare::cli {

namespace {

using boost::json::object;
using std::chrono::steady_clock;
using namespace std::chrono_literals;

/// Calls of a webhook that one round shows; if there are more, a note says so.
constexpr std::size_t most_new_calls = 10'000;
/// Each round reads the log of every webhook.
constexpr std::size_t most_webhooks = 200;
constexpr auto patience = 60s;

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

  /// Notes where the logs end now.
  void begin() {
    find_webhooks(options_.since.empty());
    if (options_.since.empty())
      print({}); // the header, before the first call
  }

  /// Prints new calls.
  void look() {
    if (options_.webhooks.empty())
      find_webhooks(false);
    std::vector<object> found;
    for (auto& [id, last] : last_seen_)
      collect(id, last, found);
    std::ranges::sort(found, {}, [](const object& call) {
      return call.at("id").to_number<std::uint64_t>();
    });
    print(found);
  }

private:
  static std::uint64_t id_of(const object& item) {
    return item.at("id").to_number<std::uint64_t>();
  }

  std::string log_of(std::uint64_t webhook) {
    return context_.server().in_organizer(webhook_path(webhook, "calls/"));
  }

  /// New webhooks are followed from the start of their log, unless `at_end`.
  void find_webhooks(bool at_end) {
    std::vector<std::uint64_t> ids = options_.webhooks;
    auto& server = context_.server();
    if (ids.empty())
      server.each(server.in_organizer("webhooks/"), no_limit,
                  [&](const object& hook) {
                    ids.push_back(id_of(hook));
                    return true;
                  });
    if (ids.size() > most_webhooks)
      throw command_error{exit_code::usage,
                          "there are more than " + std::to_string(most_webhooks)
                            + " webhooks; name those to follow"};
    for (const auto id : ids) {
      if (last_seen_.contains(id))
        continue;
      std::optional<std::uint64_t> last = 0;
      if (at_end)
        server.each(log_of(id), 1, [&](const object& call) {
          last = id_of(call);
          return true;
        });
      else if (!options_.since.empty())
        last.reset();
      last_seen_.emplace(id, last);
    }
  }

  /// Reads a log backwards to the last call seen, without the server's filters,
  /// which might hide that call.
  void collect(std::uint64_t webhook, std::optional<std::uint64_t>& last,
               std::vector<object>& found) {
    auto target = log_of(webhook);
    if (!last)
      target += "?since=" + protocol::percent_encode(options_.since);
    const auto seen = last.value_or(0);
    auto newest = seen;
    std::size_t looked_at = 0;
    context_.server().each(target, no_limit, [&](const object& call) {
      const auto id = id_of(call);
      if (id <= seen)
        return false;
      newest = std::max(newest, id);
      if (++looked_at > most_new_calls) {
        output::note("fanfare: more calls of webhook " + std::to_string(webhook)
                     + " than can be shown; older ones are left out");
        return false;
      }
      if (!options_.failed || cell_of(call, "success") != "yes") {
        object with{{"webhook_id", webhook}};
        for (const auto& member : call)
          with.emplace(member.key(), member.value());
        found.push_back(std::move(with));
      }
      return true;
    });
    last = newest;
  }

  void print(const std::vector<object>& calls) {
    const std::lock_guard guard{writing_};
    for (const auto& call : calls)
      rows_.add(call);
    rows_.flush();
  }

  command_context& context_;
  const tail_options& options_;
  list_printer rows_;
  std::timed_mutex writing_;
  /// By webhook, the newest call seen; nothing before the first round of a tail
  /// that begins in the past.
  std::map<std::uint64_t, std::optional<std::uint64_t>> last_seen_;
};

} // namespace

void tail_calls(command_context& context, const tail_options& options) {
  tail follower{context, options};
  end_on_signals([&follower] {
    // Never unlocked. Not waited for long: a pipe without a reader may hold it.
    static_cast<void>(follower.writing().try_lock_for(1s));
  });
  follower.begin();
  auto last_answer = steady_clock::now();
  bool lost = false;
  for (;; std::this_thread::sleep_for(options.interval)) {
    try {
      follower.look();
      last_answer = steady_clock::now();
      if (std::exchange(lost, false))
        output::note("fanfare: connected again");
    } catch (const command_error& e) {
      if (e.code != exit_code::not_connected
          || steady_clock::now() - last_answer > patience)
        throw;
      if (!std::exchange(lost, true))
        output::note("fanfare: " + std::string{e.what()} + " (trying again)");
    }
  }
}

} // namespace fanfare::cli
