// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "bench/micro/sample_store.hpp"

#include "bench/samples.hpp"
#include "storage/embedded.hpp"

#include <utility>

namespace fanfare::bench {

namespace {

/// Operations of one commit while a sample is prepared.
constexpr std::size_t batch_size = 1'000;

} // namespace

void commit(storage::store& to, std::vector<storage::operation>& operations) {
  to.commit(operations).value();
}

sample_store::sample_store(std::size_t webhooks) : webhooks_(webhooks) {
  open();
  std::vector<storage::operation> batch;
  for (std::size_t i = 0; i < webhooks; ++i)
    batch.emplace_back(storage::add_webhook{.value = signed_webhook({})});
  commit(*store_, batch);
}

void sample_store::open() {
  store_ = std::move(storage::open_embedded(dir_ / "data").value());
}

void sample_store::close() {
  store_.reset();
}

void sample_store::publish(std::size_t count) {
  const auto sample = order_placed(0);
  storage::append_notifications all;
  all.published = published;
  for (std::size_t i = 0; i < count; ++i)
    all.drafts.push_back({.owner = owner,
                          .event = event,
                          .new_event = {},
                          .type = type,
                          .action = sample.action,
                          .rest = sample.body.substr(sample.body.find(','))});
  std::vector<storage::operation> batch;
  batch.emplace_back(std::move(all));
  commit(*store_, batch);
  std::get<storage::append_notifications>(batch.front()).done.value();
}

void sample_store::log_calls(position first, position last, outcome result) {
  std::vector<storage::operation> batch;
  for (auto at = first; at <= last; ++at)
    for (webhook_id hook = 1; hook <= webhooks_; ++hook) {
      auto entry = delivered(hook, at);
      entry.result = result;
      if (result == outcome::retried)
        entry.retry_due = published + std::chrono::minutes{1};
      batch.emplace_back(storage::append_call{std::move(entry)});
      if (batch.size() == batch_size) {
        commit(*store_, batch);
        batch.clear();
      }
    }
  commit(*store_, batch);
}

void sample_store::checkpoint() {
  std::vector<storage::operation> batch;
  batch.emplace_back(storage::save_checkpoint{
    .routed_upto = store_->journal().tail(), .behind = {}});
  commit(*store_, batch);
}

} // namespace fanfare::bench
