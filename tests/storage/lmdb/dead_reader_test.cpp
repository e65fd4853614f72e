// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Other programs may read the store's file while an engine has it, as LMDB's
/// own tools do. One that was killed while it read must not keep the pages it
/// saw from being used again for ever.

#include "tests/storage/lmdb/store_test.hpp"

#include <lmdb.h>

#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace fanfare::test {

namespace {

/// A process that has opened the file and, if it reads, begun a transaction.
class outside_reader {
public:
  outside_reader(const std::filesystem::path& file, bool reads) {
    int ready[2];
    EXPECT_EQ(::pipe(ready), 0);
    child_ = ::fork();
    if (child_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL); // also if this test dies
      const char done = open(file, reads) ? 'y' : 'n';
      if (::write(ready[1], &done, 1) != 1)
        ::_exit(1);
      for (;;)
        ::pause();
    }
    ::close(ready[1]);
    char done = 'n';
    EXPECT_EQ(::read(ready[0], &done, 1), 1);
    EXPECT_EQ(done, 'y') << "the file cannot be read";
    ::close(ready[0]);
  }
  ~outside_reader() {
    kill();
  }
  outside_reader(const outside_reader&) = delete;
  outside_reader& operator=(const outside_reader&) = delete;

  void kill() {
    if (child_ <= 0)
      return;
    ::kill(child_, SIGKILL);
    EXPECT_EQ(::waitpid(child_, nullptr, 0), child_);
    child_ = 0;
  }

private:
  static bool open(const std::filesystem::path& file, bool reads) {
    MDB_env* env = nullptr;
    MDB_txn* txn = nullptr;
    return mdb_env_create(&env) == 0
        && mdb_env_open(env, file.c_str(), MDB_NOSUBDIR | MDB_RDONLY, 0600) == 0
        && (!reads || mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn) == 0);
  }

  pid_t child_ = 0;
};

class DeadReaderTest : public store_test {
protected:
  [[nodiscard]] std::filesystem::path file() const {
    return dir_ / "data/fanfare.mdb";
  }

  /// Publishes and removes as much again. What the file grows by.
  std::size_t grow_by(int rounds, bool looks_for_old) {
    const auto before = std::filesystem::file_size(file());
    for (; rounds > 0; --rounds) {
      if (looks_for_old)
        (void)store_->plan_expiry({}, 1, {}).value();
      run(publish_of(
        std::vector<draft>(50, draft_of(1, 1, std::string(2000, 'x')))));
      checkpoint(store_->journal().tail());
      expire op;
      for (; next_ + 100 <= store_->journal().tail(); ++next_)
        op.notifications.push_back(next_);
      run(op);
      store_->settle(); // what is free is used again by the next round
    }
    return std::filesystem::file_size(file()) - before;
  }

  /// Of that many rounds without anything to use again, roughly.
  static constexpr int many = 40;
  static constexpr std::size_t much = std::size_t{2000} * 50 * many;

  position next_ = 1;
};

TEST_F(DeadReaderTest, IsForgottenWhenRetentionLooksForOldEntries) {
  grow_by(10, false); // what it needs in any case
  outside_reader reader{file(), true};
  EXPECT_GT(grow_by(many, true), much / 2) << "what it reads is kept";
  reader.kill();
  grow_by(5, true);
  EXPECT_LT(grow_by(many, true), much / 10);
}

TEST_F(DeadReaderTest, IsForgottenWhenTheStoreIsOpened) {
  grow_by(10, false);
  store_.reset();
  // As long as somebody has the file open, LMDB takes its readers for alive.
  const outside_reader other{file(), false};
  outside_reader reader{file(), true};
  reader.kill();
  open();
  grow_by(5, false);
  EXPECT_LT(grow_by(many, false), much / 10);
}

} // namespace

} // namespace fanfare::test
