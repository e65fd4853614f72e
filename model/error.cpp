// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "fanfare/error.hpp"

namespace fanfare {

namespace {

class category final : public std::error_category {
public:
  [[nodiscard]] const char* name() const noexcept override {
    return "fanfare";
  }

  [[nodiscard]] std::string message(int code) const override {
    return std::string{to_string(static_cast<ec>(code))};
  }

  [[nodiscard]] std::error_condition
  default_error_condition(int code) const noexcept override {
    switch (static_cast<ec>(code)) {
      case ec::ok: return {};
      case ec::invalid_argument: return std::errc::invalid_argument;
      case ec::not_found: return std::errc::no_such_file_or_directory;
      case ec::already_exists: return std::errc::file_exists;
      case ec::forbidden: return std::errc::permission_denied;
      case ec::too_large: return std::errc::message_size;
      case ec::stopping: return std::errc::operation_canceled;
      case ec::overloaded: return std::errc::resource_unavailable_try_again;
      case ec::store_full: return std::errc::no_space_on_device;
      case ec::store_locked: return std::errc::device_or_resource_busy;
      case ec::io_error: return std::errc::io_error;
      case ec::bind_failed: return std::errc::address_not_available;
      case ec::conflict:
      case ec::store_foreign:
      case ec::store_newer:
      case ec::store_damaged:
      case ec::internal: break;
    }
    return {code, *this};
  }
};

} // namespace

const std::error_category& error_category() noexcept {
  static const category one;
  return one;
}

void raise(const error& e) {
  throw std::system_error{make_error_code(e.code), e.detail};
}

} // namespace fanfare
