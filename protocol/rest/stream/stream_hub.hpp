// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The open streams. One has no queue but a place in the feed of its organizer:
/// when there is news, and its client has taken all that it was sent, it gets
/// the next page. Streams that show the same and are at the same place share
/// pages. A client that takes nothing costs a page of memory, and gets what it
/// missed when it does.
///
/// One thread serves them all, in turns: it reads from the disk, and however
/// many they are they take no more than one core.

#include "fanfare/error.hpp"
#include "model/feed.hpp"
#include "protocol/rest/service.hpp"
#include "protocol/rest/stream/stream_page.hpp"
#include "protocol/rest/stream/stream_query.hpp"
#include "protocol/server/body_stream.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

namespace fanfare::protocol::rest {

struct stream_limits {
  std::size_t most = 2'000;
  std::size_t most_of_organizer = 1'000;
  /// Turns are begun by a thread of the hub's; false: by whoever calls turn().
  bool own_thread = true;
};

class stream_hub {
public:
  using clock = std::chrono::steady_clock;
  using time_point = clock::time_point;

  /// News of less than this are shown together.
  static constexpr std::chrono::milliseconds pace{100};
  /// A stream that has nothing to say says so as often.
  static constexpr std::chrono::seconds heartbeat{15};
  /// How often it is looked whether its token is still good.
  static constexpr std::chrono::seconds check{1};

  /// `of` must outlive it.
  stream_hub(service& of, const stream_limits& limits);
  ~stream_hub(); ///< ends all streams
  stream_hub(const stream_hub&) = delete;
  stream_hub& operator=(const stream_hub&) = delete;

  /// Counts as a stream as long as it exists.
  class seat {
  public:
    seat(stream_hub& in, organizer_id owner) : in_{&in}, owner_{owner} {}
    seat(seat&& other) noexcept
      : in_{std::exchange(other.in_, nullptr)},
        owner_{other.owner_} {}
    seat& operator=(seat&& other) noexcept {
      std::swap(in_, other.in_);
      std::swap(owner_, other.owner_);
      return *this;
    }
    ~seat() {
      if (in_ != nullptr)
        in_->give_back(owner_);
    }

  private:
    stream_hub* in_;
    organizer_id owner_;
  };

  /// A stream that begins.
  struct opening {
    std::shared_ptr<const stream_query> what;
    feed_place after;
    body_writer to;
    std::string key; ///< of its token; empty: it has none that can be revoked
    seat taken;
  };

  // -- any thread -------------------------------------------------------------

  /// overloaded: there are too many already, as the sentence says.
  result<seat> take_seat(organizer_id owner);
  void open(opening&& made);
  /// How many there are.
  [[nodiscard]] std::size_t size() const;

  // -- one thread -------------------------------------------------------------

  /// Serves whoever is due; when to come again, unless wake() is called.
  time_point turn(time_point now);

private:
  struct feed {
    std::shared_ptr<void> following;
    std::atomic<bool> news{false};
    std::uint64_t generation = 0; ///< increased when there is
  };
  struct stream {
    opening is;
    std::shared_ptr<feed> from;
    std::uint64_t generation = 0; ///< of the feed, when it was last looked at
    time_point check_at;
    time_point sent_at;
    bool begun = false;
    bool behind = true;
  };

  void give_back(organizer_id owner);
  void wake();
  void run();

  void adopt(time_point now);
  /// When the next news may be shown, if there are some.
  std::optional<time_point> take_news(time_point now);
  /// False: it has ended.
  bool serve(stream& one, time_point now);
  [[nodiscard]] bool is_allowed(const stream& one) const;
  [[nodiscard]] bool is_awaited(stream& one);
  static bool send(stream& one, const std::string& text, time_point now);
  /// Valid until the next call.
  result<const stream_page*> page_for(const stream& one);
  bool go_on(stream& one, time_point now);

  service& service_;
  const stream_limits limits_;

  mutable std::mutex mutex_;
  std::condition_variable woken_;
  // Under the mutex.
  std::vector<opening> openings_;
  std::size_t seats_ = 0;
  std::unordered_map<organizer_id, std::size_t> seats_by_owner_;
  bool is_woken_ = false;
  bool stopping_ = false;

  // The thread's.
  std::vector<stream> streams_;
  std::unordered_map<organizer_id, std::weak_ptr<feed>> feeds_;
  /// Of this turn, by what a stream shows and where it is.
  std::unordered_map<std::string, stream_page> pages_;
  time_point news_at_{}; ///< not before this

  std::thread thread_; ///< begins with the first stream
};

} // namespace fanfare::protocol::rest
