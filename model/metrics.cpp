// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "fanfare/metrics.hpp"

#include <charconv>
#include <cmath>
#include <string_view>

namespace fanfare {

namespace {

enum class text_format : std::uint8_t { prometheus, openmetrics };

/// Escapes as in "Comments, help text, and type information" of the Prometheus
/// text format; label values escape quotes as well, and so do OpenMetrics' help
/// texts.
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

void append_number(std::string& out, std::uint64_t value) {
  char text[32];
  const auto end = std::to_chars(std::begin(text), std::end(text), value);
  out.append(std::begin(text), end.ptr);
}

/// Whole numbers as people read them: 1000000, not 1e+06.
void append_number(std::string& out, double value) {
  constexpr double exact = 9'007'199'254'740'992.0; // beyond it are gaps
  if (value >= 0 && value <= exact && value == std::floor(value))
    return append_number(out, static_cast<std::uint64_t>(value));
  char text[32];
  const auto end = std::to_chars(std::begin(text), std::end(text), value);
  out.append(std::begin(text), end.ptr);
}

constexpr std::string_view name_of(metric::kind type) {
  switch (type) {
    case metric::kind::counter: return "counter";
    case metric::kind::gauge: return "gauge";
    case metric::kind::histogram: return "histogram";
  }
  return "unknown";
}

/// Writes figures of one format, family after family.
class figure_writer {
public:
  explicit figure_writer(text_format format) : format_(format) {}

  void add(const metric& m) {
    if (m.name != family_)
      begin_family(m);
    if (m.type != metric::kind::histogram)
      return add_sample(m, "", {}, m.value);
    for (const auto& [upto, count] : m.buckets) {
      add_sample(m, "_bucket", bound_of(upto), count);
    }
    add_sample(m, "_bucket", "+Inf", m.value);
    add_sample(m, "_sum", {}, m.sum);
    add_sample(m, "_count", {}, m.value);
  }

  std::string take() {
    if (format_ == text_format::openmetrics)
      out_ += "# EOF\n";
    return std::move(out_);
  }

private:
  void begin_family(const metric& m) {
    family_ = m.name;
    auto name = family_;
    // OpenMetrics names a family of counters without the end of its samples.
    constexpr std::string_view total = "_total";
    if (format_ == text_format::openmetrics && m.type == metric::kind::counter
        && name.ends_with(total))
      name.remove_suffix(total.size());
    const bool quoted = format_ == text_format::openmetrics;
    out_.append("# HELP ").append(name).append(" ");
    append_escaped(out_, m.help, quoted);
    out_.append("\n# TYPE ").append(name).append(" ").append(name_of(m.type));
    out_ += '\n';
    if (format_ == text_format::openmetrics)
      for (const std::string_view unit : {"seconds", "bytes"})
        if (name.ends_with(unit)
            && name.substr(0, name.size() - unit.size()).ends_with('_'))
          out_.append("# UNIT ").append(name).append(" ").append(unit).append(
            "\n");
  }

  /// Plain decimals. OpenMetrics wants whole numbers to have one, too.
  [[nodiscard]] std::string bound_of(double upto) const {
    char text[32];
    const auto end = std::to_chars(std::begin(text), std::end(text), upto,
                                   std::chars_format::fixed);
    std::string out(std::begin(text), end.ptr);
    if (format_ == text_format::openmetrics
        && out.find('.') == std::string::npos)
      out += ".0";
    return out;
  }

  template <class Number>
  void add_sample(const metric& m, std::string_view suffix,
                  std::string_view bound, Number value) {
    out_.append(m.name).append(suffix);
    char before = '{';
    const auto label = [&](std::string_view name, std::string_view text) {
      out_ += before;
      before = ',';
      out_.append(name).append("=\"");
      append_escaped(out_, text, true);
      out_ += '"';
    };
    for (const auto& [name, text] : m.labels)
      label(name, text);
    if (!bound.empty())
      label("le", bound);
    out_ += before == '{' ? " " : "} ";
    append_number(out_, value);
    out_ += '\n';
  }

  text_format format_;
  std::string out_;
  std::string_view family_;
};

std::string render(std::span<const metric> figures, text_format format) {
  figure_writer out{format};
  for (const auto& m : figures)
    out.add(m);
  return out.take();
}

} // namespace

metrics_registry::~metrics_registry() = default;

std::string prometheus_text(std::span<const metric> figures) {
  return render(figures, text_format::prometheus);
}

std::string openmetrics_text(std::span<const metric> figures) {
  return render(figures, text_format::openmetrics);
}

} // namespace fanfare
