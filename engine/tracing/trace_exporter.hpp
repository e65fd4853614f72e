// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Sends spans to a collector, on a thread of its own: nothing that the
/// collector does, or does not do, keeps a delivery waiting. What it cannot
/// take in time is dropped and counted.

#include "engine/options.hpp"
#include "engine/tracing/export_pace.hpp"
#include "engine/tracing/span_queue.hpp"
#include "fanfare/log.hpp"
#include "protocol/client/http_client.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace fanfare {

class trace_exporter {
public:
  /// `options` have a collector, and must outlive it. Throws what threads and
  /// OpenSSL throw if the process's limits allow too little.
  explicit trace_exporter(const checked_options& options);
  /// stop(0 s), unless already stopped.
  ~trace_exporter();
  trace_exporter(const trace_exporter&) = delete;
  trace_exporter& operator=(const trace_exporter&) = delete;

  // -- any thread -------------------------------------------------------------

  /// An encoded span. Does not wait.
  void offer(std::string span);
  /// Sends what waits, for at most so long; the rest is lost. Spans that are
  /// offered later are not sent.
  void stop(std::chrono::milliseconds patience);
  [[nodiscard]] const span_counts& counts() const {
    return queue_.counts();
  }

private:
  using time_point = std::chrono::steady_clock::time_point;
  static time_point long_ago() {
    return std::chrono::steady_clock::now() - std::chrono::days{1};
  }

  // -- its own thread ---------------------------------------------------------

  void run() noexcept;
  void look();
  void wait(std::chrono::milliseconds time);
  void send_next();
  void send();
  void on_answered(protocol::exchange_result&& exchange);
  void on_taken(const protocol::exchange_result& exchange);
  void tell_of_failure(const protocol::exchange_result& exchange);
  /// Of the batch in the request.
  void give_up();
  void begin_stop(std::chrono::milliseconds patience);
  void end();

  /// What it does now.
  enum class activity : std::uint8_t {
    resting,    ///< nothing waits
    collecting, ///< waits for more spans
    sending,    ///< waits for the answer
    pausing,    ///< waits for the next attempt
    ended,
  };

  const checked_options& options_;
  const std::string resource_;
  span_queue queue_;
  boost::asio::io_context io_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type>
    work_;
  std::unique_ptr<protocol::http_client> wire_;
  boost::asio::steady_timer timer_;
  boost::asio::steady_timer deadline_; ///< of the stop
  export_pace pace_;
  activity doing_ = activity::resting;
  notification_ptr request_; ///< its body is the batch; null: there is none
  std::size_t in_request_ = 0;
  bool stopping_ = false;
  bool failing_ = false;          ///< the operator was told so
  std::uint64_t lost_before_ = 0; ///< when that began
  time_point told_ = long_ago();
  time_point warned_ = long_ago(); ///< of a partial success
  std::mutex joining_;
  std::thread thread_;
};

} // namespace fanfare
