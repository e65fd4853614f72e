// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "protocol/rest/idempotency.hpp"

#include "protocol/payload/json_text.hpp"
#include "protocol/rest/answers.hpp"
#include "protocol/security/credentials.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <algorithm>
#include <string>
#include <utility>

namespace fanfare::protocol::rest {

std::string_view key_header(const http_request& request) {
  const auto own = request.header("x-idempotency-key");
  return own.empty() ? request.header("idempotency-key") : own;
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

bool is_kept(const http_response& answer) {
  // It shows what is stored sealed.
  for (const auto& [name, value] : answer.headers)
    if (name == "Cache-Control" && value == "no-store")
      return false;
  switch (answer.status) {
    case 401: // to the unknown, and to those who are no longer known
    case 409:
    case 429:
    case 500:
    case 503:
    case 507: return false;
    default: return true;
  }
}

namespace {

/// The answer to a publish. Not by way of a tree: a batch has a thousand ids.
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

} // namespace

http_response to_response(const stored_answer& kept) {
  return std::visit([](const auto& answer) { return to_response(answer); },
                    kept);
}

// -- running_keys -------------------------------------------------------------

std::optional<running_keys::entry>
running_keys::enter(const idempotency_key& key) {
  const std::lock_guard guard{mutex_};
  if (!keys_.insert(key).second)
    return std::nullopt;
  return entry{*this, key};
}

bool running_keys::contains(const idempotency_key& key) const {
  const std::lock_guard guard{mutex_};
  return keys_.contains(key);
}

void running_keys::entry::free() {
  if (auto* all = std::exchange(all_, nullptr)) {
    const std::lock_guard guard{all->mutex_};
    all->keys_.erase(key_);
  }
}

// -- keyed_request ------------------------------------------------------------

void keyed_request::respond(http_response response) {
  // Before the answer is out: its receiver may ask again at once.
  running_.free();
  respond_(std::move(response));
}

void keyed_request::answer(const std::shared_ptr<keyed_request>& to,
                           http_response response) {
  if (!is_kept(response))
    return to->respond(std::move(response));
  plain_answer kept{.status = response.status,
                    .headers = response.headers,
                    .body = response.body};
  to->answers_.remember_answer(to->key_, std::move(kept),
                               [to, response = std::move(response)](
                                 const result<stored_answer>& answer) mutable {
                                 // What was done is done, also if its answer
                                 // could not be kept.
                                 to->respond(answer ? to_response(*answer)
                                                    : std::move(response));
                               });
}

void keyed_request::answer_kept(const stored_answer& kept) {
  respond(to_response(kept));
}

} // namespace fanfare::protocol::rest
