#!/usr/bin/env bash
# Shows when a strategy pays: every strategy on the very same uneven work, in pairs, under five minutes.
# Synthetic workers sleep through a batch, so more of them than cores measure routing rather than arithmetic.
# The statistics are dp-summarize's; uneven-report.jq words them.
# SPDX-License-Identifier: MIT
set -euo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale

here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=pipelines/lock.bash
source "$here/lock.bash"
# shellcheck source=pipelines/run-arguments.bash
source "$here/run-arguments.bash"
bin=${DP_BIN:-$here/../build/bin}
strategies=(uniform dynamic sharded)
dataset=synthetic:3x32x32:4096
# A batch of 32 takes 0.5 ms + 32 × 0.15 ms = 5.3 ms.
service=fixed:500us per_sample=150us

# Each scenario: what it is called; its batch sizes, layout and workers' slow-downs; samples at max; rate, and samples
# there: 662 batches or more, which a p99 needs. The rate is below the capacity of the slowest strategy.
declare -A scenario=(
  [even]='even work: four equal workers, batches of 32|32|shards:16|1,1,1,1|24576|15000|22528'
  [sizes]='eight workers and batches of 8 to 64 samples that cost by the sample|8..64|shards:16|1,1,1,1,1,1,1,1|49152|30000|30720'
  [slow]='one worker of four three times slower|32|shards:16|1,1,1,3|20480|6500|21504'
  [skew]='shards of Zipf sizes, the largest with 30 % of the data|32|shards:16,zipf:1|1,1,1,1|24576|15000|22528'
)
order=(even sizes slow skew)

usage() {
  cat <<EOF
uneven-study.sh - when does which strategy pay?

Usage: pipelines/uneven-study.sh [options]

  --out DIR          where the runs and their tables go, one folder a scenario (results/uneven)
  --markdown FILE    the findings and tables also as a document, which says how it was made
  --made-by TEXT     the command it names (this one)
  --iterations N     times each cell is measured, paired by seed (5)
  --scenarios A,B    some of: ${order[*]} (all)
  --strategies A,B   two or more of those that dp-route has (uniform,dynamic,sharded)
  --samples N        of every run, instead of each scenario's own (a quick look: p99 is then not supported)
  --rate no          leave out the runs at a stated rate
  --seed S           of batches, schedules and the order of runs (1)

Measures each strategy as fast as possible (capacity, bytes moved) and at a stated rate with Poisson arrivals (p99).
Payload is by reference: bytes moved are those of the distinct samples that each worker has to fetch once.
Exit status: 0 measured, 1 a run failed, 2 usage, 130 interrupted.
Example:
  pipelines/uneven-study.sh --scenarios slow --iterations 3
EOF
}
refuse() {
  echo "uneven-study.sh: $1 (see --help)" >&2
  exit 2
}

out=results/uneven markdown='' iterations=5 samples='' rates=(rate max) seed=1 asked="pipelines/uneven-study.sh${*:+ $*}"
command=$asked
while (($#)); do
  [[ $1 != --help ]] || { usage; exit; }
  (($# > 1)) || refuse "$1 needs a value"
  case $1 in
    --out) [[ -n $2 ]] || refuse "--out '': give a folder"; out=$2 ;;
    --markdown) markdown=$2 ;;
    --made-by) command=$2 ;;
    --iterations) [[ $2 =~ ^[1-9][0-9]{0,2}$ ]] || refuse "--iterations '$2': give a whole number from 1 to 999"; iterations=$2 ;;
    --samples) [[ $2 =~ ^[1-9][0-9]{0,8}$ ]] || refuse "--samples '$2': give a whole number from 1"; samples=$2 ;;
    --seed) [[ $2 =~ ^(0|[1-9][0-9]{0,8})$ ]] || refuse "--seed '$2': give a whole number from 0 to 999999999"; seed=$2 ;;
    --strategies) IFS=, read -ra strategies <<<"$2" ;;
    --rate) [[ $2 == no ]] || refuse "--rate '$2': the rates are the scenarios' own; give no to leave them out"; rates=(max) ;;
    --scenarios)
      IFS=, read -ra order <<<"$2"
      for name in "${order[@]}"; do [[ -n ${scenario[$name]:-} ]] || refuse "--scenarios '$name': give some of even, sizes, slow, skew"; done
      ;;
    *) refuse "unknown option '$1'" ;;
  esac
  shift 2
done
for tool in dp-collect dp-route dp-summarize; do
  [[ -x $bin/$tool ]] || { echo "uneven-study.sh: $bin/$tool is not there (run: make -f Makefile.bench build)" >&2; exit 1; }
