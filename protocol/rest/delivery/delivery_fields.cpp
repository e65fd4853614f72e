// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/delivery/delivery_fields.hpp"

#include "model/payload_filter.hpp"
#include "protocol/client/egress.hpp"
#include "protocol/client/tls.hpp"
#include "protocol/rules/delivery_rules.hpp"
#include "protocol/rules/header_rules.hpp"
#include "protocol/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <set>
#include <string_view>

namespace fanfare::protocol::rest {

namespace {

using namespace delivery_limits;
using std::chrono::milliseconds;
using namespace std::chrono_literals;

std::string_view text_of(boost::json::string_view key) {
  return {key.data(), key.size()};
}

boost::json::value text(std::string_view value) {
  return boost::json::string{value.data(), value.size()};
}

boost::json::value seconds(milliseconds time) {
  if (time.count() % 1000 == 0)
    return time.count() / 1000;
  return static_cast<double>(time.count()) / 1000.0;
}

boost::json::value seconds(const std::optional<milliseconds>& time) {
  return time ? seconds(*time) : boost::json::value(nullptr);
}

template <class T>
boost::json::value number(const std::optional<T>& value) {
  return value ? boost::json::value(*value) : boost::json::value(nullptr);
}

std::string whole_number(double least, double most) {
  return "Must be a whole number from "
       + std::to_string(static_cast<long>(least)) + " to "
       + std::to_string(static_cast<long>(most)) + ".";
}

/// Reads the value of one top-level key; `fault` is empty if it is right.
class reader {
public:
  explicit reader(delivery_faults& faults) : faults_{faults} {}

  /// Faults are reported under this key.
  void begin(std::string_view key) {
    key_ = key;
    before_ = faults_.size();
  }
  [[nodiscard]] bool fine() const {
    return faults_.size() == before_;
  }
  void fault(std::string sentence) {
    faults_.emplace_back(key_, std::move(sentence));
  }

  // -- values -----------------------------------------------------------------

  std::optional<milliseconds> time(const boost::json::value& json,
                                   milliseconds least, milliseconds most,
                                   std::string_view name) {
    if (!json.is_number()) {
      fault(std::string{name} + " must be a number of seconds.");
      return std::nullopt;
    }
    const double value = json.to_number<double>();
    const double rounded = std::round(value * 1000);
    if (!(rounded >= static_cast<double>(least.count())
          && rounded <= static_cast<double>(most.count()))) {
      fault(std::string{name} + " must be "
            + (least.count() == 0 ? "0" : "0.001") + " to "
            + std::to_string(
              std::chrono::duration_cast<std::chrono::seconds>(most).count())
            + " seconds.");
      return std::nullopt;
    }
    return milliseconds{static_cast<std::int64_t>(rounded)};
  }

  /// `name` empty: it is the key's own value.
  std::optional<std::uint32_t> whole(const boost::json::value& json,
                                     double least, double most,
                                     std::string_view name = {}) {
    const bool is_whole = json.is_int64() || json.is_uint64();
    const double value = is_whole ? json.to_number<double>() : -1;
    if (value >= least && value <= most)
      return static_cast<std::uint32_t>(value);
    auto sentence = whole_number(least, most);
    if (!name.empty())
      sentence = std::string{name} + " m" + sentence.substr(1);
    fault(std::move(sentence));
    return std::nullopt;
  }

  bool boolean(const boost::json::value& json) {
    if (json.is_bool())
      return json.get_bool();
    fault("Must be true or false.");
    return false;
  }

  /// Printable ASCII of limited size.
  std::string plain(const boost::json::value& json, std::size_t most,
                    std::string_view name = {}) {
    const auto whose = name.empty() ? std::string{"This"} : std::string{name};
    if (!json.is_string()) {
      fault(whose + " must be a text.");
      return {};
    }
    const auto found = text_of(json.get_string());
    if (found.size() > most)
      fault(whose + " must have at most " + std::to_string(most)
            + " characters.");
    else if (!is_header_text(found) || found.find('\t') != found.npos)
      fault(whose + " must be printable ASCII.");
    return std::string{found};
  }

