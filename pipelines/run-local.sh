#!/usr/bin/env bash
# Runs one configuration with every process on this machine: starts dp-collect, dp-route, the workers and dp-stream on
# free loopback ports, waits until each is ready, ends exactly what it started, and returns dp-collect's status.
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317  # the functions that traps call
set -uo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale

self=${BASH_SOURCE[0]}
[[ ! -L $self ]] || self=$(readlink -f "$self")
here=$(cd "$(dirname "$self")" && pwd)
# shellcheck source=pipelines/find-tools.sh
source "$here/find-tools.sh"
# shellcheck source=pipelines/lock.bash
source "$here/lock.bash"

called=pipelines/run-local.sh
[[ ${0##*/} == run-local.sh ]] || called=${0##*/}
usage() {
  local strategies
  strategies=$("$bin/dp-route" --list-strategies 2>/dev/null | cut -f 1 | paste -sd '|')
  cat <<EOF
${called##*/} - run one configuration of the pipeline on this machine

Usage: $called [options] [-- more options for dp-stream]

  --strategy ${strategies:-NAME}
                      which worker gets a batch, as in jsq:d=3; dp-route --list-strategies tells more (dynamic)
  --workers N         dp-infer processes (1)
  --config FILE       TOML with a section for each tool (pipelines/example.toml); what is given here wins
  --out FILE          where the report goes (stdout)
  --backend torch|null|synthetic  (torch)
  --model resnet18|resnet18-cifar|FILE  a file: TorchScript, such as model.pt (resnet18)
  --input-size HxW, --normalize MEANS/DEVS
                      passed to the workers: how images become the model's input
  --threads N         per worker (1)
  --credit N          batches a worker holds (its default)
  --service SPEC      synthetic: time for a batch, fixed:5ms or exp:5ms (fixed:5ms)
  --per-sample TIME   synthetic: added for each sample of a batch (0s)
  --slowdowns A,B,…   synthetic: slow-down of each worker (1 for all)
  --worker-seed N     synthetic: seed of the first worker's drawn times, the next ones count on (1)
  --data SPEC         data set: files, npy:…, folder:… or synthetic:… (data/cifar10/test_batch.bin)
  --expected FILE     predictions to compare with
  --predictions FILE  where the predictions made go, to be compared with later
  --slo LIST          objectives such as p99=50ms,throughput=1000: status 3 if one is missed
  --events FILE       a JSON line for each batch as it is settled; - is stdout
  --trace FILE        the life of each batch, to be opened with ui.perfetto.dev
  --rate R|max, --arrivals KIND, --concurrency K, --samples N, --batch-size B, --layout L, --payload P, --seed S
                      passed to dp-stream
  --decisions FILE    the router's decision log
  --warmup TIME       the part of the run that is kept apart, passed to dp-collect
  --journal FILE      where dp-collect keeps the ledger, begun anew; none for no journal (beside --out while it runs)
  --lease TIME, --buffer N
                      passed to dp-route
  --heartbeat TIME, --wait TIME   for all tools
  --keys DIR          speak with the keys that \`dp-keygen --out DIR\` made
  --live auto|ENDPOINT|none  where dp-collect publishes for dp-top: auto is where dp-top looks (auto)
  --metrics HOST:PORT where dp-collect answers Prometheus
  --ports N           bind ports N, N+1 and N+2 instead of free ones
  --lock-wait TIME    how long to wait, as in 10min, while another measures on this host (\$DP_LOCK_WAIT, or 0)
  --logs DIR          keep each process's stderr there as NAME.log; pids as NAME.pid (a temporary folder)

One run at a time: it holds the lock \$DP_LOCK (/tmp/dataparallel.lock), and says who has it if another does.

Exit status: that of dp-collect (0 valid, 3 measured but invalid or --slo missed), 1 if a process failed, 2 usage, 130 interrupted.

Example:
  $called --backend synthetic --data synthetic:3x32x32 --workers 2 --samples 2000 | jq .rates
EOF
}

workers='' config='' out='' slowdowns='' worker_seed='' expected='' logs='' ports=0 keys='' journal='' live='' lock_wait=${DP_LOCK_WAIT:-0}
asked="$called${*:+ $*}"
data=() link=() collect_options=() route_options=() infer_options=() stream_options=()  # only what was given
while (($#)); do
  case $1 in
    --help) usage; exit ;;
    --) shift; stream_options+=("$@"); break ;;
    --*) (($# > 1)) || { echo "run-local.sh: $1 needs a value (see --help)" >&2; exit 2; } ;;&
    --config) config=$2 ;;
    --workers) workers=$2 ;;
    --out) out=$2 ;;
    --backend | --model | --input-size | --normalize | --threads | --credit | --service | --per-sample) infer_options+=("$1" "$2") ;;
    --slowdowns) slowdowns=$2 ;;
    --worker-seed) worker_seed=$2 ;;
    --data) data=("$1" "$2") ;;
    --expected) expected=$2 ;;
    --predictions | --slo | --events | --trace | --warmup | --metrics) collect_options+=("$1" "$2") ;;
    --live) live=$2 ;;
    --journal) journal=$2 ;;
    --strategy | --decisions | --lease | --buffer) route_options+=("$1" "$2") ;;
    --heartbeat | --wait) link+=("$1" "$2") ;;
    --lock-wait) lock_wait=$2 ;;
    --logs) logs=$2 ;;
    --ports) ports=$2 ;;
    --keys) keys=$2 ;;
    --rate | --arrivals | --concurrency | --samples | --batch-size | --layout | --payload | --seed) stream_options+=("$1" "$2") ;;
    *) echo "run-local.sh: unknown option '$1' (see --help)" >&2; exit 2 ;;
  esac
  shift 2
done
[[ $ports =~ ^[0-9]{1,5}$ ]] || { echo "run-local.sh: --ports '$ports': give the first of three port numbers" >&2; exit 2; }
seconds_of "$lock_wait" >/dev/null || { echo "run-local.sh: --lock-wait '$lock_wait': give a time, as in 30s, 10min or 2h" >&2; exit 2; }
[[ -x $bin/dp-collect ]] || { echo "run-local.sh: $bin/dp-collect is not there (run: make -f Makefile.bench build)" >&2; exit 1; }
if [[ -n $config ]]; then
  link+=(--config "$config")
  # The file may set what this script has to know.
  in_force() { "$bin/$1" --config "$config" --print-config | sed -n "s/^$2 = \([^ ]*\) .*/\1/p"; }
  workers=${workers:-$(in_force dp-route workers)} && worker_seed=${worker_seed:-$(in_force dp-infer seed)}
  live=${live:-$(in_force dp-collect live | tr -d '"')}
  [[ -n $workers && -n $worker_seed ]] || exit 2  # the tool that refused the file said why
elif ((${#data[@]} == 0)); then
  data=(--data data/cifar10/test_batch.bin)
fi
workers=${workers:-1} worker_seed=${worker_seed:-1} live=${live:-auto}
[[ $workers =~ ^[1-9][0-9]*$ ]] || { echo "run-local.sh: --workers '$workers': give a whole number from 1" >&2; exit 2; }
[[ $worker_seed =~ ^(0|[1-9][0-9]{0,17})$ ]] || { echo "run-local.sh: --worker-seed '$worker_seed': give a whole number from 0" >&2; exit 2; }

scratch=$(mktemp -d) || { echo "run-local.sh: TMPDIR=${TMPDIR:-/tmp}: no temporary folder can be made there: give another" >&2; exit 1; }
logs=${logs:-$scratch}
mkdir -p "$logs" || { echo "run-local.sh: --logs $logs: that folder cannot be made: give another" >&2; rm -rf "$scratch"; exit 1; }
declare -A pids=()

# Ends what is still running, by its id, and leaves nothing behind.
clean_up() {
  local pid
  for pid in "${pids[@]}"; do kill -TERM "$pid" 2>/dev/null; done
  for pid in "${pids[@]}"; do
    for _ in {1..60}; do kill -0 "$pid" 2>/dev/null || break; read -rt 0.05 <> <(:) || true; done
    kill -KILL "$pid" 2>/dev/null
    wait "$pid" 2>/dev/null
  done
  rm -rf "$scratch"
  let_go
}
interrupted() {
  trap '' INT TERM
  echo "run-local.sh: interrupted" >&2
  clean_up
  trap - EXIT
  exit 130
}
trap clean_up EXIT
trap interrupted INT TERM
hold_host $$ "$asked" "$lock_wait" || exit 1

# start NAME COMMAND…: in the background, its stderr in NAME.log.
start() {
  local name=$1
  shift
  : >"$logs/$name.log" || exit 1
  "$@" 2>"$logs/$name.log" &
  pids[$name]=$!
  echo "$!" >"$logs/$name.pid"
}

fail() {
  echo "run-local.sh: $1" >&2
  sed 's/^/  /' "$logs/$2.log" >&2
  exit "${3:-1}"
}

# wait_ready NAME: until its READY line is there, or it has ended.
wait_ready() {
  local name=$1 status
  until grep -q READY "$logs/$name.log"; do
    if ! kill -0 "${pids[$name]}" 2>/dev/null; then
      wait "${pids[$name]}"
      status=$?
      unset "pids[$name]"
      fail "$name did not start" "$name" $((status == 2 ? 2 : 1))
    fi
    read -rt 0.02 <> <(:) || true
  done
}
endpoint_of() { sed -n "s/.*READY.* $2=\([^ ]*\).*/\1/p; s/.*READY $2=\([^ ]*\).*/\1/p" "$logs/$1.log" | sed -n 1p; }

# port N: the N-th of the ports asked for, or any free one.
port() { echo "tcp://127.0.0.1:$((ports ? ports + $1 : 0))"; }
# keys_for ROLE FLAG…: in $with, the flags with which a tool speaks with keys.
keys_for() {
  local role=$1 flag
  shift
  with=()
  [[ -n $keys ]] || return 0
  with=(--key "$keys/$role.key")
  for flag in "$@"; do with+=("$flag" "$keys/public"); done
}
keys_for collect --allow
collect=("$bin/dp-collect" --bind "$(port 2)" "${collect_options[@]}" "${with[@]}" "${link[@]}")
# A journal that is there is of a run whose other processes are gone.
collect+=(--live "$live" --anew)
[[ -n $out ]] && collect+=(--out "$out")
[[ -n $journal ]] && collect+=(--journal "$journal")
[[ -n $expected ]] && collect+=(--expected "$expected")
start collect "${collect[@]}"
wait_ready collect
collect_at=$(endpoint_of collect bind)

keys_for route --server-key --allow
start route "$bin/dp-route" --workers "$workers" --stream-bind "$(port 0)" \
  --worker-bind "$(port 1)" --collect "$collect_at" "${route_options[@]}" "${with[@]}" "${link[@]}"
wait_ready route
stream_at=$(endpoint_of route stream)
worker_at=$(endpoint_of route worker)

keys_for infer --server-key
IFS=, read -ra slow <<<"$slowdowns"
for ((w = 0; w < workers; ++w)); do
  worker=("$bin/dp-infer" --name "w$w" "${infer_options[@]}" --seed "$((worker_seed + w))" "${data[@]}" --route "$worker_at"
    --collect "$collect_at" "${with[@]}" "${link[@]}")
  [[ -n $slowdowns ]] && worker+=(--slowdown "${slow[w]:-1}")
  start "w$w" "${worker[@]}"
done
keys_for stream --server-key
start stream "$bin/dp-stream" "${data[@]}" --route "$stream_at" --collect "$collect_at" "${stream_options[@]}" "${with[@]}" "${link[@]}"

log_lost=0
# A worker or the stream that ends badly before the end is told of at once; the collector's status is the answer.
while [[ -n ${pids[collect]:-} ]]; do
  wait -n -p ended "${pids[@]}"
  status=$?
  for name in "${!pids[@]}"; do
    [[ ${pids[$name]} == "${ended:-}" ]] || continue
    unset "pids[$name]"
    if [[ $name == collect ]]; then
      answer=$status
    elif ((status != 0)); then
      if [[ $name == route ]] && grep -q "the log is not whole" "$logs/route.log"; then
        log_lost=1
        continue  # all else went well: the report is on its way
      fi
      # What was refused before it began is refused the next time, too.
      ((status != 2)) || fail "$name failed (status 2)" "$name" 2
      ((status > 128)) || [[ $name != stream && $name != route ]] || fail "$name failed (status $status)" "$name"
      echo "run-local.sh: $name ended with status $status" >&2
      [[ -s $logs/$name.log ]] && grep -v READY "$logs/$name.log" | sed 's/^/  /' >&2
      left=0
      for other in "${!pids[@]}"; do [[ $other == w* ]] && left=1; done
      # At the end of a run workers may leave before a stream that was interrupted does.
      [[ $name != w* ]] || ((left)) || fail "no worker is left" "$name"
    fi
  done
done
if ((answer != 0 && answer != 3)); then fail "dp-collect failed (status $answer)" collect "$answer"; fi
grep -hv READY "$logs/collect.log" >&2
((!log_lost)) || fail "route failed (status 1)" route
# The others say goodbye; whoever does not within six seconds is ended by the trap.
for _ in {1..120}; do
  alive=0
  for name in "${!pids[@]}"; do
    if kill -0 "${pids[$name]}" 2>/dev/null; then alive=1; continue; fi
    wait "${pids[$name]}"
    status=$?
    unset "pids[$name]"
    # Its log of decisions is written to the end by now, or is not.
    [[ $name != route || $status != 1 ]] || fail "route failed (status 1)" route
  done
  ((alive)) || break
  read -rt 0.05 <> <(:) || true
done
exit "$answer"
