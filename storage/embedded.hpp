// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The store that lives in a directory of this machine (storage/lmdb).

#include "storage/store.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>

namespace fanfare::storage {

struct store_options {
  /// Most bytes the store may grow to. Part of it is kept back for calls and
  /// for removing old entries; publishes get store_full before that.
  std::size_t max_size = std::size_t{64} << 30;
};

/// Opens or makes the store in `directory` and recovers it. Errors:
/// store_locked, store_foreign, store_newer, store_damaged, io_error.
result<std::unique_ptr<store>>
open_embedded(const std::filesystem::path& directory,
              const store_options& options = {});

} // namespace fanfare::storage
