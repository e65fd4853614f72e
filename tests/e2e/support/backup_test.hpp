// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A server that is backed up by the program, and what becomes of the backups.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/paths.hpp"

#include <boost/json/parse.hpp>

#include <atomic>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

namespace fanfare::test {

class backup_e2e_test : public E2eTest {
protected:
  struct ending {
    int code = -1;
    std::string out;
    std::string err;
  };

  ~backup_e2e_test() override {
    end_load();
  }

  command program(std::vector<std::string> args) const {
    return {.program = fanfare_program(),
            .args = std::move(args),
            .env = {{"FANFARE_URL", url_},
                    {"FANFARE_TOKEN", server::admin_key},
                    {"XDG_CONFIG_HOME", dir_.path().string()}},
            .working_directory = dir_.path()};
  }

  /// To its end.
  static ending end_of(child_process& process) {
    const auto status = process.wait(patience);
    if (!status)
      throw std::runtime_error{"it does not end"};
    ending out{.code = status->code.value_or(-1), .out = {}, .err = {}};
    for (const auto& line : process.lines())
      out.out += line + '\n';
    for (const auto& line : process.lines(child_process::stream::err))
      out.err += line + '\n';
    return out;
  }
  ending run(std::vector<std::string> args) const {
    child_process process{program(std::move(args))};
    return end_of(process);
  }

  void serve(std::vector<std::string> args = {}) {
    start(std::move(args));
    url_ = "http://127.0.0.1:" + std::to_string(running().port());
  }

  /// Publishes without a pause, with deliveries, until it is ended.
  void begin_load() {
    constexpr std::size_t publishers = 3;
    loading_ = true;
    for (std::size_t i = 0; i < publishers; ++i)
      publishers_.emplace_back(
        [this, client = running().client()]() mutable { publish_on(client); });
  }
  void end_load() {
    loading_ = false;
    for (auto& publisher : publishers_)
      publisher.join();
    publishers_.clear();
  }

  /// What `fanfare check --json` says; fails unless it found nothing.
  boost::json::object check(const std::string& what) const {
    const auto found = run({"check", what, "--json"});
    EXPECT_EQ(found.code, 0) << found.out << found.err;
    return boost::json::parse(found.out).as_object();
  }

  /// Backs up under load, so often; each is checked, restored and started, and
  /// nothing that was answered before it began is missing.
  void back_up_under_load(int rounds) {
    serve();
    add_organizer("acme");
    const auto hook = add_webhook("acme", {.url = sink_.url()});
    begin_load();
    ASSERT_TRUE(eventually(patience, [&] { return answered_ > 100; }));
    for (int i = 0; i < rounds; ++i) {
      const auto before = answered_.load();
      const auto name = "a" + std::to_string(i) + ".backup";
      const auto made = run({"backup", name, "--rate", "0"});
      ASSERT_EQ(made.code, 0) << made.err;
      const auto found = check(name);
      // Ids have no gaps: none is missing if there are as many.
      EXPECT_GE(number_of(found, "last_notification"), before);
      EXPECT_EQ(number_of(found, "notifications"),
                number_of(found, "last_notification"));
      const auto data = "restored" + std::to_string(i);
      const auto restored = run({"restore", name, data});
      ASSERT_EQ(restored.code, 0) << restored.err;
      {
        server again{{.data = dir_ / data}};
        auto client = again.client();
        for (const auto id : {std::uint64_t{1}, before / 2, before})
          EXPECT_EQ(client
                      .get("/api/v1/organizers/acme/notifications/"
                           + std::to_string(id) + "/")
                      .status,
                    200U)
            << id;
        EXPECT_EQ(client.get(webhook_path("acme", hook)).status, 200U);
        EXPECT_EQ(again.stop().code, 0);
      }
      check(data);
      std::filesystem::remove_all(dir_ / data);
      std::filesystem::remove(dir_ / name);
    }
    end_load();
  }

private:
  void publish_on(rest_client& client) {
    while (loading_) {
      const auto answer = client.post(
        publish_path("acme"), {{"action", order_placed}, {"code", "ABC23"}});
      if (answer.status != 202) {
        ADD_FAILURE() << "no load any more: " << answer.status << ' '
                      << answer.body;
        break;
      }
      const auto id = number_of(answer.json(), "notification_id");
      for (auto last = answered_.load();
           last < id && !answered_.compare_exchange_weak(last, id);) {}
    }
  }

protected:
  http_sink sink_;
  std::string url_;
  std::atomic<std::uint64_t> answered_{0};
  std::atomic<bool> loading_{false};
  std::vector<std::thread> publishers_;
};

} // namespace fanfare::test
