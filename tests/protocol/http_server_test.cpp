// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/server/http_server.hpp"

#include "tests/support/eventually.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace fanfare::protocol {

namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using respond_fn = std::function<void(http_response)>;
using clock = std::chrono::steady_clock;

constexpr auto patience = 20s;

// -- the client side: sockets as they are, for what no library would send -----

struct answer {
  int status = 0;
  std::map<std::string, std::string> headers; // names in lower case
  std::string body;
  std::string head;
};

class raw_client {
public:
  explicit raw_client(std::uint16_t port, const char* from = nullptr,
                      int buffer = 0)
    : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    if (buffer != 0)
      ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    if (from) {
      const auto local = address(from, 0);
      EXPECT_EQ(
        ::bind(fd_, reinterpret_cast<const sockaddr*>(&local), sizeof local),
        0);
    }
    if (port != 0)
      connect(port);
  }
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;
  raw_client(raw_client&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      in_(std::move(other.in_)) {}
  raw_client& operator=(raw_client&&) = delete;
  ~raw_client() {
    if (fd_ >= 0)
      ::close(fd_);
  }

  void connect(std::uint16_t port) {
    const auto remote = address("127.0.0.1", port);
    ASSERT_EQ(
      ::connect(fd_, reinterpret_cast<const sockaddr*>(&remote), sizeof remote),
      0)
      << std::strerror(errno);
  }

  /// False when the server would not take all of it.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0)
        return false;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }

  void half_close() {
    ::shutdown(fd_, SHUT_WR);
  }

  /// The next answer; status 0 when the connection ended or nothing came.
  answer read(bool head_only = false) {
    answer result;
    std::size_t end = 0;
    while ((end = in_.find("\r\n\r\n")) == std::string::npos)
      if (!more(patience))
        return result;
    result.head = in_.substr(0, end + 4);
    in_.erase(0, end + 4);
    parse(result);
    const auto length = result.headers.find("content-length");
    if (head_only || length == result.headers.end())
      return result;
    const auto size = std::strtoul(length->second.c_str(), nullptr, 10);
    while (in_.size() < size)
      if (!more(patience)) {
        result.status = 0;
        return result;
      }
    result.body = in_.substr(0, size);
    in_.erase(0, size);
    return result;
  }

  /// Whether the server ends the connection, in order and without another byte.
  bool closed(std::chrono::milliseconds limit = patience) {
    const auto deadline = clock::now() + limit;
    while (clock::now() < deadline && in_.empty())
      if (!more(std::chrono::ceil<std::chrono::milliseconds>(deadline
                                                             - clock::now())))
        return ended_;
    return false;
  }

  /// Whether the server says nothing for that long.
  bool silent(std::chrono::milliseconds span) {
    return in_.empty() && !more(span) && !ended_ && !reset_;
  }

  [[nodiscard]] bool was_reset() const {
    return reset_;
  }
  [[nodiscard]] int fd() const {
    return fd_;
  }

  /// Everything up to the end of the connection.
  std::string drain() {
    while (more(patience)) {}
    return std::move(in_);
  }

private:
  static sockaddr_in address(const char* ip, std::uint16_t port) {
    sockaddr_in result{};
    result.sin_family = AF_INET;
    result.sin_port = htons(port);
    ::inet_pton(AF_INET, ip, &result.sin_addr);
    return result;
  }

  bool more(std::chrono::milliseconds limit) {
    pollfd one{fd_, POLLIN, 0};
    if (::poll(&one, 1, static_cast<int>(std::max<long>(limit.count(), 0)))
        <= 0)
      return false;
    std::string piece(64 * 1024, '\0');
    const auto count = ::recv(fd_, piece.data(), piece.size(), 0);
    if (count <= 0) {
      ended_ = count == 0;
      reset_ = count < 0;
      return false;
    }
    in_.append(piece, 0, static_cast<std::size_t>(count));
    return true;
  }

  static void parse(answer& into) {
    into.status = std::atoi(into.head.c_str()
                            + std::min<std::size_t>(into.head.size(), 9));
    std::size_t line = into.head.find("\r\n") + 2;
    for (;;) {
      const auto end = into.head.find("\r\n", line);
      if (end == std::string::npos || end == line)
        return;
      const auto colon = into.head.find(':', line);
      auto name = into.head.substr(line, colon - line);
      for (auto& c : name)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      into.headers[name] = into.head.substr(colon + 2, end - colon - 2);
      line = end + 2;
    }
  }

  int fd_;
  std::string in_;
  bool ended_ = false;
  bool reset_ = false;
};

std::string get(std::string_view target = "/", std::string_view headers = "") {
  return "GET " + std::string{target} + " HTTP/1.1\r\nHost: x\r\n"
       + std::string{headers} + "\r\n";
}

std::string post(std::string_view body, std::string_view headers = "") {
  return "POST / HTTP/1.1\r\nHost: x\r\n" + std::string{headers}
       + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n"
       + std::string{body};
}

// -- the server side ----------------------------------------------------------

/// Answers with "METHOD target body" unless told otherwise.
class scripted final : public http_handler {
public:
  using script = std::function<void(http_request, respond_fn)>;

  explicit scripted(script what = {}) : script_(std::move(what)) {}

  void handle(http_request request, respond_fn respond) override {
    calls.fetch_add(1);
    if (script_)
      return script_(std::move(request), std::move(respond));
    respond(echo(request));
  }

  static http_response echo(const http_request& request) {
    return {200,
            {{"Content-Type", "text/plain"}},
            request.method + ' ' + request.target + ' ' + request.body};
  }

  std::atomic<std::size_t> calls{0};

private:
  script script_;
};

/// Keeps requests until the test answers them.
class waiting_room {
public:
  scripted::script door() {
    return [this](http_request request, respond_fn respond) {
      const std::lock_guard guard{mutex_};
      guests_.emplace_back(std::move(request), std::move(respond));
      changed_.notify_all();
    };
  }

  bool wait_for(std::size_t count) {
    std::unique_lock guard{mutex_};
    return changed_.wait_for(guard, patience,
                             [&] { return guests_.size() >= count; });
  }

  std::size_t size() {
    const std::lock_guard guard{mutex_};
    return guests_.size();
  }

  void answer(std::size_t index, http_response response = {}) {
    respond_fn respond;
    {
      const std::lock_guard guard{mutex_};
      respond = guests_.at(index).second;
    }
    respond(std::move(response));
  }

  void echo(std::size_t index) {
    http_response response;
    {
      const std::lock_guard guard{mutex_};
      response = scripted::echo(guests_.at(index).first);
    }
    answer(index, std::move(response));
  }

