// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/description/api_docs.hpp"

#include "protocol/payload/json_text.hpp"
#include "protocol/rest/description/html.hpp"
#include "protocol/rest/description/openapi.hpp"

#include <boost/json/array.hpp>

#include <algorithm>
#include <cctype>

namespace fanfare::protocol::rest {

namespace {

namespace json = boost::json;

/// Deeper than any schema of the document is nested; ends cycles of references.
constexpr int depth_limit = 6;

std::string_view view(json::string_view text) {
  return {text.data(), text.size()};
}

std::string code(std::string_view text) {
  return "<code>" + escape_html(text) + "</code>";
}

/// A line of text with code in backticks.
std::string line(std::string_view text) {
  std::string out;
  for (bool is_code = false;; is_code = !is_code) {
    const auto tick = text.find('`');
    const auto part = text.substr(0, tick);
    out += is_code ? code(part) : escape_html(part);
    if (tick == std::string_view::npos)
      return out;
    text.remove_prefix(tick + 1);
  }
}

/// Paragraphs and lists: the part of CommonMark that the descriptions use.
std::string paragraphs(std::string_view text) {
  std::string out;
  bool list = false;
  while (!text.empty()) {
    const auto end = text.find('\n');
    const auto one = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const bool item = one.starts_with("- ");
    if (item != list)
      out += item ? "<ul>" : "</ul>";
    list = item;
    if (item)
      out += "<li>" + line(one.substr(2)) + "</li>";
    else if (!one.empty())
      out += "<p>" + line(one) + "</p>";
  }
  return list ? out + "</ul>" : out;
}

std::string pretty(const json::value& value) {
  return "<pre><code>" + escape_html(to_json_text(value, 2)) + "</code></pre>";
}

class page {
public:
  std::string make() {
    const auto& info = document_.at("info").as_object();
    text_ = page_head(std::string{text(info, "title")} + " API", api_docs_css);
    navigation(info);
    text_ += "<main><h1 id=\"top\">" + escape_html(text(info, "title"))
           + " API</h1><p class=\"lead\">" + escape_html(text(info, "summary"))
           + " · version " + escape_html(text(info, "version"))
           + " · <a href=\"../v1/openapi.json\">OpenAPI document</a></p>"
           + paragraphs(text(info, "description"));
    text_ += "<h2 id=\"authentication\">Authentication</h2>";
    for (const auto& scheme : component("securitySchemes"))
      text_ += paragraphs(text(scheme.value().as_object(), "description"));
    for (const auto& tag : document_.at("tags").as_array())
      section(tag.as_object());
    shared_answers();
    text_ += "</main>\n</body>\n</html>\n";
    return std::move(text_);
  }

private:
  // -- reading the document ---------------------------------------------------

  static std::string_view text(const json::object& from, std::string_view key) {
    const auto* found = from.if_contains({key.data(), key.size()});
    return found != nullptr && found->is_string() ? view(found->get_string())
                                                  : std::string_view{};
  }

  static const json::object& child(const json::object& from,
                                   std::string_view key) {
    static const json::object none;
    const auto* found = from.if_contains({key.data(), key.size()});
    return found != nullptr && found->is_object() ? found->get_object() : none;
  }

  const json::object& component(std::string_view kind) const {
    return child(child(document_, "components"), kind);
  }

  /// The last part of a reference; empty if it is none.
  static std::string_view name_of(const json::object& node) {
    const auto target = text(node, "$ref");
    return target.substr(target.rfind('/') + 1);
  }

  const json::object& resolve(const json::object& node) const {
    const auto target = text(node, "$ref");
    if (target.empty())
      return node;
    json::error_code failure;
    const auto* found = openapi_document().find_pointer(
      {target.data() + 1, target.size() - 1}, failure);
    return found != nullptr && found->is_object() ? found->get_object() : node;
  }

  template <class Visit>
  void each_operation(std::string_view tag, Visit visit) const {
    for (const auto& path : document_.at("paths").as_object())
      for (const auto& method : path.value().as_object()) {
        const auto& operation = method.value().as_object();
        if (view(operation.at("tags").as_array().front().as_string()) == tag)
          visit(view(path.key()), view(method.key()), operation);
      }
  }

  // -- the frame --------------------------------------------------------------

