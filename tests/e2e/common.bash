# What the end-to-end tests share: real processes on free loopback ports, run by pipelines/run-local.sh.
# shellcheck shell=bash disable=SC2034  # used by the scripts that read this file
set -uo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale
export DP_BIN=${DP_BIN:?folder of the built tools}
root=${DP_SOURCE:?root of the sources}
work=$(mktemp -d) || exit 1
export DP_LOCK=$work/lock  # neither a test nor a measuring user is in the other's way
run_pid='' extra_pids=()
end_test() {
  local pid answer=$?
  # All reports at once: the validator takes longer to start than to look.
  if ((answer == 0 && reports > 0)); then
    "$root/tests/schema/check_schema.py" "$work"/reports/*.json || { echo "FAILED: a report is not what run.schema.json says" >&2; answer=1; }
  fi
  [[ -n $run_pid ]] && kill -INT "$run_pid" 2>/dev/null && wait "$run_pid" 2>/dev/null
  for pid in "${extra_pids[@]}"; do kill -KILL "$pid" 2>/dev/null && wait "$pid" 2>/dev/null; done
  rm -rf "$work"
  exit "$answer"
}
reports=0
trap end_test EXIT

die() {
  echo "FAILED: $*" >&2
  for log in "$work"/*.err "$work"/logs/*.log; do [[ -s $log ]] && sed "s|^|  $(basename "$log"): |" "$log" >&2; done
  exit 1
}

# run NAME OPTIONS…: one whole run; its report in $work/NAME.json, its status in $status.
run() {
  local name=$1
  shift
  status=0
  "$root/pipelines/run-local.sh" --out "$work/$name.json" "$@" 2>"$work/$name.err" || status=$?
}
# launch NAME OPTIONS…: the same in the background, with logs, pids and decisions in $work/logs.
launch() {
  local name=$1
  shift
  mkdir -p "$work/logs"
  "$root/pipelines/run-local.sh" --out "$work/$name.json" --logs "$work/logs" \
    --decisions "$work/logs/decisions.ndjson" "$@" 2>"$work/$name.err" &
  run_pid=$!
}
# finish: waits for the launched run; its status in $status.
finish() {
  status=0
  wait "$run_pid" || status=$?
  run_pid=''
}
# wait_for WHAT COMMAND…: until the command succeeds; fails the test if the run ends first or a minute passes.
wait_for() {
  local what=$1 deadline=$((SECONDS + 60))
  shift
  until "$@"; do
    if [[ -z $run_pid ]] || ! kill -0 "$run_pid" 2>/dev/null; then die "the run ended before: $what"; fi
    ((SECONDS < deadline)) || die "timed out waiting for: $what"
    read -rt 0.02 <> <(:) || true
  done
}
lines_at_least() { [[ -f $2 ]] && (($(wc -l <"$2") >= $1)); }
logged() { grep -q "$1" "$work/logs/$2.log" 2>/dev/null; }
signal() { kill "-$1" "$(cat "$work/logs/$2.pid")" || die "cannot signal $2"; }

# start COMMAND…: in the background until the test ends; its stderr in $work/$extra.err.
extra=0
start() {
  ((++extra))
  "$@" 2>"$work/$extra.err" &
  extra_pids+=($!)
}
# kill_ledger WHAT CONDITION…: starts a pipeline whose dp-collect is "${collect[@]}", and kills that once CONDITION holds.
kill_ledger() {
  start "${collect[@]}"
  run_pid=$!
  start "$DP_BIN/dp-route" --heartbeat 200ms
  start "$DP_BIN/dp-infer" --backend synthetic --service fixed:5ms --heartbeat 200ms --name w0
  start "$DP_BIN/dp-stream" --data synthetic:3x32x32 --rate max --samples 12800 --heartbeat 200ms
  wait_for "$@"
  kill -KILL "$run_pid"
  wait "$run_pid" 2>/dev/null
  run_pid=''
}

# check NAME FILTER…: every jq filter is true of the report, and it is valid against its schema (looked at in end_test).
check() {
  local name=$1 filter all
  shift
  [[ -f $work/$name.json ]] || die "$name wrote no report (status $status)"
  mkdir -p "$work/reports" && cp "$work/$name.json" "$work/reports/$((++reports))-$name.json"
  printf -v all 'and (%s) ' "$@"
  jq -e "true $all" "$work/$name.json" >/dev/null && return
  for filter in "$@"; do
    jq -e "$filter" "$work/$name.json" >/dev/null ||
      die "$name: not true: $filter; $(jq -c '{valid, samples, events, workers: [.workers[] | {name, samples, lost}], bad: [.verdicts[] | select(.ok | not)]}' "$work/$name.json")"
  done
  die "$name: not true: $all"
}
accounted='.samples.announced == .samples.completed and .samples.failed == 0 and .samples.lost == 0 and .samples.double_counted == 0'
synthetic=(--data synthetic:3x32x32)
