// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/tables/refusals.hpp"

#include "storage/lmdb/tables/keys.hpp"

namespace fanfare::storage::lmdb {

result<void> check_name(std::string_view name, std::string_view field,
                        std::size_t prefix) {
  if (name.empty())
    return refusal(ec::invalid_argument, "This must not be empty.", field);
  if (name.size() + prefix > max_key_size)
    return refusal(ec::too_large,
                   "This may have at most "
                     + std::to_string(max_key_size - prefix) + " bytes.",
                   field);
  return {};
}

error name_is_taken(std::string_view name, webhook_id by) {
  return refusal(ec::invalid_argument,
                 "Webhook " + std::to_string(by)
                   + " of this organizer has the name \"" + std::string{name}
                   + "\". Choose another one, or change that of webhook "
                   + std::to_string(by) + " first.",
                 "delivery.name");
}

} // namespace fanfare::storage::lmdb
