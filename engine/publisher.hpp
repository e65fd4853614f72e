// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Publishing: publications become drafts, drafts a request to the commit
/// queue, and the publisher gets the ids.

#include "actors/batch_writer.hpp"
#include "actors/commit_queue.hpp"
#include "engine/callbacks.hpp"
#include "engine/counters.hpp"
#include "engine/directory.hpp"
#include "engine/drafts.hpp"
#include "engine/lifecycle.hpp"
#include "fanfare/clock.hpp"
#include "fanfare/error.hpp"
#include "fanfare/publication.hpp"
#include "model/idempotency.hpp"

#include <chrono>
#include <functional>
#include <future>
#include <string_view>
#include <vector>

namespace fanfare {

/// The parts of a publisher; all must outlive it.
struct publisher_parts {
  const lifecycle& life;
  const directory& names;
  const wall_clock& clock;
  const callbacks& program;
  commit_queue& commits;
  batch_writer& writer;
  engine_counters& counters;
  /// How long a publisher that can wait for room does.
  std::chrono::milliseconds patience{0};
};

/// The errors of all functions are those that <fanfare/engine.hpp> documents.
/// Any thread.
class publisher {
public:
  using published = std::function<void(result<position>)>;
  using all_published = std::function<void(result<std::vector<position>>)>;
  /// Gets the answer stored under a key.
  using answered = std::function<void(result<stored_answer>)>;

  explicit publisher(const publisher_parts& parts) : parts_(parts) {}

  /// Block until it is on disk.
  result<position> publish(organizer_id owner, publication one);
  result<std::vector<position>> publish(organizer_id owner,
                                        std::vector<publication> items);

  /// Wait for room.
  std::future<result<position>> publish_later(organizer_id owner,
                                              publication one);
  std::future<result<std::vector<position>>>
  publish_later(organizer_id owner, std::vector<publication> items);

  /// Never block. `done` gets the ids once they are on disk. After an error it
  /// is not called, and both arguments are unchanged.
  result<void> try_publish(organizer_id owner, publication& one,
                           published& done);
  result<void> try_publish(organizer_id owner, std::vector<publication>& items,
                           all_published& done);

  /// Block. Once under a key of the program.
  result<position> publish_once(organizer_id owner, std::string_view key,
                                publication one);
  result<std::vector<position>> publish_once(organizer_id owner,
                                             std::string_view key,
                                             std::vector<publication> items);

  /// Never blocks. Once under a key of the REST API. If it already has an
  /// answer, nothing is published and `done` gets that answer. `done` is always
  /// called.
  void publish_keyed(organizer_id owner, std::vector<publication> items,
                     const fanfare::publish_once& once, answered done);

  /// Keeps an answer under its key, unless it already has one.
  void remember_answer(const idempotency_key& key, plain_answer answer,
                       answered done);

private:
  [[nodiscard]] result<drafts> draft(organizer_id owner,
                                     std::vector<publication>& items,
                                     patience how) const;
  /// After an error, `items` and `done` are unchanged.
  template <class Done>
  result<void> push(organizer_id owner, std::vector<publication>& items,
                    Done& done, patience how);
  template <class Ids>
  std::future<result<Ids>>
  push_later(organizer_id owner, std::vector<publication> items);
  void push_keyed(organizer_id owner, std::vector<publication> items,
                  const fanfare::publish_once& once, answered done,
                  patience how);
  /// False: there is no room, and `what` is unchanged.
  bool hand_over(publish_request& what, patience how);
  bool wait_and_hand_over(publish_request& what);

  publisher_parts parts_;
};

} // namespace fanfare
