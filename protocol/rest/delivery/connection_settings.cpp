// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/delivery/connection_settings.hpp"

#include "protocol/client/egress.hpp"
#include "protocol/client/tls.hpp"
#include "protocol/rules/delivery_rules.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace fanfare::protocol::rest {

namespace {

using namespace delivery_limits;
using edit = delivery_patch::edit;
using namespace std::chrono_literals;

edit read_timeouts(setting_reader& read, const boost::json::value& json) {
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

boost::json::value show_timeouts(const webhook& of, const secret_opener&) {
  const auto& t = of.delivery.timeouts;
  return boost::json::object{{"dns", seconds(t.dns)},
                             {"connect", seconds(t.connect)},
                             {"tls", seconds(t.tls)},
                             {"first_byte", seconds(t.first_byte)},
                             {"total", seconds(t.total)}};
}

edit read_limits(setting_reader& read, const boost::json::value& json) {
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

boost::json::value show_limits(const webhook& of, const secret_opener&) {
  const auto& l = of.delivery.limits;
  return boost::json::object{{"min_rate", number(l.min_rate)},
                             {"header_bytes", number(l.header_bytes)},
                             {"body_bytes", number(l.body_bytes)}};
}

edit read_tls(setting_reader& read, const boost::json::value& json) {
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
  return [out, kept, &secrets = read.secrets()](webhook& w) -> result<void> {
    auto wanted = out;
    if (kept) {
      if (!w.delivery.tls || w.delivery.tls->key.empty())
        return error{ec::invalid_argument,
                     "There is no client_key to be kept: send it.", "tls"};
      wanted.key = w.delivery.tls->key;
      const auto stored = secrets.reveal(wanted.key);
      if (!stored && wanted == *w.delivery.tls)
        return {}; // nothing else is changed either
      if (!stored)
        return error{ec::invalid_argument, stored.error().detail, "tls"};
      if (auto fine = check_papers(wanted, *stored); !fine)
        return fine;
    }
    w.delivery.tls = std::move(wanted);
    return {};
  };
}

boost::json::value show_tls(const webhook& of, const secret_opener&) {
  if (!of.delivery.tls)
    return nullptr;
  const auto& t = *of.delivery.tls;
  return boost::json::object{
    {"ca", text_or_null(t.ca)},
    {"client_certificate", text_or_null(t.certificate)},
    {"client_key", text_or_null(t.key.empty() ? "" : kept_secret)}};
}

/// The URL as it is shown; empty: there is none.
std::string masked_proxy(const delivery_settings& of,
                         const secret_opener& secrets) {
  if (of.proxy.empty())
    return {};
  const auto url = secrets.reveal(of.proxy);
  const auto parsed = url ? proxy::parse(*url) : url.error();
  return parsed ? parsed->masked() : std::string{kept_secret};
}

edit read_proxy(setting_reader& read, const boost::json::value& json) {
  std::string url;
  std::string masked; // set if the stored password is to be kept
  if (!json.is_null()) {
    url = read.plain(json, proxy_limit);
    if (read.fine() && url.empty())
      read.fault("Must be a URL, \"direct\" or null.");
    if (url == kept_secret) { // shown for one that no key opens
      masked = url;
    } else if (read.fine()) {
      const auto parsed = proxy::parse(url);
      if (!parsed)
        read.fault(parsed.error().detail);
      else if (parsed->password == kept_secret)
        masked = parsed->masked();
    }
  }
  return [masked, url, &secrets = read.secrets()](webhook& w) -> result<void> {
    if (masked.empty())
      w.delivery.proxy = url;
    // A URL that was shown and is sent back keeps its password.
    else if (masked_proxy(w.delivery, secrets) != masked)
      return error{ec::invalid_argument,
                   "The password of another proxy is not known: send it.",
                   "proxy"};
    return {};
  };
}

boost::json::value show_proxy(const webhook& of, const secret_opener& secrets) {
  return text_or_null(masked_proxy(of.delivery, secrets));
}

} // namespace

namespace settings {

constinit const setting timeouts{"timeouts", read_timeouts, show_timeouts};
constinit const setting limits{"limits", read_limits, show_limits};
constinit const setting tls{"tls", read_tls, show_tls};
constinit const setting proxy{"proxy", read_proxy, show_proxy};

} // namespace settings

} // namespace fanfare::protocol::rest
