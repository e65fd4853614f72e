// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/declarative/reader.hpp"

#include "protocol/payload/json_text.hpp"
#include "protocol/rest/delivery/delivery_json.hpp"
#include "protocol/rules/action_types.hpp"
#include "protocol/rules/delivery_rules.hpp"
#include "protocol/rules/slug.hpp"
#include "protocol/security/signature.hpp"

#include <boost/json/parse.hpp>

#include <algorithm>
#include <functional>
#include <span>
#include <string_view>
#include <utility>

namespace fanfare::cli::declarative {

namespace {

/// Nothing that a file says is sealed.
class plain_texts final : public protocol::rest::secret_opener {
public:
  [[nodiscard]] result<std::string>
  reveal(const secret_text& text) const override {
    return text.bytes();
  }
};

class reader {
public:
  reader(const std::string& file, reference_source& references)
    : file_(file),
      references_(references) {}

  wanted_state read(const node& root) {
    wanted_state out;
    out.file = file_;
    if (root.what == node::kind::null)
      return out;
    each(root, "The document",
         {{"action_types", [&](const node& value) { read_types(value, out); }},
          {"organizers",
           [&](const node& value) { read_organizers(value, out); }}});
    return out;
  }

private:
  using reading = std::function<void(const node&)>;
  struct known_key {
    std::string_view key;
    reading read;
  };

  [[noreturn]] void fail(place at, const std::string& sentence) const {
    throw fault_at(file_, at, sentence);
  }

  // -- values -----------------------------------------------------------------

  /// Calls the reading of each member that is there.
  void each(const node& of, const std::string& what,
            const std::vector<known_key>& known) const {
    if (of.what != node::kind::map)
      fail(of.at, what + " must be a map.");
    for (const auto& [key, at, value] : of.members) {
      const auto i = std::ranges::find(known, key, &known_key::key);
      if (i == known.end())
        fail(at,
             "Unknown key \"" + key + "\"; known are " + names(known) + ".");
      i->read(value);
    }
  }

  static std::string names(const std::vector<known_key>& known) {
    std::string out;
    for (const auto& one : known)
      out += (out.empty() ? "" : ", ") + std::string{one.key};
    return out;
  }

  std::string text(const node& of, const std::string& what) const {
    if (of.what != node::kind::scalar)
      fail(of.at, what + " must be a text.");
    return of.text;
  }

  bool boolean(const node& of, const std::string& what) const {
    if (of.what != node::kind::scalar || of.quoted
        || (of.text != "true" && of.text != "false"))
      fail(of.at, what + " must be true or false.");
    return of.text == "true";
  }

  std::vector<std::string> texts(const node& of,
                                 const std::string& what) const {
    if (of.what != node::kind::list)
      fail(of.at, what + " must be a list.");
    std::vector<std::string> out;
    for (const auto& item : of.items)
      out.push_back(text(item, "Each item"));
    std::ranges::sort(out);
    if (const auto twice = std::ranges::adjacent_find(out); twice != out.end())
      fail(of.at, "\"" + *twice + "\" is there twice.");
    return out;
  }

  /// A text, {env: NAME} or {file: PATH}.
  std::string referenced(const node& of, const std::string& what) const {
    if (of.what != node::kind::map)
      return text(of, what);
    if (of.members.size() != 1
        || (of.members[0].key != "env" && of.members[0].key != "file"))
      fail(of.at, what + " must be a text, {env: NAME} or {file: PATH}.");
    const auto& [kind, at, value] = of.members[0];
    const auto name = text(value, kind);
    std::string fault;
    auto found = kind == "env" ? references_.from_environment(name, fault)
                               : references_.from_file(name, fault);
    if (!fault.empty())
      fail(value.at, fault);
    return found;
  }

  /// Of a secret, which a file must not hold.
  std::string secret(const node& of, const std::string& what) const {
    if (of.what != node::kind::map)
      fail(of.at, what
                    + " must not be in the file: give {env: NAME} or "
                      "{file: PATH}.");
    return referenced(of, what);
  }

  // -- action types, organizers, events ---------------------------------------

