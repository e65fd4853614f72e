// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Bodies that end when nobody makes them any more: their form, and clients that
// go away, take nothing, or are there when the server stops.

#include "tests/protocol/server/server_test.hpp"
#include "tests/support/eventually.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <optional>
#include <string>

namespace fanfare::protocol::server {

namespace {

using steady = std::chrono::steady_clock;

/// Answers with an open body that the test writes.
class open_answer {
public:
  scripted::script begin() {
    return [this](const http_request&, const respond_fn& respond) {
      auto [writer, reader] = body_writer::make_open();
      respond({.status = 200, .stream = std::move(reader)});
      writer_.emplace(std::move(writer));
      begun_ = true;
    };
  }

  body_writer& to() {
    EXPECT_TRUE(test::eventually(patience, [&] { return begun_.load(); }));
    return *writer_;
  }
  bool write(std::string_view bytes) {
    return to().write(bytes, steady::now() + patience);
  }
  void end() {
    (void)to();
    writer_.reset();
  }

private:
  std::optional<body_writer> writer_;
  std::atomic<bool> begun_{false};
};

/// The bytes of the chunks in `text`, and whether the last one is there.
std::pair<std::string, bool> unchunk(std::string text) {
  std::string out;
  text.erase(0, text.find("\r\n\r\n") + 4);
  while (!text.empty()) {
    std::size_t used = 0;
    const auto size = std::stoul(text, &used, 16);
    text.erase(0, used + 2);
    out += text.substr(0, size);
    EXPECT_EQ(text.substr(size, 2), "\r\n");
    text.erase(0, size + 2);
    if (size == 0)
      return {out, text.empty()};
  }
  return {out, false};
}

TEST(HttpServer, SendsAnOpenBodyInChunks) {
  open_answer answer;
  scripted handler{answer.begin()};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get());
  EXPECT_TRUE(answer.write("one"));
  const std::string large(20'000, 'x');
  EXPECT_TRUE(answer.write(large));
  answer.end();
  const auto all = client.read_all();
  EXPECT_NE(all.find("Transfer-Encoding: chunked\r\n"), std::string::npos);
  EXPECT_EQ(all.find("Content-Length"), std::string::npos);
  EXPECT_EQ(unchunk(all), (std::pair{"one" + large, true}));
}

TEST(HttpServer, EndsAnOpenBodyByClosingForAnOldClient) {
  open_answer answer;
  scripted handler{answer.begin()};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send("GET / HTTP/1.0\r\nHost: x\r\n\r\n");
  EXPECT_TRUE(answer.write("one"));
  EXPECT_TRUE(answer.write("two"));
  answer.end();
  const auto all = client.read_all();
  EXPECT_EQ(all.find("chunked"), std::string::npos);
  EXPECT_TRUE(all.ends_with("\r\n\r\nonetwo")) << all;
}

TEST(HttpServer, SendsNoOpenBodyAfterAHead) {
  open_answer answer;
  scripted handler{answer.begin()};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(client.read(true).status, 200);
  EXPECT_TRUE(client.closed());
  EXPECT_TRUE(
    test::eventually(patience, [&] { return answer.to().is_abandoned(); }));
}

TEST(HttpServer, TellsWhenAllOfAnOpenBodyWasTaken) {
  open_answer answer;
  scripted handler{answer.begin()};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get());
  std::atomic<int> told{0};
  const auto taken = [&] {
    return answer.to().is_awaited([&] { ++told; }) || told == 1;
  };
  ASSERT_TRUE(test::eventually(patience, taken));
  told = 0;
  EXPECT_TRUE(answer.write("one"));
  ASSERT_TRUE(test::eventually(patience, taken));
  answer.end();
  EXPECT_EQ(unchunk(client.read_all()), (std::pair{std::string{"one"}, true}));
}

TEST(HttpServer, EndsAnOpenBodyWhenItsClientCloses) {
  open_answer answer;
  scripted handler{answer.begin()};
  const auto server = serve(handler);
  std::optional<raw_client> client{server->port()};
  client->send(get());
  EXPECT_TRUE(answer.write("one"));
  EXPECT_FALSE(answer.to().is_abandoned());
  client.reset();
  // Without a byte that the client would refuse.
  EXPECT_TRUE(
    test::eventually(patience, [&] { return answer.to().is_abandoned(); }));
}

TEST(HttpServer, EndsAnOpenBodyWhenItsClientClosesThatAskedOnlyOnce) {
  open_answer answer;
  scripted handler{answer.begin()};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get("/", "Connection: close\r\n"));
  EXPECT_TRUE(answer.write("one"));
  ASSERT_TRUE(
    test::eventually(patience, [&] { return answer.to().is_awaited({}); }));
  client.send("which nobody reads");
  client.half_close();
  EXPECT_TRUE(
    test::eventually(patience, [&] { return answer.to().is_abandoned(); }));
}

TEST(HttpServer, KeepsAnOpenBodyThatSaysNothing) {
  open_answer answer;
  scripted handler{answer.begin()};
  http_server_options options;
  options.idle_timeout = 50ms;
  options.open_body_timeout = 50ms;
  const auto server = serve(handler, options);
  raw_client client{server->port()};
  client.send(get());
  EXPECT_TRUE(answer.write("one"));
  EXPECT_TRUE(
    test::eventually(patience, [&] { return answer.to().is_awaited({}); }));
  EXPECT_FALSE(
    test::eventually(500ms, [&] { return answer.to().is_abandoned(); }));
  EXPECT_TRUE(answer.write("two"));
  answer.end();
  EXPECT_EQ(unchunk(client.read_all()),
            (std::pair{std::string{"onetwo"}, true}));
}

TEST(HttpServer, CutsOffWhoTakesNothingOfAnOpenBody) {
  open_answer answer;
  scripted handler{answer.begin()};
  http_server_options options;
  options.open_body_timeout = 100ms;
  const auto server = serve(handler, options);
  raw_client client{server->port(), nullptr, 4'096};
  client.send(get());
  // Until it is cut off, it gets what the system keeps for it.
  std::size_t written = 0;
  const std::string piece(64 << 10, 'x');
  while (answer.write(piece) && written < (std::size_t{256} << 20))
    written += piece.size();
  EXPECT_TRUE(answer.to().is_abandoned());
  EXPECT_LT(written, std::size_t{64} << 20);
}

TEST(HttpServer, EndsOpenBodiesWhenItStops) {
  open_answer answer;
  scripted handler{answer.begin()};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get());
  EXPECT_TRUE(answer.write("one"));
  ASSERT_TRUE(
    test::eventually(patience, [&] { return answer.to().is_awaited({}); }));
  auto stopped = std::async(std::launch::async,
                            [&] { server->stop(patience); });
  EXPECT_EQ(unchunk(client.read_all()), (std::pair{std::string{"one"}, true}));
  EXPECT_EQ(stopped.wait_for(patience / 2), std::future_status::ready);
  EXPECT_TRUE(answer.to().is_abandoned());
}

} // namespace

} // namespace fanfare::protocol::server
