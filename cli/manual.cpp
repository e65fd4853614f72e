// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/manual.hpp"

#include "fanfare/version.hpp"

#include <CLI/CLI.hpp>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::cli {

namespace {

namespace fs = std::filesystem;

// -- text as roff has it ------------------------------------------------------

std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (out.empty() && (c == '.' || c == '\''))
      out += "\\&"; // else it would be a request
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-"; // to be copied into a shell
    else
      out += c;
  }
  return out;
}

std::string bold(std::string_view text) {
  return "\\fB" + roff(text) + "\\fR";
}

std::string italic(std::string_view text) {
  return "\\fI" + roff(text) + "\\fR";
}

std::string upper_case(std::string text) {
  for (auto& c : text)
    c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

/// One sentence, as the line of NAME has it.
std::string purpose_of(const CLI::App& app) {
  auto text = app.get_description();
  if (text.ends_with('.'))
    text.pop_back();
  if (text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])))
    text[0] = static_cast<char>(
      std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

// -- options ------------------------------------------------------------------

/// What to write for its value, "FILE" or "bash|zsh", from its type and the
/// checks behind that: "HOST:PORT", "N:POSITIVE", "TEXT:{bash,zsh}".
std::string value_of(const CLI::Option& option) {
  const auto type = option.get_type_name();
  if (const auto choice = type.find(":{"); choice != std::string::npos) {
    auto out = type.substr(choice + 2, type.find('}') - choice - 2);
    std::ranges::replace(out, ',', '|');
    return out;
  }
  auto check = type.find(':');
  while (check != std::string::npos && type.compare(check, 5, ":PORT") == 0)
    check = type.find(':', check + 1);
  return type.substr(0, check);
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

std::string names_of(const CLI::Option& option) {
  std::string out;
  const auto add = [&](const std::string& name) {
    out += (out.empty() ? "" : ", ") + bold(name);
  };
  for (const auto& name : option.get_snames())
    add("-" + name);
  for (const auto& name : option.get_lnames())
    add("--" + name);
  if (out.empty())
    return italic(option.get_name());
  return takes_value(option) ? out + ' ' + italic(value_of(option)) : out;
}

void write_options(std::ostream& out, const CLI::App& app, bool positional) {
  for (const auto* option : app.get_options()) {
    if (option->get_positional() != positional)
      continue;
    out << ".TP\n"
        << names_of(*option) << '\n'
        << roff(option->get_description());
    if (const auto by_default = option->get_default_str(); !by_default.empty())
      out << " (default: " << roff(by_default) << ')';
    if (option->get_required() && !positional)
      out << " (required)";
    out << ".\n";
  }
}

bool has_positionals(const CLI::App& app) {
  for (const auto* option : app.get_options())
    if (option->get_positional())
      return true;
  return false;
}

// -- pages --------------------------------------------------------------------

/// What the help ends with: a part per heading, "Examples:" alone in its line,
/// up to an empty one; sentences outside of these become notes.
void write_footer(std::ostream& out, const std::string& footer) {
  std::istringstream lines{footer};
  std::string notes;
  bool in_part = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) {
      out << (in_part ? ".fi\n" : "");
      in_part = false;
    } else if (line.ends_with(':') && !line.starts_with(' ')) {
      line.pop_back();
      out << (in_part ? ".fi\n" : "") << ".SH " << upper_case(line)
          << "\n.nf\n";
      in_part = true;
    } else if (in_part) {
      out << roff(line) << '\n';
    } else {
      const bool begins = line.find(": ") < 16 // "DURATION: …"
                       || line.starts_with("SIG");
      notes += (begins && !notes.empty() ? ".PP\n" : "") + roff(line) + '\n';
    }
  }
  if (in_part)
    out << ".fi\n";
  if (!notes.empty())
    out << ".SH NOTES\n" << notes;
}

void write_synopsis(std::ostream& out, const CLI::App& app,
                    const std::string& words) {
  out << ".B " << roff(words) << '\n';
  for (const auto* option : app.get_options())
    if (option->get_required() && !option->get_positional())
      out << names_of(*option) << '\n';
  out << "[" << italic("OPTION") << "]...\\&\n";
  for (const auto* option : app.get_options())
    if (option->get_positional())
      out << (option->get_required() ? "" : "[") << italic(option->get_name())
          << (option->get_items_expected_max() > 1 ? "..." : "")
          << (option->get_required() ? "" : "]") << '\n';
  if (!app.get_subcommands({}).empty())
    out << (app.get_require_subcommand_min() > 0 ? "" : "[")
        << italic("COMMAND")
        << (app.get_require_subcommand_min() > 0 ? "" : "]") << '\n';
}