  /// Nobody will answer this one.
  void drop(std::size_t index) {
    respond_fn gone;
    const std::lock_guard guard{mutex_};
    gone.swap(guests_.at(index).second);
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::pair<http_request, respond_fn>> guests_;
};

std::unique_ptr<http_server> serve(http_handler& handler,
                                   http_server_options options = {}) {
  options.port = 0;
  auto made = http_server::start(options, handler);
  if (!made)
    throw std::runtime_error{made.error().detail};
  return std::move(*made);
}

void expect_alive(const http_server& server) {
  raw_client client{server.port()};
  client.send(post("alive"));
  EXPECT_EQ(client.read().body, "POST / alive");
}

// -- plain requests -----------------------------------------------------------

TEST(HttpServer, HandsOverTheRequestAsSent) {
  std::promise<http_request> got;
  scripted handler{[&](http_request request, const respond_fn& respond) {
    got.set_value(std::move(request));
    respond({202, {{"X-One", "1"}}, "body"});
  }};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(
    "PATCH /a/b?c=%20d HTTP/1.1\r\nHOST: example.org:80\r\nX-Twice:  1 \r\n"
    "x-twice:2\r\nEmpty:\r\nContent-Length: 5\r\n\r\nhello");
  const auto reply = client.read();
  const auto request = got.get_future().get();
  EXPECT_EQ(request.method, "PATCH");
  EXPECT_EQ(request.target, "/a/b?c=%20d");
  EXPECT_EQ(request.body, "hello");
  EXPECT_EQ(request.peer_address, "127.0.0.1");
  EXPECT_FALSE(request.secure);
  const std::vector<std::pair<std::string, std::string>> headers{
    {"host", "example.org:80"},
    {"x-twice", "1"},
    {"x-twice", "2"},
    {"empty", ""},
    {"content-length", "5"}};
  EXPECT_EQ(request.headers, headers);
  EXPECT_EQ(request.header("x-twice"), "1");
  EXPECT_EQ(reply.status, 202);
  EXPECT_THAT(reply.head, HasSubstr("HTTP/1.1 202 Accepted\r\n"));
  EXPECT_EQ(reply.headers.at("x-one"), "1");
  EXPECT_EQ(reply.headers.at("content-length"), "4");
  EXPECT_EQ(reply.headers.count("connection"), 0U);
  std::tm parts{};
  EXPECT_NE(::strptime(reply.headers.at("date").c_str(),
                       "%a, %d %b %Y %H:%M:%S GMT", &parts),
            nullptr);
  EXPECT_LE(std::abs(std::difftime(::timegm(&parts), std::time(nullptr))), 5.0);
}

TEST(HttpServer, KeepsTheConnectionAlive) {
  scripted handler;
  const auto server = serve(handler);
  raw_client client{server->port()};
  for (int i = 0; i < 100; ++i) {
    client.send(post(std::to_string(i)));
    ASSERT_EQ(client.read().body, "POST / " + std::to_string(i));
  }
}

TEST(HttpServer, TakesRequestsByteByByte) {
  scripted handler;
  const auto server = serve(handler);
  raw_client client{server->port()};
  for (const auto c : "\r\n" + post("abc") + get("/next"))
    ASSERT_TRUE(client.send({&c, 1}));
  EXPECT_EQ(client.read().body, "POST / abc");
  EXPECT_EQ(client.read().body, "GET /next ");
}

TEST(HttpServer, DecodesChunkedBodies) {
  scripted handler;
  const auto server = serve(handler);
  const std::string
    bytes = "POST /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            "3\r\nabc\r\nA;name=\"va;lue\"\r\n0123456789\r\n0\r\n"
            "X-Trailer: 1\r\nHost: evil\r\n\r\n"
          + get("/after");
  raw_client at_once{server->port()};
  at_once.send(bytes);
  EXPECT_EQ(at_once.read().body, "POST /c abc0123456789");
  EXPECT_EQ(at_once.read().body, "GET /after ");
  raw_client in_bytes{server->port()};
  for (const auto& c : bytes)
    ASSERT_TRUE(in_bytes.send({&c, 1}));
  EXPECT_EQ(in_bytes.read().body, "POST /c abc0123456789");
  EXPECT_EQ(in_bytes.read().body, "GET /after ");
}

TEST(HttpServer, DoesNotTakeTrailersForHeaders) {
  std::promise<http_request> got;
  scripted handler{[&](http_request request, const respond_fn& respond) {
    got.set_value(std::move(request));
    respond({});
  }};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
              "1\r\na\r\n0\r\nAuthorization: Token secret\r\n\r\n");
  EXPECT_EQ(client.read().status, 200);
  EXPECT_EQ(got.get_future().get().header("authorization"), "");
}

TEST(HttpServer, CarriesLargeBodiesBothWays) {
  scripted handler;
  http_server_options options;
  options.body_limit = 32 * 1024 * 1024;
  const auto server = serve(handler, options);
  std::string body(9'000'000, 'x');
  for (std::size_t i = 0; i < body.size(); i += 7)
    body[i] = static_cast<char>('a' + i % 23);
  raw_client client{server->port()};
  std::thread writer{[&] {
    for (int i = 0; i < 3; ++i)
      client.send(post(body));
    client.send(get("/end"));
  }};
  for (int i = 0; i < 3; ++i)
    EXPECT_TRUE(client.read().body == "POST / " + body);
  EXPECT_EQ(client.read().body, "GET /end ");
  writer.join();
}

TEST(HttpServer, AnswersHeadWithoutBody) {
  scripted handler;
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send("HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n" + get("/g"));
  const auto head = client.read(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"),
            std::to_string(std::strlen("HEAD /h ")));
  EXPECT_EQ(client.read().body, "GET /g ");
}

TEST(HttpServer, SendsNoBodyWithNoContent) {
  scripted handler{[](const http_request&, const respond_fn& respond) {
    respond({204, {}, "lost"});
  }};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get() + get());
  for (int i = 0; i < 2; ++i) {
    const auto reply = client.read();
    EXPECT_EQ(reply.status, 204);
    EXPECT_EQ(reply.headers.count("content-length"), 0U);
  }
}

TEST(HttpServer, ClosesWhenAsked) {
  scripted handler;
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get("/", "Connection: close\r\n") + get("/ignored"));
  const auto reply = client.read();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.headers.at("connection"), "close");
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(handler.calls, 1U);
}

TEST(HttpServer, ClosesWhenTheHandlerSaysSo) {
  scripted handler{[](const http_request&, const respond_fn& respond) {
    respond({200, {{"Connection", "close"}}, ""});
  }};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get());
  EXPECT_EQ(client.read().headers.at("connection"), "close");
  EXPECT_TRUE(client.closed());
}

TEST(HttpServer, SpeaksHttp10) {
  scripted handler;
  const auto server = serve(handler);
  raw_client once{server->port()};
  once.send("GET /old HTTP/1.0\r\n\r\n");
  EXPECT_EQ(once.read().body, "GET /old ");
  EXPECT_TRUE(once.closed());
  raw_client kept{server->port()};
  for (int i = 0; i < 2; ++i) {
    kept.send("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    EXPECT_EQ(kept.read().headers.at("connection"), "keep-alive");
  }
}

TEST(HttpServer, AnswersAfterTheClientClosedItsSide) {
  waiting_room room;
  scripted handler{room.door()};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get("/half"));
  client.half_close();
  ASSERT_TRUE(room.wait_for(1));
  room.echo(0);
  EXPECT_EQ(client.read().body, "GET /half ");
  EXPECT_TRUE(client.closed());
}

