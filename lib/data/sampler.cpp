// SPDX-License-Identifier: MIT
#include "data/sampler.hpp"

#include <numeric>
#include <random>
#include <utility>

namespace dp {
namespace {

std::vector<SampleId> in_order(SampleId n) {
  std::vector<SampleId> list(n);
  std::iota(list.begin(), list.end(), SampleId{0});
  return list;
}

std::size_t listed(const SamplerOptions& options) {
  const std::size_t n = options.samples, workers = options.workers;
  switch (options.tail) {
    case Tail::pad:
      return (n + workers - 1) / workers * workers;
    case Tail::drop:
      return n / workers * workers;
    case Tail::exact:
      break;
  }
  return n;
}

}  // namespace

std::vector<SampleId> randperm(SampleId n, std::uint64_t seed) {
  std::vector<SampleId> list = in_order(n);
  std::mt19937 draw(static_cast<std::uint32_t>(seed));
  for (SampleId i = 0; i + 1 < n; ++i) std::swap(list[i], list[i + draw() % (n - i)]);
  return list;
}

std::vector<SampleId> sampler_list(const SamplerOptions& options) {
  std::vector<SampleId> list =
      options.shuffle ? randperm(options.samples, options.seed + options.epoch) : in_order(options.samples);
  const std::size_t total = listed(options);
  list.reserve(total);
  for (std::size_t i = 0; list.size() < total; ++i) list.push_back(list[i]);
  list.resize(total);
  return list;
}

std::vector<SampleId> sampler_rank(const SamplerOptions& options, std::uint32_t rank) {
  const std::vector<SampleId> list = sampler_list(options);
  std::vector<SampleId> mine;
  for (std::size_t i = rank; i < list.size(); i += options.workers) mine.push_back(list[i]);
  return mine;
}

}  // namespace dp
