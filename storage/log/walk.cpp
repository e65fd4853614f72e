// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#include "storage/log/walk.hpp"

#include "storage/log/crc32c.hpp"
#include "storage/log/record.hpp"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

namespace fanfare::storage::log {

namespace {

error damaged(log_sequence which) {
  return {ec::store_damaged,
          "The store's log is damaged: commit " + std::to_string(which)
            + " was on disk and cannot be read. Restore the data directory "
              "from a backup."};
}

class walker {
public:
  /// As many times its size are the records behind the end read.
  static constexpr std::size_t longest_search = 16;

  walker(const store_id& store, log_sequence after,
         const commit_log::visitor& visit)
    : seed_(crc32c({store.data(), store.size()})),
      after_(after),
      visit_(visit) {}

  /// Behind the last whole group. What a later one has begun with is no part of
  /// the log: it need not be on disk.
  [[nodiscard]] log_end end() const {
    auto out = whole_;
    out.epoch = end_.epoch;
    return out;
  }
  [[nodiscard]] log_sequence next() const {
    return end_.last + 1;
  }

  /// Whether a segment with this header comes next.
  [[nodiscard]] bool continues(const segment_header& header) const {
    return !begun_
        || (header.number == number_ + 1 && header.previous == end_.chain
            && header.first == next() && header.epoch >= end_.epoch);
  }

  void enter(const segment_header& header) {
    number_ = header.number;
    ++end_.segments;
    if (begun_)
      return;
    begun_ = true;
    end_.chain = header.previous;
    end_.epoch = header.epoch;
    end_.last = header.first - 1;
    end_.offset = segment::begin;
    whole_ = end_;
  }

  /// Reads the records of the segment in `bytes`. Where they end.
  result<std::size_t> read(std::string_view bytes) {
    auto at = segment::begin;
    while (const auto found = next_record(bytes.substr(at))) {
      at += record_size(found->header.size);
      end_.offset = std::min(at, bytes.size());
      if (auto done = take(*found); !done)
        return done.error();
      if (at >= bytes.size())
        break;
    }
    return std::min(at, bytes.size());
  }

  /// Whether a record in these bytes, which are behind the end, says that what
  /// is not there was on disk.
  [[nodiscard]] bool was_durable(std::string_view bytes) const {
    // What receivers have answered is among them. It may look like records, but
    // must not keep a start busy: their checksums begin with the store's id.
    auto budget = longest_search * bytes.size();
    const auto most = bytes.size() / sizeof(record_header);
    for (std::size_t at = 0; at + sizeof(record_header) <= bytes.size();
         at += record_alignment) {
      record_header header;
      std::memcpy(&header, bytes.data() + at, sizeof header);
      if (header.durable < next() || header.sequence != header.durable + 1
          || header.sequence - next() > most || header.epoch < end_.epoch
          || header.size > bytes.size() - at)
        continue;
      if (header.size > budget)
        return false;
      budget -= header.size;
      if (read_record(bytes.substr(at), seed_))
        return true;
    }
    return false;
  }

private:
  /// The record there, if it continues the chain.
  [[nodiscard]] std::optional<record> next_record(std::string_view in) const {
    auto found = read_record(in, seed_);
    if (!found)
      return std::nullopt;
    const auto& header = found->header;
    // One that begins may follow one that does not end: a group of which only
    // a part was written before the store was opened anew.
    if (header.previous != end_.chain || header.epoch < end_.epoch
        || header.sequence != next())
      return std::nullopt;
    return found;
  }

  result<void> take(const record& found) {
    const auto& header = found.header;
    end_.chain = header.checksum;
    end_.epoch = header.epoch;
    if ((header.part & record_header::begins) != 0) {
      torn_ = false;
      group_.clear();
    }
    group_ += found.payload;
    if ((header.part & record_header::ends) == 0)
      return {};
    end_.last = header.sequence;
    whole_ = end_;
    // The beginning of the first one may be in a segment that is gone.
    const bool whole = !torn_;
    torn_ = false;
    const auto group = std::exchange(group_, {});
    if (!whole)
      return {};
    if (visit_ && end_.last > after_)
      return visit_(end_.last, group);
    return {};
  }

  std::uint32_t seed_;
  log_sequence after_;
  const commit_log::visitor& visit_;
  bool begun_ = false;
  std::uint64_t number_ = 0;
  log_end end_;      ///< of what was read
  log_end whole_;    ///< the same at the end of the last whole group
  bool torn_ = true; ///< the beginning of the group has not been seen
  std::string group_;
};

} // namespace

result<log_end> walk(std::span<const segment> segments, const store_id& store,
                     log_sequence after, const commit_log::visitor& visit) {
  walker at{store, after, visit};
  bool ended = false;
  std::string behind; // of the segment in which the chain has ended
  for (const auto& one : segments) {
    const auto bytes = one.read();
    if (!bytes)
      return bytes.error();
    const auto header = read_header(*bytes);
    if (!header)
      return damaged(at.next());
    if (!ended && at.continues(*header)) {
      at.enter(*header);
      const auto end = at.read(*bytes);
      if (!end)
        return end.error();
      behind = bytes->substr(*end);
      continue;
    }
    ended = true;
    if (header->first > at.next() || at.was_durable(*bytes))
      return damaged(at.next());
  }
  if (at.was_durable(behind))
    return damaged(at.next());
  return at.end();
}

} // namespace fanfare::storage::log
