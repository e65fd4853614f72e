// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The engine's figures in the program's metrics registry.

#include "fanfare/error.hpp"
#include "fanfare/metrics.hpp"

#include <exception>
#include <memory>
#include <string>
#include <utility>

namespace fanfare {

/// One thread at a time.
class published_figures {
public:
  /// Does nothing without a registry. invalid_argument (field "metrics"): it
  /// threw.
  result<void> add(std::shared_ptr<metrics_registry> to, const void* who,
                   metrics_registry::collector figures) {
    if (!to)
      return {};
    std::string thrown = "something that is no std::exception";
    try {
      to->add(who, std::move(figures));
      in_ = std::move(to);
      who_ = who;
      return {};
    } catch (const std::exception& e) {
      thrown = e.what();
    } catch (...) { // NOLINT(bugprone-empty-catch): named above
    }
    return error{ec::invalid_argument, "The metrics registry threw: " + thrown,
                 "metrics"};
  }

  /// After it returns, the figures are no longer read.
  void remove() {
    if (const auto from = std::exchange(in_, nullptr))
      from->remove(who_);
  }

private:
  std::shared_ptr<metrics_registry> in_;
  const void* who_ = nullptr;
};

} // namespace fanfare
