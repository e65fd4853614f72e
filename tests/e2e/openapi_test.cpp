// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Sends every documented example to a server: what the description of the API
/// says is taken is taken, and what it says is answered is answered.
/// tests/protocol/rest/openapi_test.cpp has the other way round.

#include "tests/support/openapi.hpp"

#include "tests/e2e/support/e2e_test.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/json_schema.hpp"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_to.hpp>
#include <boost/url/encode.hpp>
#include <boost/url/rfc/unreserved_chars.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <set>

namespace fanfare::test {
namespace {

namespace json = boost::json;

std::string replaced(std::string text, const std::string& what,
                     const std::string& by) {
  for (auto i = text.find(what); i != std::string::npos;
       i = text.find(what, i + by.size()))
    text.replace(i, what.size(), by);
  return text;
}

/// As it stands in a path or a query.
std::string plain(const json::value& value) {
  return value.is_string() ? json::value_to<std::string>(value)
                           : json::serialize(value);
}

std::string encoded(const std::string& text) {
  return boost::urls::encode(text, boost::urls::unreserved_chars);
}

std::string form_of(const json::object& fields) {
  std::string out;
  for (const auto& field : fields)
    out += (out.empty() ? "" : "&") + std::string{field.key()} + '='
         + encoded(plain(field.value()));
  return out;
}

class OpenApiTest : public E2eTest {
protected:
  OpenApiTest() {
    answer_at_once();
    start({"--schedule", "1h"});
    document_ = api().get("/api/v1/openapi.json").json();
    for (auto& operation : operations_of(document_))
      left_.emplace(operation.id(), std::move(operation));
  }

  /// What is sent, as examples change it.
  struct request {
    std::map<std::string, std::string> path;
    std::map<std::string, std::string> query;
    rest_client::fields headers;
    std::optional<std::string> body;
    std::string key;
    std::string method;
  };

  request plain_request(const api_operation& operation) {
    request out;
    out.method = operation.method;
    out.key = key_for(operation);
    each_parameter(operation, [&](const json::object& one) {
      const auto in = text_of(one, "in");
      const auto* must = one.if_contains("required");
      const auto value = plain(one.at("example"));
      if (in == "path")
        out.path[text_of(one, "name")] = id_for(operation.id(),
                                                text_of(one, "name"), value);
      else if (in == "query" && must != nullptr && must->as_bool())
        out.query[text_of(one, "name")] = value;
    });
    return out;
  }

  /// Ids of tokens and calls are given over all organizers and webhooks: those
  /// of the examples may be somebody else's.
  std::string id_for(const std::string& operation, const std::string& name,
                     const std::string& value) {
    if (operation == "revokeToken" && name == "id" && token_ != 0)
      return std::to_string(token_);
    if (name == "call" && call_ != 0)
      return std::to_string(call_);
    return value;
  }

  /// The weakest key that is said to be enough.
  std::string key_for(const api_operation& operation) {
    const auto& needed = operation.node->at("x-permission").as_array();
    if (needed.empty())
      return {};
    auto name = json::value_to<std::string>(needed.front());
    if (name == "any")
      name = "webhooks";
    const auto found = keys_.find(name);
    return found == keys_.end() ? server::admin_key : found->second;
  }

  template <class Visit>
  void each_parameter(const api_operation& operation, Visit visit) {
    if (const auto* list = operation.node->if_contains("parameters"))
      for (const auto& item : list->as_array())
        visit(schemas_.resolve(item));
  }

  rest_response send(const api_operation& operation, const request& what) {
    auto target = operation.path;
    for (const auto& [name, value] : what.path)
      target = replaced(target, '{' + name + '}', encoded(value));
    char mark = '?';
    for (const auto& [name, value] : what.query) {
      target += mark + name + '=' + encoded(value);
      mark = '&';
    }
    auto body = what.body;
    if (body) {
      const std::string example = "https://receiver.example/hook";
      *body = replaced(*body, example, sink_.url("/hook"));
      *body = replaced(*body, encoded(example), encoded(sink_.url("/hook")));
    }
    return running().client(what.key).send(what.method, target, body,
                                           what.headers);
  }

  void check_answer(const api_operation& operation, const std::string& what,
                    const std::string& status, const rest_response& got) {
    SCOPED_TRACE(operation.id() + ' ' + what);
    EXPECT_EQ(std::to_string(got.status), status) << got.body;
    const auto& responses = operation.node->at("responses").as_object();
    const auto* documented = responses.if_contains(std::to_string(got.status));
    ASSERT_NE(documented, nullptr) << got.status << " is not documented";
    check_body(schemas_.resolve(*documented), got);
  }

