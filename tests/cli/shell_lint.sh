#!/usr/bin/env bash
# What shellcheck does not see in the scripts. Under pipefail a reader that leaves before it has read everything (grep -q,
# grep -m, grep to /dev/null, head, sed with q, awk with exit) ends the writer by SIGPIPE where the writer is the later of
# the two, and the pipeline fails: now and then, on a busy machine. Instead: grep -q WHAT <(COMMAND), or $(…); sed -n 1,5p
# reads to the end. And no figure may depend on the locale.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/cli/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

# leavers FILE…: such lines, of which a pipe that goes on in the next line is one.
leavers() {
  LC_ALL=C awk '
    FNR == 1 { line = "" }
    { line = line $0 }
    /(^|[^\\|])\|&?[ \t]*$/ || /\\$/ { sub(/\\$/, "", line); line = line " "; next }
    { check(line); line = "" }
    function check(text,  rest) {
      if (text ~ /^[ \t]*#/ || text ~ /# leaves early on purpose$/) return
      rest = text
      gsub(/\|\|/, "OR", rest)
      if (rest ~ /\|&?[ \t]*([A-Z_]+=[^ ]* )*(e|f|z)?grep [^|]*-[a-zA-Z]*[qm]([a-zA-Z0-9]|[ \t]|$)/ ||
          rest ~ /\|&?[ \t]*([A-Z_]+=[^ ]* )*(e|f|z)?grep [^|]*[^2]>[ \t]*\/dev\/null/ ||
          rest ~ /\|&?[ \t]*head([ \t)]|$)/ ||
          rest ~ /\|&?[ \t]*sed [^|]*[0-9\/;{$][ ]*q([ ;}'\''"]|$)/ ||
          (rest ~ /\|&?[ \t]*awk [^|]*[^a-z]exit/ && rest !~ /awk [^|]*END *\{[^|]*exit/))
        print FILENAME ":" FNR ": " text
    }' "$@"
}

# Each of these is found, and none of those.
while IFS='|' read -r kind text; do
  printf '%b\n' "$text" >"$scratch/line.sh"
  found=$(leavers "$scratch/line.sh")
  [[ $kind == bad ]] && { [[ -n $found ]] || fail "not found: $text"; }
  [[ $kind == good ]] && { [[ -z $found ]] || fail "wrongly found: $text"; }
done <<'CASES'
bad|ldd it | grep -q torch
bad|ldd it | LC_ALL=C grep -Eiq "torch"
bad|ldd it |\n  grep -F -q torch
bad|ldd it | grep -m1 torch
bad|ldd it | grep torch >/dev/null
bad|ls -t \\\n  | head -n 1
bad|x=$(ls | head)
bad|ls | sed '/x/q'
bad|ls | sed -n '/x/{p;q;}'
bad|ls | sed 5q
bad|ls | awk '{ print; exit }'
good|grep -q torch <(ldd it)
good|grep -q torch file || head -n 1 file
good|ls | grep -F torch 2>/dev/null
good|ls | awk '{ n++ } END { exit !n }'
good|ls | sed -n 1,5p
good|ls | sed 's/q/r/'
good|ls | head -n 3  # leaves early on purpose
good|# ls | head
CASES

run true  # what fail shows
cd "$source_dir" || exit 1
mapfile -t scripts < <(grep -rlIE --exclude-dir=corpus --exclude-dir='build*' '^#!.*(bash|/sh)|^# shellcheck shell=bash' .ci data pipelines tests tools)
scripts+=(tests/cli/common.bash)
mapfile -t scripts < <(printf '%s\n' "${scripts[@]}" | grep -vx tests/cli/shell_lint.sh)
((${#scripts[@]} > 50)) || fail "only ${#scripts[@]} scripts were found"
found=$(leavers "${scripts[@]}")
# In a locale with a comma, awk, printf and sort take 0.5s for nought.
for script in pipelines/*.sh data/fetch-cifar10; do
  [[ $script == */find-tools.sh ]] || grep -q '^export LC_ALL=C' "$script" || fail "$script does not set LC_ALL=C"
done
! grep -rnE 'setlocale|std::locale|imbue' lib tools --include='*.?pp' || fail "a tool sets its locale: its figures would follow"
[[ -z $found ]] || { echo "$found" >&2; fail "a reader may leave before its writer is done (see the head of $0)"; }
echo ok
