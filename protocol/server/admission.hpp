// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Who may connect: counts the clients of all I/O threads, in total and by
/// address. Any thread.

#include "protocol/server/http_server_options.hpp"

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fanfare::protocol::server {

class admission {
public:
  enum class verdict : std::uint8_t {
    admitted,
    server_full,  ///< too many in total: refuse it with an answer
    address_full, ///< too many from there: refuse it with an answer
    dropped,      ///< too many are being refused already: close it at once
  };

  /// A client is counted as long as its pass lives.
  class pass {
  public:
    using networks = std::shared_ptr<const std::vector<network>>;

    /// `proxies`: those that are trusted, if it is one of them; null: it is
    /// not.
    pass(admission& by, const boost::asio::ip::address& to, verdict how,
         networks proxies)
      : by_(&by),
        to_(to),
        verdict_(how),
        proxies_(std::move(proxies)) {}
    pass(pass&& other) noexcept
      : by_(std::exchange(other.by_, nullptr)),
        to_(std::move(other.to_)),
        verdict_(other.verdict_),
        proxies_(std::move(other.proxies_)) {}
    pass& operator=(pass&&) = delete;
    ~pass() {
      give_back();
    }

    void give_back() {
      if (auto* by = std::exchange(by_, nullptr))
        by->leave(*this);
    }
    /// An IPv4 address, if the client has one.
    [[nodiscard]] const boost::asio::ip::address& address() const {
      return to_;
    }
    [[nodiscard]] verdict how() const {
      return verdict_;
    }
    /// It is a trusted proxy, whose clients are others.
    [[nodiscard]] bool is_proxy() const {
      return proxies_ != nullptr;
    }
    /// Those that were trusted when it connected; only if it is one of them.
    [[nodiscard]] const std::vector<network>& proxies() const {
      return *proxies_;
    }

  private:
    admission* by_;
    boost::asio::ip::address to_;
    verdict verdict_;
    networks proxies_;
  };

  explicit admission(const http_server_options& limits)
    : total_limit_(limits.max_connections),
      address_limit_(limits.max_connections_per_address),
      proxies_(
        std::make_shared<const std::vector<network>>(limits.trusted_proxies)),
      counters_(limits.counters) {}

  /// The pass must not outlive this object.
  [[nodiscard]] pass admit(const boost::asio::ip::address& peer);
  /// Whom to trust of those that connect from now on.
  void trust(std::vector<network> proxies);
  /// Waits until no pass is left; false: time ran out.
  bool wait_empty(std::chrono::milliseconds deadline);

private:
  void leave(const pass& of);

  std::size_t total_limit_;
  std::size_t address_limit_;
  pass::networks proxies_;                    ///< under the mutex
  std::shared_ptr<server_counters> counters_; ///< may be null
  std::mutex mutex_;
  std::condition_variable empty_;
  std::size_t admitted_ = 0;
  std::size_t refused_ = 0;
  std::unordered_map<std::string, std::size_t> by_party_;
};

} // namespace fanfare::protocol::server
