// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// outside DIR: publishes with an engine in that directory, and ends with 0 if
// the notification is on disk and says what it should.

#include <fanfare/engine.hpp>

#include <iostream>
#include <stdexcept>
#include <system_error>

namespace {

int run(const char* directory) {
  auto engine = fanfare::engine::start({.data = directory}).value();
  const auto shop = engine->ensure_organizer("shop").value();
  engine->ensure_action_type("shop.order.*").value();
  fanfare::webhook hook{.target_url = "https://example.com/hook",
                        .action_types = {"shop.order.*"}};
  hook.delivery.paused = true; // nobody is called
  engine->add_webhook(shop.id, hook).value();
  const auto id = engine
                    ->publish(shop.id, {.action = "shop.order.placed",
                                        .payload = R"({"code": "A1"})"})
                    .value();
  const auto stored = engine->find_notification(shop.id, id).value();
  std::cout << "fanfare " << fanfare::version << ": " << stored->body << '\n'
            << fanfare::prometheus_text(engine->metrics());
  // Errors cross the library's border as codes and as exceptions.
  const auto refused = engine->publish(shop.id, {.action = "unknown"});
  bool thrown = false;
  try {
    (void)refused.value();
  } catch (const std::system_error& e) {
    thrown = e.code() == fanfare::ec::invalid_argument
          && e.code() == std::errc::invalid_argument;
  }
  const bool fine = engine->ready() && thrown
                 && stored->body.find("\"A1\"") != std::string::npos;
  engine->stop(std::chrono::seconds{5});
  return fine ? 0 : 1;
}

} // namespace

int main(int argc, char** argv) {
  try {
    return argc == 2 ? run(argv[1]) : 2;
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
