// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/resources/metrics.hpp"

#include "protocol/rest/messages/answers.hpp"
#include "protocol/rest/metrics/metrics_page.hpp"

#include <utility>

namespace fanfare::protocol::rest {

http_response serve_metrics(const exchange& x) {
  const auto& page = *x.api.figures;
  const auto slug = x.query.last("organizer");
  if (!slug)
    return page.whole(x.request);
  if (x.token) {
    const auto named = x.service.find_organizer(*slug);
    if (!named || named->id != x.token->owner)
      return refusal(x, 403,
                     "You do not have permission to perform this action: a "
                     "token shows the webhooks of its own organizer.");
  }
  auto found = page.of_organizer(x.request, *slug);
  return found ? std::move(*found) : answer_to(x, found.error());
}

} // namespace fanfare::protocol::rest
