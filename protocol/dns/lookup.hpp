// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Finds the addresses of one host name: in the hosts file, and in DNS with
/// both families at once and the search domains in turn. INTERNAL to the
/// resolver; one I/O thread.

#include "protocol/dns/channel.hpp"
#include "protocol/dns/configuration.hpp"
#include "protocol/dns/resolution.hpp"

#include <boost/asio/basic_waitable_timer.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fanfare::protocol {

class lookup;

class lookup_owner {
public:
  /// The look-up is over and does nothing more. `life`: how long it is valid.
  virtual void finish(lookup& subject, resolution&& answer,
                      std::chrono::seconds life) = 0;

protected:
  ~lookup_owner() = default;
};

/// It queries on its own channels: so it can end alone, waits for no other
/// look-up, and uses its own ports, which makes answers hard to forge.
class lookup : public channel_owner {
public:
  /// How long it waits.
  struct patience {
    std::chrono::milliseconds server; ///< for a server's answer
    /// for the other family, once one of them has addresses
    std::chrono::milliseconds other_family;
  };

  lookup(lookup_owner& owner, boost::asio::io_context& context,
         std::string name);
  lookup(const lookup&) = delete;
  lookup& operator=(const lookup&) = delete;
  ~lookup() override {
    end();
  }

  /// Call once. Never finishes before it returns.
  void start(std::shared_ptr<const dns_configuration> by,
             const patience& limits);

  /// Finishes with what is known, as if no server answered any more.
  void give_way();

  /// Does nothing more, and makes no callbacks.
  void end();

  [[nodiscard]] bool started() const noexcept {
    return state_ != state::waiting;
  }
  [[nodiscard]] bool over() const noexcept {
    return state_ == state::over;
  }

  const std::string host;

private:
  using timer_type = boost::asio::basic_waitable_timer<
    std::chrono::steady_clock,
    boost::asio::wait_traits<std::chrono::steady_clock>,
    boost::asio::io_context::executor_type>;

  /// waiting --start--> running --end, or an answer--> over; `end` also ends
  /// one that waits.
  enum class state : std::uint8_t { waiting, running, over };

  /// The result if it needs no DNS query, and how long it is valid.
  struct known {
    resolution answer;
    std::chrono::seconds life;
  };
  std::optional<known> known_already();

  /// The next of its names.
  void ask();
  /// Checks the channels' answers, and finishes, queries on, or waits.
  void go_on() override;
  void set_timer();
  void succeed();
  void give_up();
  void conclude(resolution&& answer, std::chrono::seconds life);

  lookup_owner* owner_;
  boost::asio::io_context& context_;
  timer_type timer_; // for c-ares, and for the slower family
  state state_ = state::waiting;

  std::shared_ptr<const dns_configuration> by_; // outlives the channels
  std::chrono::milliseconds other_family_{0};
  std::vector<std::string> names_; // to query in turn
  std::size_t next_name_ = 0;
  dns_channel v4_; // for the name queried last
  dns_channel v6_;
  std::optional<dns_channel::time_point> give_up_other_;
  std::chrono::seconds life_; // of a negative answer
  bool unsure_ = false;       // a name might exist after all
  bool unable_ = false;       // a name server said that it could not find out
};

} // namespace fanfare::protocol
