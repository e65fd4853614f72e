// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// INTERNAL: what the shared library shows. Everything else in it is hidden, so
/// that a program may use other versions of the libraries that are in it.

#define FANFARE_API __attribute__((visibility("default")))
