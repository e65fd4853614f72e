// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"

#include "cli/client/terminal_text.hpp"
#include "cli/client/yaml.hpp"
#include "cli/declarative/export.hpp"
#include "cli/declarative/plan.hpp"
#include "cli/declarative/reader.hpp"
#include "cli/declarative/server_state.hpp"

#include <boost/json/array.hpp>

#include <CLI/CLI.hpp>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fanfare::cli {

namespace {

using namespace declarative;
using boost::json::object;

/// Of a file: ten thousand webhooks take a few MiB.
constexpr std::size_t most_bytes = std::size_t{16} * 1024 * 1024;

struct apply_options {
  std::string file;
  bool prune = false;
  bool yes = false;
};

std::string read_file(const std::string& name) {
  std::ifstream file;
  if (name != "-") {
    std::error_code failed;
    if (std::filesystem::is_directory(name, failed))
      throw command_error{exit_code::usage, name + " is a directory"};
    file.open(name, std::ios::binary);
    if (!file)
      throw command_error{exit_code::usage, "cannot read " + name};
  }
  auto& in = name == "-" ? std::cin : file;
  std::string text;
  char part[16 * 1024];
  while (in.read(part, sizeof part) || in.gcount() > 0) {
    text.append(part, static_cast<std::size_t>(in.gcount()));
    if (text.size() > most_bytes)
      throw command_error{exit_code::usage,
                          name + " has more than 16 MiB: split it"};
  }
  if (in.bad())
    throw command_error{exit_code::usage, "cannot read " + name};
  return text;
}

wanted_state read_wanted(const std::string& file) {
  const auto name = file == "-" ? std::string{"standard input"} : file;
  process_references references{file == "-"
                                  ? std::filesystem::path{}
                                  : std::filesystem::path{file}.parent_path()};
  return read_wanted(read_document(read_file(file), name), name, references);
}

// -- the plan -----------------------------------------------------------------

constexpr const char* word_of(step_kind kind) {
  switch (kind) {
    case step_kind::add: return "add";
    case step_kind::change: return "change";
    case step_kind::remove: return "remove";
  }
  return "";
}

constexpr const char* sign_of(step_kind kind) {
  switch (kind) {
    case step_kind::add: return "+ ";
    case step_kind::change: return "~ ";
    case step_kind::remove: return "- ";
  }
  return "";
}

std::size_t count(const std::vector<step>& plan, step_kind kind) {
  return static_cast<std::size_t>(std::ranges::count(plan, kind, &step::kind));
}

std::string summary(const std::vector<step>& plan) {
  return std::to_string(count(plan, step_kind::add)) + " to add, "
       + std::to_string(count(plan, step_kind::change)) + " to change, "
       + std::to_string(count(plan, step_kind::remove)) + " to remove";
}

object to_json(const std::vector<step>& plan) {
  boost::json::array steps;
  for (const auto& one : plan) {
    boost::json::array changes;
    for (const auto& [field, before, after] : one.differences) {
      object change{{"field", field}, {"before", nullptr}, {"after", after}};
      if (!before.empty())
        change["before"] = before;
      changes.push_back(std::move(change));
    }
    steps.push_back(object{{"action", word_of(one.kind)},
                           {"subject", one.subject},
                           {"changes", std::move(changes)}});
  }
  return {{"add", count(plan, step_kind::add)},
          {"change", count(plan, step_kind::change)},
          {"remove", count(plan, step_kind::remove)},
          {"steps", std::move(steps)}};
}

void print_text(const std::vector<step>& plan) {
  for (const auto& one : plan) {
    std::cout << sign_of(one.kind) << printable(one.subject) << '\n';
    for (const auto& [field, before, after] : one.differences)
      std::cout << "    " << printable(field) << ": "
                << (before.empty() ? "" : printable(before) + " → ")
                << printable(after) << '\n';
  }
  std::cout << "Plan: " << summary(plan) << ".\n" << std::flush;
}

void print(command_context& context, const std::vector<step>& plan) {
  if (context.out().json())
    context.out().document(to_json(plan));
  else if (plan.empty())
    std::cout << "There is nothing to change." << std::endl;
  else
    print_text(plan);
}

// -- apply --------------------------------------------------------------------

void carry_out(api& server, const step& what) {
  std::string id;
  for (auto [method, target, body] : what.requests) {
    if (const auto place = target.find("{id}"); place != std::string::npos)
      target.replace(place, 4, id);
    const auto answer = server.send(
      {.method = method, .target = target, .body = body});
    if (const auto* made = answer.value.if_object();
        made != nullptr && made->contains("id"))
      id = cell_of(*made, "id");
  }
}

void carry_out(api& server, const std::vector<step>& plan) {
  std::size_t done = 0;
  try {
    for (const auto& one : plan) {
      carry_out(server, one);
      ++done;
    }
  } catch (const command_error& e) {
    auto sentence = plan[done].subject + ": " + e.what()
                  + "\nDone: " + std::to_string(done) + " of "
                  + std::to_string(plan.size()) + ". Not done:";
    for (auto i = done; i < plan.size(); ++i)
      sentence += "\n  " + (sign_of(plan[i].kind) + plan[i].subject);
    throw command_error{e.code,
                        sentence
                          + "\nOnce the cause is mended, apply the file "
                            "again: it does what is left"};
  }
}

std::vector<step> plan_of(command_context& context, const apply_options& o) {
  const auto wanted = read_wanted(o.file);
  return make_plan(wanted, read_found(context.server(), wanted), o.prune);
}

void apply(command_context& context, const apply_options& o) {
  const auto plan = plan_of(context, o);
  print(context, plan);
  if (plan.empty())
    return;
  if (o.file == "-" && !o.yes)
    throw command_error{exit_code::usage,
                        "the file comes from standard input, where no answer "
                        "can come from; add --yes. Nothing was done"};
  confirm(o.yes, "Make these changes (" + summary(plan) + ")?");
  carry_out(context.server(), plan);
  output::note("Done: " + std::to_string(count(plan, step_kind::add))
               + " added, " + std::to_string(count(plan, step_kind::change))
               + " changed, " + std::to_string(count(plan, step_kind::remove))
               + " removed.");
}

void diff(command_context& context, const apply_options& o) {
  const auto plan = plan_of(context, o);
  print(context, plan);
  if (!plan.empty())
    throw command_error{exit_code::differs, ""};
}

// -- export -------------------------------------------------------------------

void export_all(command_context& context, bool of_organizer) {
  auto& server = context.server();
  const auto which = of_organizer ? std::vector{server.settings().organizer}
                                  : list_organizers(server);
  const auto made = export_state(read_all(server, which));
  if (context.options().json || context.options().output == "json")
    context.out().document(made.document);
  else
    std::cout << to_yaml(made.document) << std::flush;
  for (const auto& sentence : made.notes)
    output::note(sentence);
  if (!made.references.empty())
    output::note("Secrets are not exported. Before it is applied, set:");
  for (const auto& [name, what] : made.references)
    output::note("  " + name + ": " + what);
}

void add_file(CLI::App& app, apply_options& o) {
  app
    .add_option("-f,--file", o.file,
                "The file, YAML or JSON; - for standard input")
    ->type_name("FILE")
    ->required();
  app.add_flag("--prune", o.prune,
               "Also remove the webhooks and events that the organizers of the "
               "file have, but their lists in the file do not");
}

} // namespace

