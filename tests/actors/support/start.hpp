// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "fanfare/types.hpp"

#include <chrono>

namespace fanfare::test {

/// When tests with times of their own begin: 2024-10-04.
inline constexpr timestamp start{std::chrono::days{20'000}};

} // namespace fanfare::test
