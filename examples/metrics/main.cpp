// SPDX-FileCopyrightText: Fanfare contributors
// SPDX-License-Identifier: Apache-2.0

// metrics ADDRESS:PORT DIR: a program that has metrics of its own, which
// Prometheus scrapes at http://ADDRESS:PORT/metrics, and shows those of its
// engine beside them. Each line of its standard input is an order, which it
// publishes.

#include <prometheus/collectable.h>
#include <prometheus/counter.h>
#include <prometheus/exposer.h>
#include <prometheus/registry.h>

#include <fanfare/engine.hpp>

#include <cstdint>
#include <iostream>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace {

using kind = fanfare::metric::kind;

prometheus::MetricType type_of(kind of) {
  switch (of) {
    case kind::counter: return prometheus::MetricType::Counter;
    case kind::gauge: return prometheus::MetricType::Gauge;
    case kind::histogram: return prometheus::MetricType::Histogram;
  }
  return prometheus::MetricType::Untyped;
}

prometheus::ClientMetric::Histogram histogram_of(const fanfare::metric& m) {
  prometheus::ClientMetric::Histogram out;
  out.sample_count = static_cast<std::uint64_t>(m.value);
  out.sample_sum = m.sum;
  for (const auto& [upto, count] : m.buckets)
    out.bucket.push_back({count, upto});
  return out;
}

/// The engine's figures, in the types of prometheus-cpp.
class engine_figures final : public fanfare::metrics_registry,
                             public prometheus::Collectable {
public:
  // -- what the engine calls --------------------------------------------------

  void add(const void*, collector figures) override {
    const std::lock_guard guard{mutex_};
    figures_ = std::move(figures);
  }

  void remove(const void*) noexcept override {
    const std::lock_guard guard{mutex_}; // waits for a scrape in progress
    figures_ = nullptr;
  }

  // -- what a scrape calls ----------------------------------------------------

  std::vector<prometheus::MetricFamily> Collect() const override {
    const std::lock_guard guard{mutex_};
    std::vector<prometheus::MetricFamily> families;
    if (!figures_)
      return families;
    for (const auto& m : figures_()) {
      if (families.empty() || families.back().name != m.name)
        families.push_back({m.name, m.help, type_of(m.type), {}});
      prometheus::ClientMetric one;
      for (const auto& [name, value] : m.labels)
        one.label.push_back({name, value});
      switch (m.type) {
        case kind::counter: one.counter.value = m.value; break;
        case kind::gauge: one.gauge.value = m.value; break;
        case kind::histogram: one.histogram = histogram_of(m); break;
      }
      families.back().metric.push_back(std::move(one));
    }
    return families;
  }

private:
  mutable std::mutex mutex_;
  collector figures_;
};

int run(const std::string& address, const char* directory) {
  auto own = std::make_shared<prometheus::Registry>();
  auto& orders = prometheus::BuildCounter()
                   .Name("shop_orders_total")
                   .Help("Orders taken.")
                   .Register(*own)
                   .Add({});
  auto figures = std::make_shared<engine_figures>();
  auto engine = fanfare::engine::start({.data = directory, .metrics = figures})
                  .value();
  const auto shop = engine->ensure_organizer("shop").value();
  engine->ensure_action_type("shop.order.*").value();

  prometheus::Exposer server{address};
  server.RegisterCollectable(own);
  server.RegisterCollectable(figures);
  std::cout << "metrics on port " << server.GetListeningPorts().front()
            << std::endl;

  for (std::string line; std::getline(std::cin, line);) {
    orders.Increment();
    engine->publish(shop.id, {.action = "shop.order.placed"}).value();
    std::cout << "published" << std::endl;
  }
  engine->stop(std::chrono::seconds{10});
  return 0;
}

} // namespace

int main(int argc, char** argv) {
  try {
    return argc == 3 ? run(argv[1], argv[2]) : 2;
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
