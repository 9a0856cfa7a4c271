// dp-replay: plays a dispatcher's trace again, or asks another strategy about it.
// SPDX-License-Identifier: MIT
#include <nlohmann/json.hpp>

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/options.hpp"
#include "base/standard_streams.hpp"
#include "route/replay.hpp"

namespace {

using namespace dp;
using Json = nlohmann::ordered_json;

constexpr const char* example =
    "  dp-collect >run.json & dp-route --strategy p2c --workers 2 --dispatcher-trace p2c.trace &\n"
    "  for w in 1 2; do dp-infer --backend synthetic --service exp:5ms --seed $w & done\n"
    "  dp-stream --data synthetic:3x32x32 --rate 1000 --samples 2000 && wait\n"
    "  dp-replay p2c.trace && dp-replay p2c.trace --strategy jsq --quiet | head -n 3";

Options declare() {
  Options options("dp-replay", "play what dp-route --dispatcher-trace recorded again", example);
  options.positional("TRACE", "what dp-route --dispatcher-trace wrote")
      .section("Another strategy")
      .value("strategy", "NAME[:KEY=VALUE]",
             "ask this one about each decision; placements stay as they were made, so this tells decisions and not outcomes. "
             "Prints a JSON line for each: when, the batch, its attempt, the slot it was given (null: it waited) and the slot "
             "this one would have given it. Without, the trace's own strategy has to answer as it did");
  return options;
}

Json slot_of(std::optional<Slot> slot) { return slot ? Json(*slot) : Json(nullptr); }

Exit run(Options& options) {
  if (options.arguments().size() != 1) throw UsageError("give one trace, as dp-route --dispatcher-trace writes it");
  const std::string& path = options.arguments()[0];
  const std::string other = options.text("strategy");
  if (!other.empty()) parse_strategy(other);
  const MappedFile file(path);
  TraceReader trace(path, file.bytes());
  std::string lines;
  const auto see = [&](const DispatcherCall& made, std::optional<Slot> would) {
    const Json line{{"t_ns", made.at.time_since_epoch().count()}, {"batch", raw(made.batch.id)}, {"attempt", made.attempt},
                    {"made", slot_of(made.slot)}, {"would", slot_of(would)}};
    lines += line.dump() + "\n";
    if (lines.size() > 1 << 16) write_stdout(std::exchange(lines, {}));
  };
  const ReplayedTrace result = other.empty() ? replay(trace) : ask_another(trace, other, see);
  if (trace.torn() > 0) log_warn("{}: {} bytes of a torn last block are left out", path, trace.torn());
  if (other.empty()) {
    const Json summary{{"strategy", trace.strategy()}, {"exact", true}, {"calls", result.calls},
                       {"decisions", result.decisions}, {"batches_sent", result.batches_sent}};
    lines = summary.dump() + "\n";
  }
  write_stdout(lines);
  if (!other.empty())
    log_info("{} of {} decisions of {} would have been the same with {}", result.same, result.decisions, trace.strategy(), other);
  return Exit::done;
}

}  // namespace

int main(int argc, char** argv) { return run_main(declare(), argc, argv, run); }
