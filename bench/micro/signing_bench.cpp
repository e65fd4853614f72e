// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Signatures by Standard Webhooks, by the size of what is signed.

#include "bench/samples.hpp"
#include "protocol/security/signature.hpp"

#include <benchmark/benchmark.h>

#include <string>

namespace fanfare::bench {

namespace {

void sign(benchmark::State& state, std::string_view secret) {
  const auto key = protocol::signing_key::parse(secret).value();
  const std::string body(static_cast<std::size_t>(state.range(0)), 'x');
  const protocol::signed_content what{
    .id = "msg_1_123456", .timestamp = "1790000000", .body = body};
  std::string signature;
  for (auto _ : state) {
    signature.clear();
    key.sign(what, signature);
    benchmark::DoNotOptimize(signature);
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK_CAPTURE(sign, hmac_sha256, hmac_secret)
  ->Arg(128)
  ->Arg(1'024)
  ->Arg(16'384);
BENCHMARK_CAPTURE(sign, ed25519, ed25519_secret)->Arg(128)->Arg(1'024);

/// What a key costs that is not kept.
void sign_prepare(benchmark::State& state, std::string_view secret) {
  for (auto _ : state)
    benchmark::DoNotOptimize(protocol::signing_key::parse(secret));
}
BENCHMARK_CAPTURE(sign_prepare, hmac_sha256, hmac_secret)
  ->Name("sign/prepare/hmac_sha256");
BENCHMARK_CAPTURE(sign_prepare, ed25519, ed25519_secret)
  ->Name("sign/prepare/ed25519");

} // namespace

} // namespace fanfare::bench
