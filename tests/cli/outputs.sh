#!/usr/bin/env bash
# What every tool does with where its output goes: a full disk, a limit on file sizes, a closed or broken stdout, devices,
# pipes and links, places that cannot be written. Each part loops over all tools that share the kind.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/cli/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
cd "$scratch" || exit 1
mkdir tmp && export TMPDIR=$scratch/tmp
script=$source_dir/pipelines/run-local.sh
RL=(env "DP_BIN=$bin" "$script" --live none --backend null --data synthetic:3x4x4 --rate max --layout sequential --samples 640)
tools=()
for source in "$source_dir"/tools/*.cpp; do tools+=("$(basename "$source" .cpp)"); done
# to FILE COMMAND…: run, with stdout elsewhere.
to() {
  local file=$1
  shift
  command="$* >$file"
  : >out
  timeout 60 "$@" >"$file" 2>err </dev/null
  status=$?
}
# needs TEXT COMMAND…: refused with status 1, the text on stderr, before anything was ready.
needs() {
  local text=$1
  shift
  run "$@"
  expect_status 1
  expect_line err "$text"
  ! grep -q READY err || fail "found out after READY"
}

# Files to work with: a good run, a sheet of images, a calibration's run.
run "${RL[@]}" --out good.json --decisions good.decisions --events good.ndjson --predictions good.u8
expect_status 0
mkdir audit && for n in {1..8}; do jq --arg n "$n" '.run_id = "a" + $n' good.json >"audit/$n.json"; done
base64 -di >sheet.png <<<'iVBORw0KGgoAAAANSUhEUgAABAAAAAACAQAAAADu4ZM2AAAAD0lEQVR42mNgGGjwf4ABACKif4GOCScwAAAAAElFTkSuQmCC'
echo '[3, 8]' >labels.json
run env "DP_BIN=$bin" "$script" --live none --backend synthetic --service exp:1ms --credit 1 --data synthetic:3x4x4 \
  --batch-size 1 --rate 400 --arrivals poisson --samples 40 --out cal.json --decisions cal.decisions
[[ -s cal.json && -s cal.decisions ]] || fail "no run for dp-calibrate"
printf '[route]\ndispatcher-trace = "trace"\n' >traced.toml
run "${RL[@]}" --config traced.toml --out second.json --journal kept.journal
expect_status 0
run "${RL[@]}" --out /dev/full --journal unwritten.journal
expect_status 1

# ── stdout is full, closed, or its reader has left ──
# What each tool prints when it works.
printing=("dp-audit audit" "dp-calibrate cal.json" "dp-doctor" "dp-plot --list" "dp-replay trace"
  "dp-summarize --streaming tables good.json")
for tool in "${tools[@]}"; do printing+=("$tool --help"); done
printing+=("dp-stream --version" "dp-stream --print-config")
for line in "${printing[@]}"; do
  read -ra words <<<"$line"
  words[0]=$bin/${words[0]}
  to /dev/full "${words[@]}"
  expect_status 1
  expect_line err "$(basename "${words[0]}"): stdout: No space left on device"
done
to /dev/full "${RL[@]}"
expect_status 1
expect_line err "dp-collect: stdout: No space left on device"
for line in "dp-collect --help" "dp-doctor" "dp-audit audit"; do
  read -ra words <<<"$line"
  "$bin/${words[0]}" "${words[@]:1}" >&- 2>err
  status=$?
  expect_status 1
  expect_line err "stdout: Bad file descriptor"
done
# As `| head`: quietly, by SIGPIPE. The reader has left before the tool begins.
for line in "dp-collect --help" "dp-audit audit"; do
  read -ra words <<<"$line"
  exec {pipe}> >(:)
  wait "$!"
  command="$line, its reader gone"
  env --default-signal=PIPE "$bin/${words[0]}" "${words[@]:1}" 1>&"$pipe" 2>err
  status=$?
  exec {pipe}>&-
  expect_status 141
  expect_empty err
done

# ── descriptors 0 to 2 are nobody's: what tools say does not land in a file ──
# A journal whose run is over: its report is written again, and a warning says so.
for fds in '<&-' '2>&-' '<&- >&- 2>&-'; do
  rm -f m.ev m.json d.ndjson
  command="dp-collect $fds"
  eval '"$bin/dp-collect" --bind tcp://127.0.0.1:0 --journal kept.journal --out m.json --events m.ev 2>err' "$fds"
  [[ -s m.json && -s m.ev ]] || fail "no report, or no events"
  while read -r row; do jq -e . <<<"$row" >/dev/null 2>&1 || fail "not JSON in --events: $row"; done <m.ev
  command="dp-route $fds"
  eval '"$bin/dp-route" --stream-bind tcp://127.0.0.1:0 --worker-bind tcp://127.0.0.1:0 --collect tcp://127.0.0.1:9 \
    --wait 100ms --decisions d.ndjson 2>err' "$fds"
  [[ ! -s d.ndjson ]] || fail "not a decision: $(<d.ndjson)"
done

# ── a limit on file sizes is an error like a full disk, and leaves no part of a report ──
# limited COMMAND…
limited() {
  mkdir -p capped
  command="ulimit -f 1; $*"
  (ulimit -f 1 && exec timeout 60 "$@") 2>err </dev/null | cat >out  # stdout is no file
  status=${PIPESTATUS[0]}
  expect_status 1
  expect_line err capped "File too large"
}
limited "${RL[@]}" --journal none --out capped/run.json
limited "${RL[@]}" --decisions capped.decisions
limited "$bin/dp-summarize" --streaming capped/tables good.json second.json
limited "$bin/cifar10-from-png" sheet.png labels.json 0 2 capped/two.bin
left=$(find capped -name '*.tmp' -o -name run.json -o -name two.bin -o -name detailed_results.json)
[[ -z $left ]] || fail "parts are left: $left"
(ulimit -f 1 && exec "${RL[@]}" --events capped.ndjson >/dev/null 2>err) || fail "--events: harmed the run"
expect_line err "capped.ndjson: File too large"
(ulimit -f 1 && exec "$bin/dp-collect" --help >help 2>err)
status=$?
expect_status 1
expect_line err "stdout: File too large"

# ── devices, pipes and links: written to and followed, never replaced ──
# Devices by links, so that a mistake spares the machine: where the link is replaced, so would be the device.
ln -s /dev/full full && ln -s /dev/null null
still() { [[ -L $1 && -c $1 ]] || fail "$1 was replaced"; }
outputs=(--out --predictions --events --trace --decisions)
# all_to PREFIX: run, each output in a file of its own.
all_to() {
  local output places=()
  for output in "${outputs[@]}"; do places+=("$output" "$1$output"); done
  run "${RL[@]}" "${places[@]}"
}
for output in "${outputs[@]}"; do
  ln -s /dev/null "null$output" && ln -s "real$output" "link$output"
  mkfifo "pipe$output"
  cat "pipe$output" >"read$output" &
  readers+=($!)
done
all_to null
expect_status 0
all_to link  # that leads to what is not there yet
expect_status 0
all_to pipe
expect_status 0
wait "${readers[@]}"
for output in "${outputs[@]}"; do
  still "null$output"
  [[ -L link$output && -s real$output ]] || fail "$output: the link was replaced"
  [[ -p pipe$output && -s read$output ]] || fail "$output: no pipe any more, or nothing came through"
done
for output in --out --predictions --decisions; do
  others=(--out there.json)
  [[ $output != --out ]] || others=()
  rm -f there.json{,.journal}
  run "${RL[@]}" "${others[@]}" "$output" full
  expect_status 1
  expect_line err "full: No space left on device"
  [[ $output == --out ]] || jq -e '.samples.completed == 640' there.json >/dev/null || fail "and no report"
done
# A log that cannot be written is not worth the run: it goes on for a second, and says so at its end.
run "${RL[@]}" --backend synthetic --service fixed:50ms --out there.json --decisions full --logs logs
expect_status 1
expect_line err "full: No space left on device" "the log is not whole"
grep -q "routing goes on" logs/route.log || fail "found out at the end only"
jq -e '.valid and .samples.completed == 640' there.json >/dev/null || fail "the run did not go on"
run "${RL[@]}" --events full --trace full  # told in the report: the run is worth more
expect_status 0
expect_line err "full: No space left on device"
still full
[[ ! -e null--out.journal && ! -e pipe--out.journal ]] || fail "a journal beside a device"
jq -e '.samples.completed == 640' read--out >/dev/null || fail "the report did not come through the pipe"
jq -es '[.[] | select(.type == "batch")] | length == 20' read--events >/dev/null || fail "not a line for each of 20 batches"
jq -e 'length > 20' read--trace >/dev/null || fail "the trace did not come through whole"
jq -es '[.[] | select(.what == "dispatch")] | length == 20' read--decisions >/dev/null || fail "not 20 dispatches"
cmp read--predictions good.u8 || fail "the predictions did not come through"
# Where stdout goes: after what is there, and nothing is written over.
run "${RL[@]}" --out /dev/stdout
expect_status 0
jq -e .valid out >/dev/null || fail "no report on /dev/stdout"
timeout 60 "${RL[@]}" --out /dev/stdout 2>err | cat >out
jq -e .valid out >/dev/null || fail "no report through /dev/stdout, a pipe"
for output in "${outputs[@]}"; do
  echo '"kept"' >appended
  others=(--out other.json)
  [[ $output != --out ]] || others=()
  command="$output /dev/stdout >>appended"
  "${RL[@]}" "${others[@]}" "$output" /dev/stdout >>appended 2>err </dev/null
  status=$?
  expect_status 0
  [[ $(head -c 6 appended) == '"kept"' && $(stat -c %s appended) -gt 100 ]] || fail "cut off what was there"
  [[ $output == --predictions ]] || jq -es . appended >/dev/null || fail "not JSON: $(<appended)"
done
modules=$PWD/vega/node_modules  # stand-ins for the libraries and renderers of pictures
for library in vega vega-lite vega-embed; do
  mkdir -p "$modules/$library/build" && : >"$modules/$library/build/$library.min.js"
done
mkdir "$modules/.bin"
for program in vl2svg vl2png; do printf '#!/bin/sh\ncat\n' >"$modules/.bin/$program" && chmod +x "$modules/.bin/$program"; done
run "$bin/dp-plot" --vega vega --html same.html good.json
expect_status 0
[[ $(<out) == same.html ]] || fail "the page's name is not told"
for more in "" "--out pictures"; do
  read -ra words <<<"$more"
  echo "<!-- before -->" >page.html
  command="dp-plot $more --html /dev/stdout >>page.html"
  "$bin/dp-plot" --vega vega "${words[@]}" --html /dev/stdout good.json >>page.html 2>err || fail "no page"
  { echo "<!-- before -->" && cat same.html; } | cmp - page.html || fail "another page than in a file"
done
ln -s /dev/full table
mkdir tables2 && ln -s ../table tables2/averaged_results.csv
run "$bin/dp-summarize" --streaming tables2 good.json
expect_status 1
expect_line err "averaged_results.csv" "No space left"
[[ -L tables2/averaged_results.csv && -L table ]] || fail "a table replaced a link"
ln -s there two.bin
run "$bin/cifar10-from-png" sheet.png labels.json 0 2 two.bin
expect_status 0
[[ -L two.bin && $(stat -c %s there) == 6146 ]] || fail "the link was not followed"
mkdir elsewhere keys && ln -s ../elsewhere/infer.key keys/infer.key
run "$bin/dp-keygen" --out keys --force
expect_status 0
[[ -L keys/infer.key && $(stat -c %a elsewhere/infer.key) == 600 ]] || fail "the key's link was not followed"

# ── a pipe that nobody reads: told within a second, and the run goes on ──
mkfifo nobody nobody--events nobody--trace nobody--decisions
"${RL[@]}" --out unread.json --logs logs --events nobody--events --trace nobody--trace --decisions nobody--decisions \
  --backend synthetic --service fixed:100ms --samples 1280 >out 2>err </dev/null &
started=($!)
command="outputs to pipes that nobody reads"
for output in --events --trace --decisions; do
  if [[ $output == --decisions ]]; then tool=route; else tool=collect; fi
  wait_until 20 "$output is told" grep -qs "nobody$output: nobody reads it" "logs/$tool.log"
done
[[ ! -e unread.json ]] || fail "told only when the run was over"
readers=()
for output in --events --trace --decisions; do
  cat "nobody$output" >"late$output" &
  readers+=($!)
done
wait "${started[0]}"
status=$?
started=()
expect_status 0
wait "${readers[@]}"
jq -es '[.[] | select(.type == "batch")] | length == 40' late--events >/dev/null || fail "the late reader got less than all events"
jq -e 'length > 40' late--trace >/dev/null || fail "the late reader got less than the trace"
jq -es '[.[] | select(.what == "dispatch")] | length == 40' late--decisions >/dev/null || fail "the late reader got less than all decisions"
for output in --out --predictions; do
  run "${RL[@]}" --journal none "$output" nobody
  expect_status 1
  expect_line err "nobody: nobody reads it"
done

# ── two of them in one file, by links that lead nowhere yet ──
ln -s nowhere one && ln -s "$PWD/nowhere" two
for two in nowhere one two; do
  run "$bin/dp-collect" --bind tcp://127.0.0.1:0 --out one --events "$two"
  expect_status 2
  expect_line err "--events '$two': that is where --out goes"
done

# ── places that cannot be written are found out before anything is ready, and nothing is changed ──
: >file && mkdir -p dir/averaged_results.csv dir/combined_results.csv dir/public dir/infer-x.key dir/two.bin
cp -r dir before
for output in --out --predictions --trace --events; do
  for place in dir file/run.json /proc/none; do
    needs "$place" "$bin/dp-collect" --bind tcp://127.0.0.1:0 --wait 100ms --journal none "$output" "$place"
  done
done
for place in dir file/d /proc/none; do
  needs "--decisions $place" "$bin/dp-route" --stream-bind tcp://127.0.0.1:0 --worker-bind tcp://127.0.0.1:0 --decisions "$place"
  needs "$place" "$bin/cifar10-from-png" missing.png missing.json 0 2 "$place"
done
needs "dir/averaged_results.csv" "$bin/dp-summarize" --streaming dir --matrix elsewhere good.json
needs "dir/combined_results.csv" "$bin/dp-summarize" --streaming other --matrix dir good.json
[[ ! -e other && ! -e elsewhere/combined_results.csv ]] || fail "some tables were written"
needs "dir/public" "$bin/dp-keygen" --out dir --force
needs ".svg: Not a directory" "$bin/dp-plot" --out file good.json
needs "dir" "$bin/dp-plot" --html dir good.json
diff -r dir before >/dev/null || fail "something was changed: $(diff -r dir before)"
[[ -z $(find . -name '*.tmp' -o -name '*.part') ]] || fail "something is left: $(find . -name '*.tmp' -o -name '*.part')"

# ── a journal goes when the report is safe, and only a journal ──
echo "buy milk" >notes.txt
run "${RL[@]}" --journal notes.txt
expect_status 1
expect_line err "notes.txt" "not a journal"
[[ $(<notes.txt) == "buy milk" ]] || fail "the user's file was changed"
cp notes.txt run.json.journal
run "${RL[@]}" --out run.json
expect_status 1
[[ $(<run.json.journal) == "buy milk" ]] || fail "the user's file beside the report was changed"
cp notes.txt none
run "${RL[@]}" --journal none
expect_status 0
[[ $(<none) == "buy milk" ]] || fail "a file called none was changed"
# A report that is in the journal alone is brought back, once, not thrown away.
first=$("$bin/dp-collect" --bind tcp://127.0.0.1:0 --journal unwritten.journal --out /dev/full 2>&1 |
  sed -n 's/.*this is the report of run \([0-9a-f]*\).*/\1/p')
