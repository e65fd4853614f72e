// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// The network as a delivery sees it: sends a notification and returns the
/// result. `http_client` uses sockets; tests use a recording fake.

#include "fanfare/types.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace fanfare::protocol {

class target;  // protocol/target/target.hpp
struct egress; // protocol/client/egress.hpp

/// Limits of one exchange.
struct exchange_limits {
  std::chrono::milliseconds dns{5'000};
  std::chrono::milliseconds connect{5'000};
  std::chrono::milliseconds tls{5'000};
  /// From the request's last byte to the status line of the answer; an interim
  /// one (1xx) is none.
  std::chrono::milliseconds first_byte{30'000};
  /// From the start, name look-up included, to the answer's last byte.
  std::chrono::milliseconds total{30'000};
  /// Most bytes read of the answer's head, interim answers included.
  std::size_t head_limit = 16 * 1024;
  /// Most bytes read of its body, as they come over the wire.
  std::size_t body_limit = 64 * 1024;
  /// Least bytes per second, on average, of an answer that has begun; judged
  /// from the second second on. 0: no limit.
  std::size_t min_rate = 0;
  /// Most bytes of its body kept for the log.
  std::size_t keep_limit = 16 * 1024;
};

struct exchange_request {
  std::shared_ptr<const target> to;
  notification_ptr what;
  exchange_limits limits;
  /// Header lines of this attempt only (signatures, trace), each with its CRLF.
  std::string extra_head = {};
  /// Null: the client's own.
  std::shared_ptr<const egress> by = {};
  /// 1 is the first. Each begins with another address than the one where the
  /// attempt before failed, if the name has several.
  std::uint16_t attempt = 1;
};

/// Whose fault the lack of an answer is.
enum class fault : std::uint8_t {
  receiver, ///< or its network's, its proxy's or its domain's
  stop,     ///< the engine is stopping
  here,     ///< this machine lacks ports, descriptors, memory
  network,  ///< no name server answers, or there is no route: this machine's,
            ///< unless others are reached
  domain,   ///< name servers answer, but not for its name: the receiver's,
            ///< unless that is so for others, too
  engine,   ///< this engine cannot send it: a key or an option that it needs is
            ///< missing
};

/// The result. `status` 0 means that no status line came. `reason` then says
/// why in one plain line that begins with its kind ("connect: ", "timeout: ",
/// "policy: ", …). With a status it is empty, or says what was wrong with the
/// rest ("body ended after 2 of 3 bytes").
struct exchange_result {
  std::uint16_t status = 0;
  std::string reason;
  /// Without a status: whose fault.
  fault whose = fault::receiver;
  call_timings timings;
  std::string response_head; ///< "Name: value\r\n"…, at most 8 KiB
  std::string response_body; ///< at most `keep_limit`
  /// The answer's `Retry-After` as sent; empty if it had none.
  std::string retry_after = {};
  /// When the receiver's certificate expires, if there was a handshake.
  std::optional<timestamp> certificate_expires = {};
  bool repeated = false; ///< as in `call`
};

using exchange_completion = std::function<void(exchange_result&&)>;

class transport {
public:
  virtual ~transport() = default;
  /// Starts an exchange. `done` is called exactly once, after this returns, on
  /// the transport's thread, even if the transport is closed before. Call only
  /// on that thread.
  virtual void send(exchange_request request, exchange_completion done) = 0;
};

} // namespace fanfare::protocol
