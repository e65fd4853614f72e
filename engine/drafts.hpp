// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Publications checked, their names looked up and their bodies rendered: all
/// the work that publishing threads can do, to relieve their common
/// committer.

#include "engine/directory.hpp"
#include "fanfare/error.hpp"
#include "fanfare/publication.hpp"
#include "storage/operations.hpp"

#include <cstddef>
#include <vector>

namespace fanfare {

class drafts {
public:
  /// Drafts all of them or none; moves what it needs out of `items`. Returns
  /// the publishing errors that are the publisher's fault.
  static result<drafts> make(const directory& names, organizer_id owner,
                             std::vector<publication>& items);

  /// What `bytes` will be, if rendering leaves out no white space.
  [[nodiscard]] static std::size_t
  estimate_bytes(const std::vector<publication>& items);

  /// Moves everything back.
  void give_back(std::vector<publication>& items);

  std::vector<storage::draft> all;
  /// Their share of the queue's room for publishes.
  std::size_t bytes = 0;

private:
  std::vector<bool> was_rendered_; ///< by the publisher
};

} // namespace fanfare
