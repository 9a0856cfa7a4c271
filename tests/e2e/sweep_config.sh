#!/usr/bin/env bash
# CONFIG=FILE: a sweep measures what the file says, but for what make's command line gives; a changed file is measured
# anew, and what the sweep sets itself is refused.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"
cd "$root" || exit
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES CI DEPS

# Pictures are not what this is about.
mkdir "$work/bin" && ln -s "$DP_BIN"/* "$work/bin/" && ln -sf "$(type -P true)" "$work/bin/dp-plot" || exit
# sweep ARGUMENT…: make; leaves its status, and what it printed in $work/said.
sweep() {
  status=0
  make -f Makefile.bench BIN="$work/bin" DEPS=skip RESULTS="$work/results" STRATEGIES=uniform NODES=1 ITERATIONS=1 "$@" \
    >"$work/said" 2>&1 || status=$?
}
said() { grep -qF -- "$1" "$work/said" || die "$2: no '$1' in: $(cat "$work/said")"; }
measured() { # measured NAME STATUS-TEXT: the sweep went well, and said so
  ((status == 0)) || die "$1: status $status: $(cat "$work/said")"
  said "$2" "$1"
}
# in_force FILTER NAME: holds for the run files of this name, of which there is one.
in_force() {
  local files=("$work"/results/*/runs/*/"$2".json)
  ((${#files[@]} == 1)) && [[ -f ${files[0]} ]] || die "$2: not one run file, but ${files[*]}"
  jq -e "$1" "${files[0]}" >/dev/null || die "$2: not $1: $(jq -c .config "${files[0]}")"
}

file=$work/sweep.toml
cat >"$file" <<'EOF'
[common]
data = "synthetic:1x8x8"
seed = 5
[stream]
rate = 4000
samples = 640
batch-size = "8..16"
layout = "shards:4,zipf:1.2"
arrivals = "poisson"
[infer]
backend = "null"
[collect]
warmup = "20ms"
EOF
sweep streaming CONFIG="$file"
measured "a sweep" "2 of 2 runs to measure"
# The sweep draws anew in each iteration, counting on from the file's seed.
for line in 'batch-size = \"8..16\"' 'layout = \"shards:4,zipf:1.2\"' 'arrivals = \"poisson\"' 'rate = 4000' 'samples = 640' 'seed = 6'; do
  in_force ".config.stream.toml | contains(\"$line\")" uniform-n1-4000-i1
done
in_force '.config.stream.toml | contains("rate = \"max\"")' uniform-n1-max-i1
in_force '.config.infer.toml | contains("backend = \"null\"")' uniform-n1-4000-i1
in_force '.config.collect.toml | contains("warmup = \"20ms\"")' uniform-n1-4000-i1
in_force '.strategy == "uniform" and .nodes == 1 and .samples.announced == 640' uniform-n1-4000-i1

# planned NAME there|absent ARGUMENT…: both runs of the sweep that these ask for are measured already, or none is.
planned() {
  local name=$1 want=$2 files
  sweep plan "${@:3}"
  mapfile -t files < <(grep '\.json$' "$work/said")
  ((${#files[@]} == 2)) || die "$name: not two runs are planned: $(cat "$work/said")"
  [[ -e ${files[0]} && -e ${files[1]} ]] && found=there || found=absent
  [[ $found == "$want" ]] || die "$name: runs are $found"
}
planned "the same file" there CONFIG="$file"
cp "$file" "$work/copy.toml"
planned "a copy" there CONFIG="$work/copy.toml"
planned "layout given" absent CONFIG="$file" SHARDS=16
sweep streaming CONFIG="$file" RATE=3000 BATCH=32
measured "the command line wins" "2 of 2 runs to measure"
in_force '.config.stream.toml | contains("rate = 3000") and contains("batch-size = 32\n") and contains("poisson")' uniform-n1-3000-i1
sed -i 's/20ms/30ms/' "$file"
planned "a changed file" absent CONFIG="$file"

# Data of one's own under the same name: what they hold counts.
head -c 3073 data/fixture/test_512.bin >"$work/own.bin"
sweep plan CONFIG="$work/copy.toml" DATA="$work/own.bin" && cp "$work/said" "$work/before"
tail -c 3073 data/fixture/test_512.bin >"$work/own.bin"
sweep plan CONFIG="$work/copy.toml" DATA="$work/own.bin"
grep -q '\.json$' "$work/said" && ! cmp -s "$work/said" "$work/before" || die "data that changed are taken for measured"

# So do weights that the file names, wherever they are.
printf '[common]\ndata = "synthetic:1x8x8"\n[infer]\nbackend = "null"\nweights = "%s"\n' "$work/own.weights" >"$work/weights.toml"
for weights in one other; do
  echo "$weights" >"$work/own.weights"
  sweep plan CONFIG="$work/weights.toml"
  grep '\.json$' "$work/said" >"$work/$weights.plan" || die "no plan with weights: $(cat "$work/said")"
done
! cmp -s "$work/one.plan" "$work/other.plan" || die "weights that changed are taken for measured"

# Changed while it lasts: two configurations are never in one folder.
cat >"$work/run-local.sh" <<EOF
#!/usr/bin/env bash
echo "# changed" >>"$file"
exec pipelines/run-local.sh "\$@"
EOF
chmod +x "$work/run-local.sh"
sweep streaming CONFIG="$file" RUN_LOCAL="$work/run-local.sh"
((status != 0)) || die "a file that changed under a sweep is not told"
said "has changed since make read it" "a change under the sweep"

# The page's command repeats the sweep with the file.
sweep -n streaming CONFIG="$work/copy.toml"
grep -q "MADE_BY='make -f Makefile.bench streaming.* CONFIG=$work/copy.toml" "$work/said" || die "the command to repeat the sweep leaves CONFIG out"

# ── Refused before anything runs ──
rm -r "$work/results"
while IFS='|' read -r goal line answer; do
  printf '%b\n' "$line" >"$work/wrong.toml"
  sweep "$goal" WORKERS=1 CONFIG="$work/wrong.toml"
  ((status != 0)) || die "$goal takes $line"
  said "$answer" "$goal: $line"
  said "nothing was run" "$goal: $line"
done <<'EOF'
streaming|[stream]\nratee = 5|wrong.toml:2: 'ratee' (5) is no key of [stream]: the nearest is 'rate'
streaming|[stream|wrong.toml:1:
streaming|[route]\nstrategy = "uniform"|wrong.toml:2: a sweep sets 'strategy' itself (give STRATEGIES=
streaming|[route]\nworkers = 3|wrong.toml:2: a sweep sets 'workers' itself (give NODES=
matrix|[stream]\nrate = 500|wrong.toml:2: a sweep sets 'rate' itself (matrix measures
peak|[collect]\nslo = "p99=5ms"|wrong.toml:2: a sweep sets 'slo' itself (give SLO=)
single|[collect]\nevents = "e"|wrong.toml:2: a sweep sets 'events' itself
single|[stream]\ndata = "$(shell touch pwned)"|in a sweep, letters, digits
single|[stream]\nrate = 2.5|is refused: a whole number
plan|[infer]\nmodel = "-delete"|and no - first
bench|[stream]\nrate = 500|take a file
EOF
sweep streaming CONFIG="$work/none.toml"
((status != 0)) || die "a missing file is taken"
said "none.toml is refused: no such file" "a missing file"
[[ ! -e $work/results && ! -e pwned ]] || die "something ran although the file was refused"

printf '[common]\ndata = "synthetic:1x8x8"\n[infer]\nbackend = "null"\n[route]\nstrategy = "sharded"\nworkers = 3\n[stream]\nsamples = 320\n' >"$work/one.toml"
sweep single CONFIG="$work/one.toml"
measured single "[1/1] sharded × 3 nodes at 1000/s"
echo ok
