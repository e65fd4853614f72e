// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/file/errors.hpp"

#include <lmdb.h>

#include <cerrno>
#include <string>
#include <system_error>

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
    case ENOSPC:
      return {ec::store_full,
              text + "the disk is full. Free some space on it."};
    case EDQUOT:
      return {
        ec::store_full,
        text
          + "the disk quota of this user is used up. Raise it or free some "
            "space."};
    case EFBIG:
      return {
        ec::store_full,
        text
          + "the file has reached the largest size allowed for this process. "
            "Raise that limit (ulimit -f)."};
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
                                   + "). Use another directory."};
    case EACCES:
    case EPERM:
    case EROFS:
      return {
        ec::io_error,
        text + std::generic_category().message(code)
          + ". The user that runs Fanfare must own the data directory and be "
            "able to write to it."};
    case ENOMEM:
      return {ec::io_error,
              text + std::generic_category().message(code)
                + ". Give the process more memory and address space (ulimit "
                  "-v), or the store a smaller maximum size."};
    case EMFILE:
    case ENFILE:
      return {ec::io_error, text + std::generic_category().message(code)
                              + ". Raise the limit of open files (ulimit -n)."};
    case EISDIR:
    case ENOTDIR:
    case ENAMETOOLONG:
      return {ec::io_error, text + std::generic_category().message(code)
                              + ". Use another directory."};
    default: break;
  }
  return {ec::io_error, text
                          + (code > 0 ? std::generic_category().message(code)
                                      : std::string{mdb_strerror(code)})
                          + ". Check the disk."};
}

} // namespace fanfare::storage::lmdb
