// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Encrypts secrets for the disk: AES-256-GCM under a key that is not in the
/// data directory. Without a key they are stored in plain text, marked as such.

#include "fanfare/error.hpp"
#include "fanfare/types.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::protocol {

/// Immutable; any thread.
class vault {
public:
  /// Without a key.
  vault() = default;

  /// One key per line: 32 bytes as 64 hexadecimal digits or as base64 (44
  /// characters); blank lines and those that begin with # are skipped. The
  /// first one seals, all of them open, so that keys can be replaced. A text of
  /// exactly 32 arbitrary bytes (a file made with `head -c 32 /dev/urandom`) is
  /// one key too. invalid_argument names the line, never what is in it.
  [[nodiscard]] static result<vault> from_text(std::string_view text);
  /// The same from a regular file of at most 64 KiB. io_error: it cannot be
  /// read; invalid_argument also if others than its owner may read it (mode &
  /// 077). The sentence names the file.
  [[nodiscard]] static result<vault> from_file(const std::string& path);

  ~vault(); ///< erases the keys
  vault(const vault&) = default;
  vault& operator=(const vault&); ///< erases those it had

  [[nodiscard]] bool encrypts() const noexcept {
    return !keys_.empty();
  }

  /// What to store: a byte of format, nonce, ciphertext and tag; or, without a
  /// key, a byte of format and the text. `purpose` ("secret", "header", …) is
  /// authenticated with it, so that one cannot be passed off as another.
  [[nodiscard]] std::string seal(std::string_view plain,
                                 std::string_view purpose) const;
  /// The text again, however it was stored. invalid_argument: no key of this
  /// vault opens it (the sentence says to give the key that was used).
  [[nodiscard]] result<std::string> open(std::string_view sealed,
                                         std::string_view purpose) const;
  /// The same for a setting. One that is already sealed stays as it is.
  [[nodiscard]] secret_text seal(const secret_text& text,
                                 secret_text::use what) const;
  /// One that is not sealed is the text itself.
  [[nodiscard]] result<std::string> open(const secret_text& text) const;
  /// Whether it was sealed with a key.
  [[nodiscard]] static bool is_encrypted(std::string_view sealed) noexcept;

private:
  void erase() noexcept;

  /// Reserved before it is filled: growing would leave copies of keys behind.
  std::vector<std::array<unsigned char, 32>> keys_;
};

} // namespace fanfare::protocol
