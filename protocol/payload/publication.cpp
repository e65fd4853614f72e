// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/payload/publication.hpp"

#include "protocol/payload/publication_reader.hpp"
#include "protocol/payload/publications.hpp"

#include <boost/json/basic_parser_impl.hpp>

namespace fanfare::protocol {

result<publications> read_publications(std::string_view json,
                                       std::string_view organizer) {
  boost::json::parse_options options;
  options.max_depth = publication_depth_limit
                    + 1; // an array around it does not count
  boost::json::basic_parser<detail::publication_reader> parser{options,
                                                               organizer};
  boost::json::error_code failure;
  const auto used = parser.write_some(false, json.data(), json.size(), failure);
  if (!failure && used < json.size())
    failure = boost::json::error::extra_data;
  if (failure) {
    const auto& stopped = parser.handler().stopped();
    return error{ec::invalid_argument,
                 "JSON parse error - "
                   + (stopped.empty() ? failure.message() : stopped)
                   + " at byte " + std::to_string(used)};
  }
  return parser.handler().take();
}

namespace {

/// Feeds the members of a payload to a reader that is within a notification.
class payload_feeder {
public:
  using view = boost::json::string_view;
  using failure = boost::json::error_code;
  static constexpr std::size_t
    max_object_size = detail::publication_reader::max_object_size;
  static constexpr std::size_t max_array_size = max_object_size;
  static constexpr std::size_t max_key_size = max_object_size;
  static constexpr std::size_t max_string_size = max_object_size;

  explicit payload_feeder(detail::publication_reader& into) : into_(into) {}

  /// Set if the text is something else than an object.
  [[nodiscard]] bool is_other() const {
    return other_;
  }

  bool on_document_begin(failure&) {
    return true;
  }
  bool on_document_end(failure&) {
    return true;
  }
  bool on_object_begin(failure& e) {
    return depth_++ == 0 || into_.on_object_begin(e);
  }
  bool on_object_end(std::size_t size, failure& e) {
    return --depth_ == 0 || into_.on_object_end(size, e);
  }
  bool on_array_begin(failure& e) {
    return within(e) && (++depth_, into_.on_array_begin(e));
  }
  bool on_array_end(std::size_t size, failure& e) {
    --depth_;
    return into_.on_array_end(size, e);
  }
  bool on_key_part(view text, std::size_t size, failure& e) {
    return into_.on_key_part(text, size, e);
  }
  bool on_key(view text, std::size_t size, failure& e) {
    return into_.on_key(text, size, e);
  }
  bool on_string_part(view text, std::size_t size, failure& e) {
    return within(e) && into_.on_string_part(text, size, e);
  }
  bool on_string(view text, std::size_t size, failure& e) {
    return within(e) && into_.on_string(text, size, e);
  }
  bool on_number_part(view text, failure& e) {
    return within(e) && into_.on_number_part(text, e);
  }
  bool on_int64(std::int64_t value, view text, failure& e) {
    return within(e) && into_.on_int64(value, text, e);
  }
  bool on_uint64(std::uint64_t value, view text, failure& e) {
    return within(e) && into_.on_uint64(value, text, e);
  }
  bool on_double(double value, view text, failure& e) {
    return within(e) && into_.on_double(value, text, e);
  }
  bool on_bool(bool value, failure& e) {
    return within(e) && into_.on_bool(value, e);
  }
  bool on_null(failure& e) {
    return within(e) && into_.on_null(e);
  }
  bool on_comment_part(view, failure&) {
    return true;
  }
  bool on_comment(view, failure&) {
    return true;
  }

private:
  bool within(failure& e) {
    if (depth_ != 0)
      return true;
    other_ = true;
    e = boost::json::error::syntax;
    return false;
  }

  detail::publication_reader& into_;
  std::size_t depth_ = 0;
  bool other_ = false;
};

} // namespace

publication_renderer::publication_renderer(std::string_view organizer)
  : reader_{std::make_unique<detail::publication_reader>(organizer)} {}

publication_renderer::publication_renderer(publication_renderer&&) noexcept =
  default;
publication_renderer&
publication_renderer::operator=(publication_renderer&&) noexcept = default;
publication_renderer::~publication_renderer() = default;

result<std::string> publication_renderer::render(const publication& one) {
  auto& reader = *reader_;
  reader.begin(one.action, one.event, one.payload.size() + 16);
  if (!one.payload.empty()) {
    boost::json::parse_options options;
    options.max_depth = publication_depth_limit;
    boost::json::basic_parser<payload_feeder> parser{options, reader};
    boost::json::error_code failure;
    const auto used = parser.write_some(false, one.payload.data(),
                                        one.payload.size(), failure);
    if (parser.handler().is_other())
      return error{ec::invalid_argument, "A payload must be a JSON object.",
                   "payload"};
    if (!failure && used < one.payload.size())
      failure = boost::json::error::extra_data;
    if (failure)
      return error{
        ec::invalid_argument,
        "The payload is no JSON: "
          + (reader.stopped().empty() ? failure.message() : reader.stopped())
          + " at byte " + std::to_string(used) + ".",
        "payload"};
    if (!reader.item().speaks_of(one.action, one.event))
      return error{ec::invalid_argument,
                   "\"action\", \"event\", \"organizer\" and \"payload\" are "
                   "no names for a payload's own members.",
                   "payload"};
  }
  return reader.finish();
}

std::string notification_body(position id, std::string_view rest) {
  std::string body = R"({"notification_id": )";
  body += std::to_string(id);
  body += rest;
  return body;
}

} // namespace fanfare::protocol
