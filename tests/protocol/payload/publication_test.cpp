// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/payload/publication.hpp"

#include <boost/json.hpp>

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

namespace fanfare::protocol {
namespace {

/// The body of notification 7, or the error as "code|field|sentence".
std::string body_of(std::string_view json) {
  const auto read = read_publications(json, "dummy");
  if (!read)
    return std::string{to_string(read.error().code)} + '|' + read.error().field
         + '|' + read.error().detail;
  std::string out;
  for (const auto& item : read->items)
    out += (out.empty() ? "" : "\n") + notification_body(7, item.rest);
  return out;
}

TEST(Publication, RendersTheBodyOfTheRequest) {
  const std::pair<std::string_view, std::string_view> cases[] = {
    {R"({"action":"a.b"})",
     R"({"notification_id": 7, "organizer": "dummy", "action": "a.b"})"},
    {R"({"action":"pretix.event.order.placed","event":"democon","code":"ABC23"})",
     R"({"notification_id": 7, "organizer": "dummy", "event": "democon", "code": "ABC23", )"
     R"("action": "pretix.event.order.placed"})"},
    {R"({"code":"ABC23","event":null,"action":"a.b","x":1})",
     R"({"notification_id": 7, "organizer": "dummy", "code": "ABC23", "x": 1, "action": "a.b"})"},
    // Spellings of numbers stay.
    {R"({"action":"a.b","n":[0,-0,1.50,1e5,1E+05,-12.25e-3,123456789012345678901234567890,1e999]})",
     R"({"notification_id": 7, "organizer": "dummy", )"
     R"("n": [0, -0, 1.50, 1e5, 1E+05, -12.25e-3, 123456789012345678901234567890, 1e999], )"
     R"("action": "a.b"})"},
    {" {\n\t\"action\" : \"a.b\" , \"o\" : { \"x\" : [ ] , \"y\" : { } , "
     "\"z\":[[1],{\"a\":true}]} }\r\n ",
     R"({"notification_id": 7, "organizer": "dummy", )"
     R"("o": {"x": [], "y": {}, "z": [[1], {"a": true}]}, "action": "a.b"})"},
    // Beyond ASCII, as \u and as UTF-8, in keys and in values.
    {"{\"action\":\"a.b\",\"\xc3\xa9\":"
     "\"\xf0\x9f\x98\x80\\u00e9\\ud83d\\ude00\\u007f\\n\\/\\\"\\\\\\u0000\"}",
     R"({"notification_id": 7, "organizer": "dummy", )"
     R"("\u00e9": "\ud83d\ude00\u00e9\ud83d\ude00\u007f\n/\"\\\u0000", "action": "a.b"})"},
    // The engine's id wins; the organizer of the path may be repeated.
    {R"({"notification_id":99,"organizer":"dummy","action":"a.b"})",
     R"({"notification_id": 7, "organizer": "dummy", "action": "a.b"})"},
    {R"({"notification_id":{"deep":[1,{}]},"action":"a.b","x":{"notification_id":1}})",
     R"({"notification_id": 7, "organizer": "dummy", "x": {"notification_id": 1}, "action": "a.b"})"},
    // A repeated key: the last value in the first place.
    {R"({"x":1,"y":2,"x":[3],"action":"no","action":"a.b","event":"e","event":"f"})",
     R"({"notification_id": 7, "organizer": "dummy", "event": "f", "x": [3], "y": 2, )"
     R"("action": "a.b"})"},
    {R"({"x":{"k":1,"k":2},"action":"a.b"})",
     R"({"notification_id": 7, "organizer": "dummy", "x": {"k": 1, "k": 2}, "action": "a.b"})"},
    {R"({"x\u0041":1,"xA":2,"action":"a.b"})",
     R"({"notification_id": 7, "organizer": "dummy", "xA": 2, "action": "a.b"})"},
    {R"({"":null,"action":"a.b","t":true,"f":false})",
     R"({"notification_id": 7, "organizer": "dummy", "": null, "t": true, "f": false, )"
     R"("action": "a.b"})"},
  };
  for (const auto& [sent, body] : cases)
    EXPECT_EQ(body_of(sent), body) << sent;
}

TEST(Publication, SendsAPayloadAsItIs) {
  const std::pair<std::string_view, std::string_view> cases[] = {
    {R"({"action":"a.b","payload":{}})",
     R"({"notification_id": 7, "action": "a.b"})"},
    {R"({"payload":{"x":1,"y":[{"z":2}]},"action":"a.b","event":"e"})",
     R"({"notification_id": 7, "x": 1, "y": [{"z": 2}], "action": "a.b"})"},
    {R"({"payload":{"action":"own","x":1},"action":"a.b"})",
     R"({"notification_id": 7, "action": "own", "x": 1})"},
    {R"({"payload":{"notification_id":5,"x":1},"notification_id":6,"organizer":"dummy","action":"a.b"})",
     R"({"notification_id": 7, "x": 1, "action": "a.b"})"},
    {R"({"payload":{"payload":{"payload":1},"event":2,"organizer":3},"action":"a.b"})",
     R"({"notification_id": 7, "payload": {"payload": 1}, "event": 2, "organizer": 3, )"
     R"("action": "a.b"})"},
    {R"({"payload":{"action":1},"payload":{"x":1},"action":"a.b"})",
     R"({"notification_id": 7, "x": 1, "action": "a.b"})"},
    {R"({"payload":{"x":1,"x":{"x":2}},"action":"a.b"})",
     R"({"notification_id": 7, "x": {"x": 2}, "action": "a.b"})"},
    {R"({"x":{"payload":{"notification_id":1}},"action":"a.b"})",
     R"({"notification_id": 7, "organizer": "dummy", "x": {"payload": {"notification_id": 1}}, )"
     R"("action": "a.b"})"},
    {R"({"payload":{"x":1},"action":"a.b","code":2,"more":3})",
     R"(invalid_argument|payload|Nothing else is sent with a payload, so these keys would be lost: )"
     R"("code", "more".)"},
    {R"({"payload":[1],"action":"a.b"})",
     "invalid_argument|payload|A payload must be an object."},
    {R"({"payload":null,"action":"a.b"})",
     "invalid_argument|payload|A payload must be an object."},
    {R"({"payload":{"a":1},"payload":"x","action":"a.b"})",
     "invalid_argument|payload|A payload must be an object."},
  };
  for (const auto& [sent, body] : cases)
    EXPECT_EQ(body_of(sent), body) << sent;
}

TEST(Publication, TellsWhatIsWrong) {
  const std::string slug_text = "invalid_argument|event|A slug is made of 1 to "
                                "50 letters, digits, dots, underscores and "
                                "hyphens, and begins with a letter or digit.";
  const std::pair<std::string, std::string> cases[] = {
    {"{}", "invalid_argument|action|This field is required."},
    {R"({"action":null})",
     "invalid_argument|action|This field may not be null."},
    {R"({"action":5})", "invalid_argument|action|Not a valid string."},
    {R"({"action":["a.b"]})", "invalid_argument|action|Not a valid string."},
    {R"({"action":{"a":"b"}})", "invalid_argument|action|Not a valid string."},
    {R"({"action":""})",
     "invalid_argument|action|This field may not be blank."},
    {R"({"action":")" + std::string(256, 'a') + "\"}",
     "invalid_argument|action|Ensure this field has no more than 255 "
     "characters."},
    {R"({"action":"a.b","event":5})",
     "invalid_argument|event|Not a valid string."},
    {R"({"action":"a.b","event":""})",
     "invalid_argument|event|This field may not be blank."},
    {R"({"action":"a.b","event":"a b"})", slug_text},
    {R"({"action":"a.b","event":".."})", slug_text},
    {R"({"action":"a.b","event":"a/b"})", slug_text},
    {R"({"action":"a.b","event":"\u00e9"})", slug_text},
    {R"({"action":"a.b","event":")" + std::string(51, 'a') + "\"}", slug_text},
    {R"({"action":"a.b","organizer":"other"})",
     "forbidden||The notification names another organizer than the path."},
    {R"({"action":"a.b","organizer":5})",
     "invalid_argument|organizer|Not a valid string."},
    {"[]", "invalid_argument|non_field_errors|This list may not be empty."},
    {"5", "invalid_argument|non_field_errors|Invalid data. Expected a "
          "dictionary, but got int."},
    {"1.5", "invalid_argument|non_field_errors|Invalid data. Expected a "
            "dictionary, but got float."},
    {"\"x\"", "invalid_argument|non_field_errors|Invalid data. Expected a "
              "dictionary, but got str."},
    {"null", "invalid_argument|non_field_errors|Invalid data. Expected a "
             "dictionary, but got NoneType."},
    {"true", "invalid_argument|non_field_errors|Invalid data. Expected a "
             "dictionary, but got bool."},
    {R"([{"action":"a.b"},[{"action":"a.b"}]])",
     "invalid_argument|non_field_errors|items[1]: Invalid data. Expected a "
     "dictionary, but got "
     "list."},
    {R"([{"action":"a.b"},{"action":"a.b"},{"event":"e"},{"action":5}])",
     "invalid_argument|action|items[2]: This field is required."},
  };
  for (const auto& [sent, expected] : cases)
    EXPECT_EQ(body_of(sent), expected) << sent;
}

