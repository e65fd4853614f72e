// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/state/live_state.hpp"

namespace fanfare::storage::lmdb {

bool live_state::begin_merged(std::optional<read_transaction>& txn,
                              const result<void>& passed,
                              std::unique_lock<std::mutex>& lock) const {
  for (;;) {
    txn.emplace(env_, passed);
    if (!txn->ok())
      return false;
    const auto seen = txn->number();
    if (seen == merged_)
      return true;
    // Between a commit and its taking over there is an instant in which the two
    // do not belong together.
    txn.reset();
    has_merged_.wait(lock, [&] { return merged_ >= seen || incomplete_; });
    if (incomplete_) {
      txn.emplace(env_, passed);
      txn->fail(error{ec::internal, "There was not enough memory to take over "
                                    "what was written. Start anew."});
      return false;
    }
  }
}

std::optional<change>
live_state::begin_and_find(std::optional<read_transaction>& txn,
                           webhook_id hook) const {
  std::optional<change> found;
  begin(txn, [&](const lmdb::changes& in) {
    if (auto i = in.find(hook); i != in.end())
      found = i->second;
  });
  return found;
}

} // namespace fanfare::storage::lmdb