[[ -n $first ]] || fail "no report in the journal"
cp unwritten.journal lost.json.journal && cp unwritten.journal piped.journal
run "${RL[@]}" --out lost.json
expect_status 1
expect_line err "brought back the report of the run before"
[[ $(jq -r .run_id lost.json) == "$first" && ! -e lost.json.journal ]] || fail "not the report of the run before"
run "${RL[@]}" --samples 64 --journal unwritten.journal --out named.json
expect_status 1
expect_line err "named.json: brought back the report of the run before"
[[ $(jq -r '"\(.run_id) \(.samples.completed)"' named.json) == "$first 640" ]] || fail "not the report of the run before"
run "${RL[@]}" --samples 64 --journal piped.journal
expect_status 1
[[ $(jq -r .run_id out) == "$first" ]] || fail "not the report of the run before on stdout"
for to in "--out named.json" ""; do
  read -ra words <<<"$to"
  run "${RL[@]}" --samples 64 --journal piped.journal "${words[@]}"
  expect_status 0
done
jq -e '.samples.completed == 64' out named.json >/dev/null || fail "brought back twice"
# Nothing of it goes before the new run begins.
cp kept.journal same.journal
"$bin/dp-collect" --bind tcp://127.0.0.1:0 2>holder >/dev/null </dev/null &
started=($!)
wait_until 20 "a port is taken" grep -qs READY holder
needs "ddress already in use" "$bin/dp-collect" --anew --bind "$(sed -n 's/.*READY bind=\([^ ]*\).*/\1/p' holder)" --journal kept.journal --out anew.json
kill "${started[0]}" && wait "${started[0]}"
started=()
run "$bin/dp-collect" --anew --bind tcp://127.0.0.1:0 --wait 100ms --journal kept.journal --out anew.json
expect_status 1
cmp kept.journal same.journal || fail "emptied, and no run began"
first=$(jq -r .run_id second.json)
# A journal with a name is begun anew.
run "${RL[@]}" --journal kept.journal --out kept.json
expect_status 0
[[ $(jq -r .run_id kept.json) != "$first" ]] || fail "the run before was gone on with"
"$source_dir/tests/journal/check_journal.py" kept.journal kept.json >out || fail "the journal is not of the new run"

# ── no temporary folder ──
mkdir here && cd here || exit 1
run env TMPDIR=/nonexistent "${RL[@]}"
expect_status 1
expect_line err "TMPDIR=/nonexistent"
expect_empty out
[[ -z $(ls -A) && ! -e /collect.log && ! -e /collect.pid ]] || fail "something was written"
cd ..
run "${RL[@]}" --logs file/logs
expect_status 1
expect_line err "file/logs"

wait_until 10 "all processes have ended" nothing_left
echo ok
