// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fanfare/error.hpp"

#include <filesystem>

namespace fanfare::storage {

/// Makes the names in the directory survive a loss of power: io_error.
result<void> sync_directory(const std::filesystem::path& path);

} // namespace fanfare::storage
