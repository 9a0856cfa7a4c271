#!/usr/bin/env bash
# What a sweep takes from CONFIG, the tools' configuration file: reads it by the tools themselves, before anything runs.
# Usage: CONFIG=FILE BIN=build/bin GOALS=streaming sweep-config.sh [NAME]…   (NAME: what make's command line gave a value)
# Writes assignments for make: each variable that the file sets and the command line does not, FROM_FILE (their names
# between commas), CONFIG_SUM, the file's digest, and CONFIG_FILES, what else it names. Status 2 with a line on stderr: no such file, a key that no tool
# knows, or one that the sweep itself sets.
# SPDX-License-Identifier: MIT
set -euo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale

given=" $* "
assignments=() from_file=, files='' bad=0
refuse() { # refuse WHY
  printf 'CONFIG=%s is refused: %s\n' "$CONFIG" "$1" >&2
  bad=1
}
goal() { # goal NAME…: is one of them asked for
  local name
  for name in "$@"; do [[ " $GOALS " != *" $name "* ]] || return 0; done
  return 1
}

# What make reads again must mean nothing else to it.
plain='^[A-Za-z0-9._/+@:,%~][A-Za-z0-9._/+@:,%~-]*$'
take() { # take VARIABLE KEY VALUE PLACE
  [[ $given != *" $1 "* ]] || return 0
  from_file+=$1,
  if [[ $3 =~ $plain ]]; then
    assignments+=("$1:=$3")
  else
    refuse "$4: $2 = '$3': in a sweep, letters, digits and ._/+@:,%~- only, and no - first"
  fi
}
take_file() { # take_file KEY VALUE PLACE
  [[ $2 =~ $plain ]] || refuse "$3: $1 = '$2': in a sweep, letters, digits and ._/+@:,%~- only, and no - first"
  files+=" $2"
}
keep_out() { refuse "$2: a sweep sets '$1' itself ($3); take the line out"; } # keep_out KEY PLACE WHY

entry() { # entry TOOL.KEY VALUE PLACE
  local key=${1#*.}
  case $1 in
    stream.rate)
      if goal matrix; then keep_out rate "$3" "matrix measures as fast as possible"
      elif goal rates; then keep_out rate "$3" "give RATES="
      elif goal peak; then keep_out rate "$3" "peak searches it"
      else take RATE rate "$2" "$3"; fi ;;
    stream.concurrency) keep_out "$key" "$3" "it measures at rates" ;;
    stream.samples) take SAMPLES "$key" "$2" "$3" ;;
    stream.batch-size) take BATCH "$key" "$2" "$3" ;;
    stream.layout) take SHARDS "$key" "${2#shards:}" "$3" ;;
    stream.payload) take PAYLOAD "$key" "$2" "$3" ;;
    stream.data) take DATA "$key" "$2" "$3" ;;
    stream.seed) take SEED "$key" "$2" "$3" ;;
    route.strategy)
      if goal streaming matrix rates peak plan; then keep_out strategy "$3" "give STRATEGIES= or STRATEGY="
      else take STRATEGY strategy "$2" "$3"; fi ;;
    route.workers)
      if goal streaming plan matrix; then keep_out workers "$3" "give NODES=, or WORKERS= to matrix"
      else take WORKERS workers "$2" "$3"; fi ;;
    infer.backend) take BACKEND "$key" "$2" "$3" ;;
    infer.model) take MODEL "$key" "$2" "$3" ;;
    infer.threads) take THREADS "$key" "$2" "$3" ;;
    infer.credit) take CREDIT "$key" "$2" "$3" ;;
    infer.service) take SERVICE "$key" "$2" "$3" ;;
    infer.name) keep_out "$key" "$3" "each worker has its own" ;;
    collect.warmup) take WARMUP "$key" "$2" "$3" ;;
    infer.weights) take_file "$key" "$2" "$3" ;;
    collect.expected)
      from_file+=EXPECTED,
      take_file "$key" "$2" "$3" ;;
    collect.slo) if goal peak; then keep_out slo "$3" "give SLO="; fi ;;
    collect.out | collect.journal | collect.events | collect.trace | collect.predictions | collect.run-id | route.decisions)
      keep_out "$key" "$3" "each run has its own" ;;
    summarize.price-per-node-hour) take PRICE "$key" "$2" "$3" ;;
  esac
}

# A name that make or a shell would take apart is no name here.
[[ $CONFIG =~ ^[A-Za-z0-9._/+@][A-Za-z0-9._/+@-]*$ ]] || { refuse "give a file, without spaces"; exit 2; }
goal streaming matrix single rates repeat audit peak plan ||
  { refuse "only streaming, matrix, single, rates, repeat, audit, peak and plan take a file"; exit 2; }
[[ -f $CONFIG && -r $CONFIG ]] || { refuse "no such file, or it cannot be read"; exit 2; }
for tool in stream route infer collect summarize; do
  [[ -x $BIN/dp-$tool ]] ||
    { refuse "$BIN/dp-$tool reads it and is not there (run: make -f Makefile.bench build)"; exit 2; }
  in_force=$("$BIN/dp-$tool" --config "$CONFIG" --print-config) || { refuse "see above"; exit 2; }
  while IFS= read -r line; do
    [[ $line =~ ^([a-z-]+)\ =\ \"?(.*[^\"])\"?\ \ #\ (.*)$ && ${BASH_REMATCH[3]} != default ]] || continue
    entry "$tool.${BASH_REMATCH[1]}" "${BASH_REMATCH[2]}" "${BASH_REMATCH[3]}"
  done <<<"$in_force"
done
((bad == 0)) || exit 2
echo "FROM_FILE:=$from_file" "CONFIG_SUM:=$(sha256sum <"$CONFIG" | cut -c 1-64)" "${files// / CONFIG_FILES+=}" "${assignments[@]}"
