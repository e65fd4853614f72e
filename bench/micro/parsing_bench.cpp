// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

/// Answers of receivers, from their bytes to what the call log keeps.

#include "bench/samples.hpp"

#include <benchmark/benchmark.h>

#include <string>

namespace fanfare::bench {

namespace {

void parse(benchmark::State& state, std::string_view bytes, unsigned status) {
  const protocol::exchange_limits limits;
  for (auto _ : state) {
    const auto result = read_answer(bytes, limits);
    if (result.status != status)
      state.SkipWithError("the answer was not understood");
    benchmark::DoNotOptimize(result);
  }
  state.SetBytesProcessed(state.iterations()
                          * static_cast<std::int64_t>(bytes.size()));
}

constexpr std::string_view no_content = "HTTP/1.1 204 No Content\r\n"
                                        "Server: nginx/1.22.1\r\n"
                                        "Connection: keep-alive\r\n"
                                        "\r\n";

constexpr std::string_view chunked = "HTTP/1.1 500 Internal Server Error\r\n"
                                     "Content-Type: text/html\r\n"
                                     "Transfer-Encoding: chunked\r\n"
                                     "Retry-After: 120\r\n"
                                     "\r\n"
                                     "16\r\n<h1>Server Error</h1>\n\r\n"
                                     "0\r\n\r\n";

/// A page of 16 KiB, as much as the log keeps.
std::string_view page() {
  static const std::string bytes = "HTTP/1.1 404 Not Found\r\n"
                                   "Content-Type: text/html\r\n"
                                   "Content-Length: 16384\r\n"
                                   "\r\n"
                                 + std::string(16'384, 'x');
  return bytes;
}

BENCHMARK_CAPTURE(parse, nginx, answer, 200);
BENCHMARK_CAPTURE(parse, no_content, no_content, 204);
BENCHMARK_CAPTURE(parse, chunked, chunked, 500);
BENCHMARK_CAPTURE(parse, page, page(), 404);

} // namespace

} // namespace fanfare::bench
