// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// fanfare_instructions PART TIMES: runs one deterministic part of a delivery
/// so many times, for bench/instructions/check to count what it executes. Two
/// runs do exactly the same: no clock, no random numbers, no threads.

#include "actors/webhook/retry_heap.hpp"
#include "bench/samples.hpp"
#include "model/subscription.hpp"
#include "protocol/payload/composed_body.hpp"
#include "protocol/security/signature.hpp"
#include "storage/lmdb/codec/codec.hpp"
#include "storage/progress.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <string>
#include <string_view>

namespace fanfare::bench {

namespace {

/// Makes the compiler believe that the value is needed.
template <class T>
void use(const T& value) {
  asm volatile("" : : "r"(&value) : "memory");
}

// Each part says whether it did what it is measured for: an error would be
// quick.

/// The subscribers of one notification, one of which has a filter. The body is
/// parsed once: that is Boost.JSON's work, and would drown out ours.
bool match(std::size_t times) {
  const auto index = index_of(1'000);
  subscription filtered;
  filtered.filter = {filter()};
  const auto what = order_placed(123'456);
  std::size_t found = 0;
  std::size_t passed = 0;
  for (std::size_t i = 0; i < times; ++i) {
    index.for_each_match(what.owner, what.type, what.action, what.event,
                         [&found](auto r) {
                           use(r);
                           ++found;
                         });
    passed += passes(filtered, what) ? 1 : 0;
  }
  return found == 10 * times && passed == times;
}

/// The headers of one attempt: signature and trace. There is next to no body,
/// whose hash would drown out the rest.
bool render(std::size_t times) {
  delivery_plan plan{signed_webhook({hmac_secret}), {}};
  std::string headers;
  for (std::size_t i = 0; i < times; ++i) {
    headers = plan.headers("msg_1_123456", "{}", trace, published);
    use(headers);
  }
  return plan.to && headers.starts_with("webhook-id: msg_1_123456\r\n")
      && headers.find(trace) != std::string::npos;
}

/// One Standard Webhooks signature.
bool sign(std::size_t times) {
  const auto key = protocol::signing_key::parse(hmac_secret).value();
  const auto body = protocol::thin_body(order_placed(123'456).body);
  const protocol::signed_content what{
    .id = "msg_1_123456", .timestamp = "1790000000", .body = body};
  std::string signature;
  for (std::size_t i = 0; i < times; ++i) {
    signature.clear();
    key.sign(what, signature);
    use(signature);
  }
  return protocol::verify_signature(hmac_secret, what, signature);
}

/// One answer of nginx.
bool parse(std::size_t times) {
  const protocol::exchange_limits limits;
  protocol::exchange_result result;
  for (std::size_t i = 0; i < times; ++i) {
    result = read_answer(answer, limits);
    use(result);
  }
  return result.status == 200 && result.response_body == "ok\n";
}

/// One call of a webhook whose attempts, eight at a time, end out of order, and
/// of which every eighth fails.
bool progress(std::size_t times) {
  struct step {
    position subject;
    position settled_upto;
  };
  static constexpr std::array<step, 8> steps{
    {{3, 0}, {1, 1}, {2, 3}, {4, 4}, {8, 4}, {5, 5}, {7, 5}, {6, 8}}};
  storage::progress upto;
  retry_heap retries;
  for (std::uint16_t i = 0; i < 100; ++i)
    retries.put({.subject = 1, .due = published});
  logged_call entry{delivered(1, 0)};
  for (std::size_t i = 0; i < times; ++i) {
    const auto begin = i - i % steps.size();
    const auto& now = steps[i % steps.size()];
    entry.id = i + 1;
    entry.subject = begin + now.subject;
    entry.settled_upto = begin + now.settled_upto;
    const bool failed = now.subject == 8;
    entry.result = failed ? outcome::retried : outcome::delivered;
    entry.retry_due = published + std::chrono::milliseconds{i};
    upto.apply(entry, retries);
    if (failed) // its own attempt would take it out
      retries.pop();
    use(upto);
  }
  return upto.last_call == times && retries.size() == 100;
}

/// One record of the call log.
bool encode(std::size_t times) {
  logged_call entry{delivered(1, 123'456)};
  std::string buffer; // the committer's, which it uses again
  for (std::size_t i = 0; i < times; ++i) {
    entry.id = i + 1;
    buffer.clear();
    storage::lmdb::encode(buffer, entry);
    use(buffer);
  }
  logged_call read;
  return storage::lmdb::decode(buffer, read)
      && read.response_head == entry.response_head;
}

struct part {
  std::string_view name;
  bool (*run)(std::size_t times);
};

constexpr std::array<part, 6> parts{{{"match", match},
                                     {"render", render},
                                     {"sign", sign},
                                     {"parse", parse},
                                     {"progress", progress},
                                     {"encode", encode}}};

int run(std::string_view name, std::string_view text) {
  std::size_t times = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(),
                                    times);
  if (read.ec == std::errc{} && times > 0)
    for (const auto& one : parts)
      if (one.name == name) {
        if (one.run(times))
          return 0;
        std::fprintf(stderr, "fanfare_instructions: %s went wrong\n",
                     one.name.data());
        return 1;
      }
  std::fprintf(stderr, "usage: fanfare_instructions PART TIMES\n");
  return 2;
}

} // namespace

} // namespace fanfare::bench

int main(int argc, char** argv) {
  return fanfare::bench::run(argc == 3 ? argv[1] : "",
                             argc == 3 ? argv[2] : "");
}
