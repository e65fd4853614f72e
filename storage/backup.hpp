// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Backups of the store in a local directory (storage/lmdb) that no engine
/// uses: made, checked, restored. An open store makes its own by
/// `store::back_up`. fanfare/backup.hpp says what they promise.

#include "fanfare/backup.hpp"

#include <filesystem>
#include <string_view>

namespace fanfare::storage {

/// Whether a stored secret is encrypted.
using is_sealed = bool (*)(std::string_view secret);

result<data_summary> back_up_embedded(const std::filesystem::path& directory,
                                      const std::filesystem::path& target,
                                      const backup_options& options,
                                      is_sealed sealed);
result<data_report>
check_embedded(const std::filesystem::path& directory_or_backup,
               is_sealed sealed);
result<data_summary> restore_embedded(const std::filesystem::path& backup,
                                      const std::filesystem::path& directory,
                                      const restore_options& options,
                                      is_sealed sealed);

} // namespace fanfare::storage
