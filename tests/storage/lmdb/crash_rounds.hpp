// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Processes that work with a store until they are killed, and what there is
/// to find afterwards.

#include "storage/embedded.hpp"
#include "tests/storage/store_steps.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <functional>
#include <random>
#include <string>

namespace fanfare::test {

/// What the child says after each commit that has succeeded.
struct acknowledged {
  position tail = 0;
  call_id last_call = 0;
};

/// Publishes and calls for ever, and tells what is done.
[[noreturn]] inline void work_until_killed(const std::filesystem::path& path,
                                           int out) {
  auto opened = open_embedded(path);
  if (!opened)
    ::_exit(1);
  auto& store = **opened;
  std::mt19937_64 random{store.journal().tail()};
  auto last_call = store.statistics().last_call;
  for (;;) {
    std::vector<operation> batch;
    auto tail = store.journal().tail();
    for (auto n = 1 + random() % 4; n > 0; --n)
      batch.emplace_back(publish_of(std::vector<draft>(
        1 + random() % 3, draft_of(1, 1, std::string(random() % 9000, 'x')))));
    for (auto n = random() % 5; n > 0; --n, ++last_call)
      batch.emplace_back(
        append_call{call_of(1, tail, outcome::delivered, tail)});
    if (random() % 8 == 0)
      batch.emplace_back(save_checkpoint{.routed_upto = tail, .behind = {}});
    if (!store.commit(batch))
      ::_exit(1);
    acknowledged said{.tail = store.journal().tail(), .last_call = last_call};
    if (::write(out, &said, sizeof said) != sizeof said)
      ::_exit(1);
  }
}

/// Kills a process that works in the directory, and looks at what it has left.
/// `in_child` is called in it first; it is killed after so many commits, unless
/// it is dead by then.
inline void kill_and_look(const std::filesystem::path& data, int commits,
                          const std::function<void()>& in_child = {}) {
  int pipes[2];
  ASSERT_EQ(::pipe(pipes), 0);
  auto child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(pipes[0]);
    if (in_child)
      in_child();
    work_until_killed(data, pipes[1]);
  }
  ::close(pipes[1]);
  acknowledged said;
  acknowledged next;
  // Killed in the midst of some commit; what it said before that stays in the
  // pipe.
  while (::read(pipes[0], &next, sizeof next) == sizeof next) {
    said = next;
    if (--commits == 0)
      ::kill(child, SIGKILL);
  }
  ::close(pipes[0]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  auto opened = open_embedded(data);
  ASSERT_TRUE(opened) << opened.error().detail;
  auto& store = **opened;
  EXPECT_GE(store.journal().tail(), said.tail);
  EXPECT_GE(store.statistics().last_call, said.last_call);
  auto all = store.journal().read(0, store.journal().tail(), 1'000'000).value();
  ASSERT_EQ(all.size(), store.journal().tail());
  for (const auto& n : all) {
    ASSERT_TRUE(n->body.starts_with(R"({"notification_id": )"
                                    + std::to_string(n->id) + ","));
    ASSERT_TRUE(n->body.ends_with("x\"}") || n->body.ends_with("\"\"}"));
  }
  EXPECT_EQ(store.call_log().newest(1, 0, 1'000'000).value().size(),
            store.statistics().last_call);
}

} // namespace fanfare::test
