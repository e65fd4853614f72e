// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The engine as the REST server sees it.

#include "protocol/rest/service.hpp"

#include <memory>

namespace fanfare {

class engine;

/// `of` must outlive it.
[[nodiscard]] std::unique_ptr<protocol::rest::service>
make_rest_service(engine& of);

} // namespace fanfare
