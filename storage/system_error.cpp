// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/system_error.hpp"

#include <cerrno>
#include <string>
#include <system_error>

namespace fanfare::storage {

error system_error(int code, std::string_view doing) {
  const auto text = "Cannot " + std::string{doing} + ": ";
  const auto reason = std::generic_category().message(code);
  switch (code) {
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
    case EACCES:
    case EPERM:
    case EROFS:
      return {
        ec::io_error,
        text + reason
          + ". The user that runs Fanfare must own the data directory and be "
            "able to write to it."};
    case ENOMEM:
      return {ec::io_error,
              text + reason
                + ". Give the process more memory and address space (ulimit "
                  "-v), or the store a smaller maximum size."};
    case EMFILE:
    case ENFILE:
      return {ec::io_error,
              text + reason + ". Raise the limit of open files (ulimit -n)."};
    case EISDIR:
    case ENOTDIR:
    case ENAMETOOLONG:
      return {ec::io_error, text + reason + ". Use another directory."};
    default: return {ec::io_error, text + reason + ". Check the disk."};
  }
}

} // namespace fanfare::storage
