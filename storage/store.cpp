// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/store.hpp"

#include <condition_variable>
#include <mutex>
#include <optional>
#include <utility>

namespace fanfare::storage {

namespace {

class waiter final : public commit_listener {
public:
  void committed(result<void> outcome) override {
    // Who waits may be gone as soon as the lock is given up.
    std::lock_guard guard{mutex_};
    outcome_ = std::move(outcome);
    told_.notify_one();
  }

  result<void> wait() {
    std::unique_lock guard{mutex_};
    told_.wait(guard, [this] { return outcome_.has_value(); });
    return std::move(*outcome_);
  }

private:
  std::mutex mutex_;
  std::condition_variable told_;
  std::optional<result<void>> outcome_;
};

} // namespace

result<void> store::commit(std::span<operation> operations) {
  waiter done;
  commit(operations, done, commit_place::first);
  return done.wait();
}

result<void> store::back_up(backup_sink& /*to*/,
                            const backup_options& /*options*/) const {
  return error{ec::invalid_argument,
               "This store has no backups of its own: use those of what it "
               "stores things in."};
}

} // namespace fanfare::storage
