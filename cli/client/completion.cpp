// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/commands.hpp"

#include <CLI/CLI.hpp>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

namespace fanfare::cli {

namespace {

/// A command and what may follow it.
struct node {
  std::string path; ///< " webhooks list"; empty for the program
  std::vector<const CLI::App*> commands;
  std::vector<const CLI::Option*> options;
};

void collect(const CLI::App& app, const std::string& path,
             std::vector<node>& out) {
  node here{path, {}, {}};
  for (const auto* option : app.get_options())
    if (option->nonpositional())
      here.options.push_back(option);
  for (const auto* command : app.get_subcommands({}))
    here.commands.push_back(command);
  out.push_back(here);
  for (const auto* command : here.commands)
    collect(*command, path + ' ' + command->get_name(), out);
}

std::vector<std::string> names(const CLI::Option& option) {
  std::vector<std::string> out;
  for (const auto& name : option.get_snames())
    out.push_back("-" + name);
  for (const auto& name : option.get_lnames())
    out.push_back("--" + name);
  return out;
}

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0;
}

/// Words separated by spaces.
std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words)
    out += (out.empty() ? "" : " ") + word;
  return out;
}

std::vector<std::string> words_of(const node& n) {
  std::vector<std::string> out;
  for (const auto* command : n.commands)
    out.push_back(command->get_name());
  for (const auto* option : n.options)
    for (const auto& name : names(*option))
      out.push_back(name);
  return out;
}

/// The first sentence in single quotes for a shell.
std::string quoted(std::string text) {
  text = text.substr(0, text.find_first_of(".;:\n"));
  std::string out = "'";
  for (const char c : text)
    out += c == '\'' ? std::string{"'\\''"} : std::string(1, c);
  return out + "'";
}

/// Patterns of a `case`: all paths of commands.
std::string case_of_paths(const std::vector<node>& nodes) {
  std::string out;
  for (const auto& n : nodes)
    if (!n.path.empty())
      out += (out.empty() ? "" : "|") + ("'" + n.path + "'");
  return out;
}

/// Patterns of a `case`: the options that take a value.
std::string case_of_values(const std::vector<node>& nodes) {
  std::vector<std::string> seen;
  for (const auto& n : nodes)
    for (const auto* option : n.options)
      if (takes_value(*option))
        for (const auto& name : names(*option))
          if (std::ranges::find(seen, name) == seen.end())
            seen.push_back(name);
  std::string out;
  for (const auto& name : seen)
    out += (out.empty() ? "" : "|") + name;
  return out;
}

/// Walks the words in bash and zsh; at the end `at` is the command.
std::string walk(const std::vector<node>& nodes, const char* first,
                 const char* end, const char* words) {
  return std::string{"  local i word at= value=\n  for ((i = "} + first
       + "; i < " + end + "; i++)); do\n    word=${" + words
       + "[i]}\n"
         "    if [[ -n $value ]]; then\n"
         "      value=\n"
         "      continue\n"
         "    fi\n"
         "    case $word in\n      "
       + case_of_values(nodes)
       + ") value=1 ;;\n"
         "    esac\n"
         "    case \"$at $word\" in\n      "
       + case_of_paths(nodes)
       + ") at=\"$at $word\" ;;\n"
         "    esac\n"
         "  done\n";
}

void write_bash(std::ostream& out, const std::vector<node>& nodes) {
  out << "# bash completion for fanfare; to use it now and from now on:\n"
         "#   source <(fanfare completion bash)\n"
         "#   fanfare completion bash > "
         "~/.local/share/bash-completion/completions/fanfare\n"
         "_fanfare() {\n"
         "  local current=${COMP_WORDS[COMP_CWORD]} words=\n"
         "  COMPREPLY=()\n"
      << walk(nodes, "1", "COMP_CWORD", "COMP_WORDS")
      << "  [[ -z $value ]] || return 0 # files, by default\n"
         "  case $at in\n";
  for (const auto& n : nodes)
    out << "    '" << n.path << "') words='" << joined(words_of(n)) << "' ;;\n";
  out << "  esac\n"
         "  while IFS= read -r word; do\n"
         "    COMPREPLY+=(\"$word\")\n"
         "  done < <(compgen -W \"$words\" -- \"$current\")\n"
         "}\n"
         "complete -o default -F _fanfare fanfare\n";
}

