#!/usr/bin/env bash
# Refuses bad values before anything runs: one line on stderr for each, naming what is allowed; status 2.
# Usage: GOALS=streaming NODES=1,2 … sweep-check.sh [NAME]…   (NAME: what make's command line gave a value)
# SPDX-License-Identifier: MIT
set -euo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale

bad=0
# What CONFIG says the tools have checked; only what the sweep itself reckons with must be plain.
in_file() { [[ $FROM_FILE == *",$1,"* ]]; }
refuse() { # refuse NAME VALUE ALLOWED
  local from=''
  ! in_file "$1" || from=" (from $CONFIG)"
  printf '%s=%s%s is refused: %s\n' "$1" "$2" "$from" "$3" >&2
  bad=1
}

is_count() { # is_count VALUE LOW HIGH
  [[ $1 =~ ^(0|[1-9][0-9]{0,9})$ ]] && (($1 >= $2 && $1 <= $3))
}

count() { # count NAME LOW HIGH [also allowed]
  [[ -n ${4-} && ${!1} == "$4" ]] || is_count "${!1}" "$2" "$3" ||
    refuse "$1" "${!1}" "a whole number from $2 to $3${4:+ or $4}"
}

choice() { # choice NAME ALLOWED…
  local name=$1 value
  shift
  for value in "$@"; do [[ ${!name} != "$value" ]] || return 0; done
  refuse "$name" "${!name}" "one of: $*"
}

# Splits a comma-separated list into `items`; an empty item, as in "1,,2" or "1,", stays visible.
split() { IFS=, read -ra items <<<"$1,"; }

counts() { # counts NAME LOW HIGH
  local item items
  split "${!1}"
  for item in "${items[@]}"; do
    is_count "$item" "$2" "$3" && continue
    refuse "$1" "${!1}" "whole numbers from $2 to $3, separated by commas, as in 1,2,4"
    return 0
  done
}

# dp-route knows which there are; as long as it is not built they must look like some.
strategies() { # strategies NAME
  local item items problem
  split "${!1}"
  for item in "${items[@]}"; do
    if [[ ! $item =~ ^[a-z0-9-]+(:[a-z0-9]+=[a-z0-9.]+)*$ ]]; then
      refuse "$1" "${!1}" "strategies separated by commas, as in uniform,jsq:d=3"
      return 0
    elif "$BIN/dp-route" --list-strategies >/dev/null 2>&1; then
      problem=$("$BIN/dp-route" --list-strategies --strategy "$item" 2>&1 >/dev/null) && continue
      refuse "$1" "${!1}" "${problem#*: }"
      return 0
    fi
  done
}

pattern() { # pattern NAME REGEX ALLOWED
  [[ ${!1} =~ ^($2)$ ]] || refuse "$1" "${!1}" "$3"
}

duration='[0-9]+(\.[0-9]+)?(ns|us|ms|s)'
path='[A-Za-z0-9._/+@][A-Za-z0-9._/+@-]*'

counts NODES 1 256
if [[ " $GOALS " =~ \ (single|repeat|audit|peak|rates)\  ]]; then count WORKERS 1 256; else counts WORKERS 1 256; fi
strategies STRATEGIES
[[ $STRATEGY != *,* ]] || refuse STRATEGY "$STRATEGY" "one strategy"
strategies STRATEGY
count RATE 1 10000000 max
counts RATES 1 10000000
count SAMPLES 1 1000000000
in_file BATCH || count BATCH 1 4096
count ITERATIONS 1 1000
in_file MODEL || choice MODEL resnet18 resnet18-cifar
count THREADS 1 256
count REPEATS 8 64
[[ -z $WAIT || $WAIT == 0 ]] || pattern WAIT '[0-9]{1,6}(s|min|h)' "how long to wait for another who measures here, as in 10min"
pattern WARMUP "$duration" "a time, as in 2s"
pattern SLO '(p50|p90|p95|p99|p999|p99\.9|mean|max)=[0-9]+(\.[0-9]+)?(ns|us|ms|s)' "a latency to keep, as in p99=50ms (p50, p90, p95, p99, p99.9, mean or max)"
if [[ " $GOALS " =~ \ (repeat|audit|peak)\  && $RATE == max ]]; then refuse RATE max "a number: $GOALS measures at a rate and as fast as possible"; fi
in_file SHARDS || count SHARDS 1 65536
choice PAYLOAD inline reference
choice BACKEND torch null synthetic
pattern SERVICE "(fixed|exp):$duration" "a distribution and a time per batch, as in fixed:5ms or exp:500us"
[[ -z $CREDIT ]] || count CREDIT 1 65536
[[ -z $PRICE ]] || pattern PRICE '[0-9]{1,9}(\.[0-9]+)?' "what an hour of a node costs, a number such as 0.4"
count SEED 0 2147483647
choice DEPS auto skip
count JOBS 1 1024
is_count "$GIVEN_SECONDS" 1 1000000 || refuse SECONDS "$GIVEN_SECONDS" "a whole number from 1 to 1000000"
count SEEDS 1 1000000000000
count FIRST 0 1000000000000
for name in KILLS DOUBLE CUTS; do count "$name" 0 1000000; done
choice TORN all some
pattern RESULTS "$path" "a folder, without spaces"
pattern BIN "$path" "a folder, without spaces"
pattern RUN_LOCAL "$path" "a script, without spaces"
in_file DATA || pattern DATA "$path|synthetic:[1-9][0-9]*x[1-9][0-9]*x[1-9][0-9]*" "a file, without spaces, or synthetic:CxHxW"
if [[ $DATA == synthetic:* && $BACKEND == torch ]]; then
  refuse DATA "$DATA" "BACKEND=torch needs pictures, as in data/cifar10/test_batch.bin"
elif ! in_file DATA && [[ ! $DATA =~ ^(synthetic:.*|data/cifar10/(test_batch|data_batch_[1-5])\.bin)$ && ! -f $DATA ]]; then
  refuse DATA "$DATA" "no such file (data/cifar10/test_batch.bin and data_batch_1 to 5 can be fetched)"
fi

for name in "$@"; do
  [[ " $VARIABLES " == *" $name "* ]] || refuse "$name" "…" "no such variable; there are: $VARIABLES"
done
((bad == 0)) || exit 2
