// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Translates the JSON value of a filter into its conditions.

#include "fanfare/error.hpp"
#include "model/filter/condition.hpp"

#include <boost/json/value.hpp>

#include <vector>

namespace fanfare::filter {

/// The conditions, which must all hold. invalid_argument with field "filter"
/// for the first fault: a sentence that says where it is.
[[nodiscard]] result<std::vector<condition>>
compile(const boost::json::value& from);

} // namespace fanfare::filter
