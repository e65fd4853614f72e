// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/sink.hpp"

#include "cli/numbers.hpp"
#include "protocol/base64.hpp"
#include "protocol/security/signature.hpp"
#include "protocol/server/http_server.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/json.hpp>

#include <CLI/CLI.hpp>

#include <array>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <functional>
#include <iostream>
#include <list>
#include <memory>
#include <utility>
#include <vector>

namespace fanfare::cli {

namespace {

namespace asio = boost::asio;
namespace json = boost::json;
using protocol::http_request;
using protocol::http_response;
using std::chrono::system_clock;

/// How old or early a signed call may be (Standard Webhooks).
constexpr std::chrono::seconds tolerance{300};
constexpr std::int64_t longest_delay = 3'600'000;

std::string iso_time(system_clock::time_point when) {
  const auto ms = std::chrono::floor<std::chrono::milliseconds>(
                    when.time_since_epoch())
                    .count();
  const auto second = static_cast<std::time_t>(ms / 1000);
  std::tm parts{};
  gmtime_r(&second, &parts);
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday,
                parts.tm_hour, parts.tm_min, parts.tm_sec,
                static_cast<int>(ms % 1000));
  return text.data();
}

/// Length of the UTF-8 character at the front; 0: there is none.
std::size_t utf8_length(std::string_view text) {
  const auto at = [&](std::size_t i) {
    return static_cast<unsigned char>(text[i]);
  };
  const auto first = at(0);
  if (first < 0x80)
    return 1;
  const std::size_t length = first >= 0xc2 && first < 0xe0 ? 2
                           : first >= 0xe0 && first < 0xf0 ? 3
                           : first >= 0xf0 && first < 0xf5 ? 4
                                                           : 0;
  if (length == 0 || text.size() < length)
    return 0;
  for (std::size_t i = 1; i < length; ++i)
    if ((at(i) & 0xc0U) != 0x80)
      return 0;
  const auto second = at(1);
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)
      || (first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f))
    return 0;
  return length;
}

/// Valid UTF-8: other bytes would make the line invalid JSON.
std::string printable(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto length = utf8_length(text);
    if (length == 0) {
      out += "\xef\xbf\xbd"; // U+FFFD
      text.remove_prefix(1);
    } else {
      out += text.substr(0, length);
      text.remove_prefix(length);
    }
  }
  return out;
}

/// "Basic ***": the log must not show credentials.
std::string masked(std::string_view value) {
  const auto space = value.find(' ');
  return space == std::string_view::npos
         ? "***"
         : printable(value.substr(0, space)) + " ***";
}

json::object headers_of(const http_request& request) {
  json::object out;
  for (const auto& [name, value] : request.headers) {
    const auto secret = name == "authorization"
                     || name == "proxy-authorization";
    const auto text = secret ? masked(value) : printable(value);
    if (auto* before = out.if_contains(name))
      before->get_string().append(", ").append(text);
    else
      out.emplace(name, text);
  }
  return out;
}

/// One line of JSON.
std::string describe(const http_request& request, system_clock::time_point when,
                     const std::string& signature) {
  json::error_code failed;
  const auto body = json::parse(request.body, failed);
  json::object before;
  before["time"] = iso_time(when);
  before["method"] = request.method;
  before["path"] = printable(request.target);
  before["headers"] = headers_of(request);
  json::object after;
  if (body.is_object())
    if (const auto* id = body.get_object().if_contains("notification_id"))
      after["notification_id"] = *id;
  after["signature"] = signature;
  // A JSON body is shown as sent: 12.50 stays 12.50.
  std::string shown;
  if (failed)
    shown = json::serialize(json::value(printable(request.body)));
  else if (request.body.find_first_of("\r\n") != std::string::npos)
    shown = json::serialize(body);
  else
    shown = request.body;
  auto line = json::serialize(before);
  line.back() = ',';
  line += "\"body\":" + shown + ',';
  line += std::string_view{json::serialize(after)}.substr(1);
  return line + '\n';
}

