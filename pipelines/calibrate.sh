#!/usr/bin/env bash
# The real pipeline against queueing theory: synthetic workers with exponential service under Poisson arrivals, and
# one worker that is stopped for a while, each configuration several times with other seeds. dp-calibrate judges.
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2317  # the functions that traps call
set -uo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale

here=$(dirname "${BASH_SOURCE[0]}")
# shellcheck source=pipelines/lock.bash
source "$here/lock.bash"
bin=${DP_BIN:-$here/../build/bin}
run_local=${RUN_LOCAL:-$here/run-local.sh}

usage() {
  cat <<END
calibrate.sh - hold the real pipeline against queueing theory

Usage: pipelines/calibrate.sh [options]

  --workers LIST     numbers of workers, each under dynamic and uniform with credit 1 (1,2,4,8)
  --load P           utilization in percent (70)
  --service TIME     mean of the exponential service (50ms)
  --seconds N        length of a run (40)
  --repeats N        runs of each configuration, each with other seeds (10)
  --margin PERCENT   how far from theory the whole interval may reach (2)
  --stall SECONDS    for how long one worker is stopped, or 0: none is (1.5)
  --slowdown X       make every worker X times slower without telling theory (1): has to be found
  --seed N           of all seeds (1)
  --out DIR          where run files, logs and calibration.json go (results/calibration)
  --markdown FILE    write the table there as well, with the command that made it
  --made-by COMMAND  what the table names as that command

One more configuration has credit 8: under uniform it must not matter. The configurations of a repetition run side by
side, since the workers only sleep; the hand-off column says what that costs.
Exit status: 0 all as theory says, 3 not, 1 failed, 2 usage, 130 interrupted.
END
}

