// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "fanfare/metrics.hpp"

#include <charconv>
#include <string_view>

namespace fanfare {

namespace {

/// Escapes as in "Comments, help text, and type information" of the Prometheus
/// text format; label values escape quotes as well.
void append_escaped(std::string& out, std::string_view text, bool quoted) {
  for (const char c : text)
    if (c == '\\')
      out += "\\\\";
    else if (c == '\n')
      out += "\\n";
    else if (c == '"' && quoted)
      out += "\\\"";
    else
      out += c;
}

void append_number(std::string& out, double value) {
  char text[32];
  const auto end = std::to_chars(std::begin(text), std::end(text), value);
  out.append(std::begin(text), end.ptr);
}

} // namespace

metrics_registry::~metrics_registry() = default;

std::string prometheus_text(std::span<const metric> figures) {
  std::string out;
  std::string_view family;
  for (const auto& m : figures) {
    if (m.name != family) {
      family = m.name;
      out.append("# HELP ").append(m.name).append(" ");
      append_escaped(out, m.help, false);
      out.append("\n# TYPE ").append(m.name);
      out += m.type == metric::kind::counter ? " counter\n" : " gauge\n";
    }
    out += m.name;
    for (std::size_t i = 0; i < m.labels.size(); ++i) {
      out.append(i == 0 ? "{" : ",").append(m.labels[i].first).append("=\"");
      append_escaped(out, m.labels[i].second, true);
      out += '"';
    }
    out += m.labels.empty() ? " " : "} ";
    append_number(out, m.value);
    out += '\n';
  }
  return out;
}

} // namespace fanfare