TEST(HttpServer, LetsNoHeaderOfTheHandlerBreakTheAnswer) {
  scripted handler{[](const http_request&, const respond_fn& respond) {
    respond({200,
             {{"X-Bad", "a\r\nInjected: 1\r\n\r\nbody"},
              {"Content-Length", "7"},
              {"Transfer-Encoding", "chunked"}},
             "ok"});
  }};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get());
  const auto reply = client.read();
  EXPECT_EQ(reply.body, "ok");
  EXPECT_EQ(reply.headers.count("injected"), 0U);
  EXPECT_EQ(reply.headers.count("transfer-encoding"), 0U);
  EXPECT_EQ(reply.headers.at("content-length"), "2");
}

// -- bad input ----------------------------------------------------------------

struct bad_input {
  const char* name;
  std::string bytes;
  int status;
};

void PrintTo(const bad_input& input, std::ostream* out) {
  *out << input.name;
}

class HttpServerBadInput : public ::testing::TestWithParam<bad_input> {};

TEST_P(HttpServerBadInput, IsRefusedAndHarmsNobody) {
  scripted handler;
  http_server_options options;
  options.head_limit = 4096;
  options.target_limit = 2048;
  options.body_limit = 1000;
  const auto server = serve(handler, options);
  raw_client bystander{server->port()};
  bystander.send(get("/before"));
  EXPECT_EQ(bystander.read().status, 200);
  {
    raw_client client{server->port()};
    client.send(GetParam().bytes);
    const auto reply = client.read();
    EXPECT_EQ(reply.status, GetParam().status) << reply.body;
    EXPECT_EQ(reply.headers.at("content-type"), "application/json");
    EXPECT_EQ(reply.headers.at("connection"), "close");
    EXPECT_TRUE(reply.body.starts_with(R"({"detail":")")
                && reply.body.ends_with("\"}"))
      << reply.body;
    EXPECT_TRUE(client.closed());
  }
  {
    // The answer keeps its place behind that of a good request.
    raw_client client{server->port()};
    client.send(get("/good") + GetParam().bytes);
    EXPECT_EQ(client.read().body, "GET /good ");
    EXPECT_EQ(client.read().status, GetParam().status);
    EXPECT_TRUE(client.closed());
  }
  EXPECT_EQ(handler.calls, 2U);
  bystander.send(get("/after"));
  EXPECT_EQ(bystander.read().body, "GET /after ");
  expect_alive(*server);
}

std::string lines(std::initializer_list<std::string_view> all) {
  std::string out;
  for (const auto line : all)
    out.append(line).append("\r\n");
  return out + "\r\n";
}

INSTANTIATE_TEST_SUITE_P(
  Table, HttpServerBadInput,
  ::testing::Values(
    bad_input{"TlsHello",
              std::string{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11},
              400},
    bad_input{"NulBytes", std::string(20, '\0'), 400},
    bad_input{"LeadingSpace", " GET / HTTP/1.1\r\n\r\n", 400},
    bad_input{"MethodIsNoToken", lines({"GE(T / HTTP/1.1", "Host: x"}), 400},
    bad_input{"MethodOnly", lines({"GET", "Host: x"}), 400},
    bad_input{"NoVersion", lines({"GET /", "Host: x"}), 400},
    bad_input{"EmptyTarget", lines({"GET  HTTP/1.1", "Host: x"}), 400},
    bad_input{"SpaceInTarget", lines({"GET /a b HTTP/1.1", "Host: x"}), 400},
    bad_input{"ControlInTarget", lines({"GET /a\x01 HTTP/1.1", "Host: x"}),
              400},
    bad_input{"VersionInLowerCase", lines({"GET / http/1.1", "Host: x"}), 400},
    bad_input{"VersionOfOneDigit", lines({"GET / HTTP/1", "Host: x"}), 400},
    bad_input{"VersionTooLong", lines({"GET / HTTP/1.1x", "Host: x"}), 400},
    bad_input{"SpaceBehindVersion", lines({"GET / HTTP/1.1 ", "Host: x"}), 400},
    bad_input{"Http2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
    bad_input{"Http09Version", lines({"GET / HTTP/0.9"}), 505},
    bad_input{"Http12", lines({"GET / HTTP/1.2", "Host: x"}), 505},
    bad_input{"Http30", lines({"GET / HTTP/3.0", "Host: x"}), 505},
    bad_input{"BareLineFeeds", "GET / HTTP/1.1\nHost: x\n\n", 400},
    bad_input{"OneBareLineFeed", "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n",
              400},
    bad_input{"BareCarriageReturn",
              lines({"GET / HTTP/1.1", "Host: x", "A: b\rc: d"}), 400},
    bad_input{"Folded", lines({"GET / HTTP/1.1", "Host: x", "A: b", " c"}),
              400},
    bad_input{"FoldedWithTab",
              lines({"GET / HTTP/1.1", "Host: x", "A: b", "\tc"}), 400},
    bad_input{"FirstHeaderFolded", lines({"GET / HTTP/1.1", " Host: x"}), 400},
    bad_input{"NoHost", lines({"GET / HTTP/1.1", "A: b"}), 400},
    bad_input{"TwoHosts", lines({"GET / HTTP/1.1", "Host: x", "Host: x"}), 400},
    bad_input{"HostWithSpace", lines({"GET / HTTP/1.1", "Host: x y"}), 400},
    bad_input{"HostWithPath", lines({"GET / HTTP/1.1", "Host: x/y"}), 400},
    bad_input{"HeaderWithoutColon",
              lines({"GET / HTTP/1.1", "Host: x", "nonsense"}), 400},
    bad_input{"HeaderWithoutName", lines({"GET / HTTP/1.1", "Host: x", ": b"}),
              400},
    bad_input{"SpaceBeforeColon", lines({"GET / HTTP/1.1", "Host: x", "A : b"}),
              400},
    bad_input{"SpaceInName", lines({"GET / HTTP/1.1", "Host: x", "A b: c"}),
              400},
    bad_input{"ControlInValue", lines({"GET / HTTP/1.1", "Host: x", "A: \x01"}),
              400},
    bad_input{"NulInValue",
              "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(1, '\0')
                + "\r\n\r\n",
              400},
    bad_input{"LengthNegative",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: -1"}), 400},
    bad_input{"LengthSigned",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: +1"}), 400},
    bad_input{"LengthHex",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: 0x1"}),
              400},
    bad_input{"LengthEmpty",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: "}), 400},
    bad_input{"LengthWords",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: 1 2"}),
              400},
    bad_input{"LengthOverflow",
              lines({"POST / HTTP/1.1", "Host: x",
                     "Content-Length: 18446744073709551617"}),
              400},
    bad_input{"LengthsDiffer",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: 1",
                     "Content-Length: 2"}),
              400},
    bad_input{"LengthsDifferInList",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: 1, 2"}),
              400},
    bad_input{"LengthThenChunked",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: 5",
                     "Transfer-Encoding: chunked"})
                + "0\r\n\r\n",
              400},
    bad_input{"ChunkedThenLength",
              lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked",
                     "Content-Length: 5"})
                + "0\r\n\r\n",
              400},
    bad_input{"ChunkedTwice",
              lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked",
                     "Transfer-Encoding: chunked"}),
              400},
    bad_input{
      "ChunkedInHttp10",
      lines({"POST / HTTP/1.0", "Host: x", "Transfer-Encoding: chunked"}), 400},
    bad_input{"Gzip",
              lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: gzip"}),
              501},
    bad_input{
      "GzipChunked",
      lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: gzip, chunked"}),
      501},
    bad_input{"ChunkedInDisguise",
              lines({"POST / HTTP/1.1", "Host: x",
                     "Transfer-Encoding: \x0b"
                     "chunked"}),
              400},
    bad_input{
      "ChunkSizeNoNumber",
      lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"})
        + "zz\r\n",
      400},
    bad_input{
      "ChunkSizeNegative",
      lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"})
        + "-1\r\n",
      400},
    bad_input{
      "ChunkSizeOverflow",
      lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"})
        + "fffffffffffffffff\r\n",
      400},
    bad_input{
      "ChunkWithoutEnd",
      lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"})
        + "1\r\nabc\r\n0\r\n\r\n",
      400},
    bad_input{
      "ChunkSizeTooLarge",
      lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"})
        + "fffff\r\n",
      413},
    bad_input{
      "ChunkHeaderEndless",
      lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"}) + "1;"
        + std::string(9000, 'a'),
      400},
    bad_input{
      "TrailersEndless",
      lines({"POST / HTTP/1.1", "Host: x", "Transfer-Encoding: chunked"})
        + "0\r\nA: " + std::string(9000, 'a'),
      400},
    bad_input{"BodyTooLarge",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: 1001"}),
              413},
    bad_input{
      "BodyMuchTooLarge",
      lines({"POST / HTTP/1.1", "Host: x", "Content-Length: 99999999999"}),
      413},
    bad_input{"BodyTooLargeExpected",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: 1001",
                     "Expect: 100-continue"}),
              413},
    bad_input{"UnknownExpectation",
              lines({"POST / HTTP/1.1", "Host: x", "Content-Length: 1",
                     "Expect: a-miracle"}),
              417},
    bad_input{"TargetTooLong",
              "GET /" + std::string(3000, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n",
              414},
    bad_input{"TargetEndless", "GET /" + std::string(4000, 'a'), 414},
    bad_input{"HeadTooLarge",
              "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(5000, 'a')
                + "\r\n\r\n",
              431},
    bad_input{"HeadEndless",
              "GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(5000, 'a'),
              431}),
  [](const auto& which) { return std::string{which.param.name}; });

