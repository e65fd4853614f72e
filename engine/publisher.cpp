// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "engine/publisher.hpp"

#include "engine/refusals.hpp"
#include "model/awaited.hpp"

#include <memory>
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

/// Gives a publisher the ids of what is on disk.
class ids_receiver final : public completion::receiver {
public:
  ids_receiver(publisher::published to, const callbacks& program)
    : done(std::move(to)),
      program_(program) {}

  void complete(storage::operation& op, const error* failure) override {
    if (done)
      program_.run(callback_name, [&] { done(ids(op, failure)); });
  }

  publisher::published done;

private:
  static result<std::vector<position>> ids(storage::operation& op,
                                           const error* failure) {
    if (failure != nullptr)
      return *failure;
    auto& stored = std::get<storage::append_notifications>(op).done;
    if (!stored)
      return stored.error();
    std::vector<position> out;
    out.reserve(stored->size());
    for (const auto& n : *stored)
      out.push_back(n->id);
    return out;
  }

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
                                std::vector<publication>& items) const {
  if (!parts_.life.running())
    return error{ec::stopping,
                 "The engine is stopping. Publish again once it is back."};
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

result<void> publisher::publish(organizer_id owner,
                                std::vector<publication>& items,
                                published& done, patience how) {
  const auto now = parts_.clock.now();
  auto drafted = draft(owner, items);
  if (!drafted)
    return drafted.error();
  auto to = std::make_unique<ids_receiver>(std::move(done), parts_.program);
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

result<std::vector<position>>
publisher::publish(organizer_id owner, std::vector<publication> items) {
  if (parts_.commits.is_written_by_caller())
    return would_wait_for_itself();
  auto [ids, set] = awaited<std::vector<position>>::make();
  published done = std::move(set);
  if (auto taken = publish(owner, items, done, patience::for_disk); !taken)
    return taken.error();
  return ids->get();
}

void publisher::publish_keyed(organizer_id owner,
                              std::vector<publication> items,
                              const publish_once& once, answered done,
                              patience how) {
  const auto now = parts_.clock.now();
  auto to = std::make_unique<answer_receiver>(std::move(done), once,
                                              parts_.program);
  auto& receiver = *to;
  auto drafted = draft(owner, items);
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

result<stored_answer> publisher::publish_keyed(organizer_id owner,
                                               std::vector<publication> items,
                                               const publish_once& once) {
  if (parts_.commits.is_written_by_caller())
    return would_wait_for_itself();
  auto [answer, set] = awaited<stored_answer>::make();
  publish_keyed(owner, std::move(items), once, std::move(set),
                patience::for_disk);
  return answer->get();
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
