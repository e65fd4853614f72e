// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Gives every request an id, or keeps the one that it has, names it in the
/// answer (`X-Request-Id`), and tells of each request that was answered.

#include "protocol/server/http_handler.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::protocol {

struct answered_request {
  std::string id;
  std::string method;
  std::string path; ///< without its query, which may have secrets
  std::string peer_address;
  std::uint16_t status = 0;
  std::chrono::microseconds took{0};
};

/// An id that a client may give: 1 to 128 letters, digits and -._~+/=: of
/// ASCII.
[[nodiscard]] bool is_request_id(std::string_view text);

class request_log final : public http_handler {
public:
  using listener = std::function<void(const answered_request&)>;

  /// `next` must outlive it. `told` is called on any thread, of requests that
  /// come while `wanted` is true; empty: nobody, and always.
  request_log(http_handler& next, listener told,
              std::function<bool()> wanted = {});

  [[nodiscard]] request_kind kind_of(const http_request& head) const override {
    return next_.kind_of(head);
  }
  [[nodiscard]] std::uint64_t mark_of(const http_request& head) const override {
    return next_.mark_of(head);
  }
  void handle(http_request request,
              std::function<void(http_response)> respond) override;
  std::optional<http_response> check_head(const http_request& head) override;

private:
  [[nodiscard]] bool tells() const {
    return told_ && (!wanted_ || wanted_());
  }

  http_handler& next_;
  listener told_;
  std::function<bool()> wanted_;
};

} // namespace fanfare::protocol
