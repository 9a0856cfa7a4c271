#!/usr/bin/env bash
# Every target of Makefile.bench that measures, at a small size and in a locale with a decimal comma: what it says, which
# files it leaves, and what stands in them. tests/cli/advertised.tsv says which test runs what else is advertised.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CI DEPS

# A checkout without a build of its own: nothing is built, and there is nothing to draw with.
mkdir "$work/project" && cd "$work/project" || exit
for entry in "$root"/* ; do [[ ${entry##*/} == build* || ${entry##*/} == results ]] || ln -s "$entry" .; done

localedef -i de_DE -f UTF-8 "$work/de_DE.UTF-8" 2>"$work/localedef.err" || die "no German locale (Debian: the package locales): $(<"$work/localedef.err")"
german=(env LOCPATH="$work" LC_ALL=de_DE.UTF-8)
# shellcheck disable=SC2016  # for the inner shell
[[ $("${german[@]}" bash -c 'printf %.1f 1,5') == 1,5 ]] || die "the locale has no comma"

# target NAME ARGUMENT…: make; its status in $status, what it printed in out and err.
target() {
  status=0
  "${german[@]}" make -f Makefile.bench "$1" BIN="$DP_BIN" DEPS=skip RESULTS=results BACKEND=synthetic SERVICE=fixed:1ms BATCH=8 SAMPLES=320 \
    RATE=4000 "${@:2}" >out 2>err || status=$?
  name=$1
}
fail() { die "$name: $1 (status $status): $(tail -n 30 out err)"; }
went_well() { ((status == 0)) || fail "it failed"; }
says() { grep -qE -- "$2" "$1" || fail "no '$2' on std$1"; }
# rows FILE N: below its head.
rows() { [[ -f $1 && $(wc -l <"$1") == $(($2 + 1)) ]] || fail "$1 has not $2 rows: $(cat "$1")"; }
true_of() { jq -e "$2" "$1" >/dev/null || fail "$1: not so: $2"; }
# measured N GLOB: so many run files, which account for every sample and whose figures are figures.
measured() {
  local files
  mapfile -t files < <(compgen -G "$2")
  ((${#files[@]} == $1)) || fail "${#files[@]} run files instead of $1: $2"
  jq -es 'all(.[]; .schema == "dp.run/1" and .samples.announced > 0 and .samples.completed == .samples.announced and .samples.lost == 0
    and .rates.completed > 0 and .batch_latency_ms.mean > 0)' "${files[@]}" >/dev/null || fail "a run is not whole"
}

target plan NODES=1 ITERATIONS=2
went_well
[[ $(grep -cE '^results/streaming/runs/[0-9a-f]{12}/[a-z]+-n1-(4000|max)-i[12]\.json$' out) == 12 ]] || fail "not 12 runs"

target streaming NODES=1,2 STRATEGIES=uniform,dynamic ITERATIONS=1 PRICE=0.40
went_well
measured 8 'results/streaming/runs/*/*.json'
rows results/streaming/averaged_results.csv 4
true_of results/streaming/performance_summary.json '[.nodes[].recommendation | strings] | length == 2'
true_of results/streaming/detailed_results.json '.runs | length == 8'
# Figures of synthetic workers, whatever the machine: a batch of 8 takes a worker 1 ms or more.
awk -F, 'NR == 1 { for (i = 1; i <= NF; ++i) at[$i] = i; next }
  { n = $at["nodes"]; c = $at["capacity"]; if (!(c > 0 && c <= 8400 * n && $at["total_inferences"] == 320)) bad = 1 } END { exit bad }' \
  results/streaming/averaged_results.csv || fail "these figures cannot be: $(<results/streaming/averaged_results.csv)"
# The same tables from the same runs in another locale.
cp -r results/streaming first
LC_ALL=C make -f Makefile.bench streaming BIN="$DP_BIN" DEPS=skip RESULTS=results BACKEND=synthetic SERVICE=fixed:1ms BATCH=8 SAMPLES=320 \
  RATE=4000 NODES=1,2 STRATEGIES=uniform,dynamic ITERATIONS=1 PRICE=0.40 >c.out 2>err || fail "it failed in the locale C"
says err 'all 8 runs are there already'
cmp -s out c.out && diff -r first results/streaming >c.diff || fail "another locale, other tables: $(diff out c.out; cat c.diff)"

target matrix WORKERS=1,2 STRATEGIES=uniform,sharded ITERATIONS=1
went_well
measured 4 'results/matrix/runs/*/*.json'
rows results/matrix/combined_results.csv 10  # each cell, and each of its workers
rows results/matrix/speedup_efficiency.csv 4

target single STRATEGY=uniform WORKERS=2 WARMUP=20ms
went_well
measured 1 "results/single/runs/*/uniform-n2-4000-i1.json"
says out '^throughput  [1-9][0-9.]* samples/s'
true_of "$(echo results/single/runs/*/uniform-n2-4000-i1.json)" '.warmup.batches >= 1'
says out '^samples     320 announced, 320 completed, 0 failed, 0 lost'

target rates WORKERS=1 RATES=2000,4000 STRATEGIES=dynamic ITERATIONS=1
went_well
measured 3 'results/rates/runs/*/*.json'
rows results/rates/2000/averaged_results.csv 1
rows results/rates/4000/averaged_results.csv 1

# A rate of nought was the answer where 0.5 was read as 0.
target peak WORKERS=1 SLO=p90=0.5s STRATEGIES=dynamic BATCH=1 SAMPLES=64
went_well
says out 'Highest rate sustained with p90=0.5s on 1 nodes'
true_of results/peak/peak.json '.schema == "dp.peak/1" and (.peaks | length) == 1 and (.peaks[0] | .capacity > 0 and .capacity <= 1050
  and (.sustained > 0 or .undecided > 0))'
! grep -q 'to fill' err || fail "a limit of half a second was taken for another"
says err '^dynamic at [1-9][0-9]*/s, run 2'

target repeat WORKERS=1 REPEATS=8 SAMPLES=64
went_well
measured 16 'results/repeat/runs/*/*.json'
says results/repeat/spread.md '^\| capacity, samples/s \| 8 \| [1-9]'
true_of results/repeat/spread.json 'length >= 2 and all(.[]; .mean > 0)'

# Whether two runs agree is the machine's to say, that the tables follow from the runs is not.
target audit WORKERS=1 ITERATIONS=2
((status == 0)) || says err 'The audit found a disagreement'
measured 8 'results/audit/runs/*/*.json'
says out 'Other seeds: dynamic on 1 nodes, 2 runs against 2'
says out '^ok   results/audit/averaged_results.csv: [1-9][0-9]* figures recomputed from the run files, 0 differ'
says err 'No predictions to audit: BACKEND=synthetic'

target uneven ITERATIONS=1
went_well
measured 24 'results/uneven/*/runs/*.json'
[[ $(grep -cE '^\| (even|sizes|slow|skew) \| (uniform|dynamic|sharded) \| [1-9][0-9]* ' results/uneven.md) == 12 ]] || fail "not 12 rows of capacities"
[[ $(grep -cE '^\| (even|sizes|slow|skew) \| [a-z]+ less [a-z]+ \|' results/uneven.md) == 12 ]] || fail "not 12 rows of differences"
says results/uneven.md 'Made by `make -f Makefile.bench uneven ITERATIONS=1 SEED=1 SAMPLES=320`'

# So short that nothing can be shown: status 3, and every row is there.
target calibrate NODES=1 ITERATIONS=1 SECONDS=2
((status == 0)) || says err 'calibrate\] [[:alpha:]]+ 3$'
measured 4 'results/calibration/*-r1.json'
for row in 'E_N/M/1 +uniform +1 +1 mean' 'E_N/M/1 +uniform +1 +8 mean' 'M/M/c +dynamic +1 +1 mean' 'stalled +uniform +1 +1 max'; do
  says results/calibration.md "^$row +(1|0/1) .* (ok|not shown|off)"
done
says results/calibration.md 'make -f Makefile.bench calibrate NODES=1 ITERATIONS=1 SEED=1 SECONDS=2'
true_of results/calibration/calibration.json '.rows | length >= 4'

# What a host lacks the doctor says, each with what to do.
target doctor
((status == 0)) || says out '^FAIL '
says out '^ok    toolkit '
target build
went_well
says err '^Built: .*/dp-stream'
target data DATA=synthetic:3x32x32
went_well

mkdir build build-asan && : >results/kept
target clean
went_well
[[ ! -e build && ! -e build-asan && -e results/kept ]] || fail "not what it says was removed"
echo ok
