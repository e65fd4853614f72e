// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/announcer.hpp"

#include "protocol/payload/json_text.hpp"
#include "protocol/target/target.hpp"

#include <memory>
#include <utility>

namespace fanfare {

void announcer::announce(const webhook_record& hook, std::string_view action,
                         std::string_view members) {
  const auto type = names_.find_action_type(action);
  const auto owner = names_.find_organizer(hook.owner);
  if (!type || !owner)
    return;
  auto what = std::make_shared<notice>();
  what->owner = hook.owner;
  what->type = type->id;
  what->action = action;
  what->about = events_.name_of(hook);
  what->rest = R"(, "organizer": ")" + owner->slug + R"(", "action": ")"
             + what->action + R"(", "webhook": )" + std::to_string(hook.id)
             + R"(, "target_url": )"
             + protocol::json_quoted(protocol::mask_url(hook.target_url));
  what->rest.append(members).append(1, '}');
  router_.send(atom::announce_v, notice_ptr{std::move(what)});
}

} // namespace fanfare
