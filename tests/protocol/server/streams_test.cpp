// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Answers that are made while they are sent: slow readers, slow writers, and
// either of them gone.

#include "tests/protocol/server/server_test.hpp"
#include "tests/support/eventually.hpp"

#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>

namespace fanfare::protocol::server {

namespace {

using std::chrono::steady_clock;

/// Announces so many bytes; the test writes them.
class streaming {
public:
  explicit streaming(std::uint64_t size) : size_(size) {}
  ~streaming() {
    if (thread_.joinable())
      thread_.join();
  }

  /// `make` gets the writer, on a thread of its own.
  scripted::script by(std::function<void(body_writer)> make) {
    return
      [this, make](const http_request& request, const respond_fn& respond) {
        if (request.target == "/other")
          return respond(scripted::echo(request));
        auto [writer, reader] = body_writer::make(size_);
        respond({.status = 200, .stream = std::move(reader)});
        thread_ = std::thread{
          [make, to = std::move(writer)]() mutable { make(std::move(to)); }};
      };
  }

private:
  std::uint64_t size_;
  std::thread thread_;
};

TEST(HttpServer, SendsABodyThatIsMadeMeanwhile) {
  constexpr std::size_t pieces = 300;
  constexpr std::size_t size = 10'000;
  streaming stream{pieces * size};
  scripted handler{stream.by([](body_writer to) {
    for (std::size_t i = 0; i < pieces; ++i)
      EXPECT_TRUE(to.write(std::string(size, static_cast<char>('a' + i % 26)),
                           steady_clock::now() + patience));
  })};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get());
  const auto got = client.read();
  EXPECT_EQ(got.headers.at("content-length"), std::to_string(pieces * size));
  EXPECT_EQ(got.headers.at("connection"), "close");
  ASSERT_EQ(got.body.size(), pieces * size);
  for (std::size_t i = 0; i < pieces; ++i)
    EXPECT_EQ(got.body[i * size], static_cast<char>('a' + i % 26));
  EXPECT_TRUE(client.closed());
}

TEST(HttpServer, SendsAnEmptyBodyThatIsMadeMeanwhile) {
  streaming stream{0};
  scripted handler{stream.by([](body_writer) {})};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get());
  EXPECT_EQ(client.read().status, 200);
  EXPECT_TRUE(client.closed());
}

TEST(HttpServer, BreaksOffABodyThatNobodyGoesOnWith) {
  streaming stream{100};
  scripted handler{stream.by([](body_writer to) {
    EXPECT_TRUE(to.write("fifty", steady_clock::now() + patience));
  })};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get());
  const auto all = client.read_all();
  EXPECT_NE(all.find("Content-Length: 100"), std::string::npos);
  EXPECT_TRUE(all.ends_with("fifty")) << all;
}

TEST(HttpServer, KeepsOnlyAPartOfABodyThatIsNotRead) {
  std::atomic<std::size_t> written{0};
  std::atomic<bool> gave_up{false};
  streaming stream{std::size_t{1} << 30};
  scripted handler{stream.by([&](body_writer to) {
    const std::string piece(64 << 10, 'x');
    while (to.write(piece, steady_clock::now() + 200ms))
      written += piece.size();
    gave_up = true;
  })};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get());
  // Others are served meanwhile.
  for (int i = 0; i < 20; ++i) {
    raw_client other{server->port()};
    other.send(get("/other"));
    EXPECT_EQ(other.read().status, 200);
  }
  // The writer gives up: what waits has a bound.
  EXPECT_TRUE(test::eventually(patience, [&] { return gave_up.load(); }));
  EXPECT_LT(written, std::size_t{32} << 20);
}

/// Writes until nobody reads, and notes that.
std::function<void(body_writer)> writing_until(std::atomic<bool>& told) {
  return [&told](body_writer to) {
    while (to.write("a piece", steady_clock::now() + patience))
      std::this_thread::yield();
    told = true;
  };
}

TEST(HttpServer, TellsWhoMakesABodyThatItsReaderIsGone) {
  std::atomic<bool> told{false};
  streaming stream{std::size_t{1} << 30};
  scripted handler{stream.by(writing_until(told))};
  const auto server = serve(handler);
  {
    raw_client client{server->port()};
    client.send(get());
  }
  EXPECT_TRUE(test::eventually(patience, [&] { return told.load(); }));
}

TEST(HttpServer, StopsBesideABodyThatIsMade) {
  std::atomic<bool> told{false};
  streaming stream{std::size_t{1} << 30};
  scripted handler{stream.by(writing_until(told))};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get());
  ASSERT_TRUE(test::eventually(patience, [&] { return handler.calls == 1; }));
  server->stop(50ms);
  EXPECT_TRUE(test::eventually(patience, [&] { return told.load(); }));
}

} // namespace

} // namespace fanfare::protocol::server
