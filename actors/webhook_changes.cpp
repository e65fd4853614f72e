// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "actors/webhook_changes.hpp"

#include "protocol/target/target.hpp"

#include <algorithm>
#include <memory>
#include <utility>

namespace fanfare {

void webhook_changes::note(webhook_change::kind what, const webhook_record& of,
                           std::string_view sentence, timestamp now) {
  auto made = std::make_shared<webhook_change>();
  made->owner = of.owner;
  made->hook = of.id;
  made->what = what;
  made->time = now;
  made->target_url = protocol::name_url(of.target_url);
  made->sentence = sentence;
  {
    const std::lock_guard guard{mutex_};
    made->number = ++last_;
    kept_.push_back(std::move(made));
    if (kept_.size() > most)
      kept_.pop_front();
  }
  if (news_)
    news_(of.owner);
}

webhook_changes::found webhook_changes::newer(organizer_id owner,
                                              std::uint64_t after) const {
  const std::lock_guard guard{mutex_};
  found out{.changes = {}, .upto = last_};
  const auto first = last_ - kept_.size() + 1;
  out.lost = after + 1 < first;
  const auto skipped = after < first ? 0 : after + 1 - first;
  for (auto i = std::min<std::uint64_t>(skipped, kept_.size());
       i < kept_.size(); ++i)
    if (kept_[i]->owner == owner)
      out.changes.push_back(kept_[i]);
  return out;
}

std::uint64_t webhook_changes::last() const {
  const std::lock_guard guard{mutex_};
  return last_;
}

} // namespace fanfare
