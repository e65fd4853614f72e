// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// A disk without room: publishes are refused, nothing is lost, and it goes on
// by itself.

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/eventually.hpp"

#include <gmock/gmock.h>

#include <sys/resource.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

namespace fanfare::test {

namespace {

namespace fs = std::filesystem;
using ::testing::UnorderedElementsAreArray;

class DiskFullTest : public E2eTest {
protected:
  /// Publishes until it is refused.
  void fill() {
    unsigned status = 202;
    for (int i = 0; i < 20'000 && status == 202; ++i)
      status = try_publish();
    ASSERT_EQ(status, 507U);
  }

  unsigned try_publish() {
    const auto answer = api().post(
      publish_path("acme"),
      {{"action", order_placed}, {"filler", std::string(20'000, 'x')}});
    if (answer.status == 202) {
      accepted_.push_back(number_of(answer.json(), "notification_id"));
    } else {
      EXPECT_EQ(answer.status, 507U) << answer.body;
      EXPECT_FALSE(text_of(answer.json(), "detail").empty());
    }
    return answer.status;
  }

  /// After room was made.
  void expect_it_goes_on() {
    ASSERT_TRUE(eventually(patience, [&] { return try_publish() == 202; }))
      << running().log_tail();
    ASSERT_TRUE(sink_.wait_for(accepted_.size(), patience));
    EXPECT_EQ(wait_for_calls("acme", hook_, accepted_.size()).size(),
              accepted_.size());
    EXPECT_EQ(api().get("/readyz").status, 200U);
    stop();
    std::vector<std::uint64_t> arrived;
    for (const auto& record : sink_.records())
      arrived.push_back(id_in(record.body));
    EXPECT_THAT(arrived, UnorderedElementsAreArray(accepted_));
  }

  http_sink sink_;
  hook_id hook_ = 0;
  std::vector<std::uint64_t> accepted_;
};

class FileSizeLimitTest : public DiskFullTest,
                          public ::testing::WithParamInterface<rlim_t> {
protected:
  void limit_files(rlim_t size) {
    rlimit limit{};
    ASSERT_EQ(
      ::prlimit(running().process().pid(), RLIMIT_FSIZE, nullptr, &limit), 0);
    limit.rlim_cur = std::min(size, limit.rlim_max);
    ASSERT_EQ(
      ::prlimit(running().process().pid(), RLIMIT_FSIZE, &limit, nullptr), 0);
  }
};

TEST_P(FileSizeLimitTest, RefusesPublishesUntilThereIsRoomAgain) {
  start();
  add_organizer("acme");
  hook_ = add_webhook("acme", {.url = sink_.url()});
  for (int i = 0; i < 20; ++i)
    ASSERT_EQ(try_publish(), 202U);
  const auto size = fs::file_size(dir_ / "data/fanfare.mdb");
  limit_files(size + 40 * 4096 + GetParam());
  fill();
  // While it is full it still answers, and stays as it is.
  for (int i = 0; i < 20; ++i)
    try_publish();
  EXPECT_EQ(api().get("/healthz").status, 200U);
  limit_files(RLIM_INFINITY);
  expect_it_goes_on();
}

// At the end of a page, and within one: then the last write is cut short.
INSTANTIATE_TEST_SUITE_P(At, FileSizeLimitTest, ::testing::Values(0, 1000),
                         ::testing::PrintToStringParamName());

TEST_F(DiskFullTest, ASmallDiskRefusesPublishesUntilThereIsRoomAgain) {
  fs::create_directory(dir_ / "data");
  const std::string
    mount = R"(mount -t tmpfs -o size=24m tmpfs "$0" && exec "$@")";
  child_process may_mount{
    {.program = "unshare",
     .args = {"-rm", "sh", "-c", mount, (dir_ / "data").string(), "true"}}};
  if (may_mount.wait(patience) != exit_status{.code = 0, .signal = {}})
    GTEST_SKIP() << "mounting is not permitted here";
  server_.emplace(server_options{
    .data = dir_ / "data",
    .wrapper = {"unshare", "-rm", "sh", "-c", mount, (dir_ / "data").string(),
                // The new namespace made the kernel forget whose child it is.
                "setpriv", "--pdeathsig", "KILL"}});
  const fs::path inside = "/proc/" + std::to_string(running().process().pid())
                        + "/root" + (dir_ / "data/.filler").string();
  {
    std::ofstream filler{inside};
    filler << std::string(12 << 20, 'x');
    ASSERT_TRUE(filler.flush());
  }
  add_organizer("acme");
  hook_ = add_webhook("acme", {.url = sink_.url()});
  fill();
  EXPECT_EQ(api().get("/healthz").status, 200U);
  ASSERT_TRUE(fs::remove(inside));
  expect_it_goes_on();
}

TEST_F(DiskFullTest, SurvivesAStopWhileFull) {
  start();
  add_organizer("acme");
  hook_ = add_webhook("acme", {.url = sink_.url()});
  ASSERT_EQ(try_publish(), 202U);
  rlimit limit{};
  const auto pid = running().process().pid();
  ASSERT_EQ(::prlimit(pid, RLIMIT_FSIZE, nullptr, &limit), 0);
  limit.rlim_cur = fs::file_size(dir_ / "data/fanfare.mdb") + 40 * 4096;
  ASSERT_EQ(::prlimit(pid, RLIMIT_FSIZE, &limit, nullptr), 0);
  fill();
  stop();
  start();
  ASSERT_EQ(try_publish(), 202U);
  // At least once: calls whose records found no room are made again.
  ASSERT_TRUE(eventually(patience, [&] {
    std::set<std::uint64_t> arrived;
    for (const auto& record : sink_.records())
      arrived.insert(id_in(record.body));
    return std::ranges::includes(arrived, accepted_);
  }));
}

} // namespace

} // namespace fanfare::test
