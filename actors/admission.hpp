// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Bounds the attempts in flight on a lane, in total, per destination and per
/// organizer, and with them connections and memory. Webhooks that must wait
/// take turns: first organizers, then the destinations of each, then the
/// webhooks of each of those. A place that becomes free is kept for the webhook
/// whose turn it is. An attempt that takes longer than a second is no longer
/// counted as quick, so a receiver that hangs takes nothing from the others.

#include "actors/interfaces.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <deque>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>

namespace fanfare {

struct admission_limits {
  /// Quick attempts of the lane, to one scheme, host and port, and of one
  /// organizer.
  std::size_t total = 1'024;
  std::size_t per_destination = 64;
  std::size_t per_organizer = 512;
  /// All attempts, those that hang included.
  std::size_t hard_total = 16'384;
  /// An attempt that takes longer is not quick.
  std::chrono::milliseconds quick{1'000};
};

/// Lane thread only. Destroyed after the actors of the lane have ended.
class admission {
public:
  struct destination {
    std::size_t quick = 0;
    std::size_t promised = 0;
  };
  struct ticket;
  struct line;
  struct tenant {
    std::size_t quick = 0;
    std::size_t running = 0; ///< those that hang included
    std::size_t promised = 0;
    std::deque<std::shared_ptr<line>> rotation; ///< lines that wait, in turn
    bool in_rotation = false;
  };
  /// The webhooks of one organizer that call one destination.
  struct line {
    std::shared_ptr<tenant> whose;
    std::shared_ptr<destination> to;
    /// Those with no attempt in flight, and those that want a further one.
    std::deque<std::shared_ptr<ticket>> waiting;
    std::deque<std::shared_ptr<ticket>> waiting_for_more;
    bool in_rotation = false;
  };
  /// A place that is kept for the webhook whose turn it is.
  struct promise {
    std::shared_ptr<ticket> to;
    unsigned looks = 0; ///< how often the timer has seen it
  };
  /// A webhook's entry, which it keeps while its target stays the same. It is
  /// at most once in each queue.
  struct ticket {
    caf::actor_addr who;
    std::shared_ptr<line> at;
    bool waiting = false;
    bool waiting_for_more = false;
    bool promised = false; ///< a place is kept for it: `place`
    std::list<promise>::iterator place{};
  };

  struct running {
    std::shared_ptr<line> from;
    std::chrono::steady_clock::time_point started;
    bool quick = true;
  };

  /// The place of one attempt, given back at the latest when it is destroyed.
  class permit {
  public:
    permit() = default;
    permit(permit&& other) noexcept;
    permit& operator=(permit&& other) noexcept;
    permit(const permit&) = delete;
    permit& operator=(const permit&) = delete;
    ~permit() {
      release();
    }
    explicit operator bool() const {
      return owner_ != nullptr;
    }
    void release();

  private:
    friend class admission;
    permit(std::shared_ptr<admission> owner, std::list<running>::iterator place)
      : owner_(std::move(owner)),
        place_(place) {}
    std::shared_ptr<admission> owner_;
    std::list<running>::iterator place_;
  };

  static std::shared_ptr<admission> make(boost::asio::io_context& io,
                                         admission_limits limits) {
    auto made = std::shared_ptr<admission>{new admission{io, limits}};
    made->self_ = made;
    return made;
  }

  /// A ticket for an organizer's webhook and its destination
  /// ("https://example.org:443").
  std::shared_ptr<ticket> enter(organizer_id owner, const std::string& key,
                                caf::actor_addr who);

  /// A place for one attempt, or none: then `who` is sent `turn`, and may ask
  /// again with `its_turn` set, once. `in_flight`: its attempts so far.
  permit acquire(const std::shared_ptr<ticket>& who, std::size_t in_flight,
                 bool its_turn);

  /// The webhook whose turn it is has nothing to send: the next one's turn
  /// comes. Null: it has no ticket.
  void pass(const std::shared_ptr<ticket>& who);

  /// Stops the timer; from now on nothing is granted.
  void close();

  [[nodiscard]] std::size_t active() const {
    return quick_.size() + slow_.size();
  }

private:
  admission(boost::asio::io_context& io, admission_limits limits)
    : limits_(limits),
      timer_(io) {}

  [[nodiscard]] bool has_room(const tenant& who) const;
  /// Whether the destination has room, if the organizer has.
  [[nodiscard]] bool has_room(const line& from, bool further) const;
  /// Sends `turn` to the next of the tenant's webhooks that there is room for.
  bool grant_one(tenant& who);
  void release(std::list<running>::iterator place);
  void grant(std::size_t places);
  void watch();
  void park(const std::shared_ptr<ticket>& who, bool further);
  void keep_place(std::shared_ptr<ticket> to);
  void give_up_place(std::list<promise>::iterator place);
  void take_promise(ticket& who);

  admission_limits limits_;
  boost::asio::steady_timer timer_;
  bool timer_armed_ = false;
  bool closed_ = false;
  /// Oldest first.
  std::list<running> quick_;
  std::list<running> slow_;
  std::list<running> spare_;
  /// Organizers whose webhooks wait, in turn.
  std::deque<std::shared_ptr<tenant>> rotation_;
  /// Places that are kept, oldest first.
  std::list<promise> promises_;
  std::list<promise> spare_promises_;
  std::unordered_map<std::string, std::weak_ptr<destination>> destinations_;
  std::unordered_map<organizer_id, std::weak_ptr<tenant>> tenants_;
  std::unordered_map<std::string, std::weak_ptr<line>> lines_;
  std::size_t sweep_at_ = 1'024;
  std::weak_ptr<admission> self_;
  friend class permit;
};

} // namespace fanfare