void add_declarative_commands(CLI::App& app, const command_adder& add) {
  auto o = std::make_shared<apply_options>();
  auto* const applying = add.command(
    app, "apply",
    "Make the server have what a file says: action types, organizers, events "
    "and webhooks; shows a plan and asks first",
    "  fanfare apply -f webhooks.yaml\n"
    "  fanfare apply -f webhooks.yaml --prune --yes\n"
    "  fanfare export --organizer democon > webhooks.yaml",
    [o](command_context& context) { apply(context, *o); });
  add_file(*applying, *o);
  applying->add_flag("-y,--yes", o->yes, "Do not ask");

  auto d = std::make_shared<apply_options>();
  auto* const comparing = add.command(
    app, "diff",
    "Show what apply would do; exits with 0 if that is nothing, with 6 if it "
    "is "
    "something",
    "  fanfare diff -f webhooks.yaml\n"
    "  fanfare diff -f webhooks.yaml --prune --json | jq .steps",
    [d](command_context& context) { diff(context, *d); });
  add_file(*comparing, *d);

  auto* const exporting = app.add_subcommand(
    "export", "Print what the server has as a file for apply, without secrets");
  add.make_command(*exporting,
                   "  fanfare export > all.yaml\n"
                   "  fanfare export --organizer democon > democon.yaml",
                   [exporting](command_context& context) {
                     // Without it, the whole server: unlike other commands.
                     export_all(context, exporting->count("--organizer") != 0);
                   });
}

} // namespace fanfare::cli