  static std::string method_mark(std::string_view method) {
    std::string upper{method};
    std::ranges::transform(upper, upper.begin(), [](unsigned char c) {
      return static_cast<char>(std::toupper(c));
    });
    return "<span class=\"m " + escape_html(method) + "\">" + escape_html(upper)
         + "</span>";
  }

  static std::string anchor_of(std::string_view name) {
    std::string out;
    for (const char c : name)
      out += std::isalnum(static_cast<unsigned char>(c)) != 0
             ? static_cast<char>(std::tolower(static_cast<unsigned char>(c)))
             : '-';
    return out;
  }

  void navigation(const json::object& info) {
    text_ += "<nav aria-label=\"Contents\"><p><a class=\"brand\" "
             "href=\"#top\">"
           + escape_html(text(info, "title")) + "</a> <span class=\"version\">"
           + escape_html(text(info, "version"))
           + "</span></p><ul><li><a href=\"#authentication\">Authentication</a>"
             "</li><li><a href=\"#answers\">Shared answers</a></li></ul>";
    for (const auto& tag : document_.at("tags").as_array()) {
      const auto name = text(tag.as_object(), "name");
      text_ += "<details open><summary>" + escape_html(name) + "</summary><ul>";
      each_operation(name, [&](std::string_view, std::string_view method,
                               const json::object& operation) {
        if (method != "options")
          text_ += "<li><a href=\"#"
                 + escape_html(text(operation, "operationId")) + "\">"
                 + method_mark(method) + "<span>"
                 + escape_html(text(operation, "summary")) + "</span></a></li>";
      });
      text_ += "</ul></details>";
    }
    text_ += "</nav>\n";
  }

  void section(const json::object& tag) {
    const auto name = text(tag, "name");
    text_ += "<section><h2 id=\"" + anchor_of(name) + "\">" + escape_html(name)
           + "</h2>" + paragraphs(text(tag, "description"));
    each_operation(name, [this](auto path, auto method, const auto& operation) {
      describe(path, method, operation);
    });
    text_ += "</section>\n";
  }

  // -- an operation -----------------------------------------------------------

  void describe(std::string_view path, std::string_view method,
                const json::object& operation) {
    const auto id = text(operation, "operationId");
    const bool quiet = method == "options";
    text_ += std::string{"<article"} + (quiet ? " class=\"quiet\"" : "")
           + " id=\"" + escape_html(id) + "\">";
    if (quiet)
      text_ += "<details><summary>";
    text_ += quiet ? ""
                   : "<h3><a href=\"#" + escape_html(id) + "\">"
                       + escape_html(text(operation, "summary")) + "</a></h3>";
    const auto path_line = method_mark(method) + " <span class=\"path\">"
                         + escape_html(path) + "</span>";
    if (quiet)
      text_ += path_line + " <span class=\"soft\">"
             + escape_html(text(operation, "summary")) + "</span></summary>";
    else
      text_ += "<p class=\"line\">" + path_line + "</p>";
    permissions(operation);
    text_ += paragraphs(text(operation, "description"));
    parameters(operation);
    if (const auto& body = child(operation, "requestBody"); !body.empty()) {
      text_ += "<h4>Request</h4>";
      mark_required_ = true;
      content(child(body, "content"), true);
      mark_required_ = false;
    }
    text_ += "<h4>Answers</h4>";
    for (const auto& answer : child(operation, "responses"))
      answer_of(view(answer.key()), answer.value().as_object());
    text_ += quiet ? "</details></article>\n" : "</article>\n";
  }

  void permissions(const json::object& operation) {
    const auto& needed = operation.at("x-permission").as_array();
    text_ += "<p>";
    if (needed.empty())
      text_ += "<span class=\"tag\">open to everybody</span>";
    for (const auto& one : needed) {
      const auto name = view(one.as_string());
      text_ += "<span class=\"tag\">"
             + (name == "any"      ? "any token"
                : name == "server" ? "server's administrator"
                                   : "permission " + escape_html(name))
             + "</span> ";
    }
    text_ += "</p>";
  }

