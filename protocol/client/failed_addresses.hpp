// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// At which address the latest attempt of a notification failed, so that the
/// next one begins with another. It has room for so many and forgets others:
/// then the number of the attempt says where to begin. INTERNAL to http_client;
/// one I/O thread.

#include "fanfare/types.hpp"
#include "protocol/target/target.hpp"

#include <boost/asio/ip/address.hpp>

#include <cstddef>
#include <vector>

namespace fanfare::protocol {

class failed_addresses {
public:
  static constexpr std::size_t most = 4'096;

  void note(const pool_key& to, position what,
            const boost::asio::ip::address& at) {
    if (entries_.empty())
      entries_.resize(most); // most names have one address only
    entries_[place_of(to, what)] = {to.hash, what, at};
  }

  /// Null: it did not fail, or that is forgotten.
  [[nodiscard]] const boost::asio::ip::address* find(const pool_key& to,
                                                     position what) const {
    if (entries_.empty())
      return nullptr;
    const auto& found = entries_[place_of(to, what)];
    return found.to == to.hash && found.what == what
            && !found.at.is_unspecified()
           ? &found.at
           : nullptr;
  }

private:
  struct entry {
    std::size_t to = 0; ///< a destination, by its hash
    position what = 0;
    boost::asio::ip::address at;
  };

  static std::size_t place_of(const pool_key& to, position what) {
    return (to.hash + what) % most;
  }

  std::vector<entry> entries_;
};

} // namespace fanfare::protocol
