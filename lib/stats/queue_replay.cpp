// SPDX-License-Identifier: MIT
#include "stats/queue_replay.hpp"

#include <algorithm>

namespace dp {
namespace {

/// Serves job i at the server that `pick(free, i)` names; `free` holds when each server is done.
template <class Pick>
std::vector<double> replay(std::span<const double> arrivals, std::span<const double> services,
                           std::uint32_t servers, Pick pick) {
  std::vector<double> free(servers, 0.0), in_system;
  in_system.reserve(arrivals.size());
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    double& at = free[pick(free, i)];
    at = std::max(at, arrivals[i]) + services[i];
    in_system.push_back(at - arrivals[i]);
  }
  return in_system;
}

}  // namespace

std::vector<double> replay_shared_queue(std::span<const double> arrivals, std::span<const double> services,
                                        std::uint32_t servers) {
  return replay(arrivals, services, servers, [](const std::vector<double>& free, std::size_t) {
    return static_cast<std::size_t>(std::ranges::min_element(free) - free.begin());
  });
}

std::vector<double> replay_round_robin(std::span<const double> arrivals, std::span<const double> services,
                                       std::uint32_t servers) {
  return replay(arrivals, services, servers,
                [servers](const std::vector<double>&, std::size_t i) { return i % servers; });
}

}  // namespace dp
