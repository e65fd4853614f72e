// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What tests of a store do in one line each.

#include "model/records.hpp"
#include "storage/store.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::storage {

inline void PrintTo(const outcome& o, std::ostream* out) {
  *out << static_cast<int>(o);
}

} // namespace fanfare::storage

namespace fanfare {

inline void PrintTo(const error& e, std::ostream* out) {
  *out << to_string(e.code) << ": " << e.detail;
}

} // namespace fanfare

namespace fanfare::test {

using namespace storage;

inline timestamp at_ms(std::int64_t ms) {
  return timestamp{std::chrono::milliseconds{ms}};
}

/// The code of what should have failed; ok if it did not.
template <class T>
ec code_of(const result<T>& r) {
  return r ? ec::ok : r.error().code;
}

template <class T>
ec code_of(const boxed_result<T>& r) {
  return r ? ec::ok : r.error().code;
}

/// A notification of the given type; `text` is part of its body.
inline draft draft_of(action_type_id type, organizer_id owner = 1,
                      std::string text = "x") {
  return {.owner = owner,
          .event = 0,
          .new_event = {},
          .type = type,
          .action = "a.b",
          .rest = R"(, "text": ")" + std::move(text) + "\"}"};
}

inline append_notifications publish_of(std::vector<draft> drafts,
                                       timestamp published = {}) {
  append_notifications op;
  op.drafts = std::move(drafts);
  op.published = published;
  return op;
}

/// A call as the store gets it, without id.
inline logged_call call_of(webhook_id hook, position subject, outcome result,
                           position settled_upto) {
  logged_call c;
  c.hook = hook;
  c.subject = subject;
  c.result = result;
  c.settled_upto = settled_upto;
  c.target_url = "http://127.0.0.1/";
  if (result == outcome::retried)
    c.retry_due = at_ms(5000);
  else if (result == outcome::delivered)
    c.status = 200;
  return c;
}

inline webhook_record hook_of(organizer_id owner,
                              std::vector<action_type_id> types) {
  webhook_record hook;
  hook.owner = owner;
  hook.target_url = "http://127.0.0.1/";
  hook.versions.push_back({.from = 0, .value = {.types = std::move(types)}});
  return hook;
}

inline change_webhook change_of(webhook_id id,
                                std::function<void(webhook_record&)> edit) {
  change_webhook op;
  op.id = id;
  op.edit = [edit = std::move(edit)](webhook_record& hook) -> result<void> {
    edit(hook);
    return {};
  };
  return op;
}

inline std::vector<position> ids_of(const std::vector<notification_ptr>& list) {
  std::vector<position> ids;
  ids.reserve(list.size());
  for (const auto& n : list)
    ids.push_back(n->id);
  return ids;
}

inline std::vector<call_id> ids_of(const std::vector<call>& list) {
  std::vector<call_id> ids;
  ids.reserve(list.size());
  for (const auto& c : list)
    ids.push_back(c.id);
  return ids;
}

inline std::vector<position> subjects_of(const std::vector<retry>& list) {
  std::vector<position> subjects;
  subjects.reserve(list.size());
  for (const auto& r : list)
    subjects.push_back(r.subject);
  return subjects;
}

inline idempotency_key key_of(char c) {
  idempotency_key key;
  key.fill(c);
  return key;
}

inline plain_answer answer_of(std::string body) {
  return {.status = 201,
          .headers = {{"Content-Type", "application/json"}},
          .body = std::move(body)};
}

/// A publish under an idempotency key.
inline append_notifications once(char key, timestamp now, std::size_t count = 1,
                                 bool list = false, std::uint32_t indent = 0) {
  auto op = publish_of(std::vector<draft>(count, draft_of(1)), now);
  op.once = publish_once{.key = key_of(key), .list = list, .indent = indent};
  return op;
}

/// A test of a store, which who derives from this opens.
template <class Store>
class store_steps : public ::testing::Test {
protected:
  /// One commit of one operation; gives it back with its output.
  template <class Operation>
  Operation run(Operation op) {
    std::vector<operation> batch;
    batch.emplace_back(std::move(op));
    auto done = store_->commit(batch);
    EXPECT_TRUE(done) << done.error().detail;
    return std::get<Operation>(std::move(batch.front()));
  }

  template <class... Operations>
  std::vector<operation> run_together(Operations... ops) {
    std::vector<operation> batch;
    (batch.emplace_back(std::move(ops)), ...);
    auto done = store_->commit(batch);
    EXPECT_TRUE(done) << done.error().detail;
    return batch;
  }

  notification_ptr publish(draft d, timestamp published = {}) {
    auto op = run(publish_of({std::move(d)}, published));
    EXPECT_TRUE(op.done) << op.done.error().detail;
    return op.done ? op.done->front() : nullptr;
  }

  webhook_record add_hook(organizer_id owner,
                          std::vector<action_type_id> types) {
    add_webhook op;
    op.value = hook_of(owner, std::move(types));
    return run(std::move(op)).done.value();
  }

  webhook_record change(webhook_id id,
                        std::function<void(webhook_record&)> edit) {
    return run(change_of(id, std::move(edit))).done.value();
  }

  webhook_record set_enabled(webhook_id id, bool enabled) {
    return change(
      id, [=](webhook_record& hook) { hook.current().enabled = enabled; });
  }

  call_id append(logged_call c) {
    return run(append_call{std::move(c)}).entry.id;
  }

  webhook_state load(webhook_id id) {
    barrier op;
    op.load = id;
    return run(std::move(op)).done.value();
  }

  void checkpoint(position routed_upto,
                  std::vector<save_checkpoint::unsettled> behind = {}) {
    run(
      save_checkpoint{.routed_upto = routed_upto, .behind = std::move(behind)});
  }

  std::vector<position> backlog_of(webhook_id id, position after = 0) {
    auto read = store_->journal().read_backlog(
      load(id).hook, after, store_->journal().tail(), 1000, 1000);
    EXPECT_TRUE(read);
    return ids_of(read->matches);
  }

  std::unique_ptr<Store> store_;
};

} // namespace fanfare::test
