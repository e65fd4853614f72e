// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The store in a local directory (storage/lmdb).

#include "storage/store.hpp"

#include <cstddef>
#include <filesystem>
#include <memory>

namespace fanfare::storage {

struct store_options {
  /// Maximum bytes of the store. Part of it is reserved for calls and for
  /// removing old entries; publishes get store_full before that.
  std::size_t max_size = std::size_t{64} << 30;
};

/// Opens or creates the store in `directory` and recovers it. Errors:
/// store_locked, store_foreign, store_newer, store_damaged, io_error.
result<std::unique_ptr<store>>
open_embedded(const std::filesystem::path& directory,
              const store_options& options = {});

} // namespace fanfare::storage