/// Works on the main thread: a slow reader of standard output blocks that one,
/// not the server's.
class receiver final : public protocol::http_handler {
public:
  receiver(asio::io_context& io, int status, std::chrono::milliseconds delay,
           std::optional<signature_check> check)
    : io_(io),
      status_(status),
      delay_(delay),
      check_(std::move(check)) {}

  void handle(http_request request,
              std::function<void(http_response)> respond) override {
    asio::post(io_,
               [this, request = std::move(request),
                respond = std::move(respond)] { serve(request, respond); });
  }

  /// Whether a line could not be written: the reader is gone. Main thread.
  [[nodiscard]] bool output_lost() const {
    return output_lost_;
  }

  /// Sends delayed answers now. Main thread.
  void hurry() {
    delay_ = std::chrono::milliseconds{0};
    for (auto& timer : waiting_)
      timer.cancel();
  }

private:
  void serve(const http_request& request,
             const std::function<void(http_response)>& respond) {
    const auto now = system_clock::now();
    const auto sent = request.header("webhook-signature");
    std::string signature = sent.empty() ? "absent" : "not checked";
    if (check_)
      signature = check_->verdict(request.header("webhook-id"),
                                  request.header("webhook-timestamp"), sent,
                                  request.body, now);
    const auto line = describe(request, now, signature);
    if (std::fwrite(line.data(), 1, line.size(), stdout) != line.size()
        || std::fflush(stdout) != 0)
      output_lost_ = true;

    http_response response;
    response.status = static_cast<std::uint16_t>(status_);
    if (check_ && signature != "valid") {
      response.status = 401;
      response.headers.emplace_back("Content-Type", "application/json");
      response.body = json::serialize(
        json::object{{"detail", "signature " + signature}});
    }
    answer(std::move(response), respond);
    if (output_lost_)
      io_.stop();
  }

  void answer(http_response response,
              const std::function<void(http_response)>& respond) {
    if (delay_ == std::chrono::milliseconds{0})
      return respond(std::move(response));
    const auto timer = waiting_.emplace(waiting_.end(), io_, delay_);
    timer->async_wait([this, timer, response = std::move(response),
                       respond](boost::system::error_code) {
      respond(response);
      waiting_.erase(timer);
    });
  }

  asio::io_context& io_;
  int status_;
  std::chrono::milliseconds delay_;
  std::optional<signature_check> check_;
  std::list<asio::steady_timer> waiting_;
  bool output_lost_ = false;
};

int complain(int code, const std::string& text) {
  std::cerr << "fanfare sink: " << text << '\n';
  return code;
}

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number value{};
  const auto* const end = text.data() + text.size();
  const auto [stop, failed] = std::from_chars(text.data(), end, value);
  if (failed != std::errc{} || stop != end)
    return std::nullopt;
  return value;
}

} // namespace

result<listen_address> parse_listen_address(std::string_view text) {
  const auto bad = [&](const char* why) {
    return error{
      ec::invalid_argument,
      "--listen " + std::string{text} + ": " + why
        + "; write HOST:PORT, like 127.0.0.1:9000, [::1]:9000 or localhost:0",
      "listen"};
  };
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos)
    return bad("the port is missing");
  auto host = text.substr(0, colon);
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    return bad("an IPv6 address needs brackets");
  if (host.empty())
    return bad("the host is missing");
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
  if (!port)
    return bad("the port is not a number from 0 to 65535");
  return listen_address{std::string{host}, *port};
}

result<signature_check> signature_check::of(std::string_view secret) {
  if (secret.empty())
    return error{ec::invalid_argument, "--secret is empty", "secret"};
  const auto prefixed = secret.starts_with("whsec_")
                     || secret.starts_with("whsk_")
                     || secret.starts_with("whpk_");
  // Other text is used as it is.
  auto key = prefixed
             ? std::string{secret}
             : "whsec_"
                 + protocol::encode_base64(
                   {reinterpret_cast<const unsigned char*>(secret.data()),
                    secret.size()});
  const auto algorithm = protocol::verification_algorithm(key);
  if (!algorithm)
    return error{ec::invalid_argument, "--secret: " + algorithm.error().detail,
                 "secret"};
  return signature_check{std::move(key), *algorithm};
}

