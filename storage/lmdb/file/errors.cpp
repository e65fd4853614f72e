// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/file/errors.hpp"

#include "storage/system_error.hpp"

#include <lmdb.h>

#include <string>

namespace fanfare::storage::lmdb {

error to_error(int code, std::string_view doing) {
  auto text = "Cannot " + std::string{doing} + ": ";
  switch (code) {
    case MDB_MAP_FULL:
      return {
        ec::store_full,
        text
          + "the store has reached its maximum size. Raise the maximum size "
            "or shorten the retention."};
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
      return {ec::store_damaged,
              text + "the store is damaged (" + mdb_strerror(code)
                + "). Restore the data directory from a backup."};
    case MDB_PANIC:
      return {
        ec::io_error,
        text
          + "an earlier write to the disk failed half-way. Check the disk and "
            "restart Fanfare."};
    case MDB_VERSION_MISMATCH:
    case MDB_INVALID:
      return {ec::store_foreign, text + "the file is not a Fanfare store ("
                                   + mdb_strerror(code)
                                   + ") or its beginning is damaged. Use "
                                     "another directory, or restore this one "
                                     "from a backup."};
    default: break;
  }
  if (code > 0)
    return system_error(code, doing);
  return {ec::io_error, text + mdb_strerror(code) + ". Check the disk."};
}

} // namespace fanfare::storage::lmdb