  void check_body(const json::object& answer, const rest_response& got) {
    if (const auto* headers = answer.if_contains("headers")) {
      for (const auto& header : headers->as_object())
        EXPECT_TRUE(got.header(std::string{header.key()})
                    || header.key() == "Retry-After")
          << header.key() << " is missing";
    }
    const auto* content = answer.if_contains("content");
    if (content == nullptr) {
      EXPECT_EQ(got.body, "");
      return;
    }
    const auto& media = *content->as_object().begin();
    const std::string type{media.key()};
    EXPECT_TRUE(got.header("Content-Type").value_or("").starts_with(type));
    if (type != "application/json")
      return;
    for (const auto& fault :
         schemas_.faults(media.value().at("schema"), got.json()))
      ADD_FAILURE() << fault << "\nin " << got.body;
  }

  /// An example of an answer, with what it takes to get it.
  struct documented_answer {
    std::string status;
    api_example example;
  };

  std::vector<documented_answer> answers_of(const api_operation& operation) {
    std::vector<documented_answer> all;
    for (const auto& item : operation.node->at("responses").as_object())
      for (auto& example : examples_of(schemas_.resolve(item.value())))
        all.push_back({std::string{item.key()}, std::move(example)});
    return all;
  }

  void expect_example(const std::string& id, const std::string& name,
                      const rest_response& got) {
    const auto operation = find(id);
    for (const auto& [status, example] : answers_of(operation))
      if (example.name == name) {
        check_answer(operation, name, status, got);
        EXPECT_EQ(got.json(), example.value()) << id << ' ' << name;
        return;
      }
    ADD_FAILURE() << id << " has no example " << name;
  }

  api_operation find(const std::string& id) {
    for (auto& operation : operations_of(document_))
      if (operation.id() == id)
        return operation;
    throw std::runtime_error{"no operation " + id};
  }

  /// Sends all examples of an operation, those that succeed first.
  void run(const std::string& id) {
    ASSERT_EQ(left_.erase(id), 1U) << id;
    const auto operation = find(id);
    const auto answers = answers_of(operation);
    if (const auto* body = operation.node->if_contains("requestBody"))
      send_examples(operation, schemas_.resolve(*body), answers);
    else
      send_plain(operation);
    send_parameters(operation);
    for (const auto& answer : answers)
      provoke(operation, answer);
  }

  void send_examples(const api_operation& operation, const json::object& body,
                     const std::vector<documented_answer>& answers) {
    for (const auto& example : examples_of(body)) {
      const auto answer = std::ranges::find_if(answers, [&](const auto& one) {
        return one.example.name == example.name;
      });
      ASSERT_NE(answer, answers.end())
        << operation.id() << ' ' << example.name << " has no answer";
      auto what = plain_request(operation);
      what.headers.emplace_back("Content-Type", example.media_type);
      what.body = example.media_type == "application/json"
                  ? json::serialize(example.value())
                  : form_of(example.value().as_object());
      check_answer(operation, example.name, answer->status,
                   send(operation, what));
    }
  }

  void send_plain(const api_operation& operation) {
    const auto first = std::string{
      operation.node->at("responses").as_object().begin()->key()};
    check_answer(operation, "as it is", first,
                 send(operation, plain_request(operation)));
  }

  /// Each parameter of a query with its example.
  void send_parameters(const api_operation& operation) {
    if (operation.method != "GET")
      return;
    each_parameter(operation, [&](const json::object& one) {
      if (text_of(one, "in") != "query" || one.contains("required"))
        return;
      auto what = plain_request(operation);
      what.query[text_of(one, "name")] = plain(one.at("example"));
      check_answer(operation, text_of(one, "name"), "200",
                   send(operation, what));
    });
  }

  /// Gets the answer if the example says how, or the table here.
  void provoke(const api_operation& operation,
               const documented_answer& answer) {
    const auto& example = answer.example;
    auto what = plain_request(operation);
    if (example.name == "forbidden") {
      what.key = keys_.at("foreign");
    } else if (example.name == "key_revoked") {
      what.key = keys_.at("revoked");
    } else if (example.name == "body_too_large") {
      what.body = std::string((1U << 20) + 1, ' ');
    } else if (example.name == "notification_too_large") {
      std::string text;
      for (int i = 0; i < 200'000; ++i)
        text += "\xC3\xA9"; // becomes six characters
      what.body = R"({"action":"pretix.event.order.paid","text":")" + text
                + "\"}";
    } else if (const auto* given = example.node->if_contains("x-request")) {
      change(what, given->as_object());
    } else {
      static const std::set<std::string> elsewhere{
        // Takes a retention to pass.
        "not_kept",
        // By what the test does between its runs.
        "disabled", "not_signed", "running", "under_way", "replay_unknown",
        "replay_not_running",
        // In the tests of idempotency and of tokens.
        "concurrent", "key_used", "throttled",
        // By unit tests, with an engine that is in that state.
        "stopping", "overloaded", "store_full", "not_ready"};
      EXPECT_TRUE(answer.status.starts_with('2')
                  || elsewhere.contains(example.name))
        << operation.id() << ' ' << example.name << " is not tried";
      return;
    }
    if (answer.status == "401" && example.name != "credentials_missing"
        && operation.id() != "listOrganizers")
      return; // the same code for all
    const auto got = send(operation, what);
    check_answer(operation, example.name, answer.status, got);
    if (!answer.status.starts_with('2')) {
      EXPECT_EQ(got.json(), example.value())
        << operation.id() << ' ' << example.name;
    }
  }

