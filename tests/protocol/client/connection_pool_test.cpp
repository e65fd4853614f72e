// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Which connections are kept, for whom, and for how long.

#include "protocol/client/connection_pool.hpp"

#include "tests/protocol/client/client_test.hpp"
#include "tests/support/http_sink.hpp"

#include <gtest/gtest.h>

#include <atomic>

namespace fanfare::protocol {
namespace {

using test::http_sink;
using test::request_record;
using test::response_plan;

class ConnectionPoolTest : public HttpClientTest {};

TEST_F(ConnectionPoolTest, KeepsConnections) {
  http_sink sink;
  for (int i = 0; i < 20; ++i)
    ASSERT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(sink.connections(), 1u);
  EXPECT_EQ(client().connects(), 1u);
  EXPECT_EQ(client().idle(), 1u);
  const auto again = call(sink.url());
  EXPECT_EQ(again.timings.connect, 0us);
  EXPECT_EQ(again.timings.dns, 0us);
}

TEST_F(ConnectionPoolTest, SharesConnectionsBetweenTargetsOfADestination) {
  http_sink sink;
  for (int i = 0; i < 10; ++i)
    ASSERT_EQ(call(sink.url("/" + std::to_string(i))).status, 200);
  EXPECT_EQ(sink.connections(), 1u);
  // Another spelling is another destination.
  EXPECT_EQ(call(sink.url("/", "localhost")).status, 200);
  EXPECT_EQ(sink.connections(), 2u);
}

TEST_F(ConnectionPoolTest, RunsManyExchangesOverFewConnections) {
  http_sink sink;
  const auto to = target::parse(sink.url()).value();
  std::size_t started = 0;
  std::size_t succeeded = 0;
  std::size_t ended = 0;
  std::function<void()> next = [&] {
    if (started == 5'000)
      return;
    ++started;
    client().send({to, body_of("{}"), {}}, [&](exchange_result&& result) {
      ++ended;
      succeeded += result.status == 200;
      next();
    });
  };
  for (int i = 0; i < 32; ++i)
    next();
  EXPECT_EQ(client().active(), 32u);
  ASSERT_TRUE(run_until([&] { return ended == 5'000; }));
  EXPECT_EQ(succeeded, 5'000u);
  EXPECT_EQ(sink.size(), 5'000u);
  EXPECT_LE(sink.connections(), 32u);
  EXPECT_EQ(client().active(), 0u);
}

TEST_F(ConnectionPoolTest, HonoursConnectionClose) {
  http_sink sink{[](const request_record&) {
    response_plan plan;
    plan.after = response_plan::ending::close;
    return plan;
  }};
  EXPECT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(sink.connections(), 2u);
  EXPECT_EQ(client().idle(), 0u);
}

TEST_F(ConnectionPoolTest, DoesNotKeepHttp10Connections) {
  http_sink sink{[](const request_record&) {
    response_plan plan;
    plan.raw = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok";
    return plan;
  }};
  EXPECT_EQ(call(sink.url()).response_body, "ok");
  EXPECT_EQ(client().idle(), 0u);
}

TEST_F(ConnectionPoolTest, NoticesWhenTheReceiverClosesAnIdleConnection) {
  http_sink sink;
  EXPECT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(client().idle(), 1u);
  sink.stop();
  EXPECT_TRUE(run_until([&] { return client().idle() == 0; }));
}

TEST_F(ConnectionPoolTest, ClosesConnectionsThatWaitedTooLong) {
  options.idle_timeout = 50ms;
  http_sink sink;
  EXPECT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(client().idle(), 1u);
  EXPECT_TRUE(run_until([&] { return client().idle() == 0; }));
  EXPECT_TRUE(run_until([&] { return sink.open_connections() == 0; }));
}

TEST_F(ConnectionPoolTest, KeepsNoMoreIdleConnectionsThanToldTo) {
  options.max_idle_per_destination = 2;
  options.max_idle = 3;
  http_sink first;
  http_sink second;
  std::size_t ended = 0;
  for (const auto* sink : {&first, &second})
    for (int i = 0; i < 5; ++i)
      client().send({target::parse(sink->url()).value(), body_of("{}"), {}},
                    [&](exchange_result&& result) {
                      EXPECT_EQ(result.status, 200);
                      ++ended;
                    });
  ASSERT_TRUE(run_until([&] { return ended == 10; }));
  EXPECT_EQ(client().connects(), 10u);
  EXPECT_EQ(client().idle(), 3u);
}

TEST_F(ConnectionPoolTest, DropsAConnectionWithSurplusBytes) {
  http_sink sink{[](const request_record&) {
    response_plan plan;
    plan.raw = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP/1.1 500 "
               "smuggled\r\nContent-Length: 0\r\n\r\n";
    return plan;
  }};
  for (std::size_t i = 1; i < 4; ++i) {
    const auto result = call(sink.url());
    EXPECT_EQ(result.status, 200);
    EXPECT_EQ(result.response_body, "ok");
    EXPECT_EQ(sink.connections(), i);
  }
  EXPECT_EQ(client().idle(), 0u);
}

TEST_F(ConnectionPoolTest, KeepsTheConnectionOfASlowReceiver) {
  http_sink sink{
    [](const request_record&) { return response_plan::late(250ms); }};
  for (int i = 0; i < 3; ++i)
    ASSERT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(sink.connections(), 1u);
}

TEST_F(ConnectionPoolTest, GivesWayToItsOwnCallAtAReceiverWithOneWorker) {
  // Serves a connection until its end, and only then the next one.
  const raw_receiver::script worker = [](tcp::socket& socket) {
    while (!raw_receiver::read_head(socket).empty())
      raw_receiver::say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  };
  raw_receiver receiver{{worker, worker, worker}};
  std::size_t succeeded = 0;
  for (int i = 0; i < 3; ++i)
    client().send(
      {target::parse(receiver.url()).value(), body_of(""), {}},
      [&](exchange_result&& result) { succeeded += result.status == 200; });
  EXPECT_TRUE(run_until([&] { return succeeded == 3; }));
  EXPECT_EQ(client().connects(), 3u);
  EXPECT_EQ(client().idle(), 1u); // nobody waits any more
  client_ = nullptr;
}

TEST_F(ConnectionPoolTest, FollowsANameToItsNewAddress) {
  auto names = std::make_shared<scripted_resolver::state>();
  options.names = std::make_unique<scripted_resolver>(names);
  const auto slowly = [](const request_record&) {
    return response_plan::late(20ms);
  };
  http_sink before{slowly};
  test::sink_options same_port;
  same_port.address = "127.0.0.2";
  same_port.port = before.port();
  http_sink after{slowly, same_port};
  const auto url = before.url("/", "moving.example");
  names->at_once = {{asio::ip::make_address("127.0.0.1")}, ""};
  EXPECT_EQ(call(url).status, 200);
  names->at_once = {{asio::ip::make_address("127.0.0.2")}, ""};
  EXPECT_EQ(call(url).status, 200);
  EXPECT_EQ(before.size(), 2u); // nobody has asked for the name
  // Of two at a time one needs a further connection, which asks.
  std::size_t succeeded = 0;
  for (int i = 0; i < 2; ++i)
    client().send(
      {target::parse(url).value(), body_of(""), {}},
      [&](exchange_result&& result) { succeeded += result.status == 200; });
  ASSERT_TRUE(run_until([&] { return succeeded == 2; }));
  EXPECT_EQ(before.size(), 3u);
  EXPECT_EQ(after.size(), 1u);
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(call(url).status, 200);
  EXPECT_EQ(before.size(), 3u);
  EXPECT_EQ(after.size(), 4u);
}

/// A name that is to be looked up again for each call.
class FleetingNameTest : public HttpClientTest {
protected:
  FleetingNameTest() {
    options.names = std::make_unique<scripted_resolver>(names);
    test::sink_options same_port;
    same_port.address = "127.0.0.2";
    same_port.port = before.port();
    after.emplace(http_sink::handler{}, same_port);
    leads_to("127.0.0.1");
  }

  void leads_to(const char* address) {
    names->at_once = {{asio::ip::make_address(address)},
                      "",
                      answered_by::server,
                      steady_clock::now()};
  }
  exchange_result call_it(exchange_limits limits = {}) {
    return call(before.url("/", "moving.example"), "", limits);
  }

  std::shared_ptr<scripted_resolver::state>
    names = std::make_shared<scripted_resolver::state>();
  http_sink before;
  std::optional<http_sink> after;
};

TEST_F(FleetingNameTest, IsFollowedWhenItsTimeIsOver) {
  EXPECT_EQ(call_it().status, 200);
  EXPECT_EQ(call_it().status, 200);
  EXPECT_EQ(names->asked.size(), 2u);
  EXPECT_EQ(client().connects(), 1u) << "it leads to the same place";
  leads_to("127.0.0.2");
  EXPECT_EQ(call_it().status, 200);
  EXPECT_EQ(after->size(), 1u);
  EXPECT_EQ(client().idle(), 1u) << "the other connection is of no use";
}

TEST_F(FleetingNameTest, IsNotAskedForBeforeItsTimeIsOver) {
  names->at_once->until = steady_clock::now() + 1h;
  EXPECT_EQ(call_it().status, 200);
  names->at_once = std::nullopt;
  EXPECT_EQ(call_it().status, 200);
  EXPECT_EQ(names->asked.size(), 1u);
}

TEST_F(FleetingNameTest, LeadsWhereItDidWhileNobodyKnowsBetter) {
  for (const auto source : {answered_by::nobody, answered_by::unable}) {
    const std::string host = source == answered_by::nobody ? "a" : "b";
    const auto url = before.url("/", host + ".example");
    leads_to("127.0.0.1");
    EXPECT_EQ(call(url).status, 200);
    const auto connects = client().connects();
    names->at_once = {{}, "dns: temporary failure", source};
    const auto asked = names->asked.size();
    EXPECT_EQ(call(url).status, 200);
    EXPECT_EQ(call(url).status, 200);
    EXPECT_EQ(names->asked.size(), asked + 1) << "not for each call";
    EXPECT_EQ(client().connects(), connects);
  }
}

TEST_F(FleetingNameTest, LeadsNowhereOnceItIsGone) {
  EXPECT_EQ(call_it().status, 200);
  names->at_once = {{}, "dns: name not found: moving.example"};
  EXPECT_EQ(call_it().reason, "dns: name not found: moving.example");
  EXPECT_EQ(client().idle(), 0u);
}

TEST_F(FleetingNameTest, HoldsUpOneCallAtMostWhileItIsLookedUp) {
  EXPECT_EQ(call_it().status, 200);
  names->at_once = std::nullopt;
  std::optional<exchange_result> waits;
  client().send({target::parse(before.url("/", "moving.example")).value(),
                 body_of(""),
                 {.dns = 300ms}},
                [&](exchange_result&& result) { waits = std::move(result); });
  EXPECT_EQ(call_it().status, 200);
  EXPECT_EQ(names->asked.size(), 2u);
  EXPECT_FALSE(waits);
  ASSERT_TRUE(run_until([&] { return waits.has_value(); }));
  EXPECT_EQ(waits->status, 200) << waits->reason;
  EXPECT_EQ(names->cancelled.size(), 1u);
  EXPECT_EQ(client().connects(), 1u);
}

TEST_F(FleetingNameTest, HoldsUpNoCallForLongWhereItWaitsForItsTurn) {
  EXPECT_EQ(call_it().status, 200);
  names->at_once = std::nullopt;
  names->queued = true;
  const auto start = steady_clock::now();
  EXPECT_EQ(call_it({.total = 3s}).status, 200);
  const auto took = steady_clock::now() - start;
  EXPECT_GE(took, 250ms);
  EXPECT_LT(took, 2s);
  const auto asked = names->asked.size();
  // Nor does another one wait a second later.
  io.restart();
  io.run_for(1'200ms);
  EXPECT_EQ(call_it().status, 200);
  EXPECT_EQ(names->asked.size(), asked);
  EXPECT_EQ(client().connects(), 1u);
  // Its turn came.
  names->waiting.back()({{asio::ip::make_address("127.0.0.2")},
                         "",
                         answered_by::server,
                         steady_clock::now() + 1h});
  EXPECT_EQ(client().idle(), 0u);
  leads_to("127.0.0.2");
  EXPECT_EQ(call_it().status, 200);
  EXPECT_EQ(after->size(), 1u);
}

TEST_F(FleetingNameTest, IsAskedForOnceMoreHoweverManyGoOnWithoutIt) {
  names->at_once = std::nullopt;
  std::size_t succeeded = 0;
  for (int i = 0; i < 4; ++i)
    client().send(
      {target::parse(before.url("/", "moving.example")).value(),
       body_of(""),
       {}},
      [&](exchange_result&& result) { succeeded += result.status == 200; });
  ASSERT_TRUE(run_until([&] { return names->asked.size() == 4; }));
  // One has its answer, and the others its connection.
  leads_to("127.0.0.1");
  names->waiting.front()(*std::exchange(names->at_once, std::nullopt));
  ASSERT_TRUE(run_until([&] { return succeeded == 4; }));
  EXPECT_EQ(names->asked.size(), 5u);
  EXPECT_EQ(client().connects(), 1u);
}

TEST_F(FleetingNameTest, IsWaitedForWhileNothingIsKept) {
  names->at_once = std::nullopt;
  names->queued = true;
  std::optional<exchange_result> waits;
  client().send({target::parse(before.url("/", "moving.example")).value(),
                 body_of(""),
                 {.dns = 50ms}},
                [&](exchange_result&& result) { waits = std::move(result); });
  EXPECT_FALSE(run_until([&] { return waits.has_value(); }, 600ms));
  leads_to("127.0.0.1");
  names->waiting.back()(*names->at_once);
  ASSERT_TRUE(run_until([&] { return waits.has_value(); }));
  EXPECT_EQ(waits->status, 200) << waits->reason;
  EXPECT_EQ(names->asked.size(), 1u);
}

// -- by times that the test gives ---------------------------------------------

/// Connections of a pool whose clock is the test's.
class PooledConnectionTest : public ::testing::Test, public connection_owner {
protected:
  PooledConnectionTest() {
    to->addresses = {asio::ip::address_v4::loopback()};
  }
  ~PooledConnectionTest() override {
    for (const auto& each : made)
      each->on->close();
    pool.clear();
    io.restart();
    io.run();
    for (const auto& each : made)
      each->on = nullptr;
  }

  std::optional<std::string> refusal(const exchange&,
                                     const asio::ip::address&) override {
    return {};
  }
  tls_settings* tls(const exchange&, std::string&) override {
    return nullptr;
  }
  bool make_room() override {
    return false;
  }
  void connected() override {}
  void release(client_connection& connection) override {
    pool.release(connection, now.value_or(steady_clock::now()));
  }
  void lost(client_connection& connection) override {
    pool.drop(connection);
  }
  void try_next_address(exchange&, std::shared_ptr<proxied_way>) override {}
  bool has_elsewhere(const exchange&, const asio::ip::address&) override {
    return false;
  }
  void go_elsewhere(exchange&, const asio::ip::address&) override {}
  void repeat(exchange&) override {}
  void finish(exchange& subject) override {
    subject.over = true;
  }

  static void serve(tcp::socket& socket) {
    raw_receiver::read_head(socket);
    raw_receiver::say(socket, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    raw_receiver::drain(socket);
  }

  static resolution at(const std::vector<const char*>& addresses) {
    resolution out;
    for (const auto* each : addresses)
      out.addresses.push_back(asio::ip::make_address(each));
    return out;
  }

  /// One that has begun its exchange and waits for its answer.
  client_connection& connect(const std::string& url) {
    boost::intrusive_ptr<exchange> subject{new exchange};
    made.push_back(subject);
    subject->request.to = target::parse(url).value();
    subject->request.what = std::make_shared<const notification>();
    subject->clock.start(30s, steady_clock::now());
    subject->on = new client_connection(*this, io, to);
    subject->on->connect(*subject, {asio::ip::address_v4::loopback()});
    run_until(
      [&] { return subject->on->opened() != steady_clock::time_point{}; });
    return *subject->on;
  }
  /// One whose exchange is over. Those before it must be closed.
  client_connection& used() {
    auto& out = connect(receiver.url());
    run_until([&] { return made.back()->over; });
    return out;
  }

  template <class Predicate>
  void run_until(Predicate reached) {
    const auto end = steady_clock::now() + 20s;
    io.restart();
    while (!reached() && steady_clock::now() < end)
      io.run_one_for(50ms);
    ASSERT_TRUE(reached());
  }

  // Outlives the connections that it serves.
  raw_receiver receiver{{serve, serve, serve, serve}};
  asio::io_context io{1};
  connection_pool pool{
    {.idle_per_destination = 8, .idle = 8, .idle_time = 45s, .age = 60s}};
  boost::intrusive_ptr<destination> to{new destination};
  std::vector<boost::intrusive_ptr<exchange>> made;
  std::optional<steady_clock::time_point> now; ///< of a release
};

TEST_F(PooledConnectionTest, IsUsedAgainUntilItIsTooOld) {
  auto& young = used();
  EXPECT_EQ(pool.take(*to, young.opened() + 60s - 1ns).get(), &young);
  young.close();
  auto& old = used();
  EXPECT_EQ(pool.idle(), 1u);
  EXPECT_FALSE(pool.take(*to, old.opened() + 60s));
  EXPECT_EQ(pool.idle(), 0u);
}

TEST_F(PooledConnectionTest, IsNotKeptWhenItIsTooOld) {
  now = steady_clock::now() + 59s;
  auto& young = used();
  EXPECT_EQ(pool.idle(), 1u);
  pool.drop(young);
  now = steady_clock::now() + 61s;
  used();
  EXPECT_EQ(pool.idle(), 0u);
}

TEST_F(PooledConnectionTest, StaysAsLongAsItsAddressIsOneOfTheName) {
  used();
  pool.found(*to, at({"127.0.0.9", "127.0.0.1"}));
  EXPECT_EQ(pool.idle(), 1u);
  pool.found(*to, at({"127.0.0.9"}));
  EXPECT_EQ(pool.idle(), 0u);
  // Nor is one kept whose name has moved meanwhile.
  used();
  EXPECT_EQ(pool.idle(), 0u);
}

TEST_F(PooledConnectionTest, StaysWhileItsFamilyIsNotToldOf) {
  auto six = at({"2001:db8::1"});
  six.is_partial = true;
  used();
  // Again and again.
  for (int i = 0; i < 3; ++i) {
    pool.found(*to, six);
    EXPECT_EQ(pool.idle(), 1u);
    EXPECT_EQ(to->untold.size(), 1u);
    EXPECT_EQ(to->addresses.size(), 1u) << "no place to begin an attempt";
  }
  six.is_partial = false; // there is none
  pool.found(*to, six);
  EXPECT_EQ(pool.idle(), 0u);
  used();
  EXPECT_EQ(pool.idle(), 0u);
  // A partial answer about its own family says all there is.
  pool.found(*to, at({"127.0.0.1"}));
  used();
  EXPECT_EQ(pool.idle(), 1u);
  auto four = at({"127.0.0.9"});
  four.is_partial = true;
  pool.found(*to, four);
  EXPECT_EQ(pool.idle(), 0u);
}

TEST_F(PooledConnectionTest, IsNotKeptWhileItsNameDoesNotExist) {
  used();
  EXPECT_EQ(pool.idle(), 1u);
  pool.gone(*to);
  EXPECT_EQ(pool.idle(), 0u);
  used();
  EXPECT_EQ(pool.idle(), 0u) << "it was busy meanwhile";
  pool.found(*to, at({"127.0.0.1"}));
  used();
  EXPECT_EQ(pool.idle(), 1u);
}

TEST_F(PooledConnectionTest, IsLeftWaitingForLongerThanAnAnswerUsuallyTakes) {
  asio::io_context other;
  const tcp::acceptor silent{other, {asio::ip::address_v4::loopback(), 0}};
  const auto& fresh = connect("http://127.0.0.1:"
                              + std::to_string(silent.local_endpoint().port()));
  EXPECT_FALSE(fresh.is_left_waiting(fresh.opened() + 200ms - 1ns));
  EXPECT_TRUE(fresh.is_left_waiting(fresh.opened() + 200ms));
  to->usual = 1s;
  EXPECT_FALSE(fresh.is_left_waiting(fresh.opened() + 2s - 1ns));
  EXPECT_TRUE(fresh.is_left_waiting(fresh.opened() + 2s));
  // A receiver that has taken a later one is only slow.
  EXPECT_EQ(to->untaken, 1u);
  to->taken_upto = fresh.opened();
  EXPECT_FALSE(fresh.is_left_waiting(fresh.opened() + 2s));
}

TEST_F(PooledConnectionTest, IsTakenOnceItIsAnswered) {
  const auto& served = used();
  EXPECT_EQ(to->untaken, 0u);
  EXPECT_EQ(to->taken_upto, served.opened());
  EXPECT_FALSE(served.is_left_waiting(served.opened() + 1h));
}

TEST_F(ConnectionPoolTest, ClosesNothingBecauseOfOneSlowAnswer) {
  std::atomic<bool> slow{true};
  test::sink_options many;
  many.threads = 4;
  http_sink sink{[&](const request_record&) {
                   return slow.exchange(false) ? response_plan::late(900ms)
                                               : response_plan{};
                 },
                 many};
  // One call hangs on a fresh connection, others come one after the other.
  bool ended = false;
  client().send({target::parse(sink.url()).value(), body_of(""), {}},
                [&](exchange_result&& result) {
                  EXPECT_EQ(result.status, 200);
                  ended = true;
                });
  ASSERT_TRUE(run_until([&] { return sink.size() == 1; }));
  while (!ended)
    ASSERT_EQ(call(sink.url()).status, 200);
  EXPECT_EQ(sink.connections(), 2u);
}

TEST_F(PooledConnectionTest, GoesWhereOthersAreLeftWaitingAndIsNotKept) {
  asio::io_context other;
  const tcp::acceptor silent{other, {asio::ip::address_v4::loopback(), 0}};
  used();
  EXPECT_EQ(pool.idle(), 1u);
  auto& waiting = connect("http://127.0.0.1:"
                          + std::to_string(silent.local_endpoint().port()));
  now = steady_clock::now();
  pool.crowded(*to, *now);
  EXPECT_EQ(pool.idle(), 0u);
  used();
  EXPECT_EQ(pool.idle(), 0u);
  // Nobody has said so for a while.
  *now += 100ms;
  used();
  EXPECT_EQ(pool.idle(), 1u);
  // Or nobody waits any more.
  pool.crowded(*to, *now);
  waiting.close();
  used();
  EXPECT_EQ(pool.idle(), 1u);
}

TEST(DestinationTest, KnowsHowLongItsAnswersUsuallyTake) {
  destination to;
  to.note_answer_after(800ms);
  EXPECT_EQ(to.usual, 800ms);
  to.note_answer_after(1'600ms);
  EXPECT_EQ(to.usual, 900ms);
  to.note_answer_after(100ms);
  EXPECT_EQ(to.usual, 800ms);
}

} // namespace
} // namespace fanfare::protocol