  void read_types(const node& of, wanted_state& to) const {
    (void)texts(of, "action_types"); // none twice
    for (const auto& item : of.items) {
      if (const auto valid = protocol::check_action_type_name(item.text);
          !valid)
        fail(item.at, valid.error().detail);
      if (protocol::is_own_action(item.text))
        fail(item.at, "Names that begin with \"fanfare.\" are the server's "
                      "own.");
      to.action_types.push_back({item.text, item.at});
    }
  }

  void read_organizers(const node& of, wanted_state& to) {
    if (of.what != node::kind::map)
      fail(of.at, "organizers must be a map of slugs.");
    for (const auto& [slug, at, value] : of.members) {
      check_slug(slug, at);
      wanted_organizer out;
      out.slug = slug;
      out.at = at;
      if (value.what != node::kind::null)
        each(value, "An organizer",
             {{"name", [&](const node& name) { out.name = read_name(name); }},
              {"events",
               [&](const node& events) {
                 if (is_given(events))
                   out.events = read_events(events);
               }},
              {"webhooks", [&](const node& hooks) {
                 if (is_given(hooks))
                   out.webhooks = read_webhooks(hooks);
               }}});
      to.organizers.push_back(std::move(out));
    }
  }

  /// A list with nothing behind its key says nothing: all of it may have been
  /// commented out, and --prune must not take that for an empty one, `{}`.
  static bool is_given(const node& list) {
    return list.what != node::kind::null;
  }

  void check_slug(const std::string& slug, place at) const {
    if (!protocol::is_slug(slug))
      fail(at, std::string{protocol::slug_rule});
  }

  std::string read_name(const node& of) const {
    auto out = text(of, "name");
    if (out.empty())
      fail(of.at, "A name must not be empty.");
    return out;
  }

  /// A map of slugs to names; null leaves the name as it is.
  std::vector<wanted_event> read_events(const node& of) const {
    std::vector<wanted_event> out;
    if (of.what != node::kind::map)
      fail(of.at, "events must be a map of slugs to names.");
    for (const auto& [slug, at, value] : of.members) {
      check_slug(slug, at);
      auto& one = out.emplace_back();
      one.slug = slug;
      if (value.what != node::kind::null)
        one.name = read_name(value);
    }
    return out;
  }

  // -- webhooks ---------------------------------------------------------------

  std::vector<wanted_webhook> read_webhooks(const node& of) const {
    std::vector<wanted_webhook> out;
    if (of.what != node::kind::map)
      fail(of.at, "webhooks must be a map of names.");
    for (const auto& [name, at, value] : of.members) {
      if (!protocol::is_webhook_name(name))
        fail(at, std::string{protocol::webhook_name_rule});
      out.push_back(read_webhook(name, at, value));
    }
    return out;
  }

  wanted_webhook read_webhook(const std::string& name, place at,
                              const node& of) const {
    wanted_webhook out;
    out.name = name;
    out.at = at;
    static const node no_settings{.what = node::kind::map};
    const node* delivery = &no_settings;
    const node* key = nullptr;
    each(
      of, "A webhook",
      {{"target_url",
        [&](const node& v) {
          out.target_url = referenced(v, "target_url");
          out.is_url_secret = v.what == node::kind::map;
        }},
       {"action_types",
        [&](const node& v) { out.action_types = texts(v, "action_types"); }},
       {"events", [&](const node& v) { read_limit(v, out); }},
       {"enabled", [&](const node& v) { out.enabled = boolean(v, "enabled"); }},
       {"comment",
        [&](const node& v) {
          if (v.what != node::kind::null)
            out.comment = text(v, "comment");
        }},
       {"secret", [&](const node& v) { key = &v; }},
       {"delivery", [&](const node& v) { delivery = &v; }}});
    if (out.target_url.empty())
      fail(at, "A webhook needs a target_url.");
    if (out.action_types.empty())
      fail(at, "A webhook needs action_types.");
    if (delivery->what != node::kind::null)
      read_delivery(*delivery, out);
    out.shown = shown_delivery(out, *delivery);
    if (key != nullptr)
      read_key(*key, out);
    return out;
  }

