// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/delivery/request_settings.hpp"

#include "model/payload_filter.hpp"
#include "protocol/rules/delivery_rules.hpp"
#include "protocol/rules/header_rules.hpp"
#include "protocol/text.hpp"

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <set>
#include <string>
#include <vector>

namespace fanfare::protocol::rest {

namespace {

using namespace delivery_limits;
using edit = delivery_patch::edit;

// -- method, body -------------------------------------------------------------

/// One of two words; `standard` stands for false.
edit read_choice(setting_reader& read, const boost::json::value& json,
                 bool delivery_settings::*member, std::string_view standard,
                 std::string_view other) {
  const auto found = json.is_null()   ? standard
                   : json.is_string() ? text_of(json.get_string())
                                      : std::string_view{};
  if (found != standard && found != other)
    read.fault("Must be \"" + std::string{standard} + "\" or \""
               + std::string{other} + "\".");
  return set(member, found == other);
}

edit read_method(setting_reader& read, const boost::json::value& json) {
  return read_choice(read, json, &delivery_settings::put, "POST", "PUT");
}

boost::json::value show_method(const webhook& of, const secret_opener&) {
  return of.delivery.put ? "PUT" : "POST";
}

edit read_body(setting_reader& read, const boost::json::value& json) {
  return read_choice(read, json, &delivery_settings::thin, "full", "thin");
}

boost::json::value show_body(const webhook& of, const secret_opener&) {
  return of.delivery.thin ? "thin" : "full";
}

// -- filter -------------------------------------------------------------------

edit read_filter(setting_reader& read, const boost::json::value& json) {
  std::string out;
  if (!json.is_null()) {
    // From the text, in which numbers have all their digits, and keys that are
    // there twice are seen.
    if (auto compiled = payload_filter::parse(read.source()))
      out = (*compiled)->text();
    else
      read.fault(compiled.error().detail);
  }
  return [out = std::move(out)](webhook& w) -> result<void> {
    w.filter = out;
    return {};
  };
}

boost::json::value show_filter(const webhook& of, const secret_opener&) {
  return of.filter.empty() ? boost::json::value(nullptr)
                           : payload_filter::read(of.filter);
}

// -- headers ------------------------------------------------------------------

/// Keeps a stored value that no key opens: it was shown masked and sent back.
void keep_unreadable(const std::vector<delivery_settings::header>& stored,
                     delivery_settings::header& sent,
                     const secret_opener& secrets) {
  for (const auto& one : stored)
    if (to_lower(one.name) == to_lower(sent.name) && !secrets.reveal(one.value))
      sent.value = one.value;
}

edit read_headers(setting_reader& read, const boost::json::value& json) {
  std::vector<delivery_settings::header> out;
  std::set<std::string> names;
  std::size_t bytes = 0;
  if (!json.is_null() && !json.is_object())
    read.fault("Must be an object of names and values.");
  else if (json.is_object())
    for (const auto& item : json.get_object()) {
      const auto name = text_of(item.key());
      if (!item.value().is_string()) {
        read.fault("The value of \"" + std::string{name}
                   + "\" must be a text.");
        continue;
      }
      const auto value = text_of(item.value().get_string());
      if (auto fault = header_fault(name, value)) {
        read.fault(std::move(*fault));
        continue;
      }
      if (!names.insert(to_lower(name)).second)
        read.fault("\"" + std::string{name} + "\" is given twice.");
      bytes += name.size() + value.size() + 4;
      out.push_back({std::string{name}, std::string{value}});
    }
  if (out.size() > headers_limit)
    read.fault("Must have at most " + std::to_string(headers_limit)
               + " headers.");
  else if (bytes > header_bytes_limit)
    read.fault("All headers together must have at most "
               + std::to_string(header_bytes_limit) + " bytes.");
  const bool masked = std::ranges::any_of(
    out, [&](const auto& one) { return one.value.bytes() == kept_secret; });
  if (!masked)
    return set(&delivery_settings::headers, std::move(out));
  return [out = std::move(out),
          &secrets = read.secrets()](webhook& w) -> result<void> {
    auto wanted = out;
    for (auto& one : wanted)
      if (one.value.bytes() == kept_secret)
        keep_unreadable(w.delivery.headers, one, secrets);
    w.delivery.headers = std::move(wanted);
    return {};
  };
}

boost::json::value show_headers(const webhook& of,
                                const secret_opener& secrets) {
  boost::json::object out;
  for (const auto& [name, kept] : of.delivery.headers) {
    const auto value = secrets.reveal(kept);
    out[boost::json::string_view{name.data(), name.size()}] = text(
      value ? std::string_view{*value} : kept_secret);
  }
  return out;
}

edit read_suffix(setting_reader& read, const boost::json::value& json) {
  auto out = json.is_null() ? std::string{} : read.plain(json, suffix_limit);
  return set(&delivery_settings::user_agent_suffix, std::move(out));
}

boost::json::value show_suffix(const webhook& of, const secret_opener&) {
  return text_or_null(of.delivery.user_agent_suffix);
}

// -- signing ------------------------------------------------------------------

std::optional<legacy_signature> read_legacy(setting_reader& read,
                                            const boost::json::value& json) {
  if (json.is_null())
    return std::nullopt;
  legacy_signature out;
  read.members(json, "legacy", [&](std::string_view name, const auto& value) {
    const auto given = value.is_string() ? text_of(value.get_string())
                                         : std::string_view{};
    if (name == "header") {
      out.header = given;
      if (auto fault = header_name_fault(given))
        read.fault("header: " + *fault);
    } else if (name == "hash") {
      using hash = legacy_signature::hash;
      out.digest = given == "sha1"   ? hash::sha1
                 : given == "sha512" ? hash::sha512
                                     : hash::sha256;
      if (given != "sha1" && given != "sha256" && given != "sha512")
        read.fault(R"(hash must be "sha1", "sha256" or "sha512".)");
    } else if (name == "encoding") {
      using encoding = legacy_signature::encoding;
      out.text = given == "base64" ? encoding::base64 : encoding::hex;
      if (given != "base64" && given != "hex")
        read.fault(R"(encoding must be "hex" or "base64".)");
    } else if (name == "prefix") {
      out.prefix = read.plain(value, prefix_limit, name);
    } else if (name == "template") {
      out.content = read.plain(value, template_limit, name);
    } else {
      return false;
    }
    return true;
  });
  if (read.fine() && out.header.empty())
    read.fault("legacy must name its header.");
  if (read.fine())
    if (auto fault = placeholder_fault(out))
      read.fault(std::move(*fault));
  return out;
}

edit read_signing(setting_reader& read, const boost::json::value& json) {
  auto algorithm = signing_algorithm::hmac_sha256;
  std::optional<legacy_signature> legacy;
  if (!json.is_null())
    read.members(json, [&](std::string_view name, const auto& value) {
      if (name == "legacy") {
        legacy = read_legacy(read, value);
      } else if (name == "algorithm") {
        const auto given = value.is_string() ? text_of(value.get_string())
                                             : std::string_view{};
        for (const auto one :
             {signing_algorithm::none, signing_algorithm::hmac_sha256,
              signing_algorithm::ed25519})
          if (given == name_of(one)) {
            algorithm = one;
            return true;
          }
        read.fault(R"(algorithm must be "hmac-sha256", "ed25519" or "none".)");
      } else {
        return false;
      }
      return true;
    });
  if (read.fine() && legacy && algorithm != signing_algorithm::hmac_sha256)
    read.fault("legacy needs the algorithm hmac-sha256.");
  return [algorithm, legacy = std::move(legacy)](webhook& w) -> result<void> {
    w.delivery.signing = algorithm;
    w.delivery.legacy = legacy;
    return {};
  };
}

boost::json::value show_signing(const webhook& of, const secret_opener&) {
  const auto& settings = of.delivery;
  boost::json::object out;
  out["algorithm"] = text(name_of(settings.signing));
  out["legacy"] = nullptr;
  if (const auto& l = settings.legacy) {
    using hash = legacy_signature::hash;
    out["legacy"] = boost::json::object{
      {"header", text(l->header)},
      {"hash", l->digest == hash::sha1     ? "sha1"
               : l->digest == hash::sha512 ? "sha512"
                                           : "sha256"},
      {"encoding",
       l->text == legacy_signature::encoding::hex ? "hex" : "base64"},
      {"prefix", text(l->prefix)},
      {"template", text(l->content)}};
  }
  return out;
}

} // namespace

namespace settings {

constinit const setting method{"method", read_method, show_method};
constinit const setting body{"body", read_body, show_body};
constinit const setting filter{"filter", read_filter, show_filter};
constinit const setting headers{"headers", read_headers, show_headers};
constinit const setting user_agent_suffix{"user_agent_suffix", read_suffix,
                                          show_suffix};
constinit const setting signing{"signing", read_signing, show_signing};

} // namespace settings

std::string_view name_of(signing_algorithm algorithm) {
  switch (algorithm) {
    case signing_algorithm::none: return "none";
    case signing_algorithm::hmac_sha256: return "hmac-sha256";
    case signing_algorithm::ed25519: return "ed25519";
  }
  return {};
}

} // namespace fanfare::protocol::rest
