// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "cli/option_values.hpp"

#include <string>
#include <utility>

namespace fanfare::cli {

namespace {

error explain(const serve_options& options, const error& why,
              std::string field) {
  return explain_option(options, {why.code, why.detail, std::move(field)});
}

} // namespace

result<std::shared_ptr<protocol::tls_identity>>
load_identity(const serve_options& options) {
  if (options.tls_cert.empty() && options.tls_key.empty())
    return std::shared_ptr<protocol::tls_identity>{};
  if (options.tls_cert.empty() || options.tls_key.empty())
    return explain(options,
                   {ec::invalid_argument,
                    "--tls-cert and --tls-key go together: give both "
                    "for HTTPS, none for HTTP"},
                   "tls_cert");
  auto loaded = protocol::tls_identity::load(options.tls_cert, options.tls_key);
  if (!loaded)
    return explain(options, loaded.error(), "tls_cert");
  return loaded;
}

result<std::vector<protocol::network>>
read_trusted_proxies(const serve_options& options) {
  std::vector<protocol::network> out;
  for (const auto& text : options.trusted_proxies) {
    auto parsed = protocol::network::parse(text);
    if (!parsed)
      return explain(options, parsed.error(), "trusted_proxies");
    out.push_back(std::move(*parsed));
  }
  return out;
}

} // namespace fanfare::cli
