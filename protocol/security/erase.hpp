// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Secret bytes: views of them, and that they do not stay in memory. INTERNAL
/// to security/.

#include <openssl/crypto.h>

#include <span>
#include <string_view>

namespace fanfare::protocol {

inline std::span<const unsigned char> bytes_of(std::string_view text) {
  return {reinterpret_cast<const unsigned char*>(text.data()), text.size()};
}

inline std::string_view text_of(std::span<const unsigned char> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Erases bytes where the scope ends.
template <class Bytes>
class eraser {
public:
  explicit eraser(Bytes& bytes) : bytes_(bytes) {}
  eraser(const eraser&) = delete;
  eraser& operator=(const eraser&) = delete;
  ~eraser() {
    OPENSSL_cleanse(bytes_.data(), bytes_.size());
  }

private:
  Bytes& bytes_;
};

} // namespace fanfare::protocol
