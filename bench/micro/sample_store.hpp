// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A store in a directory of its own, with webhooks to log calls of.

#include "storage/store.hpp"
#include "tests/support/temp_dir.hpp"

#include <cstddef>
#include <memory>

namespace fanfare::bench {

class sample_store {
public:
  /// So many webhooks, with the ids from 1, that all want what is published.
  explicit sample_store(std::size_t webhooks);

  [[nodiscard]] storage::store& operator*() {
    return *store_;
  }
  [[nodiscard]] storage::store* operator->() {
    return store_.get();
  }

  /// Publishes so many notifications.
  void publish(std::size_t count);
  /// Logs a call of each webhook for each notification from `first` to `last`.
  void log_calls(position first, position last, outcome result);
  /// Makes recovery start here.
  void checkpoint();

  /// As after a crash: nothing is written when a store ends.
  void close();
  void open();

private:
  test::temp_dir dir_;
  std::unique_ptr<storage::store> store_;
  std::size_t webhooks_;
};

/// Commits, or throws what went wrong.
void commit(storage::store& to, std::vector<storage::operation>& operations);

} // namespace fanfare::bench
