# For the shell tests: a scratch folder, one command run and looked at, and what to say when it is not as it should be.
# SPDX-License-Identifier: MIT
# shellcheck disable=SC2034  # read by the scripts that include this

set -uo pipefail
export LC_ALL=C  # 0.5 is a half, whatever the locale
source_dir=${DP_SOURCE:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
bin=${DP_BIN:-$source_dir/build/bin}
scratch=$(mktemp -d) || exit 1
export DP_LOCK=$scratch/lock  # neither a test nor a measuring user is in the other's way
mark=DP_TEST_MARK=$$.$RANDOM  # in the environment of all that is started here
export "${mark?}"

# marked: the processes of this test but this shell.
marked() {
  local folder
  for folder in /proc/[0-9]*; do
    [[ ${folder#/proc/} == "$$" ]] && continue
    grep -qzx "$mark" "$folder/environ" 2>/dev/null && echo "${folder#/proc/}"
  done
}
nothing_left() { [[ -z $(marked) ]]; }
clean_up() {
  local pid
  for pid in $(marked); do kill -KILL "$pid" 2>/dev/null; done
  rm -rf "$scratch"
}
trap clean_up EXIT
started=()

status=0
# run COMMAND…: its status in $status, its output in $scratch/out and $scratch/err.
run() {
  command=$*
  timeout 200 "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
  status=$?
}
fail() {
  printf 'FAILED: %s\n' "$1" >&2
  printf '  %s\n' "command: ${command:-}" "status: $status" "stdout:" >&2
  head -n 20 "$scratch/out" >&2
  printf '  stderr:\n' >&2
  head -n 20 "$scratch/err" >&2
  exit 1
}
expect_status() { ((status == $1)) || fail "expected status $1"; }
expect_empty() { [[ ! -s $scratch/$1 ]] || fail "expected nothing on std$1"; }
# expect_line NAME TEXT…: one line on stdout or stderr holds every TEXT.
expect_line() {
  local name=$1 lines text
  shift
  lines=$(<"$scratch/$name")
  for text in "$@"; do lines=$(grep -F -e "$text" <<<"$lines") || fail "expected on std$name: $text"; done
}
pause() { read -rt 0.02 <> <(:) || true; }
# wait_until SECONDS WHAT COMMAND…: until COMMAND succeeds.
wait_until() {
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@"; do
    ((SECONDS < end)) || fail "waited too long until $what"
    pause
  done
}
