#!/usr/bin/env bash
# dp-top on a terminal of 80×24 beside a run, and everybody else who may look on: Prometheus, a dozen readers, one that is
# stopped, and hostile ones. The run is accounted for, and dp-collect's memory bounded.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"
top=$DP_BIN/dp-top
most_kib=$((256 * 1024))
grep -qE '__(asan|tsan)_init' "$DP_BIN/dp-collect" && most_kib=$((1024 * 1024)) # a sanitizer keeps what was freed, and more
mkdir "$work/tmp" && export TMPDIR=$work/tmp TERM=xterm
screen() { /usr/bin/python3 "$root/tests/top/screen.py" "$@"; }
ready_says() { sed -n "s/.* $1=\([^ ]*\).*/\1/p" "$2"; }

# ── Before anything runs: what is said of nobody, of terminals that cannot be drawn on, and how one is given back ──
nobody=tcp://127.0.0.1:9
screen "$top" "$nobody" <<END || die "nobody there"
expect listening
expect nothing heard from $nobody for [3-9] s: is dp-collect running\?
send h
expect sort by name, rate, share
send q
end 0
END
screen "$top" "$nobody" <<END || die "Ctrl-C"
expect q quit
signal INT
end 130
END
TERM=dumb screen "$top" "$nobody" <<END || die "a dumb terminal"
expect dp-top: TERM 'dumb': .*--once
end 1
END
"$top" "$nobody" </dev/null >"$work/out" 2>"$work/top.err" && die "drew on no terminal"
grep -q 'this is no terminal: give --once' "$work/top.err" || die "did not say that this is no terminal"
"$top" --once --wait 0s >"$work/out" 2>"$work/top.err" && die "found a run where there is none"
grep -q 'no run of yours on this host' "$work/top.err" || die "did not say that there is no run"
"$top" "$nobody" --once --wait 200ms >"$work/out" 2>"$work/top.err" && die "--once heard somebody"
grep -q "nothing heard from $nobody for [0-9.]* s" "$work/top.err" || die "--once did not say that nothing was heard"

# ── With keys: owners of top keys, and nobody else ──
keys=$work/keys
"$DP_BIN/dp-keygen" --out "$keys" || die "dp-keygen"
"$DP_BIN/dp-collect" --bind tcp://127.0.0.1:0 --live tcp://127.0.0.1:0 --key "$keys/collect.key" --allow "$keys/public" >"$work/none.json" 2>"$work/keyed.err" &
run_pid=$!
wait_for "dp-collect" grep -q READY "$work/keyed.err"
at=$(ready_says live "$work/keyed.err")
"$top" "$at" --once --key "$keys/top.key" --server-key "$keys/public" >"$work/out" || die "the owner of a top key was told nothing"
grep -q 'waiting for peers' "$work/out" || die "not what is published: $(<"$work/out")"
"$top" "$at" --once --wait 3s >"$work/out" 2>"$work/top.err" &
extra_pids+=($!)
wait $! && die "told without keys"
kill -TERM "$run_pid" && wait "$run_pid"
run_pid=''

# ── Without an endpoint: the latest run here, whatever became of the one before; one that looks on is stopped ──
for id in a1 b2; do printf '[collect]\nrun-id = "%s"\n' "$id" >"$work/$id.toml"; done
local_run() { # local_run ID SAMPLES: the command line of a run
  echo "$root/pipelines/run-local.sh" --config "$work/$1.toml" --out "$work/$1.json" --logs "$work/$1" --backend synthetic \
    --rate 1000 --samples "$2" --lock-wait 1min "${synthetic[@]}"
}
first=$(local_run a1 600000) second=$(local_run b2 5000)
screen "$top" <<END || die "dp-top without an endpoint"
expect no run of yours on this host
run $first >/dev/null 2>&1 &
expect run 00000000000000a1  running  0:00:
run kill -KILL \$(cat $work/a1/collect.pid)
expect nothing heard from ipc://
run { $second >/dev/null 2>$work/b2.err; echo \$? >$work/b2.status; } &
expect run 00000000000000b2  running
run $top --json >$work/stopped.ndjson & echo \$! >$work/stopped.pid
run until test -s $work/stopped.ndjson; do sleep 0.05; done; kill -STOP \$(cat $work/stopped.pid)
expect the run is over
send q
end 0
END
extra_pids+=("$(<"$work/stopped.pid")")
SECONDS=0
until [[ -s $work/b2.status ]]; do ((SECONDS < 60)) || die "the run beside a stopped dp-top does not end"; read -rt 0.05 <> <(:); done
status=$(<"$work/b2.status")
check b2 "$accounted" '.samples.completed == 5000' \
  '.valid or (.verdicts | map(select(.ok | not) | .criterion) | . == ["the generator kept to its schedule"])'

# ── --live none wins over a file, and where nothing can be published a run goes on without ──
printf '[collect]\nlive = "auto"\n' >"$work/live.toml"
"$root/pipelines/run-local.sh" --config "$work/live.toml" --live none --logs "$work/quiet" --backend null --rate max --samples 640 \
  "${synthetic[@]}" >"$work/quiet.json" 2>"$work/quiet.err" || (($? == 3)) || die "--live none: $(<"$work/quiet.err")"