TEST(Publication, RefusesWhatIsNotJson) {
  const std::string texts[] = {
    "",
    " ",
    "{",
    R"({"action":"a.b")",
    R"({"action":"a.b"} x)",
    R"({"action":"a.b"}{"action":"a.b"})",
    R"({"action":"a.b",})",
    R"([{"action":"a.b"},])",
    "\xEF\xBB\xBF{\"action\":\"a.b\"}",
    "{\"action\":\"a.b\",\"x\":\"\xFF\"}",
    "{\"action\":\"a.b\",\"x\":\"\xC0\x80\"}",
    "{\"action\":\"a.b\",\"x\":\"\xED\xA0\x80\"}",
    R"({"action":"a.b","x":"\ud800"})",
    R"({"action":"a.b","x":"\udc00"})",
    R"({"action":"a.b","\ud83dx":1})",
    R"({"action":"a.b","x":NaN})",
    R"({"action":"a.b","x":01})",
    R"({"action":"a.b","x":1.})",
    R"({"action":"a.b","x":+1})",
    R"({'action':'a.b'})",
    R"({"action":"a.b"/*x*/})",
    "{\"action\":\"a.b\",\"x\":\"\n\"}",
    std::string("{\"action\":\"a.b\"}\0", 17),
    R"({"action":5,)", // broken syntax goes before wrong types
  };
  for (const auto& text : texts)
    EXPECT_TRUE(
      body_of(text).starts_with("invalid_argument||JSON parse error - "))
      << text;
}

