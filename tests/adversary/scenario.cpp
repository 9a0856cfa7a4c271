// SPDX-License-Identifier: MIT
#include "scenario.hpp"

#include <fmt/format.h>

#include "route/strategy.hpp"

namespace dp::adversary {

using std::chrono::milliseconds;

Scenario::Scenario(std::uint64_t seed_) : seed(seed_) {
  Rng rng(mix(seed, 1));
  const auto one_in = [&](std::uint64_t n) { return rng.below(n) == 0; };
  fifo = !one_in(3);
  one_host = one_in(2);
  workers = static_cast<std::uint32_t>(1 + rng.below(4));
  const std::uint64_t batches = 1 + rng.below(one_in(4) ? 150 : 25);
  plan.batch_size = {1, static_cast<std::uint32_t>(1 + rng.below(3))};
  plan.samples = batches * (plan.batch_size.low + plan.batch_size.high) / 2 + 1;
  const StrategyKind& kind = strategy_kinds()[rng.below(strategy_kinds().size())];
  strategy = kind.name;
  plan.layout = one_in(2) || kind.traits.needs_shards ? "shards:4" : "sequential";
  plan.seed = seed;
  concurrency = one_in(4) ? static_cast<std::uint32_t>(1 + rng.below(6)) : 0;
  if (concurrency == 0 && one_in(2)) plan.rate = 5.0 * static_cast<double>(1 + rng.below(40));
  payload = one_in(3) ? PayloadMode::inline_pixels : PayloadMode::reference;
  buffer = 1 + rng.below(one_in(4) ? 60 : 20);
  credit = 1 + rng.below(4);
  attempts = one_in(3) ? 4 : 100'000;
  timing.heartbeat = milliseconds(200 + 100 * rng.below(9));
  lease = 3 * timing.heartbeat + milliseconds(rng.below(2000));
  lease_cap = 2 * lease + milliseconds(rng.below(4000));
  service = milliseconds(1 + rng.below(100));
  poison_for_good = attempts != 4 || one_in(2);
  for (std::uint64_t n = one_in(3) ? 1 + rng.below(3) : 0; n > 0; --n) poison.insert(rng.below(batches));
  faults_end = milliseconds(2000 + rng.below(10'000));
  fault_rate = 0.3 * static_cast<double>(1 + rng.below(12));
  drop = fifo ? 0 : 0.05 * rng.uniform();
  repeat = fifo ? 0 : 0.1 * rng.uniform();
  longest_delay = milliseconds(1 + rng.below(one_in(3) ? 1000 : 20));
}

std::string Scenario::describe() const {
  return fmt::format(
      "seed {}: {} {}, {} workers (credit {}), {} samples, {} at {}, buffer {}, attempts {}, heartbeat {:g} "
      "s, "
      "service {:g} s, {} poison, {:g} faults/s for {:g} s, delays to {:g} s, {}",
      seed, fifo ? "FIFO channels" : "any loss and order", one_host ? "on one host" : "on hosts of their own",
      workers, credit, plan.samples, strategy,
      concurrency ? fmt::format("concurrency {}", concurrency) : fmt::format("rate {:g}", plan.rate), buffer,
      attempts, to_seconds(timing.heartbeat), to_seconds(service), poison.size(), fault_rate,
      to_seconds(faults_end), to_seconds(longest_delay),
      payload == PayloadMode::inline_pixels ? "inline" : "by reference");
}

}  // namespace dp::adversary
