// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/backup_seal.hpp"

#include "storage/system_error.hpp"

#include <openssl/evp.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <new>

namespace fanfare::storage {

static_assert(std::endian::native == std::endian::little,
              "data directories are not portable");

namespace {

constexpr std::array<char, 8> seal_magic{'F', 'F', 'A', 'N', 'B', 'A', 'K', 1};
constexpr std::size_t size_at = 8;
constexpr std::size_t taken_at = 16;
constexpr std::size_t checksum_at = backup_seal::bytes - backup_seal::checksum;

error no_seal(std::string_view name) {
  return {ec::store_foreign,
          std::string{name}
            + " is no backup of Fanfare, or it was cut short: its end is "
              "missing. Use another backup."};
}

error wrong_sum(std::string_view name) {
  return {ec::store_damaged,
          std::string{name}
            + " was changed since it was made: its checksum "
              "is another one. Use another backup, and check "
              "the disk that it was on."};
}

} // namespace

// -- checksum -----------------------------------------------------------------

struct backup_hash::context {
  EVP_MD_CTX* state = EVP_MD_CTX_new();
  ~context() {
    EVP_MD_CTX_free(state);
  }
};

backup_hash::backup_hash() : context_(std::make_unique<context>()) {
  if (context_->state == nullptr
      || EVP_DigestInit_ex(context_->state, EVP_sha256(), nullptr) != 1)
    throw std::bad_alloc{};
}

backup_hash::~backup_hash() = default;

void backup_hash::add(std::string_view bytes) {
  EVP_DigestUpdate(context_->state, bytes.data(), bytes.size());
  size_ += bytes.size();
}

std::array<unsigned char, backup_seal::checksum> backup_hash::finish() {
  std::array<unsigned char, backup_seal::checksum> sum{};
  unsigned size = sum.size();
  EVP_DigestFinal_ex(context_->state, sum.data(), &size);
  return sum;
}

std::string backup_hash::seal(timestamp taken) {
  std::string out(backup_seal::bytes, '\0');
  const auto milliseconds = taken.time_since_epoch().count();
  std::memcpy(out.data(), seal_magic.data(), seal_magic.size());
  std::memcpy(out.data() + size_at, &size_, sizeof size_);
  std::memcpy(out.data() + taken_at, &milliseconds, sizeof milliseconds);
  add(std::string_view{out}.substr(0, checksum_at));
  const auto sum = finish();
  std::memcpy(out.data() + checksum_at, sum.data(), sum.size());
  return out;
}

std::optional<backup_seal> backup_hash::verify(std::string_view found) {
  const auto seal = read_seal(found);
  if (!seal || seal->size != size_)
    return std::nullopt;
  add(found.substr(0, checksum_at));
  const auto sum = finish();
  if (std::memcmp(sum.data(), found.data() + checksum_at, sum.size()) != 0)
    return std::nullopt;
  return seal;
}

// -- seal ---------------------------------------------------------------------

std::optional<backup_seal> read_seal(std::string_view bytes) {
  if (bytes.size() != backup_seal::bytes
      || !bytes.starts_with(
        std::string_view{seal_magic.data(), seal_magic.size()}))
    return std::nullopt;
  backup_seal found;
  std::int64_t taken = 0;
  std::memcpy(&found.size, bytes.data() + size_at, sizeof found.size);
  std::memcpy(&taken, bytes.data() + taken_at, sizeof taken);
  found.taken = timestamp{std::chrono::milliseconds{taken}};
  return found;
}

void seal_checker::add(std::string_view bytes) {
  // Only what cannot be the seal any more is part of what it seals.
  const auto sealed = last_.size() + bytes.size() > backup_seal::bytes
                      ? last_.size() + bytes.size() - backup_seal::bytes
                      : 0;
  const auto old = std::min(sealed, last_.size());
  hash_.add(std::string_view{last_}.substr(0, old));
  last_.erase(0, old);
  hash_.add(bytes.substr(0, sealed - old));
  last_.append(bytes.substr(sealed - old));
}

result<backup_seal> seal_checker::end(std::string_view name) {
  if (!read_seal(last_))
    return no_seal(name);
  if (const auto seal = hash_.verify(last_))
    return *seal;
  return wrong_sum(name);
}

result<backup_seal> find_seal(const std::filesystem::path& file) {
  const auto handle = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (handle < 0) {
    if (errno == ENOENT)
      return error{ec::not_found, "There is no " + file.string() + "."};
    return system_error(errno, "open " + file.string());
  }
  struct stat found {};
  std::array<char, backup_seal::bytes> last{};
  const bool read = ::fstat(handle, &found) == 0 && S_ISREG(found.st_mode)
                 && found.st_size >= static_cast<off_t>(last.size())
                 && ::pread(handle, last.data(), last.size(),
                            found.st_size - static_cast<off_t>(last.size()))
                      == static_cast<ssize_t>(last.size());
  ::close(handle);
  const auto seal = read ? read_seal({last.data(), last.size()}) : std::nullopt;
  if (!seal
      || seal->size + last.size() != static_cast<std::uint64_t>(found.st_size))
    return no_seal(file.string());
  return *seal;
}

} // namespace fanfare::storage
