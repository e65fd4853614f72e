// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// What the engine's interface makes of its virtual functions, so that every
// implementation has it: the forms of publishing that wait, and conveniences.
// engine::start is where the implementation is, in engine/engine.cpp.

#include "fanfare/engine.hpp"

#include "model/awaited.hpp"

#include <algorithm>
#include <cstring>

namespace fanfare {

namespace {

std::vector<publication> list_of(publication one) {
  std::vector<publication> items;
  items.push_back(std::move(one));
  return items;
}

} // namespace

engine::~engine() = default;

result<void> engine::publish_waiting(organizer_id owner,
                                     std::vector<publication>&& items,
                                     published&& done) {
  return try_publish(owner, std::move(items), std::move(done));
}

void engine::publish_all(organizer_id owner, std::vector<publication> items,
                         published done) {
  // After an error it is as it was.
  // NOLINTBEGIN(bugprone-use-after-move)
  if (auto pushed = publish_waiting(owner, std::move(items), std::move(done));
      !pushed && done)
    done(pushed.error());
  // NOLINTEND(bugprone-use-after-move)
}

std::future<result<std::vector<position>>>
engine::publish_all_later(organizer_id owner, std::vector<publication> items) {
  auto ids = std::make_shared<std::promise<result<std::vector<position>>>>();
  auto later = ids->get_future();
  publish_all(owner, std::move(items),
              [ids = std::move(ids)](result<std::vector<position>> got) {
                ids->set_value(std::move(got));
              });
  return later;
}

result<std::vector<position>>
engine::publish_all(organizer_id owner, std::vector<publication> items) {
  return publish_and_wait(owner, std::move(items));
}

result<std::vector<position>>
engine::publish_and_wait(organizer_id owner, std::vector<publication> items) {
  auto [ids, set] = awaited<std::vector<position>>::make();
  publish_all(owner, std::move(items), std::move(set));
  return ids->get();
}

void engine::publish(organizer_id owner, publication one,
                     std::function<void(result<position>)> done) {
  publish_all(
    owner, list_of(std::move(one)),
    [done = std::move(done)](const result<std::vector<position>>& got) {
      if (done)
        done(got ? result<position>{got->front()} : got.error());
    });
}

std::future<result<position>> engine::publish_later(organizer_id owner,
                                                    publication one) {
  auto id = std::make_shared<std::promise<result<position>>>();
  auto later = id->get_future();
  publish(owner, std::move(one), [id = std::move(id)](result<position> got) {
    id->set_value(std::move(got));
  });
  return later;
}

result<position> engine::publish(organizer_id owner, publication one) {
  const auto got = publish_all(owner, list_of(std::move(one)));
  return got ? result<position>{got->front()} : got.error();
}

result<stored_answer> engine::publish_keyed_and_wait(
  organizer_id owner, std::vector<publication> items, publish_once once) {
  auto [answer, set] = awaited<stored_answer>::make();
  publish_keyed(owner, std::move(items), once, std::move(set));
  return answer->get();
}

result<position> engine::publish_idempotent(organizer_id owner, publication one,
                                            std::string_view key) {
  // Unlike the keys of the REST API, which are hashes, it is written as it is:
  // a mark, the organizer, the key's length and the key.
  publish_once once;
  constexpr std::size_t front = 1 + sizeof owner;
  if (key.empty() || key.size() > once.key.size() - front)
    return error{ec::invalid_argument, "A key has 1 to 27 bytes.", "key"};
  once.key[0] = static_cast<char>(0x80 + key.size());
  std::memcpy(&once.key[1], &owner, sizeof owner);
  std::ranges::copy(key, once.key.begin() + front);
  const auto got = publish_keyed_and_wait(owner, list_of(std::move(one)), once);
  if (!got)
    return got.error();
  if (const auto* receipt = std::get_if<publish_receipt>(&*got))
    return receipt->first;
  return error{ec::conflict, "The key belongs to another kind of request.",
               "key"};
}

result<organizer> engine::ensure_organizer(std::string_view slug) {
  if (auto known = find_organizer(slug))
    return std::move(*known);
  auto added = add_organizer(std::string{slug}, std::string{slug});
  if (!added && added.error().code == ec::already_exists)
    if (auto known = find_organizer(slug)) // somebody else was quicker
      return std::move(*known);
  return added;
}

result<action_type> engine::ensure_action_type(std::string_view name) {
  if (auto known = find_action_type(name))
    return std::move(*known);
  auto added = add_action_type(std::string{name});
  if (!added && added.error().code == ec::already_exists)
    if (auto known = find_action_type(name))
      return std::move(*known);
  return added;
}

} // namespace fanfare
