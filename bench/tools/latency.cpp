// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Publishes at a fixed rate and receives what is delivered, in one process and
/// so by one clock, and prints how long that took as a line of JSON.
///
/// The load is an open loop: notification i is due at start + i / rate,
/// whatever became of those before it. All latencies count from there, so that
/// a server that stalls cannot hide it by delaying the publishes. One that is
/// due while all connections are busy waits for the next that is free; how many
/// did is `waited`. `late` is what this program itself added: how long after
/// its due time it got to a notification.
///
/// Webhooks that call the receivers must be there already, one for each, and
/// subscribed to pretix.event.order.placed. Ends with 1 unless every publish is
/// answered 202 and every notification comes to every receiver exactly once.

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <CLI/CLI.hpp>

#include <sys/resource.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using asio::ip::tcp;
using clock_type = std::chrono::steady_clock;
using boost::system::error_code;

struct options {
  std::uint16_t api = 0;
  std::vector<std::uint16_t> receivers;
  double rate = 1000;
  double warmup = 1;
  double seconds = 10;
  std::size_t connections = 64;
  std::string key;
};

constexpr std::chrono::seconds patience{10};
constexpr std::string_view number_key = R"("number": )"; // as a call writes it

tcp::endpoint loopback(std::uint16_t port) {
  return {asio::ip::address_v4::loopback(), port};
}

/// In milliseconds.
std::string percentiles(std::vector<clock_type::duration> of) {
  std::ranges::sort(of);
  std::string out;
  for (const auto& [name, share] :
       std::initializer_list<std::pair<const char*, double>>{{"p50", 0.5},
                                                             {"p90", 0.9},
                                                             {"p99", 0.99},
                                                             {"p99.9", 0.999},
                                                             {"max", 1}}) {
    const auto rank = std::ceil(share * static_cast<double>(of.size()));
    const std::chrono::duration<double, std::milli>
      value = of[static_cast<std::size_t>(rank) - 1];
    char text[64];
    std::snprintf(text, sizeof(text), R"(%s"%s": %.4f)",
                  out.empty() ? "" : ", ", name, value.count());
    out += text;
  }
  return "{" + out + "}";
}

/// Processor time of this process.
double used_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec)
         + static_cast<double>(t.tv_usec) / 1'000'000;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

class experiment {
public:
  explicit experiment(const options& chosen)
    : options_(chosen),
      warming_(static_cast<std::size_t>(chosen.rate * chosen.warmup)),
      count_(warming_ + static_cast<std::size_t>(chosen.rate * chosen.seconds)),
      // Other runs' notifications have other numbers.
      first_(static_cast<std::uint64_t>(
        clock_type::now().time_since_epoch().count())),
      request_head_("POST /api/v1/organizers/bench/notifications/ HTTP/1.1\r\n"
                    "Host: 127.0.0.1\r\nAuthorization: Token "
                    + chosen.key
                    + "\r\nContent-Type: application/json\r\n"
                      "Content-Length: "),
      late_(count_),
      published_(count_),
      received_(chosen.receivers.size()) {
    for (auto& one : received_)
      one.resize(count_);
  }

  void run() {
    for (std::size_t i = 0; i < received_.size(); ++i)
      spawn(accept({io_, loopback(options_.receivers[i])}, i));
    // Connecting is not what is measured.
    for (; idle_ < options_.connections; ++idle_) {
      tcp::socket socket{io_};
      socket.connect(loopback(options_.api));
      socket.set_option(tcp::no_delay{true});
      spawn(publish(std::move(socket)));
    }
    start_ = clock_type::now();
    spawn(keep_time());
    io_.run_until(due(count_) + patience);
    if (failure_)
      std::rethrow_exception(failure_);
    if (!complete())
      throw std::runtime_error{
        std::to_string(answered_) + " of " + std::to_string(count_)
        + " publishes were answered, and " + std::to_string(delivered_) + " of "
        + std::to_string(count_ * received_.size()) + " deliveries came"};
  }

  [[nodiscard]] std::string report() const {
    // Those of the warm-up come first in all of them.
    const auto counted = [this](const auto& of) {
      return std::vector(of.begin() + static_cast<std::ptrdiff_t>(warming_),
                         of.end());
    };
    std::vector<clock_type::duration> all;
    for (const auto& one : received_)
      std::ranges::copy(counted(one), std::back_inserter(all));
    return R"({"notifications": )" + std::to_string(count_ - warming_)
         + R"(, "all_deliveries": )" + std::to_string(delivered_)
         + R"(, "receive_ms": )" + percentiles(std::move(all))
         + R"(, "publish_ms": )" + percentiles(counted(published_))
         + R"(, "late_ms": )" + percentiles(counted(late_)) + R"(, "waited": )"
         + std::to_string(waited_) + R"(, "cpu_seconds": )"
         + std::to_string(used_seconds()) + "}";
  }

private:
  /// What fails ends everything.
  void spawn(asio::awaitable<void> what) {
    asio::co_spawn(io_, std::move(what), [this](const std::exception_ptr& why) {
      if (!why)
        return;
      if (!failure_)
        failure_ = why;
      io_.stop();
    });
  }

  [[nodiscard]] clock_type::time_point due(std::size_t index) const {
    return start_
         + std::chrono::duration_cast<clock_type::duration>(
             std::chrono::duration<double>(static_cast<double>(index)
                                           / options_.rate));
  }
  [[nodiscard]] bool complete() const {
    return answered_ == count_ && delivered_ == count_ * received_.size();
  }
  void finish_if_complete() {
    if (complete())
      io_.stop();
  }

  // -- the publishers ---------------------------------------------------------

