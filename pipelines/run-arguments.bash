# What every run of a sweep is given, whoever measures it. Sourced; reads the variables of Makefile.bench.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034  # read by the script that sources this

# A strategy in the name of a file, which make must take for one: jsq:d=3 is jsq+d_3 there.
in_name() { local name=${1//:/+}; echo "${name//=/_}"; }
strategy_in() { local strategy=${1//+/:}; echo "${strategy//_/=}"; }

in_file() { [[ $FROM_FILE == *",$1,"* ]]; } # in_file VARIABLE: CONFIG sets it, and the tools read it there

# give VARIABLE OPTION…: unless CONFIG says it.
give() { in_file "$1" || arguments+=("${@:2}"); }

# run_arguments OPTION…: leaves in `arguments` what run-local.sh is called with: the options and what all runs share.
run_arguments() {
  arguments=("$@" --samples "$SAMPLES")
  if [[ -n $CONFIG ]]; then
    [[ $(sha256sum <"$CONFIG") == "$CONFIG_SUM "* ]] ||
      { echo "CONFIG=$CONFIG has changed since make read it; call make again" >&2; exit 1; }
    arguments+=(--config "$CONFIG")
  fi
  give BATCH --batch-size "$BATCH"
  give SHARDS --layout "shards:$SHARDS"
  give PAYLOAD --payload "$PAYLOAD"
  give BACKEND --backend "$BACKEND"
  give MODEL --model "$MODEL"
  give THREADS --threads "$THREADS"
  give DATA --data "$DATA"
  [[ -z $CREDIT ]] || give CREDIT --credit "$CREDIT"
  [[ $BACKEND != synthetic ]] || give SERVICE --service "$SERVICE"
}