  void parameters(const json::object& operation) {
    const auto* list = operation.if_contains("parameters");
    if (list == nullptr)
      return;
    text_ += "<h4>Parameters</h4><div class=\"wide\"><table><thead><tr><th>Name"
             "</th><th>In</th><th>Type</th><th></th></tr></thead><tbody>";
    for (const auto& item : list->as_array()) {
      const auto& one = resolve(item.as_object());
      const auto* must = one.if_contains("required");
      row(text(one, "name"), must != nullptr && must->as_bool(),
          "<td>" + escape_html(text(one, "in")) + "</td>",
          one.at("schema").as_object(), text(one, "description"));
    }
    text_ += "</tbody></table></div>";
  }

  void answer_of(std::string_view status, const json::object& given) {
    const auto& answer = resolve(given);
    const auto shared = name_of(given);
    text_ += R"(<div class="answer"><span class="status s)"
           + escape_html(status.substr(0, 1)) + "\">" + escape_html(status)
           + "</span>";
    if (!shared.empty()) {
      text_ += line(text(answer, "description")) + " <a href=\"#answer-"
             + escape_html(shared) + "\">More</a></div>";
      return;
    }
    answer_body(answer, status.starts_with('2'));
    text_ += "</div>";
  }

  void answer_body(const json::object& answer, bool success) {
    text_ += line(text(answer, "description"));
    if (const auto& headers = child(answer, "headers"); !headers.empty()) {
      text_ += "<br><span class=\"soft\">Headers:";
      for (const auto& header : headers)
        text_ += ' ' + code(view(header.key())) + ' '
               + escape_html(text(header.value().as_object(), "description"));
      text_ += "</span>";
    }
    content(child(answer, "content"), success);
  }

  /// Bodies by media type.
  void content(const json::object& types, bool show_fields) {
    for (const auto& type : types) {
      const auto& media = type.value().as_object();
      const auto& schema = child(media, "schema");
      text_ += "<p class=\"soft line\">" + escape_html(view(type.key())) + " · "
             + type_of(schema) + "</p>";
      if (show_fields)
        fields(schema);
      examples(child(media, "examples"));
    }
  }

  void examples(const json::object& all) {
    for (const auto& item : all) {
      const auto& one = item.value().as_object();
      std::string name{view(item.key())};
      std::ranges::replace(name, '_', ' ');
      text_ += "<details><summary>Example: " + escape_html(name) + "</summary>";
      if (const auto summary = text(one, "summary"); !summary.empty())
        text_ += "<p>" + line(summary) + "</p>";
      const auto& sent = child(one, "x-request");
      if (!sent.empty())
        text_ += "<p class=\"soft\">to a request with</p>" + pretty(sent)
               + "<p class=\"soft\">the answer is</p>";
      text_ += pretty(one.at("value")) + "</details>";
    }
  }

  // -- schemas ----------------------------------------------------------------

  /// The type of a value in words.
  std::string type_of(const json::object& given, int depth = 0) const {
    const auto& schema = resolve(given);
    const auto name = name_of(given);
    if (depth > depth_limit)
      return escape_html(name);
    std::string out;
    const auto add = [&out](const std::string& part, std::string_view between) {
      out += (out.empty() ? "" : std::string{between}) + part;
    };
    for (const std::string_view key : {"anyOf", "oneOf"})
      if (const auto* list = schema.if_contains({key.data(), key.size()}))
        for (const auto& one : list->as_array())
          add(type_of(one.as_object(), depth + 1), " or ");
    if (const auto* type = schema.if_contains("type")) {
      std::string words;
      const auto word = [&](std::string_view one) {
        words += (words.empty() ? "" : " or ");
        if (one == "array")
          words += "list of " + type_of(child(schema, "items"), depth + 1);
        else
          words += escape_html(one);
      };
      if (type->is_array())
        for (const auto& one : type->get_array())
          word(view(one.as_string()));
      else
        word(view(type->as_string()));
      add(words, " ");
    }
    if (const auto format = text(schema, "format"); !format.empty())
      out += " (" + escape_html(format) + ')';
    if (const auto* only = schema.if_contains("const"))
      add(code(to_json_text(*only)), " ");
    if (const auto* list = schema.if_contains("enum")) {
      std::string choices;
      for (const auto& one : list->as_array())
        choices += (choices.empty() ? "" : ", ") + code(to_json_text(one));
      add(choices, ": ");
    }
    const auto limit = [&](std::string_view key, std::string_view before,
                           std::string_view after) {
      if (const auto* value = schema.if_contains({key.data(), key.size()}))
        out += ", " + std::string{before} + escape_html(to_json_text(*value))
             + std::string{after};
    };
    limit("minimum", "≥ ", "");
    limit("exclusiveMinimum", "&gt; ", "");
    limit("maximum", "≤ ", "");
    limit("minLength", "at least ", " characters");
    limit("maxLength", "at most ", " characters");
    limit("minItems", "at least ", " items");
    limit("maxItems", "at most ", " items");
    if (const auto pattern = text(schema, "pattern"); !pattern.empty())
      out += ", like " + code(pattern);
    return out.empty() ? "any value" : out;
  }

