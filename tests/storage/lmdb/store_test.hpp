// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A store of the engine's own that can be closed and opened again.

#include "storage/lmdb/store.hpp"
#include "tests/storage/store_steps.hpp"
#include "tests/support/temp_dir.hpp"

namespace fanfare::test {

class store_test : public store_steps<lmdb::embedded_store> {
protected:
  store_test() {
    open();
  }

  void open(store_options options = {}) {
    auto opened = lmdb::embedded_store::open(dir_ / "data", options);
    ASSERT_TRUE(opened) << opened.error().detail;
    store_ = std::move(*opened);
  }

  /// As after a crash: nothing is written when a store ends.
  void reopen(store_options options = {}) {
    if (store_)
      store_->abandon();
    store_.reset();
    open(options);
  }

  temp_dir dir_;
};

} // namespace fanfare::test
