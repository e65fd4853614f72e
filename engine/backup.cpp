// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/backup.hpp"

#include "protocol/security/vault.hpp"
#include "storage/backup.hpp"
#include "storage/backup_seal.hpp"
#include "storage/output_file.hpp"

#include <utility>

namespace fanfare {

// -- of a running engine ------------------------------------------------------

result<void> backup_maker::make(backup_sink& to, backup_options options) {
  auto made = copy(to, std::move(options));
  if (!made && made.error().code != ec::conflict
      && made.error().code != ec::stopping)
    events_.say(event_kind::backup, log_level::error,
                "a backup was given up: " + made.error().detail);
  return made;
}

result<void> backup_maker::copy(backup_sink& to, backup_options options) {
  if (!life_.running())
    return error{ec::stopping, "The engine is stopping."};
  if (runs_.exchange(true))
    return error{ec::conflict,
                 "A backup is being made already. Try again after its end."};
  struct turn {
    std::atomic<bool>& runs;
    ~turn() {
      runs = false;
    }
  } const ours{runs_};
  options.progress = [this, asked = std::move(options.progress)](
                       std::uint64_t done, std::uint64_t total) {
    return (!asked || asked(done, total)) && life_.running();
  };
  return store_.back_up(to, options);
}

result<void> backup_maker::make(const std::filesystem::path& target,
                                const backup_options& options) {
  auto file = backup_file::create(target);
  if (!file)
    return file.error();
  if (auto made = copy(**file, options); !made)
    return made;
  return (*file)->finish();
}

// -- files --------------------------------------------------------------------

struct backup_file::impl {
  explicit impl(storage::output_file&& to) : file(std::move(to)) {}

  storage::output_file file;
  storage::seal_checker checker;
};

backup_file::backup_file(std::unique_ptr<impl> made) : impl_(std::move(made)) {}

backup_file::~backup_file() = default;

result<std::unique_ptr<backup_file>>
backup_file::create(const std::filesystem::path& target) {
  auto file = storage::output_file::create(target);
  if (!file)
    return file.error();
  return std::unique_ptr<backup_file>{
    new backup_file{std::make_unique<impl>(std::move(*file))}};
}

result<void> backup_file::begin(std::uint64_t /*size*/) {
  return {};
}

result<void> backup_file::write(std::string_view bytes) {
  impl_->checker.add(bytes);
  return impl_->file.append(bytes);
}

result<void> backup_file::finish() {
  if (auto sealed = impl_->checker.end("What arrived"); !sealed)
    return error{ec::store_damaged,
                 "The backup did not arrive as it was sent: its checksum is "
                 "another one. Try again."};
  return impl_->file.publish();
}

// -- of directories -----------------------------------------------------------

result<data_summary> back_up_directory(const std::filesystem::path& data,
                                       const std::filesystem::path& target,
                                       const backup_options& options) {
  return storage::back_up_embedded(data, target, options,
                                   protocol::vault::is_encrypted);
}

result<data_report>
check_data(const std::filesystem::path& directory_or_backup) {
  return storage::check_embedded(directory_or_backup,
                                 protocol::vault::is_encrypted);
}

result<data_summary> restore_backup(const std::filesystem::path& backup,
                                    const std::filesystem::path& directory,
                                    const restore_options& options) {
  return storage::restore_embedded(backup, directory, options,
                                   protocol::vault::is_encrypted);
}

} // namespace fanfare
