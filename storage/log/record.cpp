// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/log/record.hpp"

#include "storage/log/crc32c.hpp"

#include <array>
#include <bit>
#include <cstring>

namespace fanfare::storage::log {

static_assert(std::endian::native == std::endian::little,
              "data directories are not portable");

void seal(record_header& header, std::string_view payload, std::uint32_t seed) {
  header.size = static_cast<std::uint32_t>(payload.size());
  std::array<char, sizeof header> bytes{};
  std::memcpy(bytes.data(), &header, sizeof header);
  const auto covered = std::string_view{bytes.data(), bytes.size()}.substr(
    sizeof header.checksum);
  header.checksum = crc32c(payload, crc32c(covered, seed));
}

std::optional<record> read_record(std::string_view in, std::uint32_t seed) {
  record found;
  auto& header = found.header;
  if (in.size() < sizeof header)
    return std::nullopt;
  std::memcpy(&header, in.data(), sizeof header);
  constexpr auto all = record_header::begins | record_header::ends;
  if (header.sequence == 0 || (header.part & ~all) != 0
      || header.size > in.size() - sizeof header)
    return std::nullopt;
  const auto covered = in.substr(sizeof header.checksum,
                                 sizeof header - sizeof header.checksum
                                   + header.size);
  if (crc32c(covered, seed) != header.checksum)
    return std::nullopt;
  found.payload = in.substr(sizeof header, header.size);
  return found;
}

} // namespace fanfare::storage::log
