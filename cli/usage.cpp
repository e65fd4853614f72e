// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/usage.hpp"

#include "protocol/rules/nearest_name.hpp"

#include <CLI/CLI.hpp>

#include <string_view>
#include <vector>

namespace fanfare::cli {

namespace {

/// A command that was reached, with the words that lead to it.
struct place {
  const CLI::App* command;
  std::string words;
};

/// From the program to the last.
std::vector<place> reached(const CLI::App& program) {
  std::vector<place> out{{&program, program.get_name()}};
  for (auto next = program.get_subcommands(); !next.empty();
       next = next.front()->get_subcommands())
    out.push_back(
      {next.front(), out.back().words + ' ' + next.front()->get_name()});
  return out;
}

std::vector<std::string> commands_of(const CLI::App& app) {
  std::vector<std::string> out;
  for (const auto* command : app.get_subcommands({}))
    out.push_back(command->get_name());
  return out;
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> out;
  for (const auto* option : app.get_options())
    for (const auto& name : option->get_lnames())
      out.push_back(name);
  return out;
}

std::string list_of(const std::vector<std::string>& names) {
  return CLI::detail::join(names, ", ");
}

bool has_option(const CLI::App& app, const std::string& word) {
  return app.get_option_no_throw(word) != nullptr;
}

/// `at` does not know the option; `last` is what was reached.
std::string unknown_option(const place& at, const place& last,
                           const std::string& word) {
  const auto name = word.substr(0, word.find('='));
  if (has_option(*last.command, name))
    return "write " + name + " behind \"" + last.words + "\"";
  const auto sentence = "\"" + at.words + "\" has no option " + name;
  if (!name.starts_with("--"))
    return sentence;
  const auto meant = protocol::similar_name(std::string_view{name}.substr(2),
                                            options_of(*at.command));
  return meant.empty() ? sentence
                       : sentence + "; did you mean --" + meant + "?";
}

std::string unknown_word(const place& at, const std::string& word) {
  const auto commands = commands_of(*at.command);
  if (commands.empty())
    return "\"" + at.words + "\" cannot take \"" + word + "\" as well";
  const auto meant = protocol::similar_name(word, commands);
  return "\"" + at.words + "\" has no command \"" + word + "\"; "
       + (meant.empty() ? "its commands are " + list_of(commands)
                        : "did you mean \"" + meant + "\"?");
}

/// What CLI11 says names neither the command nor what could stand there, and
/// asks for what is missing before it complains about an unknown word.
std::string sentence_about(const std::vector<place>& places,
                           const CLI::Error& e) {
  const auto& last = places.back();
  const auto code = static_cast<CLI::ExitCodes>(e.get_exit_code());
  const bool missing = code == CLI::ExitCodes::RequiredError;
  if (missing || code == CLI::ExitCodes::ExtrasError)
    for (const auto& at : places)
      for (const auto& word : at.command->remaining()) {
        if (word == "--")
          continue;
        return word.starts_with('-') && word.size() > 1
               ? unknown_option(at, last, word)
               : unknown_word(at, word);
      }
  if (missing && last.command->get_require_subcommand_min() > 0)
    return "\"" + last.words
         + "\" needs a subcommand: " + list_of(commands_of(*last.command));
  return e.what();
}

} // namespace

std::string explain_usage(const CLI::App& program, const CLI::Error& e) {
  const auto places = reached(program);
  return sentence_about(places, e) + "\nRun " + places.back().words
       + " --help for more information.\n";
}

} // namespace fanfare::cli
