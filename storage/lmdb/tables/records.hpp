// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Records of the tables as values.

#include "storage/lmdb/codec/codec.hpp"
#include "storage/lmdb/file/transaction.hpp"
#include "storage/lmdb/tables/keys.hpp"

#include <concepts>
#include <string>

namespace fanfare::storage::lmdb {

/// False, and the transaction has failed, if the record is damaged. `name`:
/// that of the record, as `transaction::damaged` takes it.
template <class T, class... Name>
bool decode_or_fail(transaction& txn, bytes record, T& to,
                    const Name&... name) {
  if (decode(record, to))
    return true;
  txn.damaged(name...);
  return false;
}

/// Whether there is such a record; `to` has it then. An id of `to` is to be set
/// before.
template <class T, class... Name>
bool find_record(transaction& txn, table in, bytes key, T& to,
                 const Name&... name) {
  const auto record = txn.get(in, key);
  return record && decode_or_fail(txn, *record, to, name...);
}

/// Whether there was such an organizer, but no longer is.
inline bool is_removed(transaction& txn, organizer_id id) {
  organizer found;
  found.id = id;
  return find_record(txn, table::organizers, as_key(id), found, "organizer", id)
      && found.slug.empty();
}

/// Writes records of one transaction.
class record_writer {
public:
  explicit record_writer(write_transaction& txn) : txn_(txn) {}

  [[nodiscard]] write_transaction& txn() const {
    return txn_;
  }

  template <class T>
  void put(table in, bytes key, const T& value) {
    txn_.put(in, key, encoded(value));
  }
  /// Under an id greater than all others.
  template <class T>
  void append(table in, std::unsigned_integral auto id, const T& value) {
    txn_.append(in, as_key(id), encoded(value));
  }
  /// The bytes of a record, until the next one is encoded.
  template <class T>
  bytes encoded(const T& value) {
    buffer_.clear();
    encode(buffer_, value);
    return buffer_;
  }

  /// Of a notification: what comes before its body.
  bytes encoded_head(const notification& value) {
    buffer_.clear();
    encode_without_body(buffer_, value);
    return buffer_;
  }

private:
  write_transaction& txn_;
  std::string buffer_; ///< used again and again
};

/// The first id in a table whose keys are numbers; 0 if it is empty.
template <std::unsigned_integral T>
T first_id(transaction& txn, table in) {
  cursor at{txn, in};
  return at.first() ? to_number<T>(at.key()).value_or(0) : 0;
}

/// The last id given out in such a table; 0 if it is empty.
template <std::unsigned_integral T>
T last_id(transaction& txn, table in) {
  cursor at{txn, in};
  return at.last() ? to_number<T>(at.key()).value_or(0) : 0;
}

} // namespace fanfare::storage::lmdb