std::string
signature_check::verdict(std::string_view id, std::string_view timestamp,
                         std::string_view signatures, std::string_view body,
                         system_clock::time_point now) const {
  if (signatures.empty())
    return "absent";
  if (id.empty())
    return "invalid: the webhook-id header is missing";
  if (timestamp.empty())
    return "invalid: the webhook-timestamp header is missing";
  const auto sent = parse_number<std::int64_t>(timestamp);
  if (!sent || *sent < 0 || *sent > 253'402'300'799) // the year 9999
    return "invalid: the webhook-timestamp is not a number of seconds";
  const auto age = std::chrono::floor<std::chrono::seconds>(
                     now.time_since_epoch())
                 - std::chrono::seconds{*sent};
  if (age > tolerance)
    return "invalid: the webhook-timestamp is " + std::to_string(age.count())
         + " s old";
  if (age < -tolerance)
    return "invalid: the webhook-timestamp is " + std::to_string(-age.count())
         + " s in the future";
  if (protocol::verify_signature(key_, {id, timestamp, body}, signatures))
    return "valid";
  const std::string version = algorithm_ == signing_algorithm::ed25519 ? "v1a"
                                                                       : "v1";
  const auto list = ' ' + std::string{signatures};
  return list.find(' ' + version + ',') != std::string::npos
         ? "invalid: no signature matches"
         : "invalid: no " + version + " signature in the list";
}

CLI::App* add_sink_command(CLI::App& app, sink_options& options) {
  auto* const sink = app.add_subcommand(
    "sink",
    "A receiver to try things with: prints each call as a line of JSON");
  sink
    ->add_option("--listen", options.listen,
                 "Address to listen on; port 0 takes a free one")
    ->type_name("HOST:PORT")
    ->capture_default_str();
  sink
    ->add_option("--status", options.status,
                 "Status to answer with, 200 to 599")
    ->type_name("N")
    ->transform(decimal())
    ->capture_default_str();
  sink->add_option("--delay", options.delay, "Wait before each answer")
    ->type_name("MS")
    ->transform(decimal())
    ->capture_default_str();
  sink
    ->add_option(
      "--secret", options.secret,
      "Check signatures (Standard Webhooks 1.0) with this secret, whsec_BASE64 "
      "or plain text, or this key, whpk_BASE64 (public) or whsk_BASE64; a call "
      "whose signature is missing or invalid is printed and answered 401")
    ->type_name("S");
  return sink;
}

int run_sink(const sink_options& options) {
  const auto address = parse_listen_address(options.listen);
  if (!address)
    return complain(2, address.error().detail);
  if (options.status < 200 || options.status > 599)
    return complain(2, "--status must be from 200 to 599");
  if (options.delay < 0 || options.delay > longest_delay)
    return complain(2, "--delay must be from 0 to "
                         + std::to_string(longest_delay));
  std::optional<signature_check> check;
  if (options.secret) {
    auto made = signature_check::of(*options.secret);
    if (!made)
      return complain(2, made.error().detail);
    check = std::move(*made);
  }

  asio::io_context io{1};
  asio::signal_set signals{io, SIGTERM, SIGINT};
  receiver handler{io, options.status, std::chrono::milliseconds{options.delay},
                   std::move(check)};
  protocol::http_server_options settings;
  settings.host = address->host;
  settings.port = address->port;
  settings.body_limit = 16 * 1024 * 1024;
  settings.max_connections_per_address = settings
                                           .max_connections; // all calls come
                                                             // from one
  auto server = protocol::http_server::start(settings, handler);
  if (!server)
    return complain(1, server.error().detail);
  std::cout << "listening on " << (*server)->url() << std::endl;
  if (!std::cout)
    return complain(1, "standard output is closed");

  signals.async_wait([&](boost::system::error_code, int) {
    handler.hurry();
    // After the answers that hurry() released.
    asio::post(io, [&io] { io.stop(); });
  });
  io.run();
  (*server)->stop(std::chrono::seconds{2});
  return handler.output_lost() ? complain(1, "standard output is closed") : 0;
}

} // namespace fanfare::cli
