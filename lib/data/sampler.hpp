// PyTorch's DistributedSampler, index for index: who of W ranks sees which of n samples in an epoch.
// Source: torch/utils/data/distributed.py and torch.randperm on the CPU.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <vector>

#include "base/ids.hpp"

namespace dp {

/// What becomes of the last samples when the ranks do not divide the data evenly.
enum class Tail {
  exact,  ///< some ranks get one sample more: every sample once (PyTorch has no such mode)
  pad,    ///< PyTorch's default: the list is padded with its own first samples, which then count twice
  drop    ///< drop_last: the list is cut
};

struct SamplerOptions {
  SampleId samples = 0;       ///< n
  std::uint32_t workers = 1;  ///< W, at least 1
  Tail tail = Tail::exact;
  bool shuffle = false;
  std::uint64_t seed = 0;
  std::uint64_t epoch = 0;  ///< added to the seed
};

/// torch.randperm(n) of a CPU generator seeded with `seed`, of which the low 32 bits count.
std::vector<SampleId> randperm(SampleId n, std::uint64_t seed);

/// The epoch's list, shuffled and padded or cut as asked; rank r takes elements r, r+W, r+2W, …
std::vector<SampleId> sampler_list(const SamplerOptions& options);

/// The samples of one rank < workers, in its order.
std::vector<SampleId> sampler_rank(const SamplerOptions& options, std::uint32_t rank);

}  // namespace dp