  /// Calls `read(name, value)` for each member; false: it is none of them.
  /// `whose` empty: it is the key's own value.
  template <class Read>
  bool
  members(const boost::json::value& json, std::string_view whose, Read read) {
    if (!json.is_object()) {
      fault(whose.empty() ? "Must be an object."
                          : std::string{whose} + " must be an object.");
      return false;
    }
    for (const auto& item : json.get_object())
      if (!read(text_of(item.key()), item.value()))
        fault("Unknown key \"" + std::string{text_of(item.key())} + "\""
              + (whose.empty() ? "." : " in " + std::string{whose} + "."));
    return fine();
  }
  template <class Read>
  bool members(const boost::json::value& json, Read read) {
    return members(json, {}, std::move(read));
  }

private:
  delivery_faults& faults_;
  std::string key_;
  std::size_t before_ = 0;
};

// -- each key -----------------------------------------------------------------

using edit = delivery_patch::edit;

/// Sets a member of the settings.
template <class Member, class Value>
edit set(Member delivery_settings::*member, Value value) {
  return [member, value = std::move(value)](webhook& w) -> result<void> {
    w.delivery.*member = value;
    return {};
  };
}

edit read_timeouts(reader& read, const boost::json::value& json) {
  delivery_settings::timeout_settings out;
  if (!json.is_null())
    read.members(json, [&](std::string_view name, const auto& value) {
      auto* const place = name == "dns"        ? &out.dns
                        : name == "connect"    ? &out.connect
                        : name == "tls"        ? &out.tls
                        : name == "first_byte" ? &out.first_byte
                        : name == "total"      ? &out.total
                                               : nullptr;
      if (place != nullptr && !value.is_null())
        *place = read.time(value, 1ms, timeout_limit, name);
      return place != nullptr;
    });
  return set(&delivery_settings::timeouts, out);
}

edit read_limits(reader& read, const boost::json::value& json) {
  delivery_settings::limit_settings out;
  if (!json.is_null())
    read.members(json, [&](std::string_view name, const auto& value) {
      if (name == "min_rate") {
        if (!value.is_null())
          out.min_rate = read.whole(value, 0, min_rate_limit, name);
      } else if (name == "header_bytes") {
        if (!value.is_null())
          out.header_bytes = read.whole(value, least_header_bytes,
                                        header_bytes_limit_of_answer, name);
      } else if (name == "body_bytes") {
        if (!value.is_null())
          out.body_bytes = read.whole(value, 0, body_bytes_limit, name);
      } else {
        return false;
      }
      return true;
    });
  return set(&delivery_settings::limits, out);
}

edit read_max_in_flight(reader& read, const boost::json::value& json) {
  std::optional<std::uint32_t> out;
  if (!json.is_null())
    out = read.whole(json, 1, in_flight_limit);
  return set(&delivery_settings::max_in_flight, out);
}

edit read_schedule(reader& read, const boost::json::value& json) {
  std::optional<std::vector<milliseconds>> out;
  if (json.is_array() && json.get_array().size() <= schedule_limit) {
    out.emplace();
    for (const auto& item : json.get_array()) {
      const auto delay = read.time(item, 0ms, age_limit, "Each delay");
      if (!delay)
        break;
      out->push_back(*delay);
    }
  } else if (json.is_array()) {
    read.fault("Must have at most " + std::to_string(schedule_limit)
               + " delays.");
  } else if (!json.is_null()) {
    read.fault("Must be a list of numbers of seconds.");
  }
  return set(&delivery_settings::schedule, std::move(out));
}

edit read_max_age(reader& read, const boost::json::value& json) {
  std::optional<milliseconds> out;
  if (!json.is_null())
    out = read.time(json, 1ms, age_limit, "The age");
  return set(&delivery_settings::max_age, out);
}

edit read_choice(reader& read, const boost::json::value& json,
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

edit read_switch(reader& read, const boost::json::value& json,
                 bool delivery_settings::*member) {
  return set(member, json.is_null() ? false : read.boolean(json));
}

/// A value that no key opens is shown masked, and must outlive being sent back.
void keep_unreadable(const std::vector<delivery_settings::header>& stored,
                     delivery_settings::header& sent,
                     const secret_opener& secrets) {
  for (const auto& one : stored)
    if (to_lower(one.name) == to_lower(sent.name) && !secrets.reveal(one.value))
      sent.value = one.value;
}

edit read_headers(reader& read, const boost::json::value& json,
                  const secret_opener& secrets) {
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
  return [out = std::move(out), &secrets](webhook& w) -> result<void> {
    auto wanted = out;
    for (auto& one : wanted)
      if (one.value.bytes() == kept_secret)
        keep_unreadable(w.delivery.headers, one, secrets);
    w.delivery.headers = std::move(wanted);
    return {};
  };
}

edit read_suffix(reader& read, const boost::json::value& json) {
  auto out = json.is_null() ? std::string{} : read.plain(json, suffix_limit);
  return set(&delivery_settings::user_agent_suffix, std::move(out));
}

std::optional<legacy_signature> read_legacy(reader& read,
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
      if (out.content.find("{body}") == std::string::npos)
        read.fault("template must contain {body}; {id} and {timestamp} are "
                   "replaced as well.");
    } else {
      return false;
    }
    return true;
  });
  if (read.fine() && out.header.empty())
    read.fault("legacy must name its header.");
  return out;
}

