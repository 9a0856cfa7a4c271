// SPDX-License-Identifier: MIT
#include "strategy_conformance.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "route/dispatcher.hpp"
#include "strategy_rig.hpp"

namespace dp::conformance {
namespace {

constexpr Slot workers = 4;
constexpr ShardId shards = 2000;
constexpr std::uint64_t seeds = 20 / DP_SLOWER;  ///< a sanitizer takes twenty times as long for each

StrategySetup setup(std::uint64_t seed, Slot number = workers) {
  StrategySetup setup{number, std::vector<std::uint64_t>(shards), seed};
  for (ShardId shard = 0; shard < shards; ++shard) setup.shard_weights[shard] = 10 + shard % 7;
  return setup;
}

/// Asks the real strategy, and holds its answer against what it was asked.
class Watched final : public Strategy {
 public:
  Watched(std::unique_ptr<Strategy> inner, std::string& problem, std::vector<std::optional<Slot>>& answers)
      : inner_(std::move(inner)), problem_(problem), answers_(answers) {}

  std::optional<Slot> choose(Time now, const BatchMeta& batch, std::optional<Slot> exclude, const WorkerView& view) override {
    const auto slot = inner_->choose(now, batch, exclude, view);
    answers_.push_back(slot);
    const std::size_t others = view.live().size_without(exclude);
    if (slot && !view.live().contains(*slot)) problem_ = fmt::format("slot {} was chosen, which is not live", *slot);
    if (slot && slot == exclude && others > 0) problem_ = fmt::format("slot {} was chosen, which is excluded", *slot);
    if (!slot && others > 0 && view.ready().size_without(exclude) == others && view.idle().size_without(exclude) == others)
      problem_ = "nobody was chosen, though everybody is idle";
    return slot;
  }
  void joined(Slot slot, bool resumes) override { inner_->joined(slot, resumes); }
  void left(Slot slot) override { inner_->left(slot); }
  void observed(Time now, Slot slot, std::uint32_t samples, Duration service, Duration response) override {
    inner_->observed(now, slot, samples, service, response);
  }

 private:
  std::unique_ptr<Strategy> inner_;
  std::string& problem_;
  std::vector<std::optional<Slot>>& answers_;
};

/// A dispatcher among workers that come and go.
class Churn {
 public:
  Churn(const Subject& subject, std::uint64_t seed)
      : rng_(seed), dispatcher_(std::make_unique<Watched>(subject.make(setup(seed)), problem, answers)) {}

  void run(std::uint64_t batches) {
    for (; arrived_ < batches && problem.empty(); now_ += Duration(1 + rng_.below(2'000'000))) {
      if (rng_.below(12) == 0) come_or_go(static_cast<Slot>(rng_.below(workers)));
      if (rng_.below(2)) arrive(arrived_++, {});
      send();
      if (!tickets_.empty() && rng_.below(3)) end(rng_.below(tickets_.size()));
      if (rng_.below(3) == 0) give_credit(static_cast<Slot>(rng_.below(workers)));
    }
  }
  /// Everybody is back, and everything is served.
  void run_to_empty() {
    for (Slot slot = 0; slot < workers; ++slot) {
      if (!live_.contains(slot)) come_or_go(slot);
    }
    for (int quiet = 0; quiet < 3 && problem.empty(); ++quiet) {
      for (Slot slot = 0; slot < workers; ++slot) dispatcher_.credit(now_, slot, 1'000'000);
      send();
      while (!tickets_.empty()) {
        quiet = 0;
        end(0);
        send();
      }
    }
  }
  std::string leftovers() const {
    if (served_ != arrived_) return fmt::format("{} of {} batches were served", served_, arrived_);
    if (dispatcher_.waiting() > 0 || dispatcher_.view().batches() > 0) return "batches are left that nobody knows of";
    for (Slot slot = 0; slot < workers; ++slot) {
      const WorkerLoad& load = dispatcher_.view()[slot];
      if (load.batches() > 0 || load.samples() > 0) return fmt::format("slot {} still has something to do", slot);
    }
    return "";
  }

  std::string problem;
  std::vector<std::optional<Slot>> answers;