TEST(HttpServer, AllowsHeadsTargetsAndBodiesUpToTheirLimits) {
  scripted handler;
  http_server_options options;
  options.head_limit = 1024;
  options.target_limit = 100;
  options.body_limit = 1000;
  const auto server = serve(handler, options);
  const auto status_of = [&](const std::string& bytes) {
    raw_client client{server->port()};
    client.send(bytes);
    return client.read().status;
  };
  const auto head = [](std::size_t size) {
    const std::string rest = "GET / HTTP/1.1\r\nHost: x\r\nA: \r\n\r\n";
    return "GET / HTTP/1.1\r\nHost: x\r\nA: "
         + std::string(size - rest.size(), 'a') + "\r\n\r\n";
  };
  EXPECT_EQ(status_of(head(1024)), 200);
  EXPECT_EQ(status_of(head(1025)), 431);
  EXPECT_EQ(status_of(get('/' + std::string(99, 'a'))), 200);
  EXPECT_EQ(status_of(get('/' + std::string(100, 'a'))), 414);
  EXPECT_EQ(status_of(post(std::string(1000, 'a'))), 200);
  EXPECT_EQ(status_of(post(std::string(1001, 'a'))), 413);
  const auto chunked = [](std::size_t second) {
    std::string size = "000";
    for (std::size_t i = 0; i < 3; ++i)
      size[2 - i] = "0123456789abcdef"[second >> (4 * i) & 15U];
    return "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
           "1\r\na\r\n"
         + size + "\r\n" + std::string(second, 'a') + "\r\n0\r\n\r\n";
  };
  EXPECT_EQ(status_of(chunked(999)), 200);
  EXPECT_EQ(status_of(chunked(1000)), 413);
}

TEST(HttpServer, LimitsTheNumberOfHeaders) {
  scripted handler;
  const auto server = serve(handler);
  const auto status_of = [&](int count) {
    std::string headers;
    for (int i = 1; i < count; ++i) // one is Host
      headers += "A: b\r\n";
    raw_client client{server->port()};
    client.send(get("/", headers));
    return client.read().status;
  };
  EXPECT_EQ(status_of(200), 200);
  EXPECT_EQ(status_of(201), 431);
}

TEST(HttpServer, ShowsTheRefusalEvenToAClientThatWritesOn) {
  scripted handler;
  const auto server = serve(handler);
  raw_client client{server->port()};
  // Written in whole before a byte is read, as simple clients do.
  EXPECT_TRUE(client.send(post(std::string(16'000'000, 'a'))));
  EXPECT_EQ(client.read().status, 413);
  EXPECT_TRUE(client.closed());
  EXPECT_FALSE(client.was_reset());
  EXPECT_EQ(handler.calls, 0U);
}

// -- Expect: 100-continue -----------------------------------------------------

