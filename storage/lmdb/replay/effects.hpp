// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A group of the log as bytes: what a commit has changed in the tables, in the
/// order of the changes. To apply them is to put and to erase, whatever rules
/// they came from.
///
///     u8      kind (put 0, erase 1, checkpoint 2, count 3) + 4 * the table
///     key     of tables by number: its bytes, and the difference to the key
///             before it in this table; else a text
///     value   a text; of an erase only in tables with many values of a key
///
/// A checkpoint is an entry of its own: the last numbers given out, up to where
/// is routed, and who is behind. Whoever applies it folds the calls since the
/// last one, as recovery does, so that what it writes of each webhook is not in
/// the log. A count is the number of a call: those up to it are counted in the
/// statistics, as a checkpoint does by itself now and then.

#include "storage/lmdb/codec/meta.hpp"
#include "storage/lmdb/file/transaction.hpp"
#include "storage/log/commit_log.hpp"
#include "storage/operations.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

namespace fanfare::storage::lmdb {

/// Notes the changes of one group.
class group_recorder final : public effect_sink {
public:
  void note(const effect& change) override;
  void note_checkpoint(const save_checkpoint& op, const counters& last);
  void note_count(call_id upto);

  /// Starts again with an empty group.
  void clear();
  /// Gives the group away.
  [[nodiscard]] std::string take() {
    size_ = bytes_.size();
    return std::move(bytes_);
  }
  [[nodiscard]] bool empty() const noexcept {
    return bytes_.empty();
  }
  [[nodiscard]] const std::string& group() const noexcept {
    return bytes_;
  }

private:
  std::string bytes_;
  std::size_t size_ = 0; ///< of the last one; the next one is often as large
  /// By table: the last key that was a number.
  std::array<std::uint64_t, table_count> last_{};
};

/// Gets what a group says, in order.
class group_visitor {
public:
  /// One value of a key, also where a key may have many.
  virtual void put(table in, bytes key, bytes value) = 0;
  /// `value`: the one of a key that may have many; else nothing.
  virtual void erase(table in, bytes key, bytes value) = 0;
  virtual void checkpoint(const save_checkpoint& op, const counters& last) = 0;
  virtual void count(call_id upto) = 0;
  /// Whether to go on.
  [[nodiscard]] virtual bool ok() const = 0;

protected:
  ~group_visitor() = default;
};

/// False: the group cannot be read to its end.
bool visit_group(bytes group, group_visitor& to);

/// Applies a group. What fails, fails in the transaction.
void apply_group(write_transaction& txn, bytes group);
/// Applies all groups after the mark, and moves it in the tables, too.
result<void> apply_log(write_transaction& txn, const commit_log& log,
                       log_mark& mark);

} // namespace fanfare::storage::lmdb
