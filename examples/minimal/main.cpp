// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// minimal URL: publishes one notification to a webhook at that URL, and tells
// what came back. (Only for a URL of this machine: 127.0.0.0/8 is allowed.)
// What it needs to know the next time is kept in ./minimal-data.

#include <fanfare/engine.hpp>

#include <iostream>
#include <thread>

int main(int argc, char** argv) try {
  if (argc != 2)
    return 2;
  fanfare::engine_options options{.data = "minimal-data"};
  options.network.allow = {"127.0.0.0/8"};
  auto engine = fanfare::engine::start(options).value();

  const auto shop = engine->ensure_organizer("shop").value();
  engine->ensure_action_type("shop.order.*").value();
  fanfare::webhook own{.target_url = argv[1], .action_types = {"shop.order.*"}};
  for (const auto& known : engine->webhooks(shop.id).value())
    own = known.target_url == own.target_url ? known : own;
  own = own.id != 0 ? own : engine->add_webhook(shop.id, own).value();

  fanfare::publication order{.action = "shop.order.placed"};
  order.payload = R"({"code": "A1"})";
  const auto id = engine->publish(shop.id, order).value(); // on disk
  const auto what = engine->find_notification(shop.id, id).value();
  auto seen = engine->explain(*what, own.id).value();
  for (; seen.state == fanfare::explanation::fate::waiting;
       seen = engine->explain(*what, own.id).value())
    std::this_thread::sleep_for(std::chrono::milliseconds{10});
  for (const auto& call : seen.calls)
    std::cout << call.target_url << " answered " << call.status << '\n';
  engine->stop(std::chrono::seconds{10});
} catch (const std::exception& e) {
  std::cerr << "minimal: " << e.what() << '\n';
  return 1;
}
