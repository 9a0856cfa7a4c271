#!/usr/bin/env bash
# Whatever command, target, variable and flag README.md, docs/ and the other documents name is run by a test: of each
# command and target advertised.tsv says by which, and where in it; a variable or flag has to occur in a test. The README's
# first hour is pasted as a whole by tests/first_hour.sh, and the example of each --help by tests/cli/examples.sh.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/cli/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
table=$source_dir/tests/cli/advertised.tsv
cd "$source_dir" || exit 1
run true  # what fail shows
documents=(README.md CONTRIBUTING.md THREATS.md docs/*.md data/README.md data/weights/README.md results/README.md results/example/README.md
  tests/fuzz/README.md lib/wire/FORMAT.md lib/collect/JOURNAL.md)

# lines_of FILE: its code blocks line by line, and its inline code, but for the first hour's.
lines_of() {
  awk -v file="$1" '
    /^## / { skip = $0 == "## The first hour" }
    /^ *```/ { block = !block; next }
    skip { next }
    block || /^    [^ ]/ { sub(/^ *(\$ )?/, ""); sub(/ +# .*/, ""); print; next }
    { n = split($0, part, "`"); for (i = 2; i <= n; i += 2) print part[i] }' "$1"
}
# Commands with arguments, but make's; a name alone is a mention.
commands() {
  local file
  for file in "${documents[@]}"; do lines_of "$file"; done |
    grep -E '^((pipelines|data|tests)/[^ ]+|run-local\.sh|dp-[a-z-]+|cifar10-from-png|cmake|ctest|bash|tar|mkdir) [^ ]' | sort -u
}
# Targets: those of make's help, and those that anything tells a user to make.
targets() {
  make -f Makefile.bench help | sed -n '/^Targets$/,/^$/p' | sed -nE 's/^  ([a-z][a-z -]*[a-z])  .*/\1/p' | tr ' ' '\n'
  echo deb-test  # told of beside deb
  grep -rhoE 'make -f Makefile\.bench [a-z][a-z-]+' "${documents[@]}" tools lib pipelines data/fetch-cifar10 | sed 's/.* //'
}

given_in_tests() { grep -rqE --include='*.sh' --include='*.bash' --include='*.py' --include=run --exclude=advertised.sh -- "$1" tests .ci; }
# Variables of make that no test gives.
variables() {
  local variable variables
  # shellcheck disable=SC2016  # make's
  read -ra variables < <(printf 'include Makefile.bench\nsay: ; @echo $(VARIABLES)\n' | make -s -f - say 2>/dev/null)
  ((${#variables[@]} > 30)) || fail "the variables of Makefile.bench: ${variables[*]}"
  for variable in "${variables[@]}"; do given_in_tests "\\b$variable=" || echo "variable $variable"; done
}

{ commands; targets | sort -u | sed 's/^/target /'; variables; } >"$scratch/named"
cut -f 1 "$table" | grep -v '^#' | sort >"$scratch/listed"
lacking=$(sort -u "$scratch/named" | comm -23 - "$scratch/listed")
[[ -z $lacking ]] || fail "named, and not in tests/cli/advertised.tsv (which test runs it?): $lacking"
stale=$(sort -u "$scratch/named" | comm -13 - "$scratch/listed")
[[ -z $stale ]] || fail "in tests/cli/advertised.tsv, and named nowhere any more: $stale"

# Each row's test is one that CI runs, and what the row quotes stands in it.
while IFS=$'\t' read -r what file quoted; do
  [[ $what != '#'* ]] || continue
  [[ -n $quoted ]] || fail "$what: no test and what to find in it, or - and why not"
  [[ $file != - ]] || continue
  [[ $file =~ ^(tests/(cli|e2e)/[a-z0-9_-]+\.sh|tests/first_hour\.sh|tests/(adversary|sessions)/CMakeLists\.txt|\.ci/run)$ && -f $file ]] || fail "$what: $file is run by nobody"
  grep -qE -- "$quoted" "$file" || fail "$what: $file holds no '$quoted'"
done <"$table"

# Flags of the documents, but those of other people's programs.
for file in "${documents[@]}"; do lines_of "$file"; done | grep -vE '^(cmake|ctest|systemd-run) ' | grep -oE '(^|[ `])--[a-z]+(-[a-z]+)*' | tr -d ' `' | sort -u >"$scratch/flags"
while read -r flag; do given_in_tests "$flag\\b" || fail "no test uses $flag"; done <"$scratch/flags"
echo ok
