#!/usr/bin/env bash
# --events, --trace and --slo as their user meets them: what stands there agrees with the report by other people's
# arithmetic, a killed and restarted dp-collect goes on with it, and a reader that leaves or a full disk harms nothing.
# SPDX-License-Identifier: MIT
# Ports below the ephemeral range, on a loopback of its own: see failures.sh.
((EUID == 0)) && own=(unshare -n) || own=(unshare -rn)
if [[ -z ${DP_OWN_LOOPBACK:-} ]] && "${own[@]}" ip link set lo up 2>/dev/null; then
  # shellcheck disable=SC2016  # for the inner shell
  DP_OWN_LOOPBACK=1 exec "${own[@]}" bash -c 'ip link set lo up && exec bash "$0"' "${BASH_SOURCE[0]}"
fi
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"
quick=(--backend synthetic --service fixed:2ms --rate max --heartbeat 200ms "${synthetic[@]}")
check_trace() { "$root/tests/trace/check_trace.py" "$@"; }

# agree EVENTS REPORT: each batch once, and the report's figures come out of the lines: sums exactly, percentiles by
# nearest rank within the 0.05 % of the histogram.
agree() {
  jq -en --slurpfile report "$2" '
    def near($a; $b): (($a - $b) | fabs) <= 0.0005 * $b + 1e-9;
    def rank($p): .[((length * $p - 1e-9) | ceil) - 1];
    $report[0] as $r | [inputs] as $all | [$all[] | select(.type == "batch")] as $b |
    ($b | map(.latency_ms) | sort) as $latency | ($r.batch_latency_ms) as $wanted |
    ($b | length) == $r.batches.completed and ($b | map(.id) | unique) == [range($r.batches.announced)] and
    ($b | map(.seq)) == [range($r.batches.announced)] and ($b | map(.samples) | add) == $r.samples.completed and
    all($b[]; .status == "ok" and .scheduled_ms <= .released_ms and .released_ms <= .sent_ms and .sent_ms <= .routed_ms
      and .routed_ms <= .received_ms and .received_ms <= .started_ms and .started_ms <= .done_ms
      and .done_ms <= .collected_ms) and
    near($wanted.mean; ($latency | add / length)) and near($wanted.max; $latency[-1]) and
    near($wanted.p50; ($latency | rank(0.5))) and near($wanted.p95; ($latency | rank(0.95))) and
    near($wanted.p99; ($latency | rank(0.99))) and
    near($r.stages_ms.compute.mean; ($b | map(.done_ms - .started_ms) | add / length)) and
    ([$r.workers[] | {name, batches}] | sort) == ([$b | group_by(.worker)[] | {name: .[0].worker, batches: length}] | sort)
    and ($all[0].run_id == $r.run_id)' "$1" >/dev/null
}

# ── a whole run: the lines, the trace and the report say the same, and the objectives are judged ──
run whole --workers 2 --samples 12800 "${quick[@]}" --events "$work/whole.ndjson" --trace "$work/whole.trace.json" \
  --slo p50=1ms,p50=1min,p99.9=1min,throughput=1
((status == 3)) || die "a missed objective: status $status, wanted 3"
check whole "$accounted" '.valid' '[.slo[].ok] == [false, true, false, true]' \
  '.slo[0].criterion == "SLO p50 <= 1 ms"' '.slo[2].observed | contains("not supported by 400 batches")' \
  '.config.collect.slo == "p50=1ms,p50=1min,p99.9=1min,throughput=1"'
grep -q 'missed: SLO p50 <= 1 ms' "$work/whole.err" || die "nothing was said of the missed objective"
agree "$work/whole.ndjson" "$work/whole.json" || die "the lines do not agree with the report"
check_trace "$work/whole.trace.json" "$work/whole.ndjson" || die "the trace"
[[ ! -e $work/whole.trace.json.part ]] || die "an unfinished trace is left"

# The questions of docs/watching.md have answers.
cp "$work/whole.ndjson" "$work/events.ndjson"
mapfile -t questions < <(grep '^jq ' "$root/docs/watching.md")
((${#questions[@]} == 3)) || die "${#questions[@]} questions in docs/watching.md"
for question in "${questions[@]}"; do
  (cd "$work" && eval "$question") >"$work/answer" || die "no answer to: $question"
  wc -l <"$work/answer"
done >"$work/lengths"
[[ $(head -n 2 "$work/lengths" | tr '\n' ' ') == "10 2 " ]] || die "not ten batches and two workers: $(<"$work/lengths")"
grep -q '"batches":[1-9]' "$work/answer" || die "no batch was ever under way: $(<"$work/answer")"

# The checks see what they are there to see.
sed '5{s/"seq":3/"seq":4/}' "$work/whole.ndjson" >"$work/wrong.ndjson"
agree "$work/wrong.ndjson" "$work/whole.json" && die "a wrong line agrees"
jq -c '(first(.[] | select(.ph == "X")) | .dur) += 1000' "$work/whole.trace.json" >"$work/wrong.json"
check_trace "$work/wrong.json" "$work/whole.ndjson" 2>/dev/null && die "a wrong trace is taken"

# ── a reader that leaves, and a full disk: the run is whole, and says so ──
status=0
"$root/pipelines/run-local.sh" --out "$work/pipe.json" --samples 12800 "${quick[@]}" --events - 2>"$work/pipe.err" |
  head -n 3 >"$work/pipe.ndjson" || status=$?  # leaves early on purpose
((PIPESTATUS[0] == 0 && status == 0)) || die "a closed pipe: status $status"
[[ $(jq -r .type "$work/pipe.ndjson" | tr '\n' ' ') == "run batch batch " ]] || die "not what a reader wants: $(<"$work/pipe.ndjson")"
check pipe "$accounted" '.valid' '[.events[].what | select(contains("stdout: Broken pipe"))] | length == 1'
[[ $(grep -c 'Broken pipe' "$work/pipe.err") == 1 ]] || die "warned more or less than once"
run full --samples 640 "${quick[@]}" --events /dev/full
((status == 0)) || die "a full disk: status $status"
check full "$accounted" '[.events[].what | select(contains("/dev/full: No space left"))] | length == 1'

# ── killed and restarted: appended, no batch twice, a torn line mended, the trace whole ──
collect=("$DP_BIN/dp-collect" --heartbeat 200ms --out "$work/resumed.json" --events "$work/resumed.ndjson"
  --trace "$work/resumed.trace.json")
kill_ledger "some lines while the run lasts" lines_at_least 50 "$work/resumed.ndjson"
cp "$work/resumed.ndjson" "$work/before.ndjson"
printf '{"type":"batch","id":' >>"$work/resumed.ndjson"
"${collect[@]}" 2>"$work/resumed.err"
status=$?
((status == 3)) || die "resumed: status $status, wanted 3"
check resumed "$accounted" '.batches.completed == 400'
cmp -n "$(stat -c %s "$work/before.ndjson")" "$work/before.ndjson" "$work/resumed.ndjson" || die "lines were changed"
agree "$work/resumed.ndjson" "$work/resumed.json" || die "resumed: the lines do not agree with the report"
grep -q '"type":"event".*dp-collect was restarted' "$work/resumed.ndjson" || die "no line of the restart"
check_trace "$work/resumed.trace.json" "$work/resumed.ndjson" || die "resumed: the trace"
echo ok