  static void change(request& what, const json::object& given) {
    for (const auto& item : given) {
      const std::string key{item.key()};
      const auto& value = item.value();
      if (key == "path")
        for (const auto& one : value.as_object())
          what.path[std::string{one.key()}] = plain(one.value());
      else if (key == "query")
        for (const auto& one : value.as_object())
          what.query[std::string{one.key()}] = plain(one.value());
      else if (key == "headers")
        for (const auto& one : value.as_object()) {
          if (one.key() == "Authorization")
            what.key.clear();
          if (!plain(one.value()).empty())
            what.headers.emplace_back(one.key(), plain(one.value()));
        }
      else if (key == "body")
        what.body = json::serialize(value);
      else if (key == "text")
        what.body = plain(value);
      else if (key == "method")
        what.method = plain(value);
      else
        throw std::runtime_error{"an example asks for " + key};
    }
  }

  /// What the examples of webhooks have changed is as it was at first.
  void restore_webhook() {
    change_webhook("acme", 1,
                   {{"enabled", true},
                    {"all_events", true},
                    {"limit_events", json::array{}},
                    {"action_types", json::array{order_placed, order_paid}}});
  }

  rest_response ask(const std::string& method, const std::string& target,
                    std::optional<std::string> body = {}) {
    return api().send(method, webhook_path("acme", 1) + target,
                      std::move(body));
  }

  rest_response when_disabled(const std::string& target,
                              std::optional<std::string> body = {}) {
    change_webhook("acme", 1, {{"enabled", false}});
    auto answer = ask("POST", target, std::move(body));
    restore_webhook();
    return answer;
  }

  void resend_under_way() {
    const auto target = "calls/" + std::to_string(call_) + "/resend/";
    sink_.set_handler(
      [](const request_record&) { return response_plan::hanging(); });
    const auto before = sink_.size();
    ASSERT_TRUE(
      eventually(patience, [&] { return ask("POST", target).status == 202; }));
    ASSERT_TRUE(sink_.wait_for(before + 1, patience));
    ASSERT_TRUE(
      eventually(patience, [&] { return ask("POST", target).status == 409; }));
    expect_example("resendCall", "under_way", ask("POST", target));
    answer_at_once();
    sink_.release();
  }

  void answer_at_once() {
    sink_.set_handler([this](const request_record&) {
      return response_plan::answer(healthy_ ? 200 : 503, "ok");
    });
  }

  void secrets() {
    run("readSecret");
    run("rotateSecret");
    const auto sign = [this](const char* by) {
      const auto changed = ask("PATCH", "delivery/",
                               R"({"signing":{"algorithm":")" + std::string{by}
                                 + "\"}}");
      EXPECT_EQ(changed.status, 200U) << changed.body;
    };
    sign("none");
    expect_example("readSecret", "not_signed", ask("GET", "secret/"));
    expect_example("rotateSecret", "not_signed", ask("POST", "secret/rotate/"));
    sign("hmac-sha256");
  }

  /// A replay is a resource with a state: what there is, then none, one that
  /// runs and one that has ended.
  void replay() {
    const auto* slow = R"({"since":"2020-01-01T00:00:00Z","rate":0.001})";
    expect_example("readReplay", "replay_unknown", ask("GET", "replay/"));
    expect_example("cancelReplay", "replay_not_running",
                   ask("DELETE", "replay/"));
    expect_example("startReplay", "disabled", when_disabled("replay/", slow));
    run("startReplay");
    // Else the next one would pass over what still waits.
    json::value now;
    ASSERT_TRUE(eventually(patience,
                           [&] {
                             now = ask("GET", "replay/").json();
                             return text_of(now, "state") == "done"
                                 && number_of(now, "waiting") == 0;
                           }))
      << json::serialize(now) << ask("GET", "retries/").body;
    ASSERT_EQ(ask("POST", "replay/", slow).status, 202U);
    expect_example("startReplay", "running", ask("POST", "replay/", slow));
    run("readReplay");
    run("cancelReplay");
  }

