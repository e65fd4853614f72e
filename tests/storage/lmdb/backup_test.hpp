// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// A store with something in every table, and its backups.

#include "storage/backup.hpp"
#include "tests/storage/lmdb/store_test.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::test {

namespace fs = std::filesystem;

inline bool no_secret_is_sealed(std::string_view /*secret*/) {
  return false;
}

/// All bytes of a file.
inline std::string bytes_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

/// Of a report, one per line.
inline std::string text_of(const data_report& report) {
  std::string out;
  for (const auto& f : report.faults)
    out += f.place + " " + f.key + ": " + f.what + "\n";
  return out;
}

/// Keeps what it gets.
class kept_backup final : public backup_sink {
public:
  result<void> begin(std::uint64_t size) override {
    announced = size;
    return {};
  }
  result<void> write(std::string_view more) override {
    bytes += more;
    return {};
  }
  void save(const fs::path& file) const {
    std::ofstream{file, std::ios::binary} << bytes;
  }

  std::uint64_t announced = 0;
  std::string bytes;
};

class backup_test : public store_test {
protected:
  /// Of everything at least one, behind each other's names.
  void fill() {
    add_organizer owner;
    owner.slug = "acme";
    owner.name = "ACME";
    organizer_ = run(std::move(owner)).done.value().id;
    add_event event;
    event.owner = organizer_;
    event.slug = "democon";
    event.name = "Democon";
    run(std::move(event));
    add_action_type type;
    type.name = "a.b";
    const auto type_id = run(std::move(type)).done.value().id;
    add_token token;
    token.value.owner = organizer_;
    token.value.name = "shop";
    token.value.hash = std::string(32, 'h');
    run(std::move(token));
    hook_ = add_hook(organizer_, {type_id}).id;
    std::vector<draft> drafts(
      300, draft_of(type_id, organizer_, std::string(200, 'x')));
    drafts.push_back(draft_of(type_id, organizer_, std::string(20'000, 'y')));
    run(publish_of(std::move(drafts), at_ms(1)));
    std::vector<operation> calls;
    for (position p = 1; p <= 201; ++p) {
      auto c = call_of(hook_, p,
                       p == 201 ? outcome::retried : outcome::delivered, p);
      c.time = at_ms(600'000);
      calls.emplace_back(append_call{std::move(c)});
    }
    EXPECT_TRUE(store_->commit(calls));
    checkpoint(301, {{.hook = hook_, .cursor = 201}});
    run(once('k', at_ms(1'000)));
  }

  data_report check(const fs::path& what) {
    auto report = check_embedded(what, no_secret_is_sealed);
    EXPECT_TRUE(report) << report.error().detail;
    return report ? *report : data_report{};
  }

  [[nodiscard]] fs::path data() const {
    return dir_ / "data";
  }
  [[nodiscard]] fs::path backup() const {
    return dir_ / "a.backup";
  }

  organizer_id organizer_ = 0;
  webhook_id hook_ = 0;
};

} // namespace fanfare::test
