// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/access/idempotency.hpp"

#include "protocol/payload/json_text.hpp"
#include "protocol/rest/messages/answers.hpp"
#include "protocol/security/credentials.hpp"
#include "protocol/text.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace fanfare::protocol::rest {

sent_key key_header(const http_request& request) {
  const auto own = request.header("x-idempotency-key");
  if (!own.empty())
    return {.text = own, .compatible = true};
  return {.text = request.header("idempotency-key")};
}

request_fingerprint fingerprint_of(const http_request& request) {
  auto all = hash_token_key(request.body); // SHA-256
  // Neither can contain a space.
  all += request.method;
  all += ' ';
  all += request.target;
  request_fingerprint out{};
  std::ranges::copy(hash_token_key(all).substr(0, out.size()), out.begin());
  return out;
}

idempotency_key make_idempotency_key(std::string_view authorization,
                                     std::string_view key) {
  std::string both{authorization};
  both += '\0'; // which no header can contain
  both += key;
  const auto hash = hash_token_key(both); // SHA-256, 32 bytes
  idempotency_key out{};
  std::ranges::copy(hash, out.begin());
  return out;
}

bool is_kept(const http_response& answer, bool compatible) {
  if (!compatible && answer.status >= 300)
    return false;
  for (const auto& [name, value] : answer.headers)
    if (name == "Cache-Control" && value == "no-store")
      return false;
  switch (answer.status) {
    case 401: // the caller is unknown, or no longer known
    case 409:
    case 429:
    case 500:
    case 503:
    case 507: return false;
    default: return true;
  }
}

namespace {

/// The answer to a publish. Written without a JSON tree: a batch has a thousand
/// ids.
http_response to_response(const publish_receipt& receipt) {
  const auto id_at = [&receipt](std::uint32_t i) { return receipt.first + i; };
  if (receipt.indent > 0) {
    boost::json::array list;
    for (std::uint32_t i = 0; i < receipt.count; ++i)
      list.push_back(boost::json::object{{"notification_id", id_at(i)}});
    return text_answer(
      202, to_json_text(receipt.list ? boost::json::value(list) : list.front(),
                        receipt.indent));
  }
  std::string body = receipt.list ? "[" : "";
  for (std::uint32_t i = 0; i < receipt.count; ++i) {
    if (i > 0)
      body += ',';
    body += R"({"notification_id":)" + std::to_string(id_at(i)) + '}';
  }
  return text_answer(202, receipt.list ? body + ']' : body);
}

http_response to_response(const plain_answer& kept) {
  http_response out;
  out.status = kept.status;
  out.headers = kept.headers;
  out.body = kept.body;
  return out;
}

/// Whose key it is: one token is one client, whichever scheme it names.
std::string scope_of(std::string_view authorization) {
  constexpr std::string_view bearer = "bearer ";
  return to_lower(authorization.substr(0, bearer.size())) == bearer
         ? "Token " + std::string{authorization.substr(bearer.size())}
         : std::string{authorization};
}

} // namespace

http_response to_response(const stored_answer& kept) {
  return std::visit([](const auto& answer) { return to_response(answer); },
                    kept);
}

bool begin_keyed(exchange& x) {
  const auto sent = key_header(x.request);
  const auto key = make_idempotency_key(
    scope_of(x.request.header("authorization")), sent.text);
  auto entry = x.api.running.enter(key);
  if (!entry)
    return false;
  x.keyed = std::make_shared<keyed_request>(
    x.service, key, sent.compatible, std::move(*entry), std::move(x.respond));
  x.respond = [keyed = x.keyed](http_response response) {
    keyed_request::answer(keyed, std::move(response));
  };
  return true;
}

http_response key_is_running(const exchange& x) {
  auto out = refusal(x, 409, "Concurrent request with idempotency key.");
  out.headers.emplace_back("Retry-After", "5");
  return out;
}

http_response key_is_used(const exchange& x) {
  return refusal(x, 422,
                 "This idempotency key was used for another request within the "
                 "last 24 hours. Send this request with a key of its own.");
}

// -- keyed_request ------------------------------------------------------------

void keyed_request::respond(http_response response) {
  // Before the answer is sent: its receiver may ask again at once.
  running_.release();
  respond_(std::move(response));
}

void keyed_request::answer(const std::shared_ptr<keyed_request>& to,
                           http_response response) {
  // Without what was asked, another request would get it as well.
  if (!to->asked_ || !to->keeps(response))
    return to->respond(std::move(response));
  plain_answer kept{.status = response.status,
                    .headers = response.headers,
                    .body = response.body,
                    .asked = to->asked_};
  to->answers_.remember_answer(to->key_, std::move(kept),
                               [to, response = std::move(response)](
                                 const result<stored_answer>& answer) mutable {
                                 // The work is done, even if its answer
                                 // could not be stored.
                                 to->respond(answer ? to_response(*answer)
                                                    : std::move(response));
                               });
}

bool keyed_request::accepts(const stored_answer& kept) const {
  const auto& asked = std::visit(
    [](const auto& answer) -> const auto& { return answer.asked; }, kept);
  return compatible_ || !asked || !asked_ || *asked == *asked_;
}

void keyed_request::answer_kept(const stored_answer& kept) {
  auto out = to_response(kept);
  const auto* receipt = std::get_if<publish_receipt>(&kept);
  if (receipt == nullptr || receipt->repeated)
    out.headers.emplace_back("Idempotency-Replayed", "true");
  respond(std::move(out));
}

} // namespace fanfare::protocol::rest