 private:
  static std::uint32_t samples_of(std::uint64_t id) { return 1 + static_cast<std::uint32_t>(id * 7 % 64); }
  void arrive(std::uint64_t id, std::optional<Excluded> exclude) {
    dispatcher_.arrive(now_, {BatchId{id}, static_cast<ShardId>(id * 13 % shards), samples_of(id)}, attempts_[id], exclude);
  }
  void send() {
    while (const auto ticket = dispatcher_.next(now_)) {
      if (attempts_[raw(ticket->batch)]++ + 1 != ticket->attempt) problem = "an attempt was counted wrongly";
      if (!live_.contains(ticket->slot)) problem = "a batch was sent to nobody";
      tickets_.push_back(*ticket);
    }
  }
  void give_credit(Slot slot) {
    if (live_.contains(slot)) dispatcher_.credit(now_, slot, rng_.below(4));
  }
  void end(std::size_t at) {
    const Ticket ticket = tickets_[at];
    tickets_.erase(tickets_.begin() + static_cast<std::ptrdiff_t>(at));
    const bool served = rng_.below(5) > 0;
    const Duration service(1'000'000 + static_cast<std::int64_t>(rng_.below(9'000'000)));
    if (served) dispatcher_.observe(now_, ticket.slot, samples_of(raw(ticket.batch)), service, 2 * service);
    dispatcher_.finish(now_, ticket, served ? AttemptEnd::served : AttemptEnd::failed);
    dispatcher_.finish(now_, ticket, AttemptEnd::lease_ran_out);  // said again, it does nothing
    served_ += served;
    if (!served) arrive(raw(ticket.batch), Excluded{ticket.slot, ticket.life});
  }
  void come_or_go(Slot slot) {
    if (!live_.erase(slot)) {
      live_.insert(slot);
      dispatcher_.join(now_, slot, kept_.erase(slot) > 0);
      dispatcher_.credit(now_, slot, rng_.below(4));
      return;
    }
    const bool is_back_soon = rng_.below(2);
    if (is_back_soon) kept_.insert(slot);
    dispatcher_.leave(now_, slot, is_back_soon);
    for (const Ticket& ticket : std::exchange(tickets_, {})) {
      if (ticket.slot == slot) arrive(raw(ticket.batch), {});
      else tickets_.push_back(ticket);
    }
  }

  Rng rng_;
  Dispatcher dispatcher_;
  Time now_{1000s};
  std::set<Slot> live_, kept_;
  std::deque<Ticket> tickets_;
  std::map<std::uint64_t, std::uint32_t> attempts_;
  std::uint64_t arrived_ = 0, served_ = 0;
};

std::string first_problem(const std::function<std::string(std::uint64_t)>& of_seed) {
  for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
    if (const std::string problem = of_seed(seed); !problem.empty()) return fmt::format("seed {}: {}", seed, problem);
  }
  return "";
}

/// Where each shard goes while nobody has anything to do.
std::vector<Slot> placement(StrategyRig& rig) {
  std::vector<Slot> slots;
  for (ShardId shard = 0; shard < shards; ++shard) slots.push_back(*rig.choose(shard, shard));
  return slots;
}

/// How many of the keys that are nobody's business moved: `gone`'s, and those that `came` has now.
double others_moved(const std::vector<Slot>& before, const std::vector<Slot>& after, std::optional<Slot> gone,
                    std::optional<Slot> came) {
  double moved = 0, others = 0;
  for (std::size_t key = 0; key < before.size(); ++key) {
    if (before[key] == gone || after[key] == came) continue;
    ++others;
    moved += before[key] != after[key];
  }
  return moved / others;
}

}  // namespace

std::string answers_fit(const Subject& subject) {
  return first_problem([&](std::uint64_t seed) {
    Churn churn(subject, seed);
    churn.run(3000);
    return churn.problem;
  });
}

std::string same_calls_same_answers(const Subject& subject) {
  return first_problem([&](std::uint64_t seed) {
    Churn one(subject, seed), other(subject, seed);
    one.run(1000);
    other.run(1000);
    return one.answers == other.answers ? "" : "the same calls led to other answers";
  });
}

std::string nothing_is_lost(const Subject& subject) {
  return first_problem([&](std::uint64_t seed) {
    Churn churn(subject, seed);
    churn.run(2000);
    churn.run_to_empty();
    return churn.problem.empty() ? churn.leftovers() : churn.problem;
  });
}