  asio::awaitable<void> keep_time() {
    asio::steady_timer timer{io_};
    for (std::size_t i = 0; i < count_; ++i) {
      if (clock_type::now() < due(i)) {
        timer.expires_at(due(i));
        co_await timer.async_wait(asio::use_awaitable);
      }
      late_[i] = clock_type::now() - due(i);
      waiting_.push_back(i);
      if (idle_ < waiting_.size())
        ++waited_;
      someone_idle_.cancel_one();
    }
  }

  [[nodiscard]] std::string request_for(std::size_t index) const {
    const auto body = R"({"action": "pretix.event.order.placed", )"
                      R"("event": "democon", "code": "ABC23", )"
                    + std::string{number_key} + std::to_string(first_ + index)
                    + "}";
    return request_head_ + std::to_string(body.size()) + "\r\n\r\n" + body;
  }

  asio::awaitable<void> publish(tcp::socket socket) {
    boost::beast::flat_buffer buffer;
    for (;;) {
      while (waiting_.empty()) {
        error_code woken;
        co_await someone_idle_.async_wait(
          asio::redirect_error(asio::use_awaitable, woken));
      }
      const auto index = waiting_.front();
      waiting_.pop_front();
      --idle_;
      const auto request = request_for(index);
      co_await asio::async_write(socket, asio::buffer(request),
                                 asio::use_awaitable);
      http::response<http::string_body> answer;
      co_await http::async_read(socket, buffer, answer, asio::use_awaitable);
      published_[index] = clock_type::now() - due(index);
      if (answer.result() != http::status::accepted)
        throw std::runtime_error{"a publish was answered with "
                                 + std::to_string(answer.result_int()) + ": "
                                 + answer.body()};
      ++idle_;
      ++answered_;
      finish_if_complete();
    }
  }

  // -- the receivers ----------------------------------------------------------

  asio::awaitable<void> accept(tcp::acceptor acceptor, std::size_t receiver) {
    for (;;)
      spawn(
        serve(co_await acceptor.async_accept(asio::use_awaitable), receiver));
  }

  asio::awaitable<void> serve(tcp::socket socket, std::size_t receiver) {
    static constexpr std::string_view answer = "HTTP/1.1 200 OK\r\n"
                                               "Content-Length: 2\r\n\r\nok";
    socket.set_option(tcp::no_delay{true});
    boost::beast::flat_buffer buffer;
    for (;;) {
      http::request<http::string_body> request;
      error_code failed;
      co_await http::async_read(
        socket, buffer, request,
        asio::redirect_error(asio::use_awaitable, failed));
      const auto now = clock_type::now();
      if (failed == http::error::end_of_stream)
        co_return;
      if (failed)
        throw boost::system::system_error{failed, "a call"};
      note(request.body(), receiver, now);
      co_await asio::async_write(socket, asio::buffer(answer),
                                 asio::use_awaitable);
      // Only now: a call that is not answered would be made again.
      ++delivered_;
      finish_if_complete();
    }
  }

  void note(std::string_view body, std::size_t receiver,
            clock_type::time_point now) {
    const auto at = body.find(number_key);
    std::uint64_t number = 0;
    if (at != std::string_view::npos)
      std::from_chars(body.data() + at + number_key.size(),
                      body.data() + body.size(), number);
    const auto index = number - first_;
    if (number < first_ || index >= count_)
      throw std::runtime_error{"a call that nobody asked for: "
                               + std::string{body}};
    auto& took = received_[receiver][index];
    if (took != clock_type::duration{})
      throw std::runtime_error{"this came twice: " + std::string{body}};
    took = now - due(index);
  }

  const options options_;
  const std::size_t warming_;
  const std::size_t count_;
  const std::uint64_t first_;
  const std::string request_head_;
  asio::io_context io_{1};
  std::exception_ptr failure_;
  clock_type::time_point start_;

  std::deque<std::size_t> waiting_;
  std::size_t idle_ = 0;
  asio::steady_timer someone_idle_{io_, clock_type::time_point::max()};
  std::size_t answered_ = 0;
  std::size_t delivered_ = 0;
  std::size_t waited_ = 0;
  std::vector<clock_type::duration> late_;
  std::vector<clock_type::duration> published_;
  std::vector<std::vector<clock_type::duration>> received_;
};

} // namespace

int main(int argc, char** argv) {
  options chosen;
  CLI::App app{"Measures how long notifications take to their receivers"};
  app.add_option("--api", chosen.api, "Port of the server on 127.0.0.1")
    ->required();
  app
    .add_option("--receiver", chosen.receivers,
                "Port to receive on; may be repeated")
    ->required();
  app.add_option("--rate", chosen.rate, "Notifications per second")
    ->check(CLI::PositiveNumber)
    ->capture_default_str();
  app
    .add_option("--warmup", chosen.warmup,
                "Seconds before what is counted, at the same rate")
    ->check(CLI::NonNegativeNumber)
    ->capture_default_str();
  app.add_option("--seconds", chosen.seconds, "Seconds that are counted")
    ->check(CLI::PositiveNumber)
    ->capture_default_str();
  app.add_option("--connections", chosen.connections, "To publish on")
    ->check(CLI::PositiveNumber)
    ->capture_default_str();
  app.add_option("--key", chosen.key, "Key to publish with")
    ->envname("FANFARE_ADMIN_TOKEN")
    ->required();
  CLI11_PARSE(app, argc, argv);
  try {
    experiment it{chosen};
    it.run();
    std::puts(it.report().c_str());
  } catch (const std::exception& why) {
    std::fprintf(stderr, "latency: %s\n", why.what());
    return 1;
  }
}
