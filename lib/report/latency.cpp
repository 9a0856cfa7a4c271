// Latency figures; the rules are in stats/percentile_support.hpp.
// SPDX-License-Identifier: MIT
#include "report/latency.hpp"

#include "stats/percentile_support.hpp"

namespace dp {
namespace {

double ms(std::int64_t ns) { return static_cast<double>(ns) / 1e6; }

std::optional<double> upper_bound(const Histogram& ns, double p, std::uint64_t batches) {
  const auto from_top = upper_bound_from_top(p, batches);
  if (!from_top) return std::nullopt;
  const double above =
      static_cast<double>(*from_top - 1) * static_cast<double>(ns.count()) / static_cast<double>(batches);
  return ms(ns.at_rank(ns.count() - static_cast<std::uint64_t>(above)));
}

}  // namespace

Latency latency_of(const Histogram& ns, std::uint64_t batches) {
  Latency figures;
  figures.n = batches;
  if (ns.count() == 0) return figures;
  const auto fill = [&](double p, std::optional<double>& value, bool& is_supported,
                        std::optional<double>& upper) {
    value = ms(ns.percentile(p));
    is_supported = supported(p, batches);
    upper = upper_bound(ns, p, batches);
  };
  auto& [p50, p90, p95, p99, p999] = figures.supported;
  fill(0.5, figures.p50, p50, figures.upper.p50);
  fill(0.9, figures.p90, p90, figures.upper.p90);
  fill(0.95, figures.p95, p95, figures.upper.p95);
  fill(0.99, figures.p99, p99, figures.upper.p99);
  fill(0.999, figures.p999, p999, figures.upper.p999);
  figures.mean = ns.mean() / 1e6;
  figures.max = ms(ns.max());
  return figures;
}

}  // namespace dp