done
((${#strategies[@]} > 1)) || refuse "--strategies '${strategies[*]}': give two or more, to be compared"
[[ -z $(printf '%s\n' "${strategies[@]}" | sort | uniq -d) ]] || refuse "--strategies '${strategies[*]}': give each once"
for strategy in "${strategies[@]}"; do
  problem=$("$bin/dp-route" --list-strategies --strategy "$strategy" 2>&1 >/dev/null) || refuse "${problem#dp-route: }"
done

# Randomised blocks: every iteration measures every cell once, in an order drawn from the seed.
plan() {
  local name strategy rate iteration
  for ((iteration = 1; iteration <= iterations; ++iteration)); do
    for name in "${order[@]}"; do
      for strategy in "${strategies[@]}"; do
        for rate in "${rates[@]}"; do echo "$iteration $name $strategy $rate"; done
      done
    done
  done | awk -v seed="$seed" '
    function below(n) { state = (16807 * state) % 2147483647; return state % n }
    function deal(  i, j, t) {
      for (i = n; i > 1; --i) { j = below(i) + 1; t = cell[i]; cell[i] = cell[j]; cell[j] = t }
      for (i = 1; i <= n; ++i) print cell[i]
      n = 0
    }
    BEGIN { state = (seed * 7919) % 2147483646 + 1; for (i = 0; i < 8; ++i) below(2) }
    $1 != block { deal(); block = $1 }
    { cell[++n] = $0 }
    END { deal() }'
}

# A process group of its own lets this script pass signals on, whoever sends them, and wait until everything has ended.
child='' scratch=$(mktemp -d)
trap 'rm -rf "$scratch"; let_go' EXIT
interrupted() {
  [[ -z $child ]] || { kill -TERM "$child" 2>/dev/null || true; wait "$child" 2>/dev/null || true; }
  echo "uneven-study.sh: interrupted" >&2
  exit 130
}
trap interrupted INT TERM
hold_host $$ "$asked" "${DP_LOCK_WAIT:-0}" && hold_folder "$out" $$ "$asked" "${DP_LOCK_WAIT:-0}" || exit 1

# measure ITERATION NAME STRATEGY RATE: one run; an INVALID one is kept, marked in its file.
measure() {
  local sizes layout slowdowns at_max rate at_rate status=0 options workers
  IFS='|' read -r _ sizes layout slowdowns at_max rate at_rate <<<"${scenario[$2]}"
  options=(--rate max --samples "${samples:-$at_max}")
  [[ $4 == max ]] || options=(--rate "$rate" --arrivals poisson --samples "${samples:-$at_rate}")
  IFS=, read -ra workers <<<"$slowdowns"
  set -m
  DP_BIN=$bin "$here/run-local.sh" --strategy "$3" --workers "${#workers[@]}" --backend synthetic --service "$service" \
    --per-sample "$per_sample" --slowdowns "$slowdowns" --data "$dataset" --payload reference --layout "$layout" \
    --batch-size "$sizes" --seed "$((seed + $1))" "${options[@]}" --out "$out/$2/runs/$(in_name "$3")-$4-i$1.json" \
    >"$scratch/log" 2>&1 </dev/null &
  child=$!
  set +m
  wait "$child" || status=$?
  child=''
  ((status == 0 || status == 3)) && return
  echo "uneven-study.sh: $2, $3, iteration $1 failed (status $status):" >&2
  tail -n 20 "$scratch/log" >&2
  exit 1
}

for name in "${order[@]}"; do
  rm -rf "${out:?}/$name"
  mkdir -p "$out/$name/runs"
done
plan >"$scratch/plan"
total=$(wc -l <"$scratch/plan") done=0 began=$SECONDS
while read -r -u 3 iteration name strategy rate; do
  done=$((done + 1))
  [[ ! -t 2 ]] || printf '\r[%*d/%d] %-5s %-12s %-4s iteration %d ' ${#total} "$done" "$total" "$name" "$strategy" "$rate" "$iteration" >&2
  measure "$iteration" "$name" "$strategy" "$rate"
done 3<"$scratch/plan"
[[ ! -t 2 ]] || printf '\r%70s\r' '' >&2

for name in "${order[@]}"; do
  "$bin/dp-summarize" --streaming "$out/$name" "$out/$name/runs" >"$out/$name/summary.txt"
  IFS='|' read -r title _ _ _ _ rate _ <<<"${scenario[$name]}"
  load=$(jq -s '[.[].host.load_before] | max' "$out/$name"/runs/*.json)
  jq -n --argjson load "$load" --arg name "$name" --arg title "$title" --argjson rate "$rate" --slurpfile summary "$out/$name/performance_summary.json" \
    --slurpfile details "$out/$name/detailed_results.json" --slurpfile run "$out/$name/runs/$(in_name "${strategies[0]}")-max-i1.json" \
    '{$name, $title, $rate, $load, summary: $summary[0], details: $details[0], host: $run[0].host}'
done | jq -srf "$here/uneven-report.jq" --arg seconds "$((SECONDS - began))" \
  --arg iterations "$iterations" --arg work "${service#fixed:} and $per_sample a sample" >"$out/report.md"
cat "$out/report.md"
if [[ -n $markdown ]]; then
  mkdir -p "$(dirname "$markdown")"
  { printf '# When uneven work tells the strategies apart\n\nMade by `%s`.\n\n' "$command"; cat "$out/report.md"; } >"$markdown.new"
  mv "$markdown.new" "$markdown"
  echo "wrote $markdown" >&2
fi
