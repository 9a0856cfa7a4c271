# Words dp-summarize's figures of the uneven study: findings, each with its interval, then the tables. Input: a list of
# {name, title, rate, load (the highest before a run), summary, details, host}, one a scenario. Arguments: $seconds,
# $iterations, $work (what a batch costs).
# Nothing is decided here: "distinguishable" is what dp-summarize found at a family-wise error of 5 %.
# SPDX-License-Identifier: MIT

# ── Numbers ──
def digits($d):
  if . == null then "–" else
    pow(10; $d) as $p | (fabs * $p | round) as $n
    | (if . < 0 and $n > 0 then "-" else "" end) + ($n / $p | floor | tostring)
    + (if $d > 0 then "." + ("000" + ($n % $p | tostring))[-$d:] else "" end)
  end;
def with_half($mean; $half; $d): ($mean | digits($d)) + (if $half == null then "" else " ± \($half | digits($d))" end);
def estimate($d): if . == null then "–" else with_half(.mean; .ci95; $d) end;
def percent: "\(.percent | digits(1)) %" + (if .half == null then "" else " ± \(.half | digits(1)) %" end);
def amount: .percent |= fabs | percent;

# ── Differences: $a less $b, in percent of the mean of $b ──
def cell($strategy): .details.cells[] | select(.strategy == $strategy);
def pair($a; $b): .summary.nodes[0].pairs[] | select([.first, .second] | sort == ([$a, $b] | sort));
def relative($a; $b; $base; $first):
  (if $first == $a then 100 else -100 end / $base) as $scale
  | {a: $a, b: $b, distinguishable, percent: (.difference * $scale),
     half: (if .half_width == null then null else .half_width * ($scale | fabs) end)};
def capacity($a; $b):
  cell($b).capacity.mean as $base | pair($a; $b) | .first as $first
  | {difference: .capacity_difference, half_width, distinguishable} | relative($a; $b; $base; $first);
def moved($a; $b):
  cell($b).data_moved_mb.mean as $base | pair($a; $b) | .first as $first
  | .data_moved_mb | if . == null then null else relative($a; $b; $base; $first) end;

def p99($a; $b):
  cell($b).p99_ms.mean as $base | pair($a; $b) | .first as $first
  | .p99_ms | if . == null then null else relative($a; $b; $base; $first) end;

# ── Findings ──
def by_capacity:
  if .half == null then "\(.a) and \(.b) cannot be compared by fewer than two valid iterations"
  elif .distinguishable | not then "\(.a) and \(.b) are indistinguishable in capacity (\(percent))"
  elif .percent > 0 then "\(.a) beats \(.b) by \(amount) in capacity"
  else "\(.a) has \(amount) less capacity than \(.b)" end;
def by_bytes:
  if . == null or .half == null then "the bytes moved cannot be compared"
  elif .distinguishable | not then "they move as many bytes (\(percent))"
  elif .percent < 0 then "\(.a) moves \(amount) fewer bytes"
  else "\(.a) moves \(amount) more bytes" end;
def by_p99($rate):
  if . == null or .half == null then "their p99 at \($rate)/s cannot be compared"
  elif .distinguishable | not then "their p99 at \($rate)/s is indistinguishable (\(percent))"
  else "\(.a)'s p99 at \($rate)/s is \(amount) \(if .percent < 0 then "lower" else "higher" end)" end;
def strategies: [.details.cells[].strategy];
def measures($some): ($some - strategies) == [];
# The one with the most capacity, and what the others have of it.
def ranking: . as $s | [.details.cells[] | select(.capacity.mean != null)] | sort_by(-.capacity.mean) | map(.strategy)
  | .[0] as $best | .[1:] | map(. as $other | $s | capacity($other; $best))
  | if $best == null or any(.[]; .half == null) then "the strategies cannot be ranked by fewer than two valid iterations" else
      (map(select(.distinguishable | not) | .a)) as $level | map(select(.distinguishable)) as $below
      | "\($best) has the most capacity"
      + (if $level == [] then "" else ", indistinguishable from \($level | join(", "))" end)
      + (if $below == [] then "" else "; less: " + ($below | map("\(.a) by \(amount)") | join(", ")) end)
    end;