TEST(HttpServer, AsksForTheBodyWhenTheClientWaits) {
  scripted handler;
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: "
              "100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(client.read().head, "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  EXPECT_EQ(client.read().body, "POST / abc");
  // Not if the body is there anyway, nor for HTTP/1.0.
  client.send("POST / HTTP/1.1\r\nHost: x\r\nExpect: "
              "100-Continue\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(client.read().status, 200);
  client.send(
    "POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  EXPECT_TRUE(client.silent(100ms));
  client.send("abc");
  EXPECT_EQ(client.read().status, 200);
}

TEST(HttpServer, AsksForTheBodyAfterEarlierAnswers) {
  waiting_room room;
  scripted handler{room.door()};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get("/first")
              + "POST /second HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
                "Content-Length: 3\r\n\r\n");
  ASSERT_TRUE(room.wait_for(1));
  EXPECT_TRUE(client.silent(100ms));
  room.echo(0);
  EXPECT_EQ(client.read().body, "GET /first ");
  EXPECT_EQ(client.read().status, 100);
  client.send("abc");
  ASSERT_TRUE(room.wait_for(2));
  room.echo(1);
  EXPECT_EQ(client.read().body, "POST /second abc");
}

// -- pipelining ---------------------------------------------------------------

// -- large bodies -------------------------------------------------------------

/// Looks at heads; lets in what has no header "refuse".
class doorman final : public http_handler {
public:
  void handle(http_request request, respond_fn respond) override {
    handled.fetch_add(1);
    respond(scripted::echo(request));
  }
  std::optional<http_response> check_head(const http_request& head) override {
    checked.fetch_add(1);
    EXPECT_EQ(head.peer_address, "127.0.0.1");
    if (head.header("refuse").empty())
      return std::nullopt;
    return http_response{401, {{"WWW-Authenticate", "Token"}}, "who are you?"};
  }

  std::atomic<std::size_t> checked{0};
  std::atomic<std::size_t> handled{0};
};

std::string announce(std::size_t size, std::string_view headers = "") {
  return "POST / HTTP/1.1\r\nHost: x\r\n" + std::string{headers}
       + "Content-Length: " + std::to_string(size) + "\r\n\r\n";
}

TEST(HttpServer, AsksAboutTheHeadOfALargeBodyBeforeItIsRead) {
  doorman handler;
  http_server_options options;
  options.free_body = 1'000;
  const auto server = serve(handler, options);
  {
    raw_client client{server->port()};
    client.send(announce(1'001, "Refuse: yes\r\n"));
    const auto reply = client.read();
    EXPECT_EQ(reply.status, 401);
    EXPECT_EQ(reply.body, "who are you?");
    EXPECT_EQ(reply.headers.at("www-authenticate"), "Token");
    EXPECT_EQ(reply.headers.at("connection"), "close");
    EXPECT_TRUE(client.closed());
  }
  {
    raw_client client{server->port()};
    client.send(announce(1'001, "Refuse: yes\r\nExpect: 100-continue\r\n"));
    EXPECT_EQ(client.read().status, 401);
  }
  {
    raw_client client{server->port()};
    client.send("POST / HTTP/1.1\r\nHost: x\r\nRefuse: yes\r\n"
                "Transfer-Encoding: chunked\r\n\r\n3e9\r\n"
                + std::string(1'001, 'a'));
    EXPECT_EQ(client.read().status, 401);
  }
  EXPECT_EQ(handler.handled, 0U);
  EXPECT_EQ(handler.checked, 3U);
  raw_client client{server->port()};
  client.send(announce(1'000, "Refuse: yes\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(client.read().status, 100);
  client.send(std::string(1'000, 'a'));
  EXPECT_EQ(client.read().status, 200); // small: the handler is to say
  EXPECT_EQ(handler.checked, 3U);
  client.send(announce(1'001, "Expect: 100-continue\r\n"));
  EXPECT_EQ(client.read().status, 100);
  client.send(std::string(1'001, 'a'));
  EXPECT_EQ(client.read().status, 200);
  EXPECT_EQ(handler.checked, 4U);
}

TEST(HttpServer, LetsLargeBodiesWaitForRoom) {
  waiting_room room;
  scripted handler{[&](http_request request, const respond_fn& respond) {
    if (request.body.size() <= 1'000)
      return respond(scripted::echo(request));
    room.door()(std::move(request), respond);
  }};
  http_server_options options;
  options.free_body = 1'000;
  options.body_budget = 10'000;
  const auto server = serve(handler, options);
  raw_client first{server->port()};
  raw_client second{server->port()};
  raw_client third{server->port()};
  const auto wants = [](raw_client& client, std::size_t size) {
    client.send(announce(size, "Expect: 100-continue\r\n"));
  };
  wants(first, 6'000);
  EXPECT_EQ(first.read().status, 100);
  wants(second, 4'001); // one byte too many
  EXPECT_TRUE(second.silent(50ms));
  wants(third, 4'000); // would fit, but it is not its turn
  EXPECT_TRUE(third.silent(50ms));
  expect_alive(*server);
  first.send(std::string(6'000, 'a'));
  ASSERT_TRUE(room.wait_for(1));
  EXPECT_TRUE(second.silent(50ms)); // not answered: it is still in memory
  room.answer(0);
  EXPECT_EQ(first.read().status, 200);
  EXPECT_EQ(second.read().status, 100);
  EXPECT_EQ(third.read().status, 100);
  third.send(std::string(4'000, 'a'));
  second.send(std::string(4'001, 'a'));
  ASSERT_TRUE(room.wait_for(2));
  room.answer(1);
  if (room.wait_for(3))
    room.answer(2);
  EXPECT_EQ(second.read().status, 200);
  EXPECT_EQ(third.read().status, 200);
}

TEST(HttpServer, GivesTheRoomOfABodyThatDoesNotComeToOthers) {
  scripted handler;
  http_server_options options;
  options.free_body = 1'000;
  options.body_budget = 10'000;
  options.body_timeout = 300ms;
  const auto server = serve(handler, options);
  raw_client leaver{server->port()};
  leaver.send(announce(10'000, "Expect: 100-continue\r\n"));
  EXPECT_EQ(leaver.read().status, 100);
  EXPECT_EQ(leaver.read().status, 408);
  // Larger than the budget: alone it is read.
  raw_client last{server->port()};
  last.send(announce(20'000, "Expect: 100-continue\r\n"));
  EXPECT_EQ(last.read().status, 100);
  last.send(std::string(20'000, 'a'));
  EXPECT_EQ(last.read().status, 200);
}

TEST(HttpServer, BeginsNothingElseBehindALargeBodyUntilItIsAnswered) {
  waiting_room room;
  scripted handler{room.door()};
  http_server_options options;
  options.free_body = 1'000;
  const auto server = serve(handler, options);
  raw_client client{server->port()};
  client.send(post(std::string(1'000, 'a')) + post(std::string(1'001, 'b'))
              + get("/behind"));
  ASSERT_TRUE(room.wait_for(2)); // a small one is no reason to wait
  room.answer(0);
  EXPECT_EQ(client.read().status, 200);
  EXPECT_TRUE(client.silent(50ms));
  EXPECT_EQ(room.size(), 2U);
  room.answer(1);
  EXPECT_EQ(client.read().status, 200);
  ASSERT_TRUE(room.wait_for(3));
  room.answer(2);
  EXPECT_EQ(client.read().status, 200);
}

TEST(HttpServer, KeepsTheOrderOfPipelinedRequests) {
  waiting_room room;
  scripted handler{room.door()};
  const auto server = serve(handler);
  raw_client client{server->port()};
  std::string bytes;
  for (int i = 0; i < 10; ++i)
    bytes += get('/' + std::to_string(i));
  client.send(bytes);
  ASSERT_TRUE(room.wait_for(10));
  for (std::size_t i = 10; i-- > 1;)
    room.echo(i);
  EXPECT_TRUE(client.silent(50ms));
  room.echo(0);
  for (int i = 0; i < 10; ++i)
    EXPECT_EQ(client.read().body, "GET /" + std::to_string(i) + ' ');
}

TEST(HttpServer, HandlesOnlySoManyPipelinedRequestsAtOnce) {
  waiting_room room;
  scripted handler{room.door()};
  http_server_options options;
  options.max_pipelined = 2;
  const auto server = serve(handler, options);
  raw_client client{server->port()};
  std::string bytes;
  for (int i = 0; i < 50; ++i)
    bytes += get('/' + std::to_string(i));
  client.send(bytes);
  for (std::size_t i = 0; i < 50; ++i) {
    ASSERT_TRUE(room.wait_for(std::min<std::size_t>(i + 2, 50)));
    EXPECT_LE(room.size(), i + 2);
    room.echo(i);
    EXPECT_EQ(client.read().body, "GET /" + std::to_string(i) + ' ');
  }
}

TEST(HttpServer, AnswersAFloodOfPipelinedRequests) {
  scripted handler;
  const auto server = serve(handler);
  raw_client client{server->port()};
  constexpr int count = 20'000;
  std::thread writer{[&] {
    std::string bytes;
    for (int i = 0; i < count; ++i)
      bytes += post(std::to_string(i));
    client.send(bytes);
  }};
  for (int i = 0; i < count; ++i)
    ASSERT_EQ(client.read().body, "POST / " + std::to_string(i));
  writer.join();
}

// -- answers ------------------------------------------------------------------

TEST(HttpServer, TakesAnswersFromOtherThreads) {
  std::mutex mutex;
  std::vector<std::thread> threads;
  scripted handler{[&](http_request request, respond_fn respond) {
    const std::lock_guard guard{mutex};
    threads.emplace_back(
      [request = std::move(request), respond = std::move(respond)] {
        respond(scripted::echo(request));
      });
  }};
  http_server_options options;
  options.threads = 2;
  const auto server = serve(handler, options);
  std::vector<std::thread> clients;
  for (int c = 0; c < 8; ++c)
    clients.emplace_back([&, c] {
      raw_client client{server->port()};
      for (int i = 0; i < 25; ++i) {
        const auto body = std::to_string(c * 1000 + i);
        client.send(post(body) + get('/' + body));
        EXPECT_EQ(client.read().body, "POST / " + body);
        EXPECT_EQ(client.read().body, "GET /" + body + ' ');
      }
    });
  for (auto& client : clients)
    client.join();
  for (auto& thread : threads)
    thread.join();
  EXPECT_EQ(handler.calls, 400U);
}

TEST(HttpServer, ClosesWhenNobodyWillAnswer) {
  scripted handler{[](const http_request& request, const respond_fn& respond) {
    if (request.target != "/dropped")
      respond(scripted::echo(request));
  }};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get("/good") + get("/dropped") + get("/behind"));
  EXPECT_EQ(client.read().body, "GET /good ");
  EXPECT_TRUE(client.closed());
  expect_alive(*server);
}

TEST(HttpServer, ClosesWhenAnAnswerIsDroppedLater) {
  waiting_room room;
  scripted handler{room.door()};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get("/first") + get("/dropped"));
  ASSERT_TRUE(room.wait_for(2));
  room.drop(1);
  EXPECT_TRUE(client.silent(50ms));
  room.echo(0);
  EXPECT_EQ(client.read().body, "GET /first ");
  EXPECT_TRUE(client.closed());
}

TEST(HttpServer, TurnsAnExceptionInto500) {
  scripted handler{[](const http_request& request, const respond_fn& respond) {
    if (request.target == "/throw")
      throw std::runtime_error{"secret"};
    respond(scripted::echo(request));
    if (request.target == "/late")
      throw 1;
  }};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get("/throw") + get("/late") + get("/good"));
  const auto reply = client.read();
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.body, R"({"detail":"internal error"})");
  EXPECT_EQ(client.read().body, "GET /late ");
  EXPECT_EQ(client.read().body, "GET /good ");
}

TEST(HttpServer, CountsOnlyTheFirstAnswer) {
  waiting_room room;
  scripted handler{room.door()};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get("/1") + get("/2"));
  ASSERT_TRUE(room.wait_for(2));
  room.answer(0, {200, {}, "first"});
  room.answer(0, {200, {}, "again"});
  room.answer(1, {200, {}, "second"});
  EXPECT_EQ(client.read().body, "first");
  EXPECT_EQ(client.read().body, "second");
  EXPECT_TRUE(client.silent(50ms));
}

TEST(HttpServer, SurvivesAnswersToClientsThatLeft) {
  waiting_room room;
  scripted handler{room.door()};
  auto server = serve(handler);
  {
    raw_client client{server->port()};
    client.send(get());
    ASSERT_TRUE(room.wait_for(1));
  }
  room.answer(0, {200, {}, std::string(1'000'000, 'x')});
  raw_client client{server->port()};
  client.send(get("/next"));
  ASSERT_TRUE(room.wait_for(2));
  room.echo(1);
  EXPECT_EQ(client.read().body, "GET /next ");
  client.send(get("/too-late"));
  ASSERT_TRUE(room.wait_for(3));
  server.reset();
  room.echo(2);
}

// -- time ---------------------------------------------------------------------

/// Sends a piece now and then until the server speaks or closes; how long it
/// took.
std::chrono::milliseconds trickle(raw_client& client, std::string_view piece) {
  const auto start = clock::now();
  while (clock::now() - start < patience && client.silent(10ms))
    client.send(piece);
  return std::chrono::duration_cast<std::chrono::milliseconds>(clock::now()
                                                               - start);
}

TEST(HttpServer, LosesPatienceWithSlowHeads) {
  scripted handler;
  http_server_options options;
  options.head_timeout = 200ms;
  const auto server = serve(handler, options);
  raw_client client{server->port()};
  client.send(get("/first"));
  EXPECT_EQ(client.read().status, 200);
  client.send("GET / HTTP/1.1\r\nHost: x\r\nA: ");
  EXPECT_GE(trickle(client, "a"), 190ms);
  EXPECT_EQ(client.read().status, 408);
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(handler.calls, 1U);
}

TEST(HttpServer, LosesPatienceWithSlowBodies) {
  scripted handler;
  http_server_options options;
  options.body_timeout = 200ms;
  const auto server = serve(handler, options);
  raw_client client{server->port()};
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
  EXPECT_GE(trickle(client, "a"), 190ms);
  EXPECT_EQ(client.read().status, 408);
  EXPECT_TRUE(client.closed());
  EXPECT_EQ(handler.calls, 0U);
}

TEST(HttpServer, ClosesIdleConnectionsWithoutAWord) {
  waiting_room room;
  scripted handler{room.door()};
  http_server_options options;
  options.idle_timeout = 200ms;
  const auto server = serve(handler, options);
  raw_client fresh{server->port()};
  raw_client used{server->port()};
  used.send(get());
  ASSERT_TRUE(room.wait_for(1));
  EXPECT_TRUE(fresh.closed());
  // A slow handler is not an idle client.
  EXPECT_TRUE(used.silent(300ms));
  room.answer(0);
  EXPECT_EQ(used.read().status, 200);
  const auto start = clock::now();
  EXPECT_TRUE(used.closed());
  EXPECT_GE(clock::now() - start, 190ms);
}

TEST(HttpServer, GivesUpClientsThatDoNotTakeTheirAnswers) {
  scripted handler{[](const http_request& request, const respond_fn& respond) {
    respond(
      {200, {}, std::string(request.target == "/large" ? 32'000'000 : 2, 'x')});
  }};
  http_server_options options;
  options.idle_timeout = 200ms;
  options.max_connections = 1;
  const auto server = serve(handler, options);
  raw_client lazy{server->port(), nullptr, 4096};
  lazy.send(get("/large"));
  EXPECT_TRUE(test::eventually(patience, [&] {
    raw_client other{server->port()};
    other.send(get());
    return other.read().status == 200;
  }));
  EXPECT_LT(lazy.drain().size(), 32'000'000U);
}

TEST(HttpServer, WaitsForSlowReadersThatGoOn) {
  scripted handler{[](const http_request&, const respond_fn& respond) {
    respond({200, {}, std::string(3'000'000, 'x')});
  }};
  const auto server = serve(handler);
  raw_client client{server->port(), nullptr, 4096};
  std::string bytes;
  for (int i = 0; i < 8; ++i)
    bytes += get();
  client.send(bytes);
  // The server asks for no more than it can write off.
  for (int i = 0; i < 8; ++i)
    EXPECT_EQ(client.read().body.size(), 3'000'000U);
}

// -- numbers ------------------------------------------------------------------

TEST(HttpServer, LimitsConnections) {
  scripted handler;
  http_server_options options;
  options.max_connections = 2;
  const auto server = serve(handler, options);
  raw_client first{server->port()};
  std::optional<raw_client> second{server->port()};
  first.send(get());
  EXPECT_EQ(first.read().status, 200);
  second->send(get());
  EXPECT_EQ(second->read().status, 200);
  for (int i = 0; i < 5; ++i) {
    raw_client third{server->port()};
    third.send(get());
    const auto reply = third.read();
    EXPECT_EQ(reply.status, 503);
    EXPECT_EQ(reply.headers.at("retry-after"), "1");
    EXPECT_TRUE(third.closed());
  }
  second.reset();
  EXPECT_TRUE(test::eventually(patience, [&] {
    raw_client next{server->port()};
    next.send(get());
    return next.read().status == 200;
  }));
  first.send(get());
  EXPECT_EQ(first.read().status, 200);
}

TEST(HttpServer, LimitsConnectionsPerAddress) {
  scripted handler;
  http_server_options options;
  options.max_connections_per_address = 1;
  const auto server = serve(handler, options);
  raw_client first{server->port()};
  first.send(get());
  EXPECT_EQ(first.read().status, 200);
  raw_client second{server->port()};
  second.send(get());
  EXPECT_EQ(second.read().status, 429);
  EXPECT_TRUE(second.closed());
  raw_client elsewhere{server->port(), "127.0.0.2"};
  elsewhere.send(get());
  EXPECT_EQ(elsewhere.read().status, 200);
}

TEST(HttpServer, ClosesAtOnceWhenTooManyAreTurnedAway) {
  scripted handler;
  http_server_options options;
  options.max_connections = 1;
  const auto server = serve(handler, options);
  raw_client first{server->port()};
  first.send(get());
  EXPECT_EQ(first.read().status, 200);
  std::vector<raw_client> crowd;
  for (int i = 0; i < 200; ++i)
    crowd.emplace_back(server->port());
  std::map<int, int> statuses;
  for (auto& client : crowd)
    ++statuses[client.read().status];
  EXPECT_GE(statuses[503], 64);
  EXPECT_EQ(statuses[503] + statuses[0], 200);
  first.send(get());
  EXPECT_EQ(first.read().status, 200);
}

TEST(HttpServer, ServesManyConnections) {
  scripted handler;
  http_server_options options;
  options.threads = 2;
  const auto server = serve(handler, options);
  std::vector<raw_client> crowd;
  for (int i = 0; i < 400; ++i)
    crowd.emplace_back(server->port());
  for (int round = 0; round < 3; ++round) {
    for (auto& client : crowd)
      client.send(post("x"));
    for (auto& client : crowd)
      ASSERT_EQ(client.read().body, "POST / x");
  }
}

TEST(HttpServer, RecoversFromALackOfDescriptors) {
#ifdef __SANITIZE_ADDRESS__
  // It looks at objects through a pipe, so it takes a lack of descriptors for
  // bad objects.
  GTEST_SKIP() << "sanitizers need descriptors themselves";
#endif
  scripted handler;
  const auto server = serve(handler);
  raw_client client{0};
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  auto scarce = before;
  const auto next = ::dup(client.fd()); // the lowest free number
  ::close(next);
  scarce.rlim_cur = static_cast<rlim_t>(next);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &scarce), 0);
  client.connect(server->port());
  client.send(get());
  const auto used = std::clock();
  EXPECT_TRUE(client.silent(300ms));
  // It waits, it does not spin.
  EXPECT_LT(static_cast<double>(std::clock() - used) / CLOCKS_PER_SEC, 0.15);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(client.read().status, 200);
}

// -- stopping -----------------------------------------------------------------

TEST(HttpServer, FinishesWhatRunsWhenItStops) {
  waiting_room room;
  scripted handler{room.door()};
  const auto server = serve(handler);
  raw_client idle{server->port()};
  raw_client busy{server->port()};
  raw_client halfway{server->port()};
  halfway.send("POST /half HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n"
               "Content-Length: 3\r\n\r\n");
  EXPECT_EQ(halfway.read().status, 100); // so it has been seen
  busy.send(get("/busy"));
  ASSERT_TRUE(room.wait_for(1));
  auto stopped = std::async(std::launch::async,
                            [&] { server->stop(patience); });
  EXPECT_TRUE(idle.closed());
  halfway.send("abc");
  ASSERT_TRUE(room.wait_for(2));
  EXPECT_EQ(stopped.wait_for(50ms), std::future_status::timeout);
  room.echo(0);
  room.echo(1);
  const auto last = busy.read();
  EXPECT_EQ(last.body, "GET /busy ");
  EXPECT_EQ(last.headers.at("connection"), "close");
  EXPECT_TRUE(busy.closed());
  EXPECT_EQ(halfway.read().body, "POST /half abc");
  EXPECT_TRUE(halfway.closed());
  EXPECT_EQ(stopped.wait_for(patience), std::future_status::ready);
  raw_client late{0};
  sockaddr_in remote{};
  remote.sin_family = AF_INET;
  remote.sin_port = htons(server->port());
  remote.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_NE(::connect(late.fd(), reinterpret_cast<const sockaddr*>(&remote),
                      sizeof remote),
            0);
}

TEST(HttpServer, StopsAtTheDeadline) {
  waiting_room room;
  scripted handler{room.door()};
  const auto server = serve(handler);
  raw_client client{server->port()};
  client.send(get());
  ASSERT_TRUE(room.wait_for(1));
  const auto start = clock::now();
  server->stop(200ms);
  EXPECT_GE(clock::now() - start, 200ms);
  EXPECT_LT(clock::now() - start, patience);
  EXPECT_EQ(client.read().status, 0);
  server->stop(patience); // nothing more to do
  room.answer(0);
}

TEST(HttpServer, StopsAlsoIfItsTimerIsDueAtThatMoment) {
  std::promise<void> called;
  std::promise<void> never;
  scripted handler{[&](const http_request&, const respond_fn&) {
    called.set_value();
    // The thread is held until it has both to stop and to look at its clock.
    never.get_future().wait_for(200ms);
  }};
  http_server_options options;
  options.idle_timeout = 40ms; // a tick is an eighth of it
  const auto server = serve(handler, options);
  raw_client client{server->port()};
  client.send(get());
  called.get_future().wait();
  auto stopped = std::async(std::launch::async, [&] { server->stop(0ms); });
  ASSERT_EQ(stopped.wait_for(patience), std::future_status::ready);
}

TEST(HttpServer, StopsUnderLoadAndStartsAgainOnTheSamePort) {
  scripted handler;
  http_server_options options;
  options.threads = 2;
  options.port = 0;
  for (int round = 0; round < 5; ++round) {
    auto made = http_server::start(options, handler);
    ASSERT_TRUE(made) << made.error().detail;
    options.port = (*made)->port();
    std::vector<std::thread> clients;
    for (int c = 0; c < 4; ++c)
      clients.emplace_back([client = raw_client{options.port}]() mutable {
        while (client.send(post("x"))) {
          const auto reply = client.read();
          if (reply.status == 0)
            break;
          EXPECT_EQ(reply.body, "POST / x");
        }
      });
    const auto before = handler.calls.load();
    EXPECT_TRUE(
      test::eventually(patience, [&] { return handler.calls > before + 50; }));
    (*made)->stop(patience);
    for (auto& client : clients)
      client.join();
  }
}

// -- starting -----------------------------------------------------------------

TEST(HttpServer, TellsItsAddress) {
  scripted handler;
  const auto url_of = [&](const std::string& host) {
    http_server_options options;
    options.host = host;
    const auto server = serve(handler, options);
    expect_alive(*server);
    const auto url = server->url();
    EXPECT_TRUE(url.ends_with(':' + std::to_string(server->port()))) << url;
    return url.substr(0, url.rfind(':'));
  };
  EXPECT_EQ(url_of("127.0.0.1"), "http://127.0.0.1");
  EXPECT_EQ(url_of("0.0.0.0"), "http://0.0.0.0");
}

TEST(HttpServer, ListensOnNamesAndIpv6) {
  scripted handler;
  for (const auto* host : {"localhost", "::1", "[::1]"}) {
    http_server_options options;
    options.host = host;
    options.port = 0;
    const auto server = http_server::start(options, handler);
    if (!server && std::string_view{host} != "localhost")
      GTEST_SKIP() << "no IPv6 here: " << server.error().detail;
    ASSERT_TRUE(server) << server.error().detail;
    EXPECT_THAT((*server)->url(),
                HasSubstr(std::string_view{host} == "localhost"
                            ? "http://localhost:"
                            : "http://[::1]:"));
  }
}

TEST(HttpServer, NormalizesMappedAddresses) {
  std::promise<std::string> peer;
  scripted handler{[&](const http_request& request, const respond_fn& respond) {
    peer.set_value(request.peer_address);
    respond({});
  }};
  http_server_options options;
  options.host = "::";
  options.port = 0;
  const auto server = http_server::start(options, handler);
  if (!server)
    GTEST_SKIP() << "no IPv6 here: " << server.error().detail;
  raw_client client{(*server)->port()};
  client.send(get());
  EXPECT_EQ(client.read().status, 200);
  EXPECT_EQ(peer.get_future().get(), "127.0.0.1");
}

TEST(HttpServer, SaysWhyItCannotListen) {
  scripted handler;
  const auto first = serve(handler);
  http_server_options options;
  options.port = first->port();
  const auto taken = http_server::start(options, handler);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, ec::bind_failed);
  EXPECT_THAT(taken.error().detail,
              HasSubstr("127.0.0.1:" + std::to_string(first->port())));
  EXPECT_THAT(taken.error().detail, HasSubstr("in use"));
  EXPECT_THAT(taken.error().detail, HasSubstr("another port"));
  for (const auto* host : {"192.0.2.1", "no.such.host.invalid"}) {
    options.host = host;
    const auto failed = http_server::start(options, handler);
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code, ec::bind_failed);
    EXPECT_THAT(failed.error().detail, HasSubstr(host));
  }
}

TEST(HttpServer, RefusesOptionsThatMakeNoSense) {
  scripted handler;
  const auto field_of = [&](auto change) {
    http_server_options options;
    options.port = 0;
    change(options);
    const auto made = http_server::start(options, handler);
    return made                                      ? "none"
         : made.error().code == ec::invalid_argument ? made.error().field
                                                     : "wrong code";
  };
  using o = http_server_options;
  EXPECT_EQ(field_of([](o& x) { x.host = ""; }), "host");
  EXPECT_EQ(field_of([](o& x) { x.threads = 0; }), "threads");
  EXPECT_EQ(field_of([](o& x) { x.head_limit = 255; }), "head_limit");
  EXPECT_EQ(field_of([](o& x) { x.head_limit = 256; }), "none");
  EXPECT_EQ(field_of([](o& x) { x.target_limit = 0; }), "target_limit");
  EXPECT_EQ(field_of([](o& x) { x.head_timeout = 0ms; }), "head_timeout");
  EXPECT_EQ(field_of([](o& x) { x.body_timeout = -1ms; }), "body_timeout");
  EXPECT_EQ(field_of([](o& x) { x.idle_timeout = 0ms; }), "idle_timeout");
  EXPECT_EQ(field_of([](o& x) { x.max_connections = 0; }), "max_connections");
  EXPECT_EQ(field_of([](o& x) { x.max_connections_per_address = 0; }),
            "max_connections_per_address");
  EXPECT_EQ(field_of([](o& x) { x.max_pipelined = 0; }), "max_pipelined");
}

} // namespace

} // namespace fanfare::protocol