void write_zsh(std::ostream& out, const std::vector<node>& nodes) {
  out << "#compdef fanfare\n"
         "# zsh completion for fanfare; to use it:\n"
         "#   fanfare completion zsh > DIRECTORY-OF-FPATH/_fanfare\n"
         "#   source <(fanfare completion zsh) # after compinit\n"
         "_fanfare() {\n"
         "  local -a found\n"
      << walk(nodes, "2", "CURRENT", "words")
      << "  if [[ -n $value ]]; then\n"
         "    _files\n"
         "    return\n"
         "  fi\n"
         "  case $at in\n";
  for (const auto& n : nodes) {
    out << "    '" << n.path << "')\n      found=(\n";
    for (const auto* command : n.commands)
      out << "        " << command->get_name() << ':'
          << quoted(command->get_description()) << '\n';
    for (const auto* option : n.options)
      for (const auto& name : names(*option))
        out << "        " << name << ':' << quoted(option->get_description())
            << '\n';
    out << "      )\n      ;;\n";
  }
  out << "  esac\n"
         "  _describe fanfare found || _files\n"
         "}\n"
         "if [[ $funcstack[1] == _fanfare ]]; then\n"
         "  _fanfare \"$@\"\n"
         "else\n"
         "  compdef _fanfare fanfare\n"
         "fi\n";
}

void write_fish(std::ostream& out, const std::vector<node>& nodes) {
  out << "# fish completion for fanfare; to use it:\n"
         "#   fanfare completion fish > "
         "~/.config/fish/completions/fanfare.fish\n"
         "function __fanfare_at\n"
         "  set -l at ''\n"
         "  set -l value ''\n"
         "  for word in (commandline -opc)[2..]\n"
         "    if test -n \"$value\"\n"
         "      set value ''\n"
         "      continue\n"
         "    end\n"
         "    switch $word\n"
         "      case ";
  auto options = case_of_values(nodes);
  for (auto& c : options)
    c = c == '|' ? ' ' : c;
  out << options
      << "\n"
         "        set value 1\n"
         "    end\n"
         "    switch \"$at $word\"\n"
         "      case";
  for (const auto& n : nodes)
    if (!n.path.empty())
      out << " '" << n.path << "'";
  out << "\n"
         "        set at \"$at $word\"\n"
         "    end\n"
         "  end\n"
         "  test \"$at\" = \"$argv[1]\"\n"
         "end\n";
  for (const auto& n : nodes) {
    const auto at = "complete -c fanfare -n \"__fanfare_at '" + n.path + "'\"";
    for (const auto* command : n.commands)
      out << at << " -f -a " << command->get_name() << " -d "
          << quoted(command->get_description()) << '\n';
    for (const auto* option : n.options) {
      out << at;
      for (const auto& name : option->get_snames())
        out << " -s " << name;
      for (const auto& name : option->get_lnames())
        out << " -l " << name;
      if (takes_value(*option))
        out << " -r";
      out << " -d " << quoted(option->get_description()) << '\n';
    }
  }
}

} // namespace

void add_completion_command(CLI::App& app, int& exit_code) {
  auto shell = std::make_shared<std::string>();
  auto* const completion = app.add_subcommand(
    "completion", "Print a script that completes this command line");
  completion->add_option("shell", *shell, "bash, zsh or fish")
    ->check(CLI::IsMember({"bash", "zsh", "fish"}))
    ->required();
  completion->footer("Examples:\n  source <(fanfare completion bash)\n"
                     "  fanfare completion fish > "
                     "~/.config/fish/completions/fanfare.fish");
  completion->callback([shell, &app, &exit_code] {
    std::vector<node> nodes;
    collect(app, "", nodes);
    if (*shell == "bash")
      write_bash(std::cout, nodes);
    else if (*shell == "zsh")
      write_zsh(std::cout, nodes);
    else
      write_fish(std::cout, nodes);
    std::cout.flush();
    exit_code = std::cout ? 0 : 1;
  });
}

} // namespace fanfare::cli