def finding:
  if .name == "even" and measures(["uniform", "dynamic", "sharded"]) then
    "Control, \(.title): " + ([capacity("dynamic"; "uniform"), capacity("sharded"; "uniform"), capacity("sharded"; "dynamic")]
      | map(by_capacity) | join("; ")) + "."
  elif .name == "skew" and measures(["dynamic", "sharded"]) then
    "With \(.title), " + (capacity("sharded"; "dynamic") | by_capacity) + ", and " + (moved("sharded"; "dynamic") | by_bytes) + "."
  elif (.name | IN("sizes", "slow")) and measures(["uniform", "dynamic", "sharded"]) then
    .rate as $rate | "With \(.title), " + (capacity("dynamic"; "uniform") | by_capacity) + ", and "
    + (p99("dynamic"; "uniform") | by_p99($rate)) + "; " + (capacity("sharded"; "uniform") | by_capacity) + "."
  else empty end;

# ── Tables ──
def rows: . as $s | .details.cells[]
  | .strategy as $strategy
  | [$s.details.runs[] | select(.strategy == $strategy)] as $runs
  | "| \($s.name) | \(.strategy) | \(.capacity | estimate(0)) | \(.p99_ms | estimate(1))\(if .p99_ms then " at \($s.rate)/s" else "" end) | "
    + "\(.data_moved_mb | estimate(1)) | \([$runs[] | select(.valid)] | length) of \($runs | length) |";
def shown: if . == null then "–" else "\(percent)\(if .distinguishable then "" elif .half == null then " (one pair)" else " (indistinguishable)" end)" end;
def few($scenario): $scenario.details.cells | length <= 3;
# Of many strategies only the pairs that some figure tells apart.
def told_apart: [., .data_moved_mb, .p99_ms] | any(.[]; . != null and .distinguishable);
def differences: . as $s | .summary.nodes[0].pairs[] | select(few($s) or told_apart)
  | .second as $a | .first as $b | $s
  | "| \(.name) | \($a) less \($b) | \(capacity($a; $b) | shown) | \(p99($a; $b) | shown) | \(moved($a; $b) | shown) |";
def kept_by_turns: all(measures(["uniform", "dynamic", "sharded"])) and any(.[]; (moved("uniform"; "sharded") | . != null and .percent == 0)
  and (moved("dynamic"; "sharded") | . != null and .distinguishable));

. as $all
| "## Findings", "",
  ($all[] | "* " + finding), ($all[] | select((strategies | sort) != ["dynamic", "sharded", "uniform"]) | "* With \(.title): \(ranking)."), "",
  "| work | strategy | capacity, samples/s | p99, ms | MB moved | valid runs |", "| --- | --- | --- | --- | --- | --- |",
  ($all[] | rows), "",
  "| work | difference | capacity | p99 | bytes moved |", "| --- | --- | --- | --- | --- |",
  ($all[] | differences), "",
  (if any($all[]; few(.) | not) then "Pairs of strategies that no figure tells apart are left out.", "" else empty end),
  ($all[] | "* `\(.name)`: \(.title)."),
  "* A batch takes \($work), times the worker's slow-down. Workers sleep meanwhile, so more of them than the \($all[0].host.cores) cores "
    + "of the one host they are processes of do not oversubscribe it: routing is measured, not arithmetic.",
  "* Capacity and MB moved as fast as possible; p99 of sample latency at the rate beside it, Poisson arrivals, – where "
    + "too few batches support it or a queue grew. Intervals are 95 % over iterations.",
  "* Differences are paired by seed and in percent of the second's mean; their intervals are Holm-corrected over the "
    + "pairs of a row's work, and what spans zero is called indistinguishable.",
  "* MB moved: the distinct samples each worker served, which it fetches once where batches name samples by reference.",
  (if $all | kept_by_turns then "* Where uniform moves no more than sharded, the plan takes equal shards in turn, and their "
    + "number is a multiple of the workers': uniform's turn then meets each shard at the same worker, by arithmetic." else empty end),
  "* \($iterations) iterations, measured in \($seconds) s; the highest one-minute load before a run was \($all | map(.load) | max | digits(1)) "
    + "on \($all[0].host.cores) cores: a busy machine widens every interval."