edit read_signing(reader& read, const boost::json::value& json) {
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

edit read_rate(reader& read, const boost::json::value& json,
               std::optional<delivery_settings::rate> delivery_settings::*to) {
  std::optional<delivery_settings::rate> out;
  if (!json.is_null()) {
    out.emplace();
    read.members(json, [&](std::string_view name, const auto& value) {
      if (name == "count")
        out->count = read.whole(value, 1, rate_limit, name).value_or(0);
      else if (name == "seconds")
        out->period = read.time(value, 1ms, period_limit, name).value_or(1s);
      else
        return false;
      return true;
    });
    if (read.fine() && out->count == 0)
      read.fault(
        "count is missing: at most that many requests in \"seconds\".");
  }
  return set(to, out);
}

edit read_batch(reader& read, const boost::json::value& json) {
  std::optional<delivery_settings::batching> out;
  if (!json.is_null()) {
    out.emplace();
    read.members(json, [&](std::string_view name, const auto& value) {
      if (name == "max_count")
        out->max_count = read.whole(value, 1, batch_limit, name).value_or(0);
      else if (name == "max_wait_ms")
        out->max_wait = milliseconds{
          read.whole(value, 0, batch_wait_limit, name).value_or(0)};
      else
        return false;
      return true;
    });
    if (read.fine() && out->max_count == 0)
      read.fault("max_count is missing: at most that many notifications in one "
                 "request.");
  }
  return set(&delivery_settings::batch, out);
}

edit read_filter(reader& read, const boost::json::value& json) {
  std::string out;
  if (!json.is_null()) {
    if (auto compiled = payload_filter::compile(json))
      out = (*compiled)->text();
    else
      read.fault(compiled.error().detail);
  }
  return [out = std::move(out)](webhook& w) -> result<void> {
    w.filter = out;
    return {};
  };
}

edit read_tls(reader& read, const boost::json::value& json,
              const secret_opener& secrets) {
  if (json.is_null())
    return set(&delivery_settings::tls,
               std::optional<delivery_settings::tls_material>{});
  delivery_settings::tls_material out;
  std::string key;
  read.members(json, [&](std::string_view name, const auto& value) {
    auto* const place = name == "ca"                 ? &out.ca
                      : name == "client_certificate" ? &out.certificate
                      : name == "client_key"         ? &key
                                                     : nullptr;
    if (place == nullptr || value.is_null())
      return place != nullptr;
    if (!value.is_string() || value.get_string().size() > pem_limit)
      read.fault(std::string{name} + " must be a PEM text of at most "
                 + std::to_string(pem_limit) + " bytes, or null.");
    else
      *place = text_of(value.get_string());
    return true;
  });
  const bool kept = key == kept_secret;
  if (read.fine() && !kept) {
    if (auto fine = check_papers(out, key); !fine)
      read.fault(fine.error().detail);
    out.key = key;
  }
  return [out, kept, &secrets](webhook& w) -> result<void> {
    auto wanted = out;
    if (kept) {
      if (!w.delivery.tls || w.delivery.tls->key.empty())
        return error{ec::invalid_argument,
                     "There is no client_key to be kept: send it.", "tls"};
      wanted.key = w.delivery.tls->key;
      const auto stored = secrets.reveal(wanted.key);
      if (!stored && wanted == *w.delivery.tls)
        return {}; // nothing else is changed, either
      if (!stored)
        return error{ec::invalid_argument, stored.error().detail, "tls"};
      if (auto fine = check_papers(wanted, *stored); !fine)
        return fine;
    }
    w.delivery.tls = std::move(wanted);
    return {};
  };
}

/// As it is shown, or nothing.
std::string masked_proxy(const delivery_settings& of,
                         const secret_opener& secrets) {
  if (of.proxy.empty())
    return {};
  const auto url = secrets.reveal(of.proxy);
  const auto parsed = url ? proxy::parse(*url) : url.error();
  return parsed ? parsed->masked() : std::string{kept_secret};
}

edit read_proxy(reader& read, const boost::json::value& json,
                const secret_opener& secrets) {
  std::string url;
  std::string masked; // only if its password is to be kept
  if (!json.is_null()) {
    url = read.plain(json, proxy_limit);
    if (read.fine() && url.empty())
      read.fault("Must be a URL, or null.");
    if (url == kept_secret) { // as one that no key opens is shown
      masked = url;
    } else if (read.fine()) {
      const auto parsed = proxy::parse(url);
      if (!parsed)
        read.fault(parsed.error().detail);
      else if (parsed->password == kept_secret)
        masked = parsed->masked();
    }
  }
  return [masked, url, &secrets](webhook& w) -> result<void> {
    if (masked.empty())
      w.delivery.proxy = url;
    // What was read and is sent back keeps its password.
    else if (masked_proxy(w.delivery, secrets) != masked)
      return error{ec::invalid_argument,
                   "The password of another proxy is not known: send it.",
                   "proxy"};
    return {};
  };
}

boost::json::value rate_json(const std::optional<delivery_settings::rate>& r) {
  if (!r)
    return nullptr;
  return boost::json::object{{"count", r->count},
                             {"seconds", seconds(r->period)}};
}

boost::json::value signing_json(const delivery_settings& settings) {
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

boost::json::value headers_json(const delivery_settings& settings,
                                const secret_opener& secrets) {
  boost::json::object out;
  for (const auto& [name, kept] : settings.headers) {
    const auto value = secrets.reveal(kept);
    out[boost::json::string_view{name.data(), name.size()}] = text(
      value ? std::string_view{*value} : kept_secret);
  }
  return out;
}

boost::json::value tls_json(const delivery_settings& settings) {
  if (!settings.tls)
    return nullptr;
  const auto& t = *settings.tls;
  const auto or_null = [](std::string_view value) {
    return value.empty() ? boost::json::value(nullptr) : text(value);
  };
  return boost::json::object{
    {"ca", or_null(t.ca)},
    {"client_certificate", or_null(t.certificate)},
    {"client_key", or_null(t.key.empty() ? "" : kept_secret)}};
}

} // namespace

std::string_view name_of(signing_algorithm algorithm) {
  switch (algorithm) {
    case signing_algorithm::none: return "none";
    case signing_algorithm::hmac_sha256: return "hmac-sha256";
    case signing_algorithm::ed25519: return "ed25519";
  }
  return {};
}

result<void> delivery_patch::apply(webhook& to) const {
  for (const auto& one : edits_)
    if (auto done = one(to); !done)
      return done;
  return empty() ? result<void>{} : check_signing_header(to.delivery);
}

delivery_faults read_delivery(const boost::json::object& json,
                              const secret_opener& secrets,
                              delivery_patch& out) {
  using settings = delivery_settings;
  delivery_faults faults;
  reader read{faults};
  for (const auto& item : json) {
    const auto key = text_of(item.key());
    const auto& value = item.value();
    read.begin(key);
    if (key == "timeouts")
      out.add(read_timeouts(read, value));
    else if (key == "limits")
      out.add(read_limits(read, value));
    else if (key == "max_in_flight")
      out.add(read_max_in_flight(read, value));
    else if (key == "schedule")
      out.add(read_schedule(read, value));
    else if (key == "max_age")
      out.add(read_max_age(read, value));
    else if (key == "method")
      out.add(read_choice(read, value, &settings::put, "POST", "PUT"));
    else if (key == "body")
      out.add(read_choice(read, value, &settings::thin, "full", "thin"));
    else if (key == "ordered")
      out.add(read_switch(read, value, &settings::ordered));
    else if (key == "paused")
      out.add(read_switch(read, value, &settings::paused));
    else if (key == "headers")
      out.add(read_headers(read, value, secrets));
    else if (key == "user_agent_suffix")
      out.add(read_suffix(read, value));
    else if (key == "signing")
      out.add(read_signing(read, value));
    else if (key == "rate_limit")
      out.add(read_rate(read, value, &settings::rate_limit));
    else if (key == "resume_rate")
      out.add(read_rate(read, value, &settings::resume_rate));
    else if (key == "batch")
      out.add(read_batch(read, value));
    else if (key == "filter")
      out.add(read_filter(read, value));
    else if (key == "tls")
      out.add(read_tls(read, value, secrets));
    else if (key == "proxy")
      out.add(read_proxy(read, value, secrets));
    else
      read.fault("Unknown key.");
  }
  return faults;
}

boost::json::object delivery_json(const webhook& hook,
                                  const secret_opener& secrets) {
  const auto& settings = hook.delivery;
  boost::json::object out;
  out["method"] = settings.put ? "PUT" : "POST";
  out["headers"] = headers_json(settings, secrets);
  out["user_agent_suffix"] = nullptr;
  if (!settings.user_agent_suffix.empty())
    out["user_agent_suffix"] = text(settings.user_agent_suffix);
  out["signing"] = signing_json(settings);
  out["timeouts"] = boost::json::object{
    {"dns", seconds(settings.timeouts.dns)},
    {"connect", seconds(settings.timeouts.connect)},
    {"tls", seconds(settings.timeouts.tls)},
    {"first_byte", seconds(settings.timeouts.first_byte)},
    {"total", seconds(settings.timeouts.total)}};
  out["limits"] = boost::json::object{
    {"min_rate", number(settings.limits.min_rate)},
    {"header_bytes", number(settings.limits.header_bytes)},
    {"body_bytes", number(settings.limits.body_bytes)}};
  out["max_in_flight"] = number(settings.max_in_flight);
  out["rate_limit"] = rate_json(settings.rate_limit);
  out["schedule"] = nullptr;
  if (settings.schedule) {
    boost::json::array list;
    for (const auto delay : *settings.schedule)
      list.push_back(seconds(delay));
    out["schedule"] = std::move(list);
  }
  out["max_age"] = seconds(settings.max_age);
  out["ordered"] = settings.ordered;
  out["paused"] = settings.paused;
  out["resume_rate"] = rate_json(settings.resume_rate);
  out["body"] = settings.thin ? "thin" : "full";
  out["filter"] = nullptr;
  if (!hook.filter.empty())
    out["filter"] = boost::json::parse(hook.filter);
  out["batch"] = nullptr;
  if (settings.batch)
    out["batch"] = boost::json::object{
      {"max_count", settings.batch->max_count},
      {"max_wait_ms", settings.batch->max_wait.count()}};
  out["tls"] = tls_json(settings);
  out["proxy"] = nullptr;
  if (const auto shown = masked_proxy(settings, secrets); !shown.empty())
    out["proxy"] = text(shown);
  return out;
}

} // namespace fanfare::protocol::rest
