// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/data_commands.hpp"

#include "cli/client/output.hpp"
#include "cli/client/terminal_text.hpp"
#include "cli/data_summary_view.hpp"
#include "cli/numbers.hpp"
#include "fanfare/backup.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <CLI/CLI.hpp>

#include <filesystem>
#include <iostream>
#include <memory>
#include <optional>
#include <string>

namespace fanfare::cli {

namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr int clean = 0;
constexpr int faulty = 1;
constexpr int not_done = 2;

struct data_options {
  std::string from;
  std::string to;
  restore_options restore;
  bool as_json = false;

  [[nodiscard]] output out() const {
    return output{as_json ? format::json : format::table};
  }
};

int say_why_not(const error& why) {
  output::note("fanfare: " + printable(why.detail));
  return not_done;
}

// -- check --------------------------------------------------------------------

json::object report_json(const data_report& report) {
  json::array faults;
  for (const auto& fault : report.faults)
    faults.push_back({{"place", text_value(fault.place)},
                      {"key", text_value(fault.key)},
                      {"what", text_value(fault.what)},
                      {"remedy", text_value(fault.remedy)}});
  auto out = summary_json(report.found);
  out["records"] = report.records;
  out["commits"] = report.groups;
  out["commits_ahead"] = report.groups_ahead;
  out["faults"] = std::move(faults);
  out["more_faults"] = report.more_faults;
  return out;
}

void print_report(output& out, const data_report& report) {
  if (out.json())
    return out.document(report_json(report));
  for (const auto& fault : report.faults)
    std::cout << printable(fault.place) << (fault.key.empty() ? "" : ", ")
              << printable(fault.key) << ": " << printable(fault.what) << ". "
              << printable(fault.remedy) << '\n';
  if (report.more_faults)
    std::cout << "There are more faults like these.\n";
  if (!report.faults.empty())
    return;
  out.fields(summary_fields(report.found));
  out.fields({{"records", std::to_string(report.records)},
              {"commits in the log", std::to_string(report.groups)},
              {"of these ahead", std::to_string(report.groups_ahead)}});
  std::cout << "No fault was found.\n";
}

int run_check(const data_options& options) {
  const auto report = check_data(options.from);
  if (!report)
    return say_why_not(
      {report.error().code,
       report.error().code == ec::store_locked
         ? report.error().detail
             + " Of a running server check a backup: fanfare backup "
               "FILE."
         : report.error().detail});
  auto out = options.out();
  print_report(out, *report);
  return report->faults.empty() ? clean : faulty;
}

// -- restore ------------------------------------------------------------------

int run_restore(const data_options& options) {
  const auto found = restore_backup(options.from, options.to, options.restore);
  if (!found)
    return say_why_not(found.error());
  auto out = options.out();
  if (out.json()) {
    out.document(summary_json(*found));
    return clean;
  }
  out.fields(summary_fields(*found));
  std::cout << "Restored into " << printable(options.to)
            << ". Start it with:\n  fanfare serve --data "
            << printable(options.to)
            << (found->sealed_secrets != 0 ? " --secret-key-file FILE" : "")
            << '\n';
  if (found->sealed_secrets != 0)
    std::cout << "The secrets are encrypted: FILE has to be the key that the "
                 "server had, which no backup has.\n";
  std::cout << "The admin token is a new one, in "
            << printable((fs::path{options.to} / "admin.token").string())
            << ", unless FANFARE_ADMIN_TOKEN is set; all other tokens stay.\n"
               "What was sent after the backup was made is sent again; "
               "notification ids go on after "
            << found->last_notification + options.restore.skipped_ids << ".\n";
  return clean;
}

} // namespace

void add_data_commands(CLI::App& app, int& exit_code) {
  auto o = std::make_shared<data_options>();
  auto* const check = app.add_subcommand(
    "check", "Check a data directory that no server uses, or a backup");
  check->add_option("path", o->from, "The directory, or the file of the backup")
    ->type_name("DIR|BACKUP")
    ->required();
  check->add_flag("--json", o->as_json, "Print JSON");
  check->footer(
    "Reads only. Every record has to be readable, the indexes have to agree "
    "with what they\nindex, the log has to be whole, and of a backup the "
    "checksum has to be right. Each fault is\na line that says where it is, "
    "what is wrong and what to do.\n\n"
    "Examples:\n"
    "  fanfare check /var/lib/fanfare\n"
    "  fanfare check /backups/fanfare-20261201T030000Z.backup\n\n"
    "Exit codes: 0 no fault; 1 faults were found; 2 it could not look.");
  check->callback([o, &exit_code] { exit_code = run_check(*o); });

  auto* const restore = app.add_subcommand("restore",
                                           "Make a data directory of a backup");
  restore->add_option("backup", o->from, "The file of the backup")
    ->type_name("BACKUP")
    ->required();
  restore
    ->add_option("directory", o->to,
                 "The data directory to be made: a new one, or an empty one")
    ->type_name("DIR")
    ->required();
  restore
    ->add_option("--skip-ids", o->restore.skipped_ids,
                 "Notification ids to leave out, so that none is given out "
                 "again that was given out after the backup was made")
    ->type_name("N")
    ->transform(decimal())
    ->check(CLI::Range(std::uint64_t{0}, std::uint64_t{1'000'000'000}))
    ->capture_default_str();
  restore->add_flag("--json", o->as_json, "Print JSON");
  restore->footer(
    "Verifies the checksum. Without success nothing is left behind.\n\n"
    "Examples:\n"
    "  fanfare restore /backups/fanfare-20261201T030000Z.backup "
    "/var/lib/fanfare\n\n"
    "Exit codes: 0 done; 2 it could not be done.");
  restore->callback([o, &exit_code] { exit_code = run_restore(*o); });
}

} // namespace fanfare::cli
