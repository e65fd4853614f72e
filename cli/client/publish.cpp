// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/client/batch_reader.hpp"
#include "cli/client/commands.hpp"
#include "cli/client/key_value.hpp"
#include "cli/client/publisher.hpp"
#include "cli/client/terminal.hpp"

#include <boost/json/array.hpp>

#include <CLI/CLI.hpp>

#include <charconv>
#include <fstream>
#include <iostream>
#include <memory>
#include <vector>

namespace fanfare::cli {

namespace {

struct publish_options {
  std::string file;
  std::string action;
  std::string event;
  std::vector<std::string> set;
  std::string key;
};

void publish_one(command_context& context, const publish_options& o) {
  auto body = read_key_values("--set", o.set);
  body.put("action", json_of(o.action));
  if (!o.event.empty())
    body.put("event", json_of(o.event));
  publisher to{context.server()};
  const auto answer = to.publish(
    body.text(), o.key.empty() ? make_idempotency_key() : o.key);
  if (context.out().json())
    context.out().document(answer);
  else
    std::cout << "published notification "
              << cell_of(answer.as_object(), "notification_id") << std::endl;
}

/// Translates the place in the request that the server names into the place in
/// the input.
std::string with_places(std::string sentence, const batch& sent,
                        const char* unit) {
  constexpr std::string_view mark = "items[";
  const auto begin = sentence.find(mark);
  if (begin == std::string::npos) // it is one of these, unknown which
    return sentence + "\nin what was sent of " + unit + " "
         + std::to_string(sent.places.front()) + " to "
         + std::to_string(sent.places.back());
  const auto* digits = sentence.data() + begin + mark.size();
  std::size_t index = 0;
  const auto [end, failed] = std::from_chars(
    digits, sentence.data() + sentence.size(), index);
  if (failed != std::errc{} || index >= sent.places.size()
      || end == sentence.data() + sentence.size() || *end != ']')
    return sentence;
  return sentence.replace(
    begin, static_cast<std::size_t>(end - sentence.data()) + 1 - begin,
    std::string{unit} + " " + std::to_string(sent.places[index]));
}

/// Publishes batch by batch and reports how far it got.
class many {
public:
  many(command_context& context, std::istream& in)
    : context_{context},
      reader_{in},
      publisher_{context.server()} {}

  void run() {
    try {
      while (const auto next = reader_.next())
        publish(*next);
    } catch (const command_error& e) {
      finish_progress();
      if (last_ == 0)
        throw command_error{e.code,
                            e.what() + std::string{"\nnothing was published"}};
      throw command_error{e.code, e.what() + std::string{"\n"} + count_text()
                                    + " published, up to " + reader_.unit()
                                    + " " + std::to_string(last_)
                                    + "; nothing after that"};
    }
    finish_progress();
    if (count_ == 0)
      throw command_error{exit_code::usage, "the input is empty"};
    if (!context_.out().json())
      std::cout << "published " << count_text() << ", " << first_id_ << " to "
                << last_id_ << std::endl;
  }

private:
  void publish(const batch& next) {
    boost::json::value answer;
    try {
      answer = publisher_.publish(next.body, make_idempotency_key());
    } catch (const command_error& e) {
      if (e.code != exit_code::refused)
        throw;
      throw command_error{e.code, with_places(e.what(), next, reader_.unit())};
    }
    for (const auto& item : answer.as_array()) {
      if (context_.out().json())
        context_.out().line(item);
      last_id_ = cell_of(item.as_object(), "notification_id");
      if (first_id_.empty())
        first_id_ = last_id_;
    }
    std::cout.flush();
    count_ += next.places.size();
    last_ = next.places.back();
    if (output::shows_progress())
      std::cerr << '\r' << count_text() << std::flush;
  }

  void finish_progress() const {
    if (output::shows_progress() && count_ > 0)
      std::cerr << std::endl;
  }

  std::string count_text() const {
    return std::to_string(count_)
         + (count_ == 1 ? " notification" : " notifications");
  }

  command_context& context_;
  batch_reader reader_;
  publisher publisher_;
  std::size_t count_ = 0;
  std::size_t last_ = 0; ///< place of the last one published
  std::string first_id_;
  std::string last_id_;
};

void publish(command_context& context, const publish_options& o) {
  if (!o.action.empty()) {
    if (!o.file.empty())
      throw command_error{exit_code::usage,
                          "either a file or --action, not both"};
    return publish_one(context, o);
  }
  if (!o.event.empty() || !o.set.empty() || !o.key.empty())
    throw command_error{exit_code::usage,
                        "--event, --set and --idempotency-key are for a single "
                        "notification: give --action, too"};
  if (o.file.empty() && is_terminal(standard_stream::in))
    throw command_error{exit_code::usage,
                        "nothing to publish: give --action, or a file, or - "
                        "for standard input"};
  if (o.file.empty() || o.file == "-")
    return many{context, std::cin}.run();
  std::ifstream in{o.file, std::ios::binary};
  if (!in || in.peek() == std::ifstream::traits_type::eof())
    throw command_error{
      exit_code::usage,
      o.file + (in.is_open() ? ": the file is empty" : ": cannot be read")};
  many{context, in}.run();
}

} // namespace

void add_publish_command(CLI::App& app, const command_adder& add) {
  auto o = std::make_shared<publish_options>();
  auto* const publishing = add.command(
    app, "publish",
    "Publish notifications: one from options, or many from a file or standard "
    "input (an object, an array, or an object on each line)",
    "  fanfare publish --action pretix.event.order.paid --event democon "
    "--set code=ABC23 --set total=42.5\n"
    "  fanfare publish orders.ndjson\n"
    "  jq -c '.[]' orders.json | fanfare publish -",
    [o](command_context& context) { publish(context, *o); });
  publishing
    ->add_option("file", o->file,
                 "Notifications, each with an \"action\"; - is standard input, "
                 "which is also read if nothing is given. Sent in batches of "
                 "up to 1,000 and 1 MiB, each all or nothing")
    ->type_name("FILE");
  publishing->add_option("-a,--action", o->action, "What happened")
    ->type_name("TYPE");
  publishing->add_option("-e,--event", o->event, "The event it belongs to")
    ->type_name("SLUG");
  publishing
    ->add_option("-s,--set", o->set,
                 "A further member; the value is JSON if it can be read as "
                 "such, else text; may be repeated")
    ->type_name("KEY=VALUE")
    ->allow_extra_args(false);
  publishing
    ->add_option("--idempotency-key", o->key,
                 "With the same key again, the server publishes nothing and "
                 "repeats its answer (for 24 hours)")
    ->type_name("KEY");
}

} // namespace fanfare::cli
