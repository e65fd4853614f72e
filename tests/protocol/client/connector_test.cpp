// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/connector.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <set>

namespace fanfare::protocol {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::steady_clock;
using namespace std::chrono_literals;
using ::testing::ElementsAre;

constexpr auto patience = 20s;

std::vector<asio::ip::address>
addresses(std::initializer_list<const char*> all) {
  std::vector<asio::ip::address> out;
  for (const auto* each : all)
    out.push_back(asio::ip::make_address(each));
  return out;
}

/// Drops what would connect to it: it listens, but its queue is full.
class black_hole {
public:
  black_hole(const char* address, std::uint16_t port) {
    const tcp::endpoint there{asio::ip::make_address(address), port};
    listener_ = ::socket(there.protocol().family(), SOCK_STREAM | SOCK_CLOEXEC,
                         0);
    const int on = 1;
    ::setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (::bind(listener_, there.data(), static_cast<socklen_t>(there.size()))
          != 0
        || ::listen(listener_, 0) != 0)
      return;
    for (int i = 0; i < 16 && !works_; ++i) {
      const int filler = ::socket(there.protocol().family(),
                                  SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
                                  0);
      fillers_.push_back(filler);
      if (::connect(filler, there.data(), static_cast<socklen_t>(there.size()))
          == 0)
        continue;
      pollfd waits{filler, POLLOUT, 0};
      works_ = ::poll(&waits, 1, 300) == 0;
    }
  }
  black_hole(const black_hole&) = delete;
  black_hole& operator=(const black_hole&) = delete;
  ~black_hole() {
    for (const int each : fillers_)
      ::close(each);
    ::close(listener_);
  }

  [[nodiscard]] bool works() const {
    return works_;
  }

private:
  int listener_ = -1;
  std::vector<int> fillers_;
  bool works_ = false;
};

class ConnectorTest : public ::testing::Test, public connector_owner {
public:
  ~ConnectorTest() override {
    if (subject)
      subject->close();
  }

protected:
  ConnectorTest()
    : listener(io, tcp::endpoint{asio::ip::make_address("127.0.0.1"), 0}),
      port(listener.local_endpoint().port()) {}

  // -- connector_owner --------------------------------------------------------

  std::optional<std::string>
  refusal(const asio::ip::address& address) override {
    const auto text = address.to_string();
    asked.push_back(text);
    asked_at.push_back(steady_clock::now());
    if (forbidden.contains(text))
      return "policy: not " + text;
    return {};
  }

  void on_useless(const asio::ip::address& address) override {
    useless.push_back(address.to_string());
  }

  void on_overtaken(const asio::ip::address& address) override {
    overtaken.push_back(address.to_string());
  }

  bool make_room() override {
    ++rooms;
    return room && room();
  }

  void on_connected(client_socket socket) override {
    EXPECT_FALSE(over()) << "reported twice";
    connected.emplace(std::move(socket));
    subject = nullptr;
  }

  void on_not_connected(std::string reason, fault whose) override {
    EXPECT_FALSE(over()) << "reported twice";
    failure = std::move(reason);
    at_fault = whose;
    subject = nullptr;
  }

  // -- tools ------------------------------------------------------------------

  [[nodiscard]] bool over() const {
    return connected || failure;
  }

  void start(std::vector<asio::ip::address> to) {
    started = steady_clock::now();
    subject = new connector(*this, io);
    const auto alive = subject;
    alive->start(std::move(to), port);
  }

  bool run_until_over() {
    const auto end = steady_clock::now() + patience;
    while (!over() && steady_clock::now() < end) {
      io.restart();
      io.run_one_for(50ms);
    }
    return over();
  }

  void run(std::vector<asio::ip::address> to) {
    start(std::move(to));
    ASSERT_TRUE(run_until_over());
  }

  /// Nothing is left for the context to do.
  bool is_quiet() {
    io.restart();
    io.run_for(milliseconds{patience});
    return io.stopped();
  }

  [[nodiscard]] std::string peer() const {
    return connected ? connected->remote_endpoint().address().to_string()
                     : "none: " + failure.value_or("");
  }

  [[nodiscard]] auto took() const {
    return steady_clock::now() - started;
  }

