// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The unanswered requests of one connection, in order: an early answer waits
/// in its place for those before it.

#include "protocol/server/http_handler.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace fanfare::protocol::server {

class pipeline {
public:
  /// One request: what the connection needs to send its answer.
  struct place {
    enum class answer_state : std::uint8_t {
      awaited,
      here,
      never, ///< the handler dropped it
    };

    http_response answer;
    answer_state state = answer_state::awaited;
    request_kind kind = request_kind::exclusive;
    std::uint64_t mark = 0;  ///< http_handler::mark_of
    bool large = false;      ///< its body is large
    bool head_only = false;  ///< a HEAD request: the answer's body is not sent
    bool close = false;      ///< the connection closes after the answer
    bool keep_alive = false; ///< HTTP/1.0, which needs it stated
    bool http10 = false;
  };

  [[nodiscard]] bool empty() const {
    return places_.empty();
  }
  [[nodiscard]] std::size_t size() const {
    return places_.size();
  }
  /// The oldest is 0.
  [[nodiscard]] place& operator[](std::size_t index) {
    return places_[index];
  }
  [[nodiscard]] const place& back() const {
    return places_.back();
  }
  /// True if a request of that kind and mark may begin now: it must not
  /// overtake unanswered ones.
  [[nodiscard]] bool admits(request_kind kind, std::uint64_t mark = 0) const {
    // Those that are under way at the same time are all of the same kind.
    return awaited_ == 0
        || (kind != request_kind::exclusive && kind == back().kind
            && (mark == 0 || !awaits(mark)));
  }
  /// The number of the next request, counted from the connection's first.
  [[nodiscard]] std::uint64_t next_number() const {
    return first_number_ + places_.size();
  }

  /// Its number is next_number() before the call.
  void push(place what) {
    places_.push_back(std::move(what));
    if (places_.back().state == place::answer_state::awaited)
      ++awaited_;
  }
  /// Puts an answer into its place, or records that there will be none.
  /// Requests popped meanwhile are ignored.
  void answer(std::uint64_t number, std::optional<http_response> with) {
    if (number < first_number_ || number >= next_number())
      return;
    auto& to = places_[static_cast<std::size_t>(number - first_number_)];
    if (to.state == place::answer_state::awaited)
      --awaited_;
    to.state = with ? place::answer_state::here : place::answer_state::never;
    if (with)
      to.answer = std::move(*with);
  }
  /// Removes the oldest `count`: all, or only answered ones.
  void pop(std::size_t count) {
    if (count == places_.size()) {
      places_.clear();
      awaited_ = 0;
    } else {
      places_.erase(places_.begin(),
                    places_.begin() + static_cast<std::ptrdiff_t>(count));
    }
    first_number_ += count;
  }

private:
  [[nodiscard]] bool awaits(std::uint64_t mark) const {
    return std::ranges::any_of(places_, [mark](const place& each) {
      return each.mark == mark && each.state == place::answer_state::awaited;
    });
  }

  std::vector<place> places_;
  std::uint64_t first_number_ = 0; // of places_.front()
  std::size_t awaited_ = 0;        // places without an answer
};

} // namespace fanfare::protocol::server
