// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/publisher.hpp"

#include "engine/awaited.hpp"
#include "engine/refusals.hpp"
#include "protocol/security/credentials.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <string_view>
#include <utility>
#include <variant>

namespace fanfare {

namespace {

constexpr std::string_view callback_name = "The callback of a publish";

error overloaded() {
  return {ec::overloaded,
          "Too much waits for the disk. Publish again in a moment."};
}

std::vector<publication> list_of(publication one) {
  std::vector<publication> items;
  items.push_back(std::move(one));
  return items;
}

/// Tells lists apart: the beginning of a hash over all their texts.
request_fingerprint fingerprint_of(const std::vector<publication>& items) {
  std::string all;
  for (const auto& one : items)
    for (const auto* text : {&one.action, &one.event, &one.payload, &one.rest})
      all.append(std::to_string(text->size())).append(1, ':').append(*text);
  const auto hash = protocol::hash_token_key(all); // SHA-256
  request_fingerprint out{};
  std::copy_n(hash.begin(), out.size(), out.begin());
  return out;
}

// -- what becomes of a publish ------------------------------------------------

using stored = std::vector<notification_ptr>;

void give(const publisher::published& to, const stored& what) {
  to(what.front()->id);
}

void give(const publisher::all_published& to, const stored& what) {
  std::vector<position> ids;
  ids.reserve(what.size());
  for (const auto& n : what)
    ids.push_back(n->id);
  to(std::move(ids));
}

/// Gives a publisher the ids of what is on disk. `Done` is one of the types
/// above.
template <class Done>
class ids_receiver final : public completion::receiver {
public:
  ids_receiver(Done to, const callbacks& program)
    : done(std::move(to)),
      program_(program) {}

  void complete(storage::operation& op, const error* failure) override {
    if (!done)
      return;
    program_.run(callback_name, [&] {
      const auto& got = std::get<storage::append_notifications>(op).done;
      if (failure != nullptr)
        done(*failure);
      else if (!got)
        done(got.error());
      else
        give(done, *got);
    });
  }

  Done done;

private:
  const callbacks& program_;
};

/// Gives a publisher the answer that is kept under its key.
class answer_receiver final : public completion::receiver {
public:
  answer_receiver(publisher::answered to, const publish_once& once,
                  const callbacks& program)
    : done_(std::move(to)),
      once_(once),
      program_(program) {}

  void complete(storage::operation& op, const error* failure) override {
    program_.run(callback_name, [&] { done_(answer(op, failure)); });
  }

  /// Instead of handing it over.
  void refuse(const error& why) {
    program_.run(callback_name, [&] { done_(why); });
  }

private:
  [[nodiscard]] result<stored_answer> answer(storage::operation& op,
                                             const error* failure) const {
    if (failure != nullptr)
      return *failure;
    auto& append = std::get<storage::append_notifications>(op);
    if (append.earlier) {
      auto earlier = *append.earlier;
      if (auto* receipt = std::get_if<publish_receipt>(&earlier))
        receipt->repeated = true;
      return earlier;
    }
    if (!append.done)
      return append.done.error();
    return stored_answer{publish_receipt{
      .first = append.done->empty() ? 0 : append.done->front()->id,
      .count = static_cast<std::uint32_t>(append.done->size()),
      .list = once_.list,
      .indent = once_.indent,
      .asked = once_.asked}};
  }

