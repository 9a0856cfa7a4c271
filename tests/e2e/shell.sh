#!/usr/bin/env bash
# What an installation gives a person at the shell: a man page for every tool that two linters find no fault with, and
# completion of every flag and of the values the tools accept.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"

cmake --install "$DP_BIN/.." --prefix "$work/prefix" >"$work/install.log" 2>"$work/install.err" || die "cmake --install"
[[ ! -s $work/install.err ]] || die "cmake --install on stderr"
# These start in a hundredth of the time that LibTorch takes, and say the same of themselves.
cp "$DP_BIN"/dp-{infer,doctor} "$work/prefix/bin/"
export PATH=$work/prefix/bin:$PATH
mkdir "$work/here" && cd "$work/here" || exit 1
mapfile -t tools < <(basename -s .cpp -a "$root"/tools/*.cpp)

help_of() { "$1" --help | sed '/^Example:/,$d'; }

# ── Man pages ──
for page in "$work"/prefix/share/man/man?/*; do
  name=$(basename "$page")
  mandoc -T lint -W warning "$page" >"$work/lint.err" 2>&1 || die "mandoc: $name"
  MANROFFSEQ='' man --warnings -E UTF-8 -l -Tutf8 -Z "$page" 2>"$work/man.err" >/dev/null
  [[ ! -s $work/man.err ]] || die "man: $name"
  for section in NAME SYNOPSIS DESCRIPTION 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
    [[ $name == *.7 && $section == SYNOPSIS ]] || grep -qE "^\.SH \"?$section\"?$" "$page" || die "$name has no $section"
  done
  ! grep -qF -e "$work" -e "$root" "$page" || die "$name names a folder of this machine"
done
for tool in "${tools[@]}" dp-run-local dp-fetch-cifar10 dp-install-vega; do
  page=$work/prefix/share/man/man1/$tool.1
  [[ -s $page ]] || die "$tool has no man page"
  mandoc -T ascii "$page" | col -b >"$work/page"
  [[ $(sed -n '/^NAME/{n;p;}' "$work/page") =~ ^\ +$tool\ - ]] || die "the page of $tool begins: $(sed -n '/^NAME/{n;p;}' "$work/page")"
  while read -r flag; do
    grep -qe "^ *$flag\b" "$work/page" || die "$tool.1 does not tell of $flag"
  done < <(help_of "$tool" | grep -oP '^ {2,6}\K--[a-z-]+')
done
grep -q 'dp-collect --key keys/collect.key' <(mandoc -T ascii "$work/prefix/share/man/man1/dp-keygen.1" | col -b) || die "no example in dp-keygen.1"
mandoc -T ascii "$work/prefix/share/man/man7/dataparallel.7" | col -b >"$work/page"
for tool in $(grep -oE '\bdp-[a-z-]+' "$root/README.md" | sort -u); do
  [[ ! -x $work/prefix/bin/$tool ]] || [[ $tool == dp-audit || $tool == dp-calibrate ]] || grep -q "\b$tool(1)" "$work/page" || die "dataparallel.7 does not name $tool"
done

# ── Completion ──
# shellcheck source=/dev/null
source "$work/prefix/share/bash-completion/completions/dp-stream"
# offered WORD…: what bash would offer for the last word of this line.
offered() {
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
  _dataparallel "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
  printf '%s\n' "${COMPREPLY[@]}" | sort | paste -sd ' '
}
expect() { # expect WANTED WORD…
  local wanted=$1 got
  shift
  got=$(offered "$@")
  [[ $got == "$wanted" ]] || die "completing '$*' offers '$got', not '$wanted'"
}
for tool in "${tools[@]}" dp-run-local; do
  [[ -e $work/prefix/share/bash-completion/completions/$tool ]] || die "bash finds no completion for $tool"
  complete -p "$tool" >/dev/null || die "$tool is not completed"
  help_of "$tool" | grep -oP '^ {2,6}\K--.*' | sed 's/  .*//' | grep -oE '(^|[ ,])--[a-z-]+' | tr -d ', ' | sort -u | paste -sd ' ' >"$work/flags"
  expect "$(<"$work/flags")" "$tool" --
done
# Every value that a tool accepts, in its own words.
grep -oP 'choice\("\K[a-z-]+(?=")' "$root"/tools/dp-*.cpp | sed 's|.*/||; s|\.cpp:| |' | sort -u >"$work/choices"
sed 's/.*/& log-level/' <(printf '%s\n' "${tools[@]}") >>"$work/choices"
echo dp-route strategy >>"$work/choices"
[[ $(wc -l <"$work/choices") -ge 10 ]] || die "choices were not found in the sources"
while read -r tool flag; do
  others=()
  [[ $tool/$flag != dp-keygen/role ]] || others=(--out keys --name lab7)
  said=$("$tool" "${others[@]}" "--$flag" '' 2>&1 >/dev/null) && die "$tool takes an empty --$flag"
  [[ $said == *'give one of '* ]] || die "$tool says of an empty --$flag: $said"
  expect "$(sed 's/.*give one of //; s/, /\n/g' <<<"$said" | grep -v ' ' | sort | paste -sd ' ')" "$tool" "--$flag" ''
done <"$work/choices"
expect uniform dp-route --strategy u
expect "$(dp-route --list-strategies | cut -f 1 | sort | paste -sd ' ')" dp-run-local --strategy ''
expect max dp-stream --rate ''
expect synthetic dp-run-local --backend s
expect 'exp: fixed:' dp-infer --service ''
expect 'distributed: sequential shards:' dp-stream --layout ''
expect 'debug' dp-plot --log-level = d
expect 'folder: npy: synthetic:' dp-stream --data ''
expect '' dp-collect --warmup ''
mkdir pictures && touch run.json
expect 'pictures run.json' dp-summarize ''
expect 'pictures run.json' dp-collect --expected ''
expect pictures dp-plot --out ''
echo ok
