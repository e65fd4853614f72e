// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "actors/commit_pipeline.hpp"

#include <chrono>
#include <thread>
#include <utility>

namespace fanfare {

// -- group --------------------------------------------------------------------

class commit_pipeline::group final : public storage::commit_listener {
public:
  using steady = std::chrono::steady_clock;

  explicit group(commit_queue& queue) : queue_(queue) {}

  commit_queue::batch batch;

  /// It is about to be given to the store.
  void begin() {
    by_ = std::this_thread::get_id();
    began_ = steady::now();
    told_ = told_by_caller_ = false;
  }

  void committed(result<void> outcome) override {
    outcome_ = std::move(outcome);
    took_ = steady::now() - began_;
    if (std::this_thread::get_id() == by_)
      told_by_caller_ = true; // nobody to wake
    else
      queue_.note_written(told_);
  }

  /// Once it is written: from begin() on.
  [[nodiscard]] steady::duration took() const {
    return took_;
  }

  result<void>& wait() {
    if (!told_by_caller_)
      queue_.wait_until_written(told_);
    return outcome_;
  }

  /// Takes what waits while this is in flight. False: it is not any more, or
  /// nothing will come.
  bool take_behind(commit_queue::batch& into,
                   std::chrono::microseconds linger) const {
    return !told_by_caller_ && queue_.take_behind(into, linger, told_);
  }

private:
  commit_queue& queue_;
  std::thread::id by_;
  bool told_by_caller_ = false;
  bool told_ = false; ///< under the queue's lock
  steady::time_point began_;
  steady::duration took_{0};
  result<void> outcome_;
};

// -- commit_pipeline ----------------------------------------------------------

commit_pipeline::commit_pipeline(committer_config config)
  : config_(std::move(config)) {
  for (auto n = config_.writer->commits_ahead(); n > 0; --n)
    groups_.push_back(std::make_unique<group>(*config_.queue));
}

commit_pipeline::~commit_pipeline() = default;

commit_pipeline::group& commit_pipeline::in_flight(std::size_t place) const {
  return *groups_[(oldest_ + place) % groups_.size()];
}

void commit_pipeline::run() {
  const commit_queue::scope here{*config_.queue};
  for (;;) {
    if (count_ == 0) {
      if (!config_.queue->take(in_flight(0).batch, config_.linger))
        return;
      submit();
    } else if (count_ < groups_.size()
               && in_flight(0).take_behind(in_flight(count_).batch,
                                           config_.linger)) {
      submit();
    } else {
      finish_oldest();
    }
  }
}

void commit_pipeline::submit() {
  auto& next = in_flight(count_);
  next.begin();
  config_.writer->write(next.batch, next,
                        count_ == 0 ? storage::commit_place::first
                                    : storage::commit_place::behind);
  ++count_;
}

void commit_pipeline::finish_oldest() {
  auto& written = in_flight(0);
  auto& outcome = written.wait();
  config_.writer->note(written.batch, written.took(), outcome.has_value());
  if (!outcome)
    return recover(std::move(outcome.error()));
  oldest_ = (oldest_ + 1) % groups_.size();
  --count_;
  config_.writer->tell(written.batch);
  written.batch.truncate(0);
}

void commit_pipeline::recover(error failure) {
  for (; count_ > 0; --count_) {
    auto& next = in_flight(0);
    (void)next.wait();
    refused_.append(std::exchange(next.batch, {}));
    oldest_ = (oldest_ + 1) % groups_.size();
  }
  config_.queue->set_failing(true);
  config_.log(log_level::error,
              "commit failed, publishes are refused and delivery waits: "
                + failure.detail);
  for (;;) {
    const auto before = refused_.size();
    refuse(failure);
    if (config_.queue->closed()) {
      // Stopping: the calls that could not be written will be made again.
      refused_.tell_all(&failure);
      break;
    }
    if (before == refused_.size())
      config_.queue->wait_for_more(config_.retry_pause);
    commit_queue::batch more;
    config_.queue->take_more(more);
    refused_.append(std::move(more));
    if (refused_.empty()) {
      // Nothing lasting is left that would show whether the disk has recovered:
      // let the next publish try.
      config_.queue->set_failing(false);
      break;
    }
    auto written = config_.writer->write(refused_);
    if (written) {
      config_.queue->set_failing(false);
      config_.log(log_level::info,
                  "the disk takes writes again; delivery goes on");
      config_.writer->tell(refused_);
      break;
    }
    failure = std::move(written.error());
  }
  refused_.truncate(0);
  refused_.shrink(0);
  config_.queue->announce_writable();
}

void commit_pipeline::refuse(const error& why) {
  std::size_t kept = 0;
  for (std::size_t i = 0; i < refused_.size(); ++i) {
    if (refused_.endings[i].lasting)
      refused_.move(i, kept++);
    else
      refused_.tell(i, &why);
  }
  refused_.truncate(kept);
}

void commit_pipeline::give_up(const error& why) noexcept {
  const commit_queue::scope here{*config_.queue};
  for (; count_ > 0; --count_) {
    (void)in_flight(0).wait();
    in_flight(0).batch.give_up(why);
    oldest_ = (oldest_ + 1) % groups_.size();
  }
  for (auto& one : groups_) {
    one->batch.give_up(why);
    one->batch.truncate(0);
  }
  refused_.give_up(why);
  refused_.truncate(0);
}

} // namespace fanfare
