// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// minimal URL: publishes one notification to a webhook at that URL, and tells
// what came back. (Only for a URL of this machine: 127.0.0.0/8 is allowed.)

#include <fanfare/engine.hpp>

#include <future>
#include <iostream>

int main(int, char** argv) {
  std::promise<fanfare::call> finished;
  fanfare::engine_options options{.data = "minimal-data"};
  options.allow_networks = {"127.0.0.0/8"};
  options.call_observers.emplace_back(
    [&](const fanfare::call& made) { finished.set_value(made); });
  auto engine = fanfare::engine::start(options).value();

  const auto shop = engine->ensure_organizer("shop").value();
  engine->ensure_action_type("shop.order.*").value();
  fanfare::webhook hook{.target_url = argv[1]};
  hook.action_types = {"shop.order.*"};
  if (engine->count_webhooks(shop.id, {}).value() == 0)
    engine->add_webhook(shop.id, hook).value();

  fanfare::publication order{.action = "shop.order.placed"};
  order.payload = R"({"code": "A1"})";
  engine->publish(shop.id, order).value(); // on disk
  const auto call = finished.get_future().get();
  std::cout << call.target_url << " answered " << call.status << '\n';
  engine->stop(std::chrono::seconds{10});
}
