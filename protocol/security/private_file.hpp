// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Files with secrets that somebody has put there for the engine.

#include "fanfare/error.hpp"

#include <cstddef>
#include <string>

namespace fanfare::protocol {

/// Its text, which the caller erases. io_error if it cannot be read;
/// invalid_argument if it is no regular file, has more than `most` bytes, or
/// others than its owner may use it. The sentence names the file.
[[nodiscard]] result<std::string> read_private_file(const std::string& path,
                                                    std::size_t most);

} // namespace fanfare::protocol