  /// "all", or a list of slugs.
  void read_limit(const node& of, wanted_webhook& to) const {
    if (of.what == node::kind::scalar && of.text == "all")
      return;
    if (of.what != node::kind::list)
      fail(of.at, "events must be a list of slugs, or \"all\".");
    to.all_events = false;
    to.events = texts(of, "events");
  }

  /// Texts in place of references, so that all is JSON of the API.
  std::string headers(const node& of) const {
    if (of.what != node::kind::map)
      return of.json();
    std::string out;
    for (const auto& [name, at, value] : of.members)
      out += (out.empty() ? "" : ",") + protocol::json_quoted(name) + ':'
           + protocol::json_quoted(referenced(value, "A header's value"));
    return '{' + out + '}';
  }

  std::string tls(const node& of) const {
    if (of.what != node::kind::map)
      return of.json();
    std::string out;
    for (const auto& [name, at, value] : of.members) {
      const bool is_key = name == "client_key";
      out += (out.empty() ? "" : ",") + protocol::json_quoted(name) + ':'
           + (value.what == node::kind::null
                ? "null"
                : protocol::json_quoted(is_key ? secret(value, name)
                                               : referenced(value, name)));
    }
    return '{' + out + '}';
  }

  std::string setting(const std::string& key, const node& of) const {
    if (key == "headers")
      return headers(of);
    if (key == "tls")
      return tls(of);
    if (key == "proxy" && of.what != node::kind::null)
      return protocol::json_quoted(referenced(of, key));
    return of.json();
  }

  void read_delivery(const node& of, wanted_webhook& to) const {
    if (of.what != node::kind::map)
      fail(of.at, "delivery must be a map.");
    for (const auto& [key, at, value] : of.members) {
      if (key == "name")
        fail(at, "The name of a webhook is its key in the map of webhooks.");
      to.delivery.emplace(key, setting(key, value));
    }
  }

  boost::json::object shown_delivery(const wanted_webhook& of,
                                     const node& delivery) const {
    std::string body;
    for (const auto& [key, json] : of.delivery)
      body += (body.empty() ? "{" : ",") + protocol::json_quoted(key) + ':'
            + json;
    body += body.empty() ? "{}" : "}";
    const plain_texts texts;
    protocol::rest::delivery_patch patch;
    const auto parsed = boost::json::parse(body);
    for (const auto& [key, sentence] :
         protocol::rest::read_delivery(parsed.get_object(), body, texts, patch))
      fail(place_of(delivery, key), key + ": " + sentence);
    webhook made;
    if (const auto applied = patch.apply(made); !applied)
      fail(place_of(delivery, applied.error().field),
           applied.error().field + ": " + applied.error().detail);
    made.delivery.name = of.name;
    return protocol::rest::delivery_json(made, texts);
  }

  static place place_of(const node& delivery, std::string_view key) {
    const auto* const found = delivery.find(key);
    return found == nullptr ? delivery.at : found->at;
  }

  void read_key(const node& of, wanted_webhook& to) const {
    const auto key = protocol::signing_key::parse(secret(of, "secret"));
    if (!key)
      fail(of.at, "secret: " + key.error().detail);
    const auto& wanted = to.shown.at("signing").at("algorithm").get_string();
    const bool is_shared = key->algorithm() == signing_algorithm::hmac_sha256;
    if (wanted != (is_shared ? "hmac-sha256" : "ed25519"))
      fail(of.at, "The secret is one for "
                    + std::string{is_shared ? "hmac-sha256" : "ed25519"}
                    + ", but delivery.signing says "
                    + std::string{wanted.data(), wanted.size()} + ".");
    to.secret = key->text();
    to.key = is_shared ? key->text() : key->public_text();
  }

  const std::string& file_;
  reference_source& references_;
};

} // namespace

wanted_state read_wanted(const node& document, const std::string& file,
                         reference_source& references) {
  return reader{file, references}.read(document);
}

boost::json::object default_delivery() {
  return protocol::rest::delivery_json(webhook{}, plain_texts{});
}

} // namespace fanfare::cli::declarative
