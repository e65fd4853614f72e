// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// Makes a data directory large in seconds where the API would take minutes, by
// the same commits that the server makes, and says what is in one. What is
// added are copies of what a server has put there: so a record has all that a
// real one has.
//
//   store organizers DIR COUNT  copies organizer "bench" with its events and
//                               webhooks, as organizer-1 … organizer-COUNT
//   store webhooks DIR COUNT    copies the webhooks of organizer "bench" in
//   turn
//                               until it has COUNT more; each copy calls a path
//                               of its own, below that of its pattern
//   store calls DIR COUNT       publishes COUNT copies of the newest
//                               notification, and logs of each what its
//                               webhooks answered to it
//   store count DIR             prints what there is, as JSON

#include "protocol/security/signature.hpp"
#include "protocol/security/vault.hpp"
#include "storage/embedded.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <limits>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace fanfare::bench {

namespace {

using operations = std::vector<storage::operation>;

constexpr auto all = std::numeric_limits<std::size_t>::max();
/// Operations of one commit: few enough that LMDB keeps its pages in memory.
constexpr std::size_t commit_size = 20'000;

/// Nobody could go on: main() prints it.
template <class T>
T need(result<T> what) {
  if (!what)
    throw std::runtime_error{what.error().detail};
  if constexpr (!std::is_void_v<T>)
    return std::move(*what);
}

timestamp now() {
  return std::chrono::floor<timestamp::duration>(
    std::chrono::system_clock::now());
}

// -- organizers ---------------------------------------------------------------

/// What is copied.
struct pattern {
  std::vector<event> events;
  std::vector<webhook_record> hooks;
};

pattern read_pattern(const storage::store& store) {
  const auto organizers = need(store.registry().organizers());
  const auto bench = std::ranges::find(organizers, "bench", &organizer::slug);
  if (bench == organizers.end())
    throw std::runtime_error{"there is no organizer \"bench\" to copy"};
  pattern found;
  found.hooks = need(
    store.registry().webhooks(bench->id, std::nullopt, 0, all));
  for (auto& e : need(store.registry().events()))
    if (e.owner == bench->id)
      found.events.push_back(std::move(e));
  return found;
}

/// As the server makes them: with a secret of its own.
webhook_record copy_of(webhook_record hook, organizer_id owner,
                       const std::unordered_map<event_id, event_id>& events) {
  static const protocol::vault vault;
  hook.owner = owner;
  hook.versions.erase(hook.versions.begin(), hook.versions.end() - 1);
  for (auto& e : hook.current().events)
    e = events.at(e);
  std::ranges::sort(hook.current().events);
  for (auto& secret : hook.secrets)
    secret.sealed = vault.seal(
      protocol::signing_key::make(hook.delivery.signing).text(), "secret");
  return hook;
}

/// Fails with what became of the first that was refused.
void need_added(const operations& hooks) {
  for (const auto& h : hooks)
    if (const auto& added = std::get<storage::add_webhook>(h).done; !added)
      throw std::runtime_error{added.error().detail};
}

void add_organizers(storage::store& store, std::size_t count) {
  const auto from = read_pattern(store);
  const auto each = std::max<std::size_t>(1, from.hooks.size());
  const auto at_once = std::max<std::size_t>(1, commit_size / each);
  for (std::size_t done = 0; done < count;) {
    const auto size = std::min(at_once, count - done);
    operations owners;
    for (std::size_t i = 1; i <= size; ++i) {
      auto slug = "organizer-" + std::to_string(done + i);
      owners.emplace_back(storage::add_organizer{.slug = slug, .name = slug});
    }
    need(store.commit(owners));
    operations events;
    for (const auto& o : owners)
      for (const auto& e : from.events)
        events.emplace_back(storage::add_event{
          .owner = need(std::get<storage::add_organizer>(o).done).id,
          .slug = e.slug,
          .name = e.name});
    need(store.commit(events));
    operations hooks;
    auto event_at = events.begin();
    for (const auto& o : owners) {
      std::unordered_map<event_id, event_id> copies;
      for (const auto& e : from.events)
        copies[e.id] = need(std::get<storage::add_event>(*event_at++).done).id;
      const auto owner = need(std::get<storage::add_organizer>(o).done).id;
      for (const auto& hook : from.hooks)
        hooks.emplace_back(
          storage::add_webhook{.value = copy_of(hook, owner, copies)});
    }
    need(store.commit(hooks));
    need_added(hooks);
    done += size;
  }
}

// -- webhooks -----------------------------------------------------------------

void add_webhooks(storage::store& store, std::size_t count) {
  const auto from = read_pattern(store);
  if (from.hooks.empty())
    throw std::runtime_error{
      "organizer \"bench\" has no webhooks to copy: add one first"};
  std::unordered_map<event_id, event_id> same;
  for (const auto& e : from.events)
    same[e.id] = e.id;
  for (std::size_t done = 0; done < count;) {
    operations hooks;
    for (; hooks.size() < commit_size && done < count; ++done) {
      const auto& pattern = from.hooks[done % from.hooks.size()];
      auto copy = copy_of(pattern, pattern.owner, same);
      copy.target_url += '/' + std::to_string(done);
      hooks.emplace_back(storage::add_webhook{.value = std::move(copy)});
    }
    need(store.commit(hooks));
    need_added(hooks);
  }
}

// -- calls --------------------------------------------------------------------

storage::draft draft_of(const notification& n) {
  return {.owner = n.owner,
          .event = n.event,
          .new_event = {},
          .type = n.type,
          .action = n.action,
          .rest = n.body.substr(n.body.find(',')),
          .trace = n.trace};
}

/// Each webhook's newest call.
std::vector<call> newest_calls(const storage::store& store) {
  std::vector<call> found;
  need(store.registry().for_each_webhook([&](const webhook_record& hook) {
    for (auto& c : need(store.call_log().newest(hook.id, 0, 1)))
      found.push_back(std::move(c));
    return true;
  }));
  if (found.empty())
    throw std::runtime_error{"no webhook has been called yet"};
  return found;
}

void add_calls(storage::store& store, std::size_t count) {
  const auto pattern = newest_calls(store);
  const auto draft = draft_of(
    *need(store.journal().find(store.journal().tail())));
  const auto at_once = std::max<std::size_t>(1, commit_size / pattern.size());
  for (std::size_t done = 0; done < count;) {
    const auto size = std::min(at_once, count - done);
    const auto first = store.journal().tail() + 1;
    operations batch;
    batch.emplace_back(storage::append_notifications{
      .drafts = std::vector(size, draft), .published = now()});
    for (std::size_t i = 0; i < size; ++i)
      for (auto c : pattern) {
        c.time = now();
        c.subject = c.settled_upto = first + i;
        batch.emplace_back(storage::append_call{.entry = std::move(c)});
      }
    batch.emplace_back(
      storage::save_checkpoint{.routed_upto = first + size - 1, .behind = {}});
    need(store.commit(batch));
    need(std::get<storage::append_notifications>(batch[0]).done);
    done += size;
  }
}

// -- counting -----------------------------------------------------------------

void print_counts(const storage::store& store) {
  std::size_t hooks = 0;
  need(store.registry().for_each_webhook([&hooks](const webhook_record&) {
    ++hooks;
    return true;
  }));
  const auto figures = store.statistics();
  std::printf(R"({"organizers": %zu, "webhooks": %zu, )"
              R"("notifications": %llu, "calls": %llu, "waiting": {)",
              need(store.registry().organizers()).size(), hooks,
              static_cast<unsigned long long>(figures.tail),
              static_cast<unsigned long long>(figures.last_call));
  const auto* separator = "";
  for (const auto& w : store.recovered().webhooks) {
    const auto hook = need(store.registry().find_webhook(w.hook));
    std::printf(R"(%s"%llu": {"retries": %zu, "backlog": %zu})", separator,
                static_cast<unsigned long long>(w.hook),
                need(store.deliveries().retries(w.hook)).size(),
                need(store.deliveries().count_backlog(hook, all)).count);
    separator = ", ";
  }
  std::printf("}}\n");
}

int run(int argc, char** argv) {
  const std::vector<std::string_view> words(argv + 1, argv + argc);
  std::size_t count = 0;
  const auto has_count = [&] {
    if (words.size() != 3)
      return false;
    const auto* end = words[2].data() + words[2].size();
    return std::from_chars(words[2].data(), end, count).ptr == end;
  };
  const auto opened = [&] {
    return need(storage::open_embedded(std::string{words[1]}));
  };
  if (words.size() == 2 && words[0] == "count")
    print_counts(*opened());
  else if (has_count() && words[0] == "organizers")
    add_organizers(*opened(), count);
  else if (has_count() && words[0] == "webhooks")
    add_webhooks(*opened(), count);
  else if (has_count() && words[0] == "calls")
    add_calls(*opened(), count);
  else
    throw std::runtime_error{
      "usage: store organizers|webhooks|calls DIR COUNT, or store count DIR"};
  return 0;
}

} // namespace

} // namespace fanfare::bench

int main(int argc, char** argv) {
  try {
    return fanfare::bench::run(argc, argv);
  } catch (const std::exception& failure) {
    std::fprintf(stderr, "store: %s\n", failure.what());
    return 1;
  }
}
