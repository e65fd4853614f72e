// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// INTERNAL: what the shared library shows. Everything else in it is hidden, so
/// that a program may use other versions of what is compiled into it. Of the
/// shared libraries that it is linked to (CAF, LMDB, OpenSSL, c-ares, …) a
/// process has one version.

#define FANFARE_API __attribute__((visibility("default")))
