// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Publishing: publications become drafts, drafts a request of the commit
/// queue, and whoever waits gets the ids.

#include "actors/batch_writer.hpp"
#include "actors/commit_queue.hpp"
#include "engine/callbacks.hpp"
#include "engine/counters.hpp"
#include "engine/directory.hpp"
#include "engine/drafts.hpp"
#include "engine/lifecycle.hpp"
#include "fanfare/clock.hpp"
#include "fanfare/engine.hpp"
#include "fanfare/idempotency.hpp"

#include <chrono>
#include <vector>

namespace fanfare {

/// What a publisher uses; all of it must outlive it.
struct publisher_parts {
  const lifecycle& life;
  const directory& names;
  const wall_clock& clock;
  const callbacks& program;
  commit_queue& commits;
  batch_writer& writer;
  engine_counters& counters;
  /// How long one that can wait for room does.
  std::chrono::milliseconds patience{0};
};

/// The errors of all functions are those that <fanfare/engine.hpp> documents.
/// Any thread.
class publisher {
public:
  using published = engine::published;
  using answered = engine::answered;

  explicit publisher(const publisher_parts& parts) : parts_(parts) {}

  /// `done` gets the ids once they are on disk. After an error it is not
  /// called, and it and `items` are as they were.
  result<void> publish(organizer_id owner, std::vector<publication>& items,
                       published& done, patience how);
  /// Blocks until they are on disk.
  result<std::vector<position>> publish(organizer_id owner,
                                        std::vector<publication> items);

  /// The same, unless there is an answer under that key; `done` is called in
  /// any case.
  void publish_keyed(organizer_id owner, std::vector<publication> items,
                     const publish_once& once, answered done, patience how);
  /// Blocks.
  result<stored_answer> publish_keyed(organizer_id owner,
                                      std::vector<publication> items,
                                      const publish_once& once);

  /// Keeps an answer under its key, unless there is one already.
  void remember_answer(const idempotency_key& key, plain_answer answer,
                       answered done);

private:
  [[nodiscard]] result<drafts> draft(organizer_id owner,
                                     std::vector<publication>& items) const;
  /// False: there is no room, and `what` is as it was.
  bool hand_over(publish_request& what, patience how);
  bool wait_and_hand_over(publish_request& what);

  publisher_parts parts_;
};

} // namespace fanfare