  std::atomic<bool> healthy_ = true;
  http_sink sink_;
  json::value document_;
  json_schema schemas_{document_};
  std::map<std::string, api_operation> left_; ///< not run yet
  std::map<std::string, std::string> keys_;
  std::uint64_t token_ = 0; ///< to revoke
  std::uint64_t call_ = 0;  ///< of the webhook of the examples
};

TEST_F(OpenApiTest, ExamplesAreTakenAndAnsweredAsDocumented) {
  add_organizer("foreign");
  keys_["foreign"] = add_token("foreign", {"admin"});
  keys_["revoked"] = add_token("foreign", {"admin"});
  ASSERT_EQ(api().erase(organizer_path("foreign") + "tokens/2/").status, 204U);

  run("createOrganizer");
  for (const auto* permission :
       {"admin", "webhooks", "notifications", "metrics", "register_types"})
    keys_[permission] = add_token("acme", {permission});
  run("listOrganizers");
  run("readOrganizer");
  run("renameOrganizer");
  run("readNetworks");
  run("updateNetworks");
  run("createEvent");
  run("listEvents");
  run("readEvent");
  run("renameEvent");
  run("createToken");
  run("listTokens");
  const auto tokens = api().get(organizer_path("acme") + "tokens/").json();
  for (const auto& token : tokens.at("results").as_array())
    if (text_of(token, "name") == "ticket shop")
      token_ = number_of(token, "id");
  run("revokeToken");
  run("createActionType");
  run("listActionTypes");

  run("createWebhook");
  run("listWebhooks");
  run("readWebhook");
  run("replaceWebhook");
  run("updateWebhook");
  run("disableWebhook");
  restore_webhook();
  run("readDelivery");
  run("updateDelivery");
  secrets();

  run("publish");
  call_ = number_of(wait_for_calls("acme", 1, 3).front(), "id");
  run("listCalls");
  run("listCallsOfOrganizer");
  run("searchNotifications");
  run("readCall");
  run("readNotification");
  run("previewFilter");

  healthy_ = false;
  publish();
  ASSERT_TRUE(
    eventually(patience, [&] { return !retries("acme", 1).empty(); }));
  run("listRetries");
  run("expediteRetries");
  run("expediteOrganizer");
  run("expediteEverything");
  run("dropRetries");
  healthy_ = true;
  run("testWebhook");
  run("resendCall");
  resend_under_way();
  run("readStatus");
  run("readOrganizerStatus");
  run("followOrganizer");
  run("readHealth");
  run("readStatistics");
  run("readOrganizerStatistics");
  replay();
  expect_example("resendCall", "disabled",
                 when_disabled("calls/" + std::to_string(call_) + "/resend/"));

  // Kept for whoever runs the next one.
  const auto asker = plain_request(left_.at("queryIdempotencyKey")).key;
  ASSERT_EQ(running()
              .client(asker)
              .send("PATCH", webhook_path("acme", 1), "{}",
                    {{"Idempotency-Key", "9f2c7d1e"}})
              .status,
            200U);
  run("queryIdempotencyKey");

  run("makeBackup");
  run("readOpenapi");
  run("readDocs");
  run("readStartPage");
  run("readLiveness");
  run("readReadiness");
  run("readMetrics");

  // All that describe; what is left now was forgotten above.
  const auto all = left_;
  for (const auto& [id, operation] : all)
    if (operation.method == "OPTIONS")
      run(id);
  run("deleteEvent");
  run("deleteOrganizer");
  for (const auto& [id, operation] : left_)
    ADD_FAILURE() << id << " is not tried";
}

TEST_F(OpenApiTest, EveryPathAnswersWhatEveryPathAnswers) {
  add_organizer("acme");
  const auto& everywhere = document_.at("x-every-path").as_object();
  std::set<std::string> paths;
  for (const auto& operation : operations_of(document_)) {
    if (!paths.insert(operation.path).second)
      continue;
    SCOPED_TRACE(operation.path);
    auto what = plain_request(operation);
    what.method = "TRACE";
    what.key = server::admin_key;
    const auto refused = send(operation, what);
    EXPECT_EQ(refused.status, 405U);
    const auto& documented = schemas_.resolve(everywhere.at("405"));
    check_body(documented, refused);
    EXPECT_EQ(refused.json(), examples_of(documented).front().value());
    if (!operation.path.ends_with('/') || operation.path == "/")
      continue;
    auto bare = operation;
    bare.path.pop_back();
    what.method = "GET";
    const auto moved = send(bare, what);
    EXPECT_EQ(moved.status, 301U);
    check_body(schemas_.resolve(everywhere.at("301")), moved);
  }
}

} // namespace
} // namespace fanfare::test
