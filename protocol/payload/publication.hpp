// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0
#pragma once

/// Reads what a publisher sends and renders, in the same pass, the bytes that
/// every receiver will get. Whether the action is registered is for the engine
/// to say.

#include "fanfare/error.hpp"
#include "fanfare/publication.hpp"
#include "fanfare/types.hpp"
#include "protocol/payload/publications.hpp"

#include <memory>
#include <string>
#include <string_view>

namespace fanfare::protocol {

namespace detail {
class publication_reader;
} // namespace detail

/// Reads one notification or an array of 1 to 1,000. `organizer` is the slug
/// that is published to.
///
/// - Keys keep their order and numbers their spelling; a repeated key has its
///   last value in its first place. The text is ASCII with the separators
///   `", "` and `": "`.
/// - `action` is required; `event` is a slug, null or absent; an `organizer`
///   must be the one of the path; a `notification_id` is dropped.
/// - With an object `payload` the body is that object. Then no other keys may
///   be given, because they would be lost.
///
/// Errors: invalid_argument (field empty: the text is not JSON or not of the
/// documented form, else the key that is wrong), forbidden (another organizer),
/// too_large. In an array the sentence begins with the place of the item, from
/// 0: "items[2]: …". Any thread.
[[nodiscard]] result<publications>
read_publications(std::string_view json, std::string_view organizer);

/// Makes a `rest` for publications that have none, of one organizer. Any
/// thread, one at a time.
class publication_renderer {
public:
  /// `organizer` is a slug.
  explicit publication_renderer(std::string_view organizer);
  publication_renderer(publication_renderer&&) noexcept;
  publication_renderer& operator=(publication_renderer&&) noexcept;
  ~publication_renderer();

  /// The members of `one.payload`, with the names before and behind them that a
  /// publication has when it is read. invalid_argument with field "action",
  /// "event" or "payload"; too_large.
  [[nodiscard]] result<std::string> render(const publication& one);

private:
  std::unique_ptr<detail::publication_reader> reader_;
};

/// The complete body of the notification `id`.
[[nodiscard]] std::string notification_body(position id, std::string_view rest);

} // namespace fanfare::protocol