  publisher::answered done_;
  publish_once once_;
  const callbacks& program_;
};

} // namespace

result<drafts> publisher::draft(organizer_id owner,
                                std::vector<publication>& items,
                                patience how) const {
  if (!parts_.life.running())
    return error{ec::stopping,
                 "The engine is stopping. Publish again once it is back."};
  // Who is refused tries again: that must not cost what others need.
  if (how == patience::none
      && !parts_.commits.has_room(drafts::estimate_bytes(items))) {
    parts_.counters.refused();
    return overloaded();
  }
  return drafts::make(parts_.names, owner, items);
}

bool publisher::hand_over(publish_request& what, patience how) {
  if (how == patience::for_disk
      && parts_.writer.write_alone(parts_.commits, what))
    return true;
  // A callback that waited for room would wait for itself.
  const bool waits = how != patience::none
                  && !parts_.commits.is_written_by_caller();
  const bool taken = waits ? wait_and_hand_over(what)
                           : parts_.commits.try_push(what, patience::none);
  if (!taken)
    parts_.counters.refused();
  return taken;
}

bool publisher::wait_and_hand_over(publish_request& what) {
  const auto until = std::chrono::steady_clock::now() + parts_.patience;
  while (!parts_.commits.try_push(what, patience::for_room)) {
    const bool room = parts_.commits.wait_for_room(until);
    what.append.published = parts_.clock.now();
    if (!room)
      return parts_.commits.try_push(what, patience::none);
  }
  return true;
}

template <class Done>
result<void> publisher::push(organizer_id owner,
                             std::vector<publication>& items, Done& done,
                             patience how) {
  const auto now = parts_.clock.now();
  auto drafted = draft(owner, items, how);
  if (!drafted)
    return drafted.error();
  auto to = std::make_unique<ids_receiver<Done>>(std::move(done),
                                                 parts_.program);
  auto& receiver = *to;
  publish_request request{
    .append = {.drafts = std::move(drafted->all), .published = now},
    .done = completion{std::move(to)},
    .bytes = drafted->bytes};
  if (hand_over(request, how))
    return {};
  done = std::move(receiver.done);
  drafted->all = std::move(request.append.drafts);
  drafted->give_back(items);
  return overloaded();
}

// -- blocking -----------------------------------------------------------------

result<position> publisher::publish(organizer_id owner, publication one) {
  const auto got = publish(owner, list_of(std::move(one)));
  return got ? result<position>{got->front()} : got.error();
}

result<std::vector<position>>
publisher::publish(organizer_id owner, std::vector<publication> items) {
  if (parts_.commits.is_written_by_caller())
    return would_wait_for_itself();
  auto [ids, set] = awaited<std::vector<position>>::make();
  all_published done = std::move(set);
  if (auto taken = push(owner, items, done, patience::for_disk); !taken)
    return taken.error();
  return ids->get();
}

// -- with a future ------------------------------------------------------------

template <class Ids>
std::future<result<Ids>>
publisher::push_later(organizer_id owner, std::vector<publication> items) {
  const auto ids = std::make_shared<std::promise<result<Ids>>>();
  auto later = ids->get_future();
  std::function<void(result<Ids>)> done = [ids](result<Ids> got) {
    ids->set_value(std::move(got));
  };
  if (auto taken = push(owner, items, done, patience::for_room); !taken)
    ids->set_value(taken.error());
  return later;
}

std::future<result<position>> publisher::publish_later(organizer_id owner,
                                                       publication one) {
  return push_later<position>(owner, list_of(std::move(one)));
}

std::future<result<std::vector<position>>>
publisher::publish_later(organizer_id owner, std::vector<publication> items) {
  return push_later<std::vector<position>>(owner, std::move(items));
}

// -- with a callback ----------------------------------------------------------

result<void> publisher::try_publish(organizer_id owner, publication& one,
                                    published& done) {
  auto items = list_of(std::move(one));
  auto taken = push(owner, items, done, patience::none);
  if (!taken)
    one = std::move(items.front());
  return taken;
}

result<void> publisher::try_publish(organizer_id owner,
                                    std::vector<publication>& items,
                                    all_published& done) {
  return push(owner, items, done, patience::none);
}

// -- once by key --------------------------------------------------------------

result<position> publisher::publish_once(organizer_id owner,
                                         std::string_view key,
                                         publication one) {
  const auto got = publish_once(owner, key, list_of(std::move(one)));
  return got ? result<position>{got->front()} : got.error();
}

result<std::vector<position>>
publisher::publish_once(organizer_id owner, std::string_view key,
                        std::vector<publication> items) {
  // Unlike the keys of the REST API, which are hashes, it is written as it is:
  // a mark, the organizer, the key's length and the key.
  fanfare::publish_once once;
  constexpr std::size_t front = 1 + sizeof owner;
  if (key.empty() || key.size() > once.key.size() - front)
    return error{ec::invalid_argument, "A key has 1 to 27 bytes.", "key"};
  if (parts_.commits.is_written_by_caller())
    return would_wait_for_itself();
  once.key[0] = static_cast<char>(0x80 + key.size());
  std::memcpy(&once.key[1], &owner, sizeof owner);
  std::ranges::copy(key, once.key.begin() + front);
  once.asked = fingerprint_of(items);
  auto [answer, set] = awaited<stored_answer>::make();
  push_keyed(owner, std::move(items), once, std::move(set), patience::for_disk);
  const auto got = answer->get();
  if (!got)
    return got.error();
  const auto* receipt = std::get_if<publish_receipt>(&*got);
  // Receipts of before there were fingerprints have none.
  const bool same = receipt != nullptr && receipt->count != 0
                 && (!receipt->asked || receipt->asked == once.asked);
  if (!same)
    return error{ec::conflict,
                 "Something else was published under this key within the last "
                 "24 hours. Use another key.",
                 "key"};
  std::vector<position> ids(receipt->count);
  std::iota(ids.begin(), ids.end(), receipt->first);
  return ids;
}

void publisher::publish_keyed(organizer_id owner,
                              std::vector<publication> items,
                              const fanfare::publish_once& once,
                              answered done) {
  push_keyed(owner, std::move(items), once, std::move(done), patience::none);
}

void publisher::push_keyed(organizer_id owner, std::vector<publication> items,
                           const fanfare::publish_once& once, answered done,
                           patience how) {
  const auto now = parts_.clock.now();
  auto to = std::make_unique<answer_receiver>(std::move(done), once,
                                              parts_.program);
  auto& receiver = *to;
  auto drafted = draft(owner, items, how);
  if (!drafted)
    return receiver.refuse(drafted.error());
  publish_request request{.append = {.drafts = std::move(drafted->all),
                                     .published = now,
                                     .once = once},
                          .done = completion{std::move(to)},
                          .bytes = drafted->bytes};
  if (!hand_over(request, how))
    receiver.refuse(overloaded());
}

void publisher::remember_answer(const idempotency_key& key, plain_answer answer,
                                answered done) {
  parts_.commits.push(
    {.what = storage::remember_answer{.key = key,
                                      .now = parts_.clock.now(),
                                      .answer = std::move(answer)},
     .done = [&program = parts_.program, done = std::move(done)](
               storage::operation& op, const error* failure) {
       program.run("The callback of remember_answer", [&] {
         if (failure != nullptr)
           done(*failure);
         else
           done(std::move(std::get<storage::remember_answer>(op).done));
       });
     }});
}

} // namespace fanfare