  void row(std::string_view name, bool must, const std::string& cell,
           const json::object& schema, std::string_view description) {
    if (description.empty())
      description = text(resolve(schema), "description");
    text_ += "<tr><td>" + code(name)
           + (must ? "<span class=\"must\">required</span>" : "") + "</td>"
           + cell + "<td class=\"type\">" + type_of(schema) + "</td><td>"
           + paragraphs(description) + "</td></tr>";
  }

  void fields(const json::object& schema) {
    const auto before = text_.size();
    text_ += "<div class=\"wide\"><table><thead><tr><th>Field</th><th>Type</th>"
             "<th></th></tr></thead><tbody>";
    const auto empty = text_.size();
    nested(schema, "", 0);
    if (text_.size() == empty)
      text_.resize(before);
    else
      text_ += "</tbody></table></div>";
  }

  /// A row for each member, and for the members inside it.
  void nested(const json::object& given, const std::string& prefix, int depth) {
    if (depth > depth_limit)
      return;
    const auto& schema = resolve(given);
    for (const std::string_view key : {"anyOf", "oneOf"})
      if (const auto* list = schema.if_contains({key.data(), key.size()}))
        // The items of such a list need no rows of their own.
        for (const auto& one : list->as_array())
          if (!resolve(one.as_object()).contains("items"))
            nested(one.as_object(), prefix, depth + 1);
    if (const auto& items = child(schema, "items"); !items.empty())
      nested(items, prefix + "[]", depth + 1);
    const auto* must = schema.if_contains("required");
    for (const auto& item : child(schema, "properties")) {
      const auto name = view(item.key());
      const auto& one = item.value().as_object();
      const bool required = mark_required_ && must != nullptr
                         && std::ranges::any_of(
                              must->as_array(), [name](const auto& wanted) {
                                return view(wanted.as_string()) == name;
                              });
      const auto path = (prefix.empty() ? "" : prefix + '.')
                      + std::string{name};
      row(path, required, "", one, text(one, "description"));
      nested(one, path, depth + 1);
    }
    if (const auto& rest = child(schema, "additionalProperties"); !rest.empty())
      nested(rest, prefix + (prefix.empty() ? "*" : ".*"), depth + 1);
  }

  // -- what answers share -----------------------------------------------------

  void shared_answers() {
    text_ += "<section><h2 id=\"answers\">Shared answers</h2><p>Answers that "
             "many operations give. Those with a status here are given by "
             "every path.</p>";
    const auto& everywhere = child(document_, "x-every-path");
    for (const auto& answer : component("responses")) {
      const auto name = view(answer.key());
      text_ += R"(<article class="quiet" id="answer-)" + escape_html(name)
             + "\"><h3>";
      for (const auto& one : everywhere)
        if (name_of(one.value().as_object()) == name)
          text_ += "<span class=\"status\">" + escape_html(view(one.key()))
                 + "</span>";
      text_ += escape_html(name) + "</h3>";
      answer_body(answer.value().as_object(), false);
      text_ += "</article>";
    }
    text_ += "</section>";
  }

  const json::object& document_ = openapi_document().get_object();
  std::string text_;
  bool mark_required_ = false; ///< answers are always complete
};

} // namespace

const std::string& api_docs_page() {
  static const auto text = page{}.make();
  return text;
}

http_response serve_api_docs(const exchange& x) {
  static const auto policy = page_policy(api_docs_css);
  return page_answer(x, api_docs_page(), policy);
}

} // namespace fanfare::protocol::rest
