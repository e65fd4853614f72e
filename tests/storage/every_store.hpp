// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// What storage/store.hpp promises is tested on every store there is: the one
/// that the engine opens by default, and the one in memory that the tests of
/// actors trust.

#include "storage/lmdb/store.hpp"
#include "tests/storage/store_steps.hpp"
#include "tests/support/memory_store/store.hpp"
#include "tests/support/temp_dir.hpp"

#include <filesystem>

namespace fanfare::test {

/// A kind of store. `open` opens one, or closes the one there is and opens it
/// again, as after a crash.
struct store_kind {
  const char* name;
  void (*open)(std::unique_ptr<store>& which, const std::filesystem::path& in);
};

inline void PrintTo(const store_kind& kind, std::ostream* out) {
  *out << kind.name;
}

inline void open_lmdb(std::unique_ptr<store>& which,
                      const std::filesystem::path& in) {
  if (auto* open = dynamic_cast<lmdb::embedded_store*>(which.get()))
    open->abandon();
  which.reset();
  auto opened = open_embedded(in / "data");
  ASSERT_TRUE(opened) << opened.error().detail;
  which = std::move(*opened);
}

inline void open_memory(std::unique_ptr<store>& which,
                        const std::filesystem::path&) {
  if (which)
    dynamic_cast<memory_store&>(*which).reopen();
  else
    which = std::make_unique<memory_store>();
}

/// For INSTANTIATE_TEST_SUITE_P, which every fixture needs.
inline auto every_store() {
  return ::testing::Values(store_kind{"lmdb", open_lmdb},
                           store_kind{"memory", open_memory});
}
inline std::string
name_of_store(const ::testing::TestParamInfo<store_kind>& info) {
  return info.param.name;
}

class every_store_test : public store_steps<store>,
                         public ::testing::WithParamInterface<store_kind> {
protected:
  every_store_test() {
    reopen();
  }

  /// As after a crash: nothing is written when a store ends.
  void reopen() {
    GetParam().open(store_, dir_.path());
  }

  temp_dir dir_;
};

} // namespace fanfare::test