grep -q 'live=' "$work/quiet/collect.log" && die "published in spite of --live none"
TMPDIR=$work/no/such "$DP_BIN/dp-collect" --bind tcp://127.0.0.1:0 --live auto >"$work/none.json" 2>"$work/unseen.err" &
run_pid=$!
wait_for "dp-collect without a folder for its socket" grep -q READY "$work/unseen.err"
grep -q 'dp-top cannot watch this run' "$work/unseen.err" || die "nobody said that the run cannot be watched"
kill -TERM "$run_pid" && wait "$run_pid"
run_pid=''
[[ $(cd "$work/tmp/dataparallel-$EUID" && echo *) == '*' ]] || die "sockets are left: $(ls "$work/tmp/dataparallel-$EUID")"

# ── A run, and all who look on ──
launch watched --workers 3 --backend synthetic --service fixed:20ms --rate 2000 --samples 60000 --heartbeat 200ms \
  --live tcp://127.0.0.1:0 --metrics 127.0.0.1:0 "${synthetic[@]}"
wait_for "twenty dispatches" lines_at_least 40 "$work/logs/decisions.ndjson"
at=$(ready_says live "$work/logs/collect.log") metrics=$(ready_says metrics "$work/logs/collect.log")
for n in {1..12}; do
  "$top" "$at" --json >"$work/reader$n.ndjson" 2>"$work/reader$n.err" &
  readers[n]=$!
  extra_pids+=($!)
done
wait_for "the twelfth reader" lines_at_least 1 "$work/reader12.ndjson"
kill -STOP "${readers[1]}"

screen "$top" "$at" <<END || die "dp-top beside a run"
expect running  0:00:[0-9]+  dynamic
expect \*WORKER +HOST +STATE
expect w0 +\S+ +up [\s\S]*w1 +\S+ +up [\s\S]*w2 +\S+ +up
expect offered (19|20)[0-9][0-9] 
send s
expect WORKER .*\*/s
send m
expect \*RSS
send n
expect \*WORKER
send p
expect PAUSED
send p
absent PAUSED
resize 132x40
expect \*WORKER
resize 80x24
run kill -KILL $(<"$work/logs/w1.pid")
expect w1 +\S+ +LOST
expect ! .*dp-infer w1 was lost
save $work/screen.txt
send q
end 0
END
(($(awk '{ print length }' "$work/screen.txt" | sort -n | tail -n 1) <= 80)) || die "wider than the screen"
NO_COLOR=1 screen "$top" "$at" <<END || die "NO_COLOR"
expect running
send q
bare
end 0
END
"$top" "$at" --once >"$work/once.txt" || die "--once"
grep -q '^w1 .* LOST ' "$work/once.txt" || die "--once does not show the lost worker"
"$top" "$at" --once --json >"$work/once.json" || die "--once --json"
jq -e '.schema == "dp.live/1" and .state == "running" and .samples.planned == 60000 and (.workers | length) == 3
  and (.workers | map(.state) | sort) == ["connected", "connected", "lost"] and .strategy == "dynamic"' "$work/once.json" >/dev/null ||
  die "--json says: $(<"$work/once.json")"

completed=$(/usr/bin/python3 "$root/tests/top/metrics.py" "$metrics" 3) || die "metrics"
((completed > 0 && completed <= 60000)) || die "$completed samples"
/usr/bin/python3 "$root/tests/top/hostile.py" http "$(cut -d/ -f3 <<<"$metrics")" 2 >"$work/http" || die "the hostile HTTP client"
/usr/bin/python3 "$root/tests/top/hostile.py" live "${at#tcp://}" 2 >"$work/live" || die "the hostile subscriber"
grep -q 'hung up on: says more than it has reason to' "$work/logs/collect.log" || die "the hostile subscriber was let talk"
kib=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$(<"$work/logs/collect.pid")/status")
[[ -n $kib ]] || die "dp-collect is gone, or the run over already"
echo "dp-collect took $kib KiB at most; hostile bytes: http $(<"$work/http"), live $(<"$work/live")"
((kib < most_kib)) || die "dp-collect took $kib KiB"
"$top" "$at" --once --wait 20s >"$work/once.txt" || die "nobody is told any more after the hostile"

finish
((status == 0 || status == 3)) || die "status $status"
check watched "$accounted" '.samples.completed == 60000' '[.workers[] | select(.lost) | .name] == ["w1"]'
over() { tail -n 1 "$1" | jq -e '.state == "done" and .samples.completed == 60000' >/dev/null 2>&1; }
for n in {2..12}; do
  jq -es 'map(.number) | . == sort and length > 5' "$work/reader$n.ndjson" >/dev/null || die "reader $n was told: $(tail -n 1 "$work/reader$n.ndjson")"
  over "$work/reader$n.ndjson" || die "reader $n was not told of the end: $(tail -n 1 "$work/reader$n.ndjson")"
  kill -INT "${readers[n]}"
  wait "${readers[n]}"
  (($? == 130)) || die "reader $n ended otherwise"
done
kill -KILL "${readers[1]}" && wait "${readers[1]}" 2>/dev/null
echo ok
