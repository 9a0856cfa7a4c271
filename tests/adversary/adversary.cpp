// Runs the pipeline's state machines in virtual time under faults drawn from a seed, and checks after every
// step that accounting holds. A seed that breaks it prints what happened and the command that repeats it.
// SPDX-License-Identifier: MIT
#include <atomic>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <thread>

#include "base/options.hpp"
#include "world.hpp"

namespace dp::adversary {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Duration patience =
    seconds(300);  ///< from the last fault to the end of the run: backoffs and leases included

/// One thing goes wrong.
void strike(World& world, const Scenario& scenario, Rng& rng) {
  const std::size_t node = rng.below(world.nodes()), link = rng.below(world.links());
  const Duration moment = milliseconds(1 + rng.below(rng.below(3) ? 300 : 3000));
  const Duration away = scenario.timing.heartbeat * static_cast<int>(1 + rng.below(6));
  switch (rng.below(14)) {
    case 0:
    case 1:
    case 2:
      return world.crash(node, moment);
    case 3:
      return world.crash(2, moment);
    case 4:
      world.crash(1, moment);
      return world.crash(2, milliseconds(1 + rng.below(500)));
    case 5:
      return world.stall(node, away);
    case 6:
      return world.hold(link, static_cast<int>(rng.below(2)), away);
    case 7:
      world.hold(link, 0, away);
      return world.hold(link, 1, away);
    case 8:
    case 9:
      return world.reset(link);
    case 10:
      if (!scenario.one_host) world.step_clock(node, milliseconds(rng.below(4000)) - seconds(2));
      return;
    case 11:
      if (world.is_worker(node)) world.wedge(node);
      return;
    case 12:
      return world.slow_disk(milliseconds(1 + rng.below(rng.below(2) ? 20 : 300)));
    default:
      if (!world.is(node, Role::stream)) world.interrupt(node);
  }
}

/// Nothing, or what was broken.
std::string trouble(const Scenario& scenario, World& world) {
  Rng rng(mix(scenario.seed, 3));
  try {
    for (Duration at{}; !world.over();) {
      at += from_seconds(rng.exponential(1 / scenario.fault_rate));
      if (at > scenario.faults_end) break;
      world.run_until(at);
      strike(world, scenario, rng);
    }
    if (!world.over()) world.run_until(scenario.faults_end);
    if (world.over() || !scenario.fifo) return {};
    world.end_faults();
    world.run_until(scenario.faults_end + patience);
    if (!world.over()) throw Violation("the run does not end: {}", world.standing());
    return {};
  } catch (const std::exception& problem) {
    return problem.what();
  }
}

std::string repeat_command(std::uint64_t seed) {
  return fmt::format("adversary --first {} --seeds 1 --trace", seed);
}

/// The failing seed again, with all that happened.
void tell(std::uint64_t seed, const std::string& what, std::size_t lines) {
  const Scenario scenario(seed);
  World world(scenario, true);
  const std::string again = trouble(scenario, world);
  const auto& trace = world.trace();
  std::printf("%s\n", scenario.describe().c_str());
  const std::size_t from = trace.size() > lines ? trace.size() - lines : 0;
  if (from) std::printf("  … %zu lines before (--trace shows all)\n", from);
  for (std::size_t i = from; i < trace.size(); ++i) std::printf("  %s\n", trace[i].c_str());
  if (what.empty()) return;
  std::printf("BROKEN by seed %llu: %s%s\nrepeat with: %s\n", static_cast<unsigned long long>(seed),
              what.c_str(),
              again == what ? "" : " (but not when it was repeated: the harness is not deterministic)",
              repeat_command(seed).c_str());
}

struct Tally {
  std::atomic<std::uint64_t> next, done{0}, ended{0};
  std::mutex mutex;
  std::vector<std::pair<std::uint64_t, std::string>> broken;
};

void work(Tally& tally, std::uint64_t end, std::size_t most_broken) {
  for (std::uint64_t seed = tally.next++; seed < end; seed = tally.next++) {
    const Scenario scenario(seed);
    World world(scenario, false);
    const std::string what = trouble(scenario, world);
    ++tally.done;
    tally.ended += world.over();
    if (what.empty()) continue;
    const std::lock_guard lock(tally.mutex);
    tally.broken.emplace_back(seed, what);
    if (tally.broken.size() >= most_broken) tally.next = end;
  }
}

Exit run(int argc, char** argv) {
  Options options("adversary", "attack the accounting of all stages at once, in virtual time",
                  "  adversary --seeds 2000");
  options.section("Seeds")
      .value("seeds", "N", "how many", "2000")
      .value("first", "SEED", "the first of them", "1")
      .value("threads", "N", "seeds at a time", "2")
      .value("stop-after", "N", "broken seeds", "1");
  options.section("Output")
      .flag("trace", "all that happens, message by message")
      .flag("expect-broken", "succeed only if an invariant is broken: to check the checker");
  if (const auto status = options.parse(argc, argv)) return *status;
  const std::uint64_t first = options.count("first", 0, UINT64_MAX / 2),
                      seeds = options.count("seeds", 1, UINT64_MAX / 2);
  const bool expect_broken = options.has("expect-broken");
  const auto begun = std::chrono::steady_clock::now();
  Tally tally;
  tally.next = first;
  {
    std::vector<std::jthread> threads;
    for (std::uint64_t n = options.count("threads", 1, 256); n > 0; --n)
      threads.emplace_back([&] { work(tally, first + seeds, options.count("stop-after", 1, UINT64_MAX)); });
  }
  const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  std::ranges::sort(tally.broken);
  if (options.has("trace") && seeds == 1)
    tell(first, tally.broken.empty() ? "" : tally.broken[0].second, SIZE_MAX);
  if (!expect_broken && !(options.has("trace") && seeds == 1)) {
    for (const auto& [seed, what] : tally.broken) tell(seed, what, options.has("trace") ? SIZE_MAX : 60);
  }
  std::printf("%llu seeds in %.1f s: %llu runs ended within their time of faults or after it, %zu broken%s\n",
              static_cast<unsigned long long>(tally.done.load()), took,
              static_cast<unsigned long long>(tally.ended.load()), tally.broken.size(),
              expect_broken && !tally.broken.empty()
                  ? fmt::format(", as they should: {}", tally.broken[0].second).c_str()
                  : "");
  return tally.broken.empty() == expect_broken ? Exit::failed : Exit::done;
}

}  // namespace
}  // namespace dp::adversary

int main(int argc, char** argv) {
  return dp::run_main("adversary", [&] { return dp::adversary::run(argc, argv); });
}
