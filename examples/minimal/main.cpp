// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// minimal URL: publishes one notification to a webhook at that URL, and tells
// what came back. (Only for a URL of this machine: 127.0.0.0/8 is allowed for
// that.)

#include <fanfare/engine.hpp>

#include <future>
#include <iostream>

int main(int argc, char** argv) {
  if (argc != 2)
    return 2;
  std::promise<fanfare::call> finished;
  auto engine = fanfare::engine::start(
                  {
                    .data = "minimal-data",
                    .allow_networks = {"127.0.0.0/8"},
                    .call_observers = {[&](const fanfare::call& c) {
                      finished.set_value(c);
                    }},
                  })
                  .value();
  const auto shop = engine->ensure_organizer("shop").value();
  engine->ensure_action_type("shop.order.*").value();
  if (engine->count_webhooks(shop.id, {}).value() == 0)
    engine
      ->add_webhook(shop.id,
                    {.target_url = argv[1], .action_types = {"shop.order.*"}})
      .value();
  engine
    ->publish(shop.id,
              {.action = "shop.order.placed", .payload = R"({"code": "A1"})"})
    .value();
  const auto call = finished.get_future().get();
  std::cout << call.target_url << " answered " << call.status << '\n';
  engine->stop(std::chrono::seconds{10});
}
