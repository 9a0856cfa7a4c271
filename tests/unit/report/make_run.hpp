// A run report with the few figures a test is about.
// SPDX-License-Identifier: MIT
#pragma once

#include <string>

#include "report/sweep.hpp"

namespace dp {

struct RunLike {
  std::string run_id = "1";
  std::string strategy = "uniform";
  std::uint32_t nodes = 1;
  std::string rate_mode = "max";
  std::int64_t seed = 1;
  double completed = 1000;
  bool valid = true;
  std::string started = "T0";
};

/// Requested rate 1000/s in open loop; p50 20 ms and p95 30 ms supported, p99 40 ms not.
inline MeasuredRun make_run(const RunLike& like) {
  MeasuredRun run;
  run.file = "run.json";
  RunReport& r = run.report;
  r.run_id = like.run_id;
  r.strategy = like.strategy;
  r.nodes = like.nodes;
  r.rate_mode = like.rate_mode;
  r.backend = "null";
  r.payload = "inline";
  r.valid = like.valid;
  r.started_utc = like.started;
  r.config = {{"stream", {{"seed", like.seed}}}};
  r.rates.completed = like.completed;
  if (like.rate_mode == "open") r.rates.requested = 1000;
  r.latency_ms.p50 = 20;
  r.latency_ms.p95 = 30;
  r.latency_ms.p99 = 40;
  r.latency_ms.supported = {true, true, true, false, false};
  return run;
}

}  // namespace dp