std::string equals_are_equal(const Subject& subject) {
  constexpr double most = 16.27;  // 99.9 % quantile of chi squared, 3 degrees of freedom
  std::vector<int> first(workers), all(workers);
  for (std::uint64_t seed = 0; seed < 2000; ++seed) {
    Dispatcher dispatcher(subject.make(setup(seed)));
    for (Slot slot = 0; slot < workers; ++slot) {
      dispatcher.join(Time{1s}, slot, false);
      dispatcher.credit(Time{1s}, slot, 1000);
    }
    for (std::uint64_t id = seed; id < seed + 4; ++id) {  // one after the other: everybody is idle
      dispatcher.arrive(Time{1s}, {BatchId{id}, static_cast<ShardId>(id % shards), 32}, 0);
      const Ticket ticket = *dispatcher.next(Time{1s});
      if (id == seed) ++first[ticket.slot];
      ++all[ticket.slot];
      dispatcher.observe(Time{1s}, ticket.slot, 32, 5ms, 5ms);
      dispatcher.finish(Time{1s}, ticket, AttemptEnd::served);
    }
  }
  if (chi_squared(first) > most) return fmt::format("of equals, {} was first", fmt::join(first, ", "));
  if (chi_squared(all) > most) return fmt::format("equals got {}", fmt::join(all, ", "));
  return "";
}

std::string slower_is_not_preferred(const Subject& subject) {
  if (!subject.traits.needs_feedback) return "";
  for (Slot slow = 0; slow < workers; ++slow) {
    Dispatcher dispatcher(subject.make(setup(slow + 1)));
    Time now{1s};
    std::vector<std::uint64_t> served(workers);
    std::map<std::pair<Time, std::uint64_t>, Ticket> ends;
    std::vector<Time> free_at(workers, now);
    for (Slot slot = 0; slot < workers; ++slot) {
      dispatcher.join(now, slot, false);
      dispatcher.credit(now, slot, 2);
    }
    const auto service = [&](Slot slot) { return slot == slow ? 15ms : 5ms; };
    for (std::uint64_t id = 0; id < 4000 || !ends.empty();) {
      // Arrivals keep up with what all can serve, 10/15 of a batch a millisecond, and there is always something waiting.
      for (; id < 4000 && id < 40 + 2 * static_cast<std::uint64_t>((now - Time{1s}) / 3ms); ++id)
        dispatcher.arrive(now, {BatchId{id}, static_cast<ShardId>(id % shards), 32}, 0);
      while (const auto ticket = dispatcher.next(now)) {
        free_at[ticket->slot] = std::max(now, free_at[ticket->slot]) + service(ticket->slot);
        ends.emplace(std::pair(free_at[ticket->slot], raw(ticket->batch)), *ticket);
      }
      if (ends.empty()) return "nobody is given anything";
      const auto [end, ticket] = *ends.begin();
      ends.erase(ends.begin());
      now = end.first;
      ++served[ticket.slot];
      dispatcher.observe(now, ticket.slot, 32, service(ticket.slot), service(ticket.slot));
      dispatcher.finish(now, ticket, AttemptEnd::served);
      dispatcher.credit(now, ticket.slot, dispatcher.view()[ticket.slot].credit + 1);
    }
    for (Slot slot = 0; slot < workers; ++slot) {
      if (slot != slow && served[slot] <= served[slow])
        return fmt::format("slot {} is three times slower, and they served {}", slow, fmt::join(served, ", "));
    }
  }
  return "";
}

std::string keys_stay(const Subject& subject) {
  if (!subject.traits.others_move) return "";
  const double most = *subject.traits.others_move;
  return first_problem([&](std::uint64_t seed) -> std::string {
    const Slot number = seed % 5 == 0 ? 11 : workers;
    StrategyRig rig(subject.make(setup(seed, number)));
    rig.join_all(number);
    const auto before = placement(rig);
    for (Slot gone = 0; gone < number; ++gone) {
      rig.leave(gone);
      const auto without = placement(rig);
      if (std::count(without.begin(), without.end(), gone)) return "keys are left with a worker that is gone";
      if (const double moved = others_moved(before, without, gone, {}); moved > most)
        return fmt::format("{} of the others' keys moved when slot {} was lost", moved, gone);
      rig.join(gone);
      if (placement(rig) != before) return fmt::format("slot {} came back and did not regain its keys", gone);
    }
    if (!subject.traits.elastic) return "";
    rig.join(number);
    if (const double moved = others_moved(before, placement(rig), {}, number); moved > most)
      return fmt::format("{} of the others' keys moved when a worker came", moved);
    return "";
  });
}

std::string exclusion_is_for_once(const Subject& subject) {
  return first_problem([&](std::uint64_t seed) -> std::string {
    StrategyRig rig(subject.make(setup(seed)));
    rig.join_all(workers);
    for (ShardId shard = 0; shard < 200; ++shard) {
      const Slot home = *rig.choose(shard, shard);
      const auto other = rig.choose(shard, shard, 32, home);
      if (!other || *other == home) return "an excluded worker was not avoided";
      if (subject.traits.others_move && rig.choose(shard, shard) != home) return "an exclusion moved a key";
    }
    return "";
  });
}

}  // namespace dp::conformance
