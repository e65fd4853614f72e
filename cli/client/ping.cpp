// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

namespace fanfare::cli {

namespace {

using namespace std::chrono_literals;
using steady = std::chrono::steady_clock;

constexpr std::chrono::milliseconds pause_between_pings = 200ms;

/// Returns once the server is ready. Throws why it is not.
void ping(command_context& context, std::chrono::milliseconds wait) {
  const auto until = steady::now() + wait;
  for (;;) {
    const bool last = steady::now() >= until;
    try {
      auto& server = context.server();
      const auto answer = server.ask_without_token({.target = "/readyz"});
      if (answer.status == 200)
        return context.out().document_text(answer.body);
      if (last)
        throw server.error_of(answer);
    } catch (const command_error& e) {
      if (last || e.code == exit_code::usage)
        throw;
    }
    std::this_thread::sleep_for(std::min<std::chrono::milliseconds>(
      pause_between_pings,
      std::chrono::ceil<std::chrono::milliseconds>(until - steady::now())));
  }
}

} // namespace

void add_ping_command(CLI::App& app, const command_adder& add) {
  auto wait = std::make_shared<std::chrono::milliseconds>(0);
  auto* const command = add.command(
    app, "ping", "Ask whether the server is ready; needs no token",
    "  fanfare ping\n"
    "  fanfare ping --wait 30s && fanfare publish -a order.created",
    [wait](command_context& context) { ping(context, *wait); });
  add_duration(*command, "--wait", *wait,
               "Ask again until it is, at most for so long", "");
}

} // namespace fanfare::cli