TEST(Publication, LimitsTheDepth) {
  const auto nested = [](std::size_t arrays) {
    return R"({"action":"a.b","x":)" + std::string(arrays, '[')
         + std::string(arrays, ']') + '}';
  };
  const auto deep = nested(publication_depth_limit - 1);
  const auto too_deep = nested(publication_depth_limit);
  EXPECT_TRUE(read_publications(deep, "dummy"));
  EXPECT_TRUE(read_publications('[' + deep + ']', "dummy"));
  for (const auto& text :
       {too_deep, '[' + too_deep + ']', nested(100'000),
        std::string(100'000, '['), std::string(100'000, '{')})
    EXPECT_TRUE(
      body_of(text).starts_with("invalid_argument||JSON parse error - "));
  EXPECT_NE(body_of(too_deep).find("nested deeper than 32 levels"),
            std::string::npos);
  // Where the payload's inside is passed on, its own braces count as well.
  EXPECT_TRUE(read_publications(R"({"action":"a.b","payload":{"x":)"
                                  + std::string(30, '[') + std::string(30, ']')
                                  + "}}",
                                "dummy"));
}

TEST(Publication, TakesUpToAThousandAtOnce) {
  const auto list = [](int count) {
    std::string text = "[";
    for (int i = 0; i < count; ++i)
      text += (i > 0 ? "," : "") + std::string{R"({"action":"a.b","i":)"}
            + std::to_string(i) + '}';
    return text + ']';
  };
  const auto read = read_publications(list(1'000), "dummy");
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->list);
  ASSERT_EQ(read->items.size(), 1'000U);
  EXPECT_EQ(read->items[999].rest,
            R"(, "organizer": "dummy", "i": 999, "action": "a.b"})");
  EXPECT_EQ(body_of(list(1'001)),
            "invalid_argument|non_field_errors|One request takes at most 1000 "
            "notifications, not "
            "1001.");
  const auto one = read_publications(list(1), "dummy");
  EXPECT_TRUE(one && one->list && one->items.size() == 1);
  const auto single = read_publications(R"({"action":"a.b","event":"e"})",
                                        "dummy");
  ASSERT_TRUE(single && !single->list);
  EXPECT_EQ(single->items[0].action, "a.b");
  EXPECT_EQ(single->items[0].event, "e");
}

TEST(Publication, LimitsTheRenderedBody) {
  const auto with = [](std::size_t size) {
    return R"({"action":"a.b","x":")" + std::string(size, 'a') + "\"}";
  };
  const std::size_t around =
    std::string_view{
      R"({"notification_id": 18446744073709551615, "organizer": "dummy", )"
      R"("x": "", "action": "a.b"})"}
      .size();
  const auto longest = read_publications(
    with(notification_body_limit - around - 1), "dummy");
  ASSERT_TRUE(longest);
  EXPECT_LE(notification_body(~position{0}, longest->items[0].rest).size(),
            notification_body_limit);
  const auto refused = read_publications(
    with(notification_body_limit - around + 1), "dummy");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ec::too_large);
  // Six times as long once it is ASCII.
  EXPECT_FALSE(read_publications(
    with(0).insert(20, std::string(300'000, '\x7f')), "dummy"));
}

TEST(Publication, KeepsTheLastValueOfEachOfManyKeys) {
  std::string text = R"({"action":"a.b")";
  for (int i = 0; i < 100'000; ++i)
    text += ",\"" + std::to_string(i % 60'000) + "\":" + std::to_string(i);
  text += '}';
  const auto read = read_publications(text, "dummy");
  ASSERT_TRUE(read);
  const auto body = boost::json::parse(
    notification_body(1, read->items[0].rest));
  EXPECT_EQ(body.as_object().size(), 60'000U + 3);
  EXPECT_EQ(body.at("0").as_int64(), 60'000);
  EXPECT_EQ(body.at("39999").as_int64(), 99'999);
  EXPECT_EQ(body.at("40000").as_int64(), 40'000);
}

// -- against a tree -----------------------------------------------------------

class generator {
public:
  explicit generator(unsigned seed) : random_{seed} {}

  int upto(int n) {
    return std::uniform_int_distribution<int>{0, n}(random_);
  }

  std::string text() {
    static constexpr std::string_view pieces[] = {"a",
                                                  "\\\"",
                                                  "\\u00e9",
                                                  "\xc3\xa9",
                                                  "\xf0\x9f\x98\x80",
                                                  "\\ud83d\\ude00",
                                                  " ",
                                                  "\\\\",
                                                  "\\n",
                                                  "\\u0000",
                                                  "\x7f",
                                                  "/",
                                                  "\\/",
                                                  "payload",
                                                  "action",
                                                  "notification_id",
                                                  "{",
                                                  "\xe2\x82\xac"};
    std::string out = "\"";
    for (int i = upto(4); i > 0; --i)
      out += pieces[static_cast<std::size_t>(upto(std::size(pieces) - 1))];
    return out + '"';
  }

  std::string space() {
    return std::string(static_cast<std::size_t>(upto(6) == 0), ' ');
  }

  std::string value(int depth) {
    switch (upto(depth > 0 ? 7 : 4)) {
      case 0: return "null";
      case 1: return upto(1) != 0 ? "true" : "false";
      case 2: return text();
      case 3: return std::to_string(upto(1'000'000) - 500'000);
      case 4:
        return std::to_string(upto(99)) + "." + std::to_string(upto(99))
             + "e-3";
      case 5:
      case 6: return object(depth - 1, upto(4));
      default: break;
    }
    std::string out = "[";
    for (int i = upto(3); i > 0; --i)
      out += (out.size() > 1 ? "," : "") + space() + value(depth - 1);
    return out + ']';
  }

  std::string object(int depth, int members, std::string_view first = {}) {
    std::string out = "{" + std::string{first};
    for (int i = 0; i < members; ++i)
      out += (out.size() > 1 ? "," : "") + space() + text() + space() + ':'
           + value(depth);
    return out + '}';
  }

  std::mt19937& random() {
    return random_;
  }

private:
  std::mt19937 random_;
};

/// What the body should be, by way of a tree. Only for texts without a payload.
boost::json::object expected(boost::json::object sent) {
  boost::json::object out;
  out["notification_id"] = 7;
  out["organizer"] = "dummy";
  if (sent.contains("event"))
    out["event"] = sent["event"];
  for (const auto& item : sent)
    if (item.key() != "action" && item.key() != "event"
        && item.key() != "organizer" && item.key() != "notification_id")
      out[item.key()] = item.value();
  out["action"] = sent["action"];
  return out;
}

TEST(Publication, SaysTheSameAsATree) {
  generator make{20261123};
  int accepted = 0;
  for (int round = 0; round < 20'000; ++round) {
    const bool whole = make.upto(3) != 0;
    const auto text = whole ? make.object(5, make.upto(6),
                                          R"("action":"a.b","event":"e")")
                            : R"({"action":"a.b","payload":)"
                                + make.object(5, make.upto(6)) + '}';
    const auto sent = boost::json::parse(text).as_object();
    const auto read = read_publications(text, "dummy");
    if (!read) { // the generator also makes wrong known keys
      EXPECT_EQ(read.error().code, ec::invalid_argument) << text;
      EXPECT_TRUE(sent.contains("payload") || !sent.at("action").is_string()
                  || sent.at("action").as_string().empty())
        << text;
      continue;
    }
    ++accepted;
    const auto body = notification_body(7, read->items[0].rest);
    for (const char c : body)
      ASSERT_TRUE(c >= ' ' && c <= '~') << body;
    const auto got = boost::json::parse(body).as_object();
    if (!sent.contains("payload")) {
      EXPECT_EQ(got, expected(sent)) << text << '\n' << body;
    } else {
      auto want = sent.at("payload").as_object();
      want["notification_id"] = 7;
      if (!want.contains("action"))
        want["action"] = sent.at("action");
      EXPECT_EQ(got, want) << text << '\n' << body;
    }
  }
  EXPECT_GT(accepted, 15'000);
}

TEST(Publication, SurvivesDamagedInput) {
  generator make{42};
  for (int round = 0; round < 20'000; ++round) {
    auto text = make.object(4, make.upto(4), R"("action":"a.b")");
    if (make.upto(2) == 0)
      text = '[' + text + ',' + make.value(3) + ']';
    for (int i = make.upto(3); i > 0; --i) {
      const auto at = static_cast<std::size_t>(
        make.upto(static_cast<int>(text.size()) - 1));
      switch (make.upto(2)) {
        case 0: text[at] = static_cast<char>(make.upto(255)); break;
        case 1:
          text.erase(at, 1 + static_cast<std::size_t>(make.upto(4)));
          break;
        default: text.insert(at, 1, "{}[],:\"\\0e-"[make.upto(10)]); break;
      }
      if (text.empty())
        break;
    }
    const auto read = read_publications(text, "dummy");
    boost::json::error_code failure;
    const auto tree = boost::json::parse(text, failure);
    if (failure) {
      EXPECT_FALSE(read) << text;
    } else if (read) {
      for (const auto& item : read->items)
        EXPECT_TRUE(
          boost::json::parse(notification_body(1, item.rest)).is_object());
    }
  }
}

// -- publications of a program ------------------------------------------------

std::string rendered(const publication& one) {
  const auto rest = publication_renderer{"acme"}.render(one);
  return rest ? notification_body(7, *rest)
              : rest.error().field + ": " + rest.error().detail;
}

TEST(RenderPublication, SaysWhatTheApiWouldSay) {
  const auto of_text = [](std::string_view json) {
    return notification_body(7, read_publications(json, "acme")->items[0].rest);
  };
  EXPECT_EQ(rendered({.action = "a.b"}), of_text(R"({"action": "a.b"})"));
  EXPECT_EQ(rendered({.action = "a.b", .event = "e", .payload = "{}"}),
            of_text(R"({"action": "a.b", "event": "e"})"));
  EXPECT_EQ(
    rendered(
      {.action = "a.b",
       .event = "e",
       .payload = R"( {"n":1.50,"s":"é\u0041","l":[1,{"x":[]}],"n":2} )"}),
    of_text(
      R"({"action":"a.b","event":"e","n":1.50,"s":"é\u0041","l":[1,{"x":[]}],"n":2})"));
}

TEST(RenderPublication, TellsWhatIsWrongWithAPayload) {
  for (const std::string text :
       {"[]", "[{}]", "1", "\"x\"", "null", "true", "1.5"})
    EXPECT_EQ(rendered({.action = "a.b", .payload = text}),
              "payload: A payload must be a JSON object.")
      << text;
  for (const std::string text :
       {"{", "{}}", "{} {}", "{\"a\":}", " ", "{'a':1}",
        R"({}, "action": "c.d")", "{\"a\":1,}"})
    EXPECT_TRUE(rendered({.action = "a.b", .payload = text})
                  .starts_with("payload: The payload is no JSON"))
      << text << rendered({.action = "a.b", .payload = text});
  for (const std::string text :
       {R"({"action":"c.d"})", R"({"event":"e"})", R"({"organizer":"acme"})",
        R"({"payload":{}})", R"({"\u0061ction":"c.d"})"})
    EXPECT_TRUE(rendered({.action = "a.b", .payload = text})
                  .starts_with("payload: \"action\", \"event\""))
      << text << rendered({.action = "a.b", .payload = text});
}

TEST(RenderPublication, SaysNothingOfTheOneBefore) {
  std::string many_keys = "{";
  for (int i = 0; i < 40; ++i)
    many_keys += "\"k" + std::to_string(i) + "\":" + std::to_string(i) + ",";
  const std::vector<publication> all{
    {.action = "a.b", .event = "e", .payload = R"({"a":1,"n":{"x":[1]}})"},
    {.action = "c.d", .payload = R"({"b":2})"},
    {.action = "c.d"},
    {.action = "a.b", .event = "e"},
    {.action = "a.b", .payload = R"({"payload":{"x":[{"y":"z)"},
    {.action = "a.b", .payload = R"({"c":3})"},
    {.action = "a.b", .payload = "{\"text\":\"\xc3"},
    {.action = "a.b", .payload = many_keys + R"("k1":"again"})"},
    {.action = "a.b", .payload = many_keys + R"("k1":"again","x":{)"},
    {.action = "a.b", .payload = R"({"text":"e"})"},
    {.action = "a.b", .payload = R"({"organizer":"acme"})"},
    {.action = "a.b", .payload = "[1]"},
    {.action = "a.b", .payload = R"({"a":[[[{"k)"},
    {.action = ""},
    {.action = "a.b", .payload = R"({"notification_id":7,"d":4})"},
    {.action = "a.b",
     .payload = R"({"a":")" + std::string(1 << 20, 'x') + "\"}"},
    {.action = "a.b", .payload = R"({"a":4,"a":5})"}};
  publication_renderer shared{"acme"};
  const auto check = [&](const publication& one) {
    const auto got = shared.render(one);
    const auto alone = publication_renderer{"acme"}.render(one);
    ASSERT_EQ(got.has_value(), alone.has_value()) << one.payload;
    if (got) {
      EXPECT_EQ(*got, *alone);
      EXPECT_LT(got->capacity(), got->size() + 256) << "it is kept";
    } else {
      EXPECT_EQ(got.error().field, alone.error().field);
      EXPECT_EQ(got.error().detail, alone.error().detail);
    }
  };
  for (const auto& before : all)
    for (const auto& one : all) {
      check(before);
      check(one);
    }
}

TEST(RenderPublication, KeepsTheLimitsOfTheApi) {
  const auto nested = [](std::size_t depth) {
    return R"({"a":)" + std::string(depth - 1, '[')
         + std::string(depth - 1, ']') + "}";
  };
  EXPECT_TRUE(rendered({.action = "a.b", .payload = nested(32)})
                .starts_with("{\"notification_id\""));
  EXPECT_TRUE(rendered({.action = "a.b", .payload = nested(33)})
                .starts_with("payload: "));
  publication large{.action = "a.b",
                    .payload = R"({"a":")" + std::string(1 << 20, 'x') + "\"}"};
  EXPECT_EQ(publication_renderer{"acme"}.render(large).error().code,
            ec::too_large);
}

} // namespace
} // namespace fanfare::protocol