/// A command below the one that the page is about.
void write_command(std::ostream& out, const CLI::App& app,
                   const std::string& words) {
  out << ".SS " << roff(words) << '\n'
      << roff(app.get_description()) << ".\n.PP\n";
  write_synopsis(out, app, words);
  write_options(out, app, true);
  write_options(out, app, false);
  std::istringstream footer{app.get_footer()};
  std::string examples;
  for (std::string line; std::getline(footer, line) && !line.empty();)
    examples += line + '\n';
  if (examples.starts_with("Examples:"))
    out << ".PP\nExamples:\n.PP\n.nf\n"
        << roff(examples.substr(examples.find('\n') + 1)) << ".fi\n";
  for (const auto* below : app.get_subcommands({}))
    write_command(out, *below, words + ' ' + below->get_name());
}

void write_head(std::ostream& out, const std::string& page) {
  out << ".\\\" Made from the help of the program.\n.TH " << upper_case(page)
      << " 1 \"\" \"fanfare " << roff(version) << "\" \"Fanfare\"\n"
      << ".nh\n.ad l\n.SH NAME\n";
}

std::string page_of(const CLI::App& program, const CLI::App& command) {
  return program.get_name() + '-' + command.get_name();
}

/// fanfare(1): which commands there are.
void write_program(std::ostream& out, const CLI::App& program) {
  write_head(out, program.get_name());
  out << roff(program.get_name()) << " \\- webhook dispatch engine\n"
      << ".SH SYNOPSIS\n";
  write_synopsis(out, program, program.get_name());
  out << ".SH DESCRIPTION\n"
      << roff(program.get_description()) << '\n'
      << ".SH COMMANDS\nEach has a page of its own, as in\n"
      << bold("man " + program.get_name() + "-serve") << ".\n";
  for (const auto* command : program.get_subcommands({}))
    out << ".TP\n"
        << bold(command->get_name()) << '\n'
        << roff(command->get_description()) << ".\n";
  out << ".SH OPTIONS\n";
  write_options(out, program, false);
  out << ".SH FILES\n"
         ".TP\n.I data/admin.token\nThe administrator's token, made by the "
         "first start of the server in its data directory (the Debian "
         "package's: /var/lib/fanfare).\n"
         ".TP\n.I /etc/fanfare/fanfare.toml\nOptions of the server, as the "
         "Debian package has it.\n"
         ".TP\n.I ~/.config/fanfare/client.json\nWhat\n.B fanfare login\n"
         "stores.\n";
  out << ".SH SEE ALSO\n";
  std::string comma;
  for (const auto* command : program.get_subcommands({})) {
    out << comma << ".BR " << roff(page_of(program, *command)) << " (1)";
    comma = " ,\n";
  }
  out << '\n';
}

/// fanfare-webhooks(1): a command, and all below it.
void write_page(std::ostream& out, const CLI::App& program,
                const CLI::App& command) {
  const auto page = page_of(program, command);
  const auto words = program.get_name() + ' ' + command.get_name();
  write_head(out, page);
  out << roff(page) << " \\- " << roff(purpose_of(command))
      << "\n.SH SYNOPSIS\n";
  write_synopsis(out, command, words);
  out << ".SH DESCRIPTION\n" << roff(command.get_description()) << ".\n";
  if (has_positionals(command)) {
    out << ".SH ARGUMENTS\n";
    write_options(out, command, true);
  }
  out << ".SH OPTIONS\n";
  write_options(out, command, false);
  if (const auto below = command.get_subcommands({}); !below.empty()) {
    out << ".SH COMMANDS\n";
    for (const auto* one : below)
      write_command(out, *one, words + ' ' + one->get_name());
  }
  write_footer(out, command.get_footer());
  out << ".SH SEE ALSO\n.BR " << roff(program.get_name()) << " (1)\n";
}

bool write_pages(const CLI::App& program, const fs::path& folder) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  std::ofstream main{folder / (program.get_name() + ".1")};
  write_program(main, program);
  bool good{main.flush()};
  for (const auto* command : program.get_subcommands({})) {
    std::ofstream out{folder / (page_of(program, *command) + ".1")};
    write_page(out, program, *command);
    good = good && out.flush();
  }
  return good;
}

} // namespace

void add_manual_command(CLI::App& program, int& exit_code) {
  auto folder = std::make_shared<std::string>();
  auto* const manual = program.add_subcommand(
    "manual", "Write the manual pages of all commands into a directory");
  manual->add_option("directory", *folder, "Is made if it does not exist")
    ->type_name("DIR")
    ->required();
  manual->footer("Examples:\n  fanfare manual ~/.local/share/man/man1");
  manual->callback([folder, &program, &exit_code] {
    exit_code = 0;
    if (!write_pages(program, *folder)) {
      std::cerr << "fanfare: cannot write into " << *folder << '\n';
      exit_code = 1;
    }
  });
}

} // namespace fanfare::cli
