// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// What a connection does before it is open, seen by an owner that only takes
/// notes. http_client_test and its neighbours show the rest over sockets.

#include "protocol/client/client_connection.hpp"

#include "protocol/target/target.hpp"
#include "tests/protocol/client/client_test.hpp"

#include <gtest/gtest.h>

namespace fanfare::protocol {
namespace {

class ClientConnectionTest : public ::testing::Test, public connection_owner {
protected:
  ClientConnectionTest() {
    subject->request.to = target::parse("http://192.0.2.1/").value();
    subject->clock.start(30s, steady_clock::now());
    subject->to = new destination;
  }
  ~ClientConnectionTest() override {
    if (subject->on)
      subject->on->close();
    subject->on = nullptr;
    io.run();
  }

  std::optional<std::string> refusal(const exchange&,
                                     const asio::ip::address&) override {
    return refused;
  }
  tls_settings* tls(const exchange&, std::string&) override {
    return nullptr;
  }
  bool make_room() override {
    return false;
  }
  void connected() override {}
  void release(client_connection&) override {}
  void lost(client_connection&) override {}
  void try_next_address(exchange&, std::shared_ptr<proxied_way>) override {}
  bool has_elsewhere(const exchange&, const asio::ip::address&) override {
    return false;
  }
  void go_elsewhere(exchange&, const asio::ip::address&) override {}
  void repeat(exchange&) override {}
  void finish(exchange&) override {
    ++finished;
  }

  client_connection& make() {
    subject->on = new client_connection(*this, io, subject->to);
    return *subject->on;
  }

  std::shared_ptr<proxied_way> way(std::size_t next) {
    auto out = std::make_shared<proxied_way>();
    out->via = std::make_shared<const proxy>(
      proxy::parse("http://127.0.0.1:" + std::to_string(port())).value());
    out->proxies = {asio::ip::address_v4::loopback()};
    out->targets = {asio::ip::make_address("192.0.2.1"),
                    asio::ip::make_address("192.0.2.2")};
    out->next = next;
    return out;
  }

  std::uint16_t port() {
    return listener.local_endpoint().port();
  }

  asio::io_context io{1};
  tcp::acceptor listener{io, {asio::ip::address_v4::loopback(), 0}};
  boost::intrusive_ptr<exchange> subject{new exchange};
  std::optional<std::string> refused;
  int finished = 0;
};

TEST_F(ClientConnectionTest, GivesAllAddressesBehindAProxyOneConnectLimit) {
  subject->request.limits.connect = 1s;
  make().connect(*subject, way(0));
  EXPECT_EQ(subject->clock.waits_for, phase::connect);
  EXPECT_EQ(subject->clock.deadline, subject->clock.phase_started + 1s);
  subject->on->close();
  // The proxy could not reach the first one, half a second later.
  subject->clock.phase_started -= 500ms;
  subject->clock.deadline -= 500ms;
  const auto before = subject->clock.deadline;
  make().connect(*subject, way(1));
  EXPECT_EQ(subject->clock.deadline, before);
  EXPECT_TRUE(subject->on->in_proxy());
  EXPECT_EQ(finished, 0);
}

TEST_F(ClientConnectionTest, FinishesAtOnceIfNoAddressMayBeConnectedTo) {
  refused = "policy: 127.0.0.1 is a loopback address";
  make().connect(*subject, {asio::ip::address_v4::loopback()});
  EXPECT_EQ(finished, 1);
  EXPECT_EQ(subject->result.status, 0);
  EXPECT_EQ(subject->result.reason, *refused);
}

TEST_F(ClientConnectionTest, NamesTheProxyWhoseAddressIsRefused) {
  refused = "policy: 127.0.0.1 is a loopback address";
  make().connect(*subject, way(0));
  EXPECT_EQ(subject->result.reason,
            "policy: the proxy's address 127.0.0.1 is a loopback address");
}

TEST_F(ClientConnectionTest, SaysNothingMoreOnceItIsClosed) {
  make().connect(*subject, way(0));
  subject->on->close();
  io.run_for(5s);
  EXPECT_TRUE(io.stopped());
  EXPECT_EQ(finished, 0);
  EXPECT_EQ(subject->result.reason, "");
}

} // namespace
} // namespace fanfare::protocol
