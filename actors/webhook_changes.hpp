// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The newest changes of webhooks, in order, for whoever follows them. They are
/// in no log, so they are gone with the process.

#include "model/feed.hpp"
#include "model/records.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string_view>
#include <vector>

namespace fanfare {

/// Any thread.
class webhook_changes {
public:
  /// That are kept, of all webhooks together.
  static constexpr std::size_t most = 4'096;

  /// `news` is called after each change with whose webhook it is; it must
  /// neither block nor call back. Set before the first change, or never.
  void tell(std::function<void(organizer_id)> news) {
    news_ = std::move(news);
  }

  /// `sentence` is about the webhook: "was paused by its owner".
  void note(webhook_change::kind what, const webhook_record& of,
            std::string_view sentence, timestamp now);

  struct found {
    std::vector<webhook_change_ptr> changes; ///< of the organizer
    std::uint64_t upto = 0; ///< all at or before it were looked at
    bool lost = false;      ///< some after the place are not kept any more
  };
  /// All after `after`.
  [[nodiscard]] found newer(organizer_id owner, std::uint64_t after) const;
  [[nodiscard]] std::uint64_t last() const;

private:
  std::function<void(organizer_id)> news_;
  mutable std::mutex mutex_;
  std::deque<webhook_change_ptr> kept_;
  std::uint64_t last_ = 0; ///< the number of the newest
};

} // namespace fanfare