  asio::io_context io{1};
  tcp::acceptor listener;
  std::uint16_t port;
  boost::intrusive_ptr<connector> subject;
  std::set<std::string> forbidden;
  std::function<bool()> room;
  int rooms = 0;
  std::vector<std::string> asked;
  std::vector<std::string> useless;
  std::vector<std::string> overtaken;
  std::vector<steady_clock::time_point> asked_at;
  std::optional<client_socket> connected;
  std::optional<std::string> failure;
  fault at_fault = fault::receiver;
  steady_clock::time_point started;
};

TEST(InterleaveFamiliesTest, TakesTurnsIpv6First) {
  struct row {
    std::vector<asio::ip::address> before;
    std::vector<asio::ip::address> after;
  };
  const row table[] = {
    {{}, {}},
    {addresses({"1.1.1.1"}), addresses({"1.1.1.1"})},
    {addresses({"2.2.2.2", "1.1.1.1"}), addresses({"2.2.2.2", "1.1.1.1"})},
    {addresses({"::2", "::1"}), addresses({"::2", "::1"})},
    {addresses({"1.1.1.1", "::1"}), addresses({"::1", "1.1.1.1"})},
    {addresses({"::1", "::2", "::3", "1.1.1.1"}),
     addresses({"::1", "1.1.1.1", "::2", "::3"})},
    {addresses({"1.1.1.1", "1.1.1.2", "1.1.1.3", "::1", "::2"}),
     addresses({"::1", "1.1.1.1", "::2", "1.1.1.2", "1.1.1.3"})},
  };
  for (const auto& row : table) {
    auto all = row.before;
    interleave_families(all);
    EXPECT_EQ(all, row.after);
  }
}

TEST(InterleaveFamiliesTest, BeginsWhereItIsTold) {
  const auto all = addresses({"1.1.1.1", "1.1.1.2", "::1"});
  const std::vector<asio::ip::address> table[] = {
    addresses({"::1", "1.1.1.1", "1.1.1.2"}),
    addresses({"1.1.1.1", "1.1.1.2", "::1"}),
    addresses({"1.1.1.2", "::1", "1.1.1.1"}),
    addresses({"::1", "1.1.1.1", "1.1.1.2"}),
  };
  for (std::size_t first = 0; first < std::size(table); ++first) {
    auto turned = all;
    interleave_families(turned, first);
    EXPECT_EQ(turned, table[first]) << first;
  }
}

TEST_F(ConnectorTest, ConnectsToAnOnlyAddress) {
  run(addresses({"127.0.0.1"}));
  EXPECT_EQ(peer(), "127.0.0.1");
  EXPECT_THAT(asked, ElementsAre("127.0.0.1"));
  tcp::no_delay option;
  connected->get_option(option);
  EXPECT_TRUE(option.value());
  EXPECT_TRUE(is_quiet());
}

TEST_F(ConnectorTest, GoesOnAtOnceWhenAnAttemptFails) {
  run(addresses({"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.5",
                 "127.0.0.6", "127.0.0.7", "127.0.0.8", "127.0.0.1"}));
  EXPECT_EQ(peer(), "127.0.0.1");
  EXPECT_EQ(asked.size(), 8u);
  // Less than the delays of seven attempts that hang.
  EXPECT_LT(took(), 7 * connector::attempt_delay);
  EXPECT_TRUE(is_quiet());
}

TEST_F(ConnectorTest, TakesTheNextFamilyWhenOneHasNoRoute) {
  // Refused, or no route at all: both come at once.
  run(addresses({"127.0.0.1", "::1"}));
  EXPECT_EQ(peer(), "127.0.0.1");
  EXPECT_THAT(asked, ElementsAre("::1", "127.0.0.1"));
}

TEST_F(ConnectorTest, StartsTheNextAttemptAfterADelay) {
  const black_hole hole{"127.0.0.2", port};
  if (!hole.works())
    GTEST_SKIP() << "this system takes more connections than its queue holds";
  run(addresses({"127.0.0.2", "127.0.0.1"}));
  EXPECT_EQ(peer(), "127.0.0.1");
  ASSERT_EQ(asked_at.size(), 2u);
  EXPECT_GE(asked_at[1] - started, connector::attempt_delay);
  EXPECT_LT(took(), connector::attempt_delay + 700ms);
  EXPECT_THAT(overtaken, ElementsAre("127.0.0.2"));
  // The other one was closed.
  EXPECT_TRUE(is_quiet());
}

TEST_F(ConnectorTest, RacesAttemptsThatHang) {
  const black_hole first{"127.0.0.2", port};
  const black_hole second{"127.0.0.3", port};
  if (!first.works() || !second.works())
    GTEST_SKIP() << "this system takes more connections than its queue holds";
  run(addresses({"127.0.0.2", "127.0.0.3", "127.0.0.4", "127.0.0.1"}));
  EXPECT_EQ(peer(), "127.0.0.1");
  ASSERT_EQ(asked_at.size(), 4u);
  EXPECT_GE(asked_at[1] - asked_at[0], connector::attempt_delay);
  EXPECT_GE(asked_at[2] - asked_at[1], connector::attempt_delay);
  EXPECT_LT(asked_at[3] - asked_at[2], connector::attempt_delay); // refused
  EXPECT_TRUE(is_quiet());
}

TEST_F(ConnectorTest, AnEarlierAttemptMayStillWin) {
  auto hole = std::make_unique<black_hole>("127.0.0.2", port);
  const black_hole second{"127.0.0.3", port};
  if (!hole->works() || !second.works())
    GTEST_SKIP() << "this system takes more connections than its queue holds";
  start(addresses({"127.0.0.2", "127.0.0.3"}));
  const auto end = steady_clock::now() + patience;
  while (asked.size() < 2 && steady_clock::now() < end) {
    io.restart();
    io.run_one_for(50ms);
  }
  ASSERT_EQ(asked.size(), 2u);
  // Its queue is emptied: the SYN that the system sends again gets through.
  hole = nullptr;
  tcp::acceptor open{io};
  open.open(tcp::v4());
  open.set_option(tcp::acceptor::reuse_address{true});
  open.bind({asio::ip::make_address("127.0.0.2"), port});
  open.listen();
  ASSERT_TRUE(run_until_over());
  EXPECT_EQ(peer(), "127.0.0.2");
}

TEST_F(ConnectorTest, AsksThePolicyAboutEachAddress) {
  forbidden = {"127.0.0.2", "::1"};
  run(addresses({"127.0.0.2", "127.0.0.1", "127.0.0.3", "::1"}));
  EXPECT_EQ(peer(), "127.0.0.1");
  // Not about those that were not needed.
  EXPECT_THAT(asked, ElementsAre("::1", "127.0.0.2", "127.0.0.1"));
  EXPECT_TRUE(is_quiet());
}

TEST_F(ConnectorTest, AsksThePolicyRightBeforeItConnects) {
  const black_hole hole{"127.0.0.2", port};
  if (!hole.works())
    GTEST_SKIP() << "this system takes more connections than its queue holds";
  start(addresses({"127.0.0.2", "127.0.0.1"}));
  forbidden = {"127.0.0.1"}; // meanwhile
  io.run_for(connector::attempt_delay + 200ms);
  EXPECT_FALSE(over());
  EXPECT_THAT(asked, ElementsAre("127.0.0.2", "127.0.0.1"));
}

TEST_F(ConnectorTest, SaysWhichAddressesAreOfNoUse) {
  forbidden = {"127.0.0.2"};
  run(addresses({"127.0.0.2", "127.0.0.3", "127.0.0.1", "127.0.0.4"}));
  EXPECT_EQ(peer(), "127.0.0.1");
  EXPECT_THAT(useless, ElementsAre("127.0.0.2", "127.0.0.3"));
}

TEST_F(ConnectorTest, ReportsThePolicyIfItRefusesAll) {
  forbidden = {"127.0.0.1", "127.0.0.2"};
  start(addresses({"127.0.0.2", "127.0.0.1"}));
  EXPECT_EQ(failure, "policy: not 127.0.0.2");
  EXPECT_TRUE(is_quiet());
}

TEST_F(ConnectorTest, PrefersToReportAFailureToConnect) {
  forbidden = {"127.0.0.2", "127.0.0.4"};
  run(addresses({"127.0.0.2", "127.0.0.3", "127.0.0.4"}));
  EXPECT_EQ(failure, "connect: connection refused (127.0.0.3:"
                       + std::to_string(port) + ")");
}

TEST_F(ConnectorTest, ReportsTheLastFailure) {
  run(addresses({"127.0.0.2", "127.0.0.3"}));
  EXPECT_EQ(failure, "connect: connection refused (127.0.0.3:"
                       + std::to_string(port) + ")");
  EXPECT_TRUE(is_quiet());
}

TEST_F(ConnectorTest, WaitsForAttemptsThatAreStillInProgress) {
  const black_hole hole{"127.0.0.2", port};
  if (!hole.works())
    GTEST_SKIP() << "this system takes more connections than its queue holds";
  start(addresses({"127.0.0.2", "127.0.0.3"}));
  io.run_for(connector::attempt_delay + 200ms);
  EXPECT_EQ(asked.size(), 2u);
  EXPECT_FALSE(over());
}

TEST_F(ConnectorTest, StartsNoMoreAttemptsAtATimeThanAFew) {
  std::vector<std::unique_ptr<black_hole>> holes;
  std::vector<asio::ip::address> all;
  for (int i = 2; i < 8; ++i) {
    const auto address = "127.0.0." + std::to_string(i);
    holes.push_back(std::make_unique<black_hole>(address.c_str(), port));
    if (!holes.back()->works())
      GTEST_SKIP() << "this system takes more connections than its queue holds";
    all.push_back(asio::ip::make_address(address));
  }
  start(all);
  io.run_for(6 * connector::attempt_delay);
  EXPECT_EQ(asked.size(), connector::most_at_once);
  EXPECT_FALSE(over());
}

TEST_F(ConnectorTest, HasNothingToSayWithoutAddresses) {
  start({});
  EXPECT_EQ(failure, "");
}

TEST_F(ConnectorTest, EndsAllAttemptsWhenItIsClosed) {
  const black_hole first{"127.0.0.2", port};
  const black_hole second{"127.0.0.3", port};
  if (!first.works() || !second.works())
    GTEST_SKIP() << "this system takes more connections than its queue holds";
  for (const auto at : {0ms, 100ms, 400ms}) {
    asked.clear();
    start(addresses({"127.0.0.2", "127.0.0.3", "127.0.0.1"}));
    io.restart();
    io.run_for(at);
    ASSERT_FALSE(over());
    subject->close();
    subject = nullptr;
    const auto before = steady_clock::now();
    EXPECT_TRUE(is_quiet());
    EXPECT_LT(steady_clock::now() - before, 5s);
    EXPECT_FALSE(over());
    EXPECT_LE(asked.size(), 2u);
  }
}

TEST_F(ConnectorTest, ReportsNothingWhenItIsClosedBeforeItConnected) {
  start(addresses({"127.0.0.1", "127.0.0.2"}));
  // The connection is there, but its handler did not run yet.
  tcp::socket accepted{io};
  listener.accept(accepted);
  subject->close();
  subject = nullptr;
  EXPECT_TRUE(is_quiet());
  EXPECT_FALSE(over());
  char byte = 0;
  error_code code;
  EXPECT_EQ(accepted.read_some(asio::buffer(&byte, 1), code), 0u);
  EXPECT_TRUE(code); // closed at the other end
}

TEST_F(ConnectorTest, MakesRoomWhenItIsOutOfDescriptors) {
#ifdef __SANITIZE_ADDRESS__
  // The check of virtual calls opens a pipe to see whether memory is readable.
  GTEST_SKIP() << "sanitizers need descriptors themselves";
#endif
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  // As if all were in use.
  const auto limit = [&](rlim_t now) {
    const rlimit changed{now, before.rlim_max};
    return ::setrlimit(RLIMIT_NOFILE, &changed) == 0;
  };
  ASSERT_TRUE(limit(0));
  start(addresses({"127.0.0.2", "127.0.0.1"}));
  ASSERT_TRUE(limit(before.rlim_cur));
  EXPECT_EQ(rooms, 2);
  EXPECT_EQ(failure, "connect: too many open files (127.0.0.1:"
                       + std::to_string(port) + ")");
  failure.reset();
  room = [&] { return limit(before.rlim_cur); };
  ASSERT_TRUE(limit(0));
  start(addresses({"127.0.0.1"}));
  EXPECT_TRUE(limit(before.rlim_cur));
  ASSERT_TRUE(run_until_over());
  EXPECT_EQ(peer(), "127.0.0.1");
}

} // namespace
} // namespace fanfare::protocol
