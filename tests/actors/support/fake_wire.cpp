// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

#include "tests/actors/support/fake_wire.hpp"

#include <cstddef>
#include <optional>
#include <utility>
#include <vector>

namespace fanfare::test {

void fake_wire::send(protocol::exchange_request request,
                     protocol::exchange_completion done) {
  sent.push_back({.url = request.to->masked_url(),
                  .what = request.what,
                  .limits = request.limits,
                  .head = request.to->head() + request.extra_head,
                  .when = clock_.now(),
                  .done = std::move(done)});
  open.push_back(sent.size() - 1);
  if (on_send)
    on_send(sent.back());
}

void fake_wire::answer(std::size_t i, protocol::exchange_result r) {
  std::erase(open, i);
  if (auto done = std::exchange(sent[i].done, nullptr))
    done(std::move(r));
}

bool fake_wire::run_script() {
  if (!script)
    return false;
  bool any = false;
  for (auto i : std::vector<std::size_t>{open.begin(), open.end()})
    if (auto r = script(sent[i])) {
      answer(i, std::move(*r));
      any = true;
    }
  return any;
}

void fake_wire::close() {
  script = [](const exchange&) { return std::optional{status(0)}; };
  run_script();
}

std::vector<position> fake_wire::ids() const {
  std::vector<position> all;
  for (const auto& e : sent)
    all.push_back(e.what->id);
  return all;
}

} // namespace fanfare::test