workers=1,2,4,8 load=70 service=50ms seconds=40 repeats=10 margin=2 stall=1.5 slowdown=1 seed=1 out=results/calibration markdown=''
asked="pipelines/calibrate.sh $*"
made_by=$asked
while (($#)); do
  case $1 in
    --help) usage; exit ;;
    --workers | --load | --service | --seconds | --repeats | --margin | --stall | --slowdown | --seed | --out | --markdown | --made-by)
      (($# > 1)) || { echo "calibrate.sh: $1 needs a value (see --help)" >&2; exit 2; }
      name=${1#--}
      printf -v "${name/-/_}" '%s' "$2" ;;
    *) echo "calibrate.sh: unknown option '$1' (see --help)" >&2; exit 2 ;;
  esac
  shift 2
done

# need NAME REGEX WHAT: the value of an option, before anything runs.
need() { [[ ${!1} =~ ^($2)$ ]] || { echo "calibrate.sh: --$1 '${!1}': give $3" >&2; exit 2; }; }
number='[0-9]{1,6}(\.[0-9]{1,6})?'
need workers '[1-9][0-9]{0,2}(,[1-9][0-9]{0,2})*' 'whole numbers from 1, separated by commas, as in 2,4'
need load '[1-9]|[1-8][0-9]|9[0-5]' 'a whole percentage from 1 to 95'
need service '[1-9][0-9]{0,5}ms' 'whole milliseconds, as in 50ms'
need seconds '[1-9][0-9]{0,4}' 'a whole number from 1'
need repeats '[1-9][0-9]{0,3}' 'a whole number from 1'
need margin "$number" 'a percentage'
need stall "$number" 'seconds, or 0'
need slowdown "$number" 'a factor, as in 1.2'
need seed '0|[1-9][0-9]{0,8}' 'a whole number from 0'
[[ -x $bin/dp-calibrate ]] || { echo "calibrate.sh: $bin/dp-calibrate is not there (run: make -f Makefile.bench build)" >&2; exit 1; }
mkdir -p "$out" || exit 1

declare -A running=()
clean_up() {
  local pid
  for pid in "${running[@]}"; do kill -TERM "$pid" 2>/dev/null; done
  for pid in "${running[@]}"; do wait "$pid" 2>/dev/null; done
  let_go
}
interrupted() {
  trap '' INT TERM
  echo "calibrate.sh: interrupted" >&2
  exit 130
}
trap clean_up EXIT
trap interrupted INT TERM
hold_host $$ "$asked" "${DP_LOCK_WAIT:-0}" && hold_folder "$out" $$ "$asked" "${DP_LOCK_WAIT:-0}" || exit 1

pause() { read -rt 0.02 <> <(:) || true; }
micros() { echo "${EPOCHREALTIME/[.,]/}"; }

# start NAME STRATEGY WORKERS CREDIT SERVICE RATE SAMPLES ARRIVALS [OPTION…]: one run in the background.
start() {
  local name=$1 slow
  # The same arrivals for all configurations of a repetition, other draws for every run.
  ((draws += 1000))
  printf -v slow "%.0s$slowdown," $(seq "$3")
  DP_BIN=$bin "$run_local" --backend synthetic --data synthetic:3x32x32 --batch-size 1 --strategy "$2" --workers "$3" \
    --credit "$4" --service "$5" --slowdowns "${slow%,}" --worker-seed "$draws" --rate "$6" --samples "$7" \
    --seed "$((seed * 1000 + repeat))" --logs "$out/$name.logs" --decisions "$out/$name.decisions" --out "$out/$name.json" \
    --arrivals "$8" "${@:9}" 2>"$out/$name.err" &
  running[$name]=$!
}

arrived() { grep -c '"what":"assign"' "$out/$1.decisions" 2>/dev/null; }
# until_arrived NAME N: until the router has taken N batches; fails when the run ends first.
until_arrived() {
  local n
  until n=$(arrived "$1") && ((n >= $2)); do
    kill -0 "${running[$1]}" 2>/dev/null || return 1
    pause
  done
}
# stop_worker NAME SAMPLES: stops its worker after a third of the run for --stall seconds, and writes down how long it
# really took.
stop_worker() {
  local pid from end
  until_arrived "$1" $(($2 / 3)) || return
  pid=$(<"$out/$1.logs/w0.pid")
  from=$(micros)
  end=$((from + $(awk -v s="$stall" 'BEGIN { printf "%d", s * 1e6 }')))
  kill -STOP "$pid" || return
  while (($(micros) < end)); do pause; done
  kill -CONT "$pid" || return
  awk -v us=$(($(micros) - from)) 'BEGIN { printf "%.6f\n", us / 1e6 }' >"$out/$1.stall"
}

# rate W: batches a second that load W workers to --load percent.
rate() { awk -v w="$1" -v load="$load" -v ms="${service%ms}" 'BEGIN { printf "%.6g", w * load * 10 / ms }'; }
samples() { awk -v r="$1" -v s="$seconds" 'BEGIN { n = int(r * s); print n < 1 ? 1 : n }'; }

draws=$((seed * 10000000)) files=() began=$SECONDS stalled_rate=50 stalled_service=10ms
mapfile -t counts < <(tr , '\n' <<<"$workers" | sort -nu)
for ((repeat = 1; repeat <= repeats; ++repeat)); do
  rm -f "$out"/*-r"$repeat".{json,stall,decisions}
  for w in "${counts[@]}"; do
    r=$(rate "$w")
    for strategy in dynamic uniform; do start "$strategy-$w-r$repeat" "$strategy" "$w" 1 "exp:$service" "$r" "$(samples "$r")" poisson; done
  done
  w=${counts[-1]} r=$(rate "${counts[-1]}")
  start "uniform-$w-credit8-r$repeat" uniform "$w" 8 "exp:$service" "$r" "$(samples "$r")" poisson
  if [[ ! $stall =~ ^0+(\.0+)?$ ]]; then
    name=stalled-r$repeat
    n=$(samples "$stalled_rate")
    start "$name" uniform 1 1 "fixed:$stalled_service" "$stalled_rate" "$n" constant \
      --heartbeat 10s --lease 60s  # it is slow, not lost, however long a busy machine takes to wake it
    stop_worker "$name" "$n" || { echo "calibrate.sh: the worker of $name could not be stopped" >&2; exit 1; }
  fi
  for name in "${!running[@]}"; do
    wait "${running[$name]}"
    status=$?
    unset "running[$name]"
    # A stop makes a run invalid as a measurement of its system: 3 is no failure here.
    if ((status != 0 && status != 3)); then
      echo "calibrate.sh: $name failed (status $status)" >&2
      sed 's/^/  /' "$out/$name.err" >&2
      exit 1
    fi
    files+=("$out/$name.json")
  done
  echo "calibrate.sh: $repeat of $repeats done, $((SECONDS - began)) s" >&2
done

"$bin/dp-calibrate" --margin "$margin" --json "${files[@]}" >"$out/calibration.json" || true
table=$("$bin/dp-calibrate" --margin "$margin" "${files[@]}")
status=$?
printf '%s\n' "$table"
if [[ -n $markdown ]]; then
  printf '```\n$ %s\n%s\n```\n' "${made_by% }" "$table" >"$markdown"
fi
exit "$status"
