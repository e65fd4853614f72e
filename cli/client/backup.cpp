// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "fanfare/backup.hpp"

#include "cli/client/commands.hpp"
#include "cli/client/progress_bar.hpp"
#include "cli/data_summary_view.hpp"
#include "cli/duration.hpp"

#include <CLI/CLI.hpp>

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>

namespace fanfare::cli {

namespace {

using namespace std::chrono_literals;

struct backup_command {
  std::string target;
  std::string data; ///< empty: of the server
  backup_options how;
};

/// A directory that no server uses says other things than a server.
command_error refusal_of(const error& why) {
  return {why.code == ec::not_found ? exit_code::not_found : exit_code::refused,
          why.detail};
}

void show_backup(command_context& context, const std::string& target,
                 std::uint64_t size) {
  if (context.out().json())
    return context.out().document(
      {{"file", text_value(target)}, {"size", size}});
  context.out().fields({{"backup", target}, {"size", size_text(size)}});
}

/// Draws how far it is.
class drawn_progress {
public:
  void show(std::uint64_t done, std::uint64_t total) {
    const auto now = std::chrono::steady_clock::now();
    if (done < total && now - drawn_at_ < 100ms)
      return;
    drawn_at_ = now;
    bar_.show(done, total, size_text(done) + " of " + size_text(total));
  }
  void finish() {
    bar_.finish();
  }

private:
  progress_bar bar_;
  std::chrono::steady_clock::time_point drawn_at_{};
};

void of_server(command_context& context, const backup_command& options) {
  auto file = backup_file::create(options.target);
  if (!file)
    throw refusal_of(file.error());
  drawn_progress progress;
  std::uint64_t done = 0;
  std::uint64_t size = 0;
  const protocol::answer_taker to{.begin =
                                    [&](std::uint64_t all) {
                                      size = all;
                                      return (*file)->begin(all);
                                    },
                                  .take =
                                    [&](std::string_view bytes) {
                                      done += bytes.size();
                                      progress.show(done, size);
                                      return (*file)->write(bytes);
                                    }};
  // At a slow pace there is little at a time.
  const auto answer = context.server().receive(
    {.method = "POST",
     .target = "/api/v1/backup/",
     .body = R"({"bytes_per_second": )"
           + std::to_string(options.how.bytes_per_second) + "}",
     .timeout = 60s},
    to);
  progress.finish();
  if (answer.status != 200)
    context.server().refuse(answer);
  if (auto finished = (*file)->finish(); !finished)
    throw refusal_of(finished.error());
  show_backup(context, options.target, size);
}

void of_directory(command_context& context, const backup_command& options) {
  drawn_progress progress;
  auto how = options.how;
  how.longest = std::chrono::hours{24 * 365}; // nobody waits for the pages
  how.progress = [&](std::uint64_t done, std::uint64_t total) {
    progress.show(done, total);
    return true;
  };
  const auto made = back_up_directory(options.data, options.target, how);
  progress.finish();
  if (!made)
    throw refusal_of(
      {made.error().code,
       made.error().code == ec::store_locked
         ? made.error().detail
             + " Of a running server leave out --data: it makes the backup."
         : made.error().detail});
  if (context.out().json()) {
    auto out = summary_json(*made);
    out["file"] = text_value(options.target);
    return context.out().document(out);
  }
  context.out().fields({{"backup", options.target}});
  context.out().fields(summary_fields(*made));
}

} // namespace

void add_backup_command(CLI::App& app, const command_adder& add) {
  auto o = std::make_shared<backup_command>();
  auto* const backup = add.command(
    app, "backup",
    "Back up a running server, or a data directory that none uses",
    "  fanfare backup fanfare.backup\n"
    "  fanfare backup fanfare.backup --rate 8M\n"
    "  fanfare backup fanfare.backup --data /var/lib/fanfare\n"
    "  fanfare check fanfare.backup\n\n"
      + std::string{size_help}
      + "\nA running server needs the admin token. The backup has all that was "
        "answered before it\nbegan; it has its name once it is whole, on disk, "
        "and its checksum was verified. It has\nneither the key that encrypts "
        "secrets nor the admin token.",
    [o](command_context& context) {
      if (o->data.empty())
        of_server(context, *o);
      else
        of_directory(context, *o);
    });
  backup
    ->add_option("target", o->target, "The file to be made; none is replaced")
    ->type_name("FILE")
    ->required();
  backup
    ->add_option("--data", o->data,
                 "Of this data directory, without a server; nothing in it is "
                 "changed")
    ->type_name("DIR");
  backup
    ->add_option_function<std::string>(
      "--rate",
      [o](const std::string& text) {
        const auto size = parse_size(text);
        if (!size)
          throw CLI::ValidationError("--rate", size.error().detail);
        o->how.bytes_per_second = *size;
      },
      "Bytes per second at most, so that deliveries have the disk; 0: no limit")
    ->type_name("SIZE")
    ->default_str("32M");
}

} // namespace fanfare::cli
