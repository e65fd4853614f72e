// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/client/repeat.hpp"

#include "tests/protocol/client/client_test.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fanfare::protocol {
namespace {

using ::testing::StartsWith;

TEST(MayRepeatTest, IsOnlyForARequestThatTheReceiverCannotHaveRead) {
  constexpr lost_exchange stale{.by_peer = true, .reused = true};
  EXPECT_TRUE(may_repeat(stale));
  auto changed = stale;
  changed.by_peer = false; // a failure of our own side
  EXPECT_FALSE(may_repeat(changed));
  changed = stale;
  changed.reused = false;
  EXPECT_FALSE(may_repeat(changed));
  changed = stale;
  changed.repeated = true;
  EXPECT_FALSE(may_repeat(changed));
  changed = stale;
  changed.received = 1;
  EXPECT_FALSE(may_repeat(changed));
}

class RepeatTest : public HttpClientTest {};

TEST_F(RepeatTest, SendsAgainOnceAnIdleConnectionWasClosed) {
  const std::string fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  // Closes the moment the second request arrives: a race that the client
  // cannot see coming.
  for (const bool hard : {false, true}) {
    raw_receiver receiver{
      {[&](tcp::socket& socket) {
         raw_receiver::read_head(socket);
         raw_receiver::say(socket, fine);
         raw_receiver::read_head(socket);
         if (hard)
           socket.set_option(asio::socket_base::linger{true, 0});
       },
       [&](tcp::socket& socket) {
         raw_receiver::read_head(socket);
         raw_receiver::say(socket, fine);
         raw_receiver::drain(socket);
       }}};
    EXPECT_EQ(call(receiver.url(), "").status, 200);
    const auto before = client().connects();
    const auto result = call(receiver.url(), "");
    EXPECT_EQ(result.status, 200);
    EXPECT_EQ(result.reason, "");
    EXPECT_EQ(client().connects(), before + 1);
    client_ = nullptr;
    options.policy = loopback_allowed();
  }
}

TEST_F(RepeatTest, SendsAgainOnlyOnce) {
  const std::string fine = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  raw_receiver receiver{
    {[&](tcp::socket& socket) {
       raw_receiver::read_head(socket);
       raw_receiver::say(socket, fine);
       raw_receiver::read_head(socket);
     },
     [&](tcp::socket& socket) { raw_receiver::read_head(socket); }}};
  EXPECT_EQ(call(receiver.url(), "").status, 200);
  const auto result = call(receiver.url(), "");
  EXPECT_EQ(result.status, 0);
  EXPECT_THAT(result.reason, StartsWith("reset: "));
}

} // namespace
} // namespace fanfare::protocol
