// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Publications checked, their names looked up and their bodies rendered: all
/// that can be done by the threads that publish, so that their common
/// committer need not do it.

#include "engine/directory.hpp"
#include "fanfare/error.hpp"
#include "fanfare/publication.hpp"
#include "storage/operations.hpp"

#include <cstddef>
#include <vector>

namespace fanfare {

class drafts {
public:
  /// Drafts all of them or none; what it needs is moved out of `items`. The
  /// errors of publishing that are the publisher's own fault.
  static result<drafts> make(const directory& names, organizer_id owner,
                             std::vector<publication>& items);

  /// Moves everything back to where it came from.
  void give_back(std::vector<publication>& items);

  std::vector<storage::draft> all;
  /// What they count against the queue's room for publishes.
  std::size_t bytes = 0;

private:
  std::vector<bool> was_rendered_; ///< by the publisher
};

} // namespace fanfare
