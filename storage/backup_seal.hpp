// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// How a backup is known and verified: the file of the tables, a whole one that
/// can be opened as it is, ends with a seal. Numbers are little-endian.
///
///     8   "FFANBAK" and the version, 1
///     u64 bytes before the seal
///     i64 when it was begun, in milliseconds since 1970
///     u64 0
///     32  SHA-256 of all bytes before these

#include "fanfare/backup.hpp"
#include "fanfare/error.hpp"
#include "fanfare/types.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fanfare::storage {

struct backup_seal {
  static constexpr std::size_t bytes = 64;
  /// Of these the last ones are the checksum.
  static constexpr std::size_t checksum = 32;

  std::uint64_t size = 0; ///< bytes before it
  timestamp taken;
};

/// Computes the checksum of a backup as its bytes come.
class backup_hash {
public:
  backup_hash();
  ~backup_hash();
  backup_hash(const backup_hash&) = delete;
  backup_hash& operator=(const backup_hash&) = delete;

  void add(std::string_view bytes);
  [[nodiscard]] std::uint64_t size() const noexcept {
    return size_;
  }
  /// The seal behind what was added. Ends it.
  [[nodiscard]] std::string seal(timestamp taken);
  /// The seal, if `found` is that of what was added. Ends it.
  [[nodiscard]] std::optional<backup_seal> verify(std::string_view found);

private:
  std::array<unsigned char, backup_seal::checksum> finish();

  struct context;
  std::unique_ptr<context> context_;
  std::uint64_t size_ = 0;
};

/// What the last bytes of a file say; nothing if they are no seal. Verifies no
/// more than that.
[[nodiscard]] std::optional<backup_seal> read_seal(std::string_view bytes);

/// Puts the seal behind the bytes of a backup, on their way to `to`.
class sealing_sink final : public backup_sink {
public:
  sealing_sink(backup_sink& to, timestamp taken) : to_(to), taken_(taken) {}

  result<void> begin(std::uint64_t size) override {
    return to_.begin(size + backup_seal::bytes);
  }
  result<void> write(std::string_view bytes) override {
    hash_.add(bytes);
    return to_.write(bytes);
  }
  result<void> end() {
    return to_.write(hash_.seal(taken_));
  }

private:
  backup_sink& to_;
  timestamp taken_;
  backup_hash hash_;
};

/// Checks the bytes of a backup as they come.
class seal_checker {
public:
  void add(std::string_view bytes);
  /// After the last byte: store_foreign (no seal at the end), store_damaged.
  /// `name`: the backup, for the sentence.
  [[nodiscard]] result<backup_seal> end(std::string_view name);

private:
  backup_hash hash_;
  std::string last_; ///< what may be the seal
};

/// The seal of the file, not verified: not_found, store_foreign, io_error.
result<backup_seal> find_seal(const std::filesystem::path& file);

} // namespace fanfare::storage
