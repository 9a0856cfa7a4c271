#!/usr/bin/env bash
# --config and --print-config of every tool: what is in force reads back the same, bad values are refused in the words of
# the command line, [common] takes what several tools have, and the example is accepted by all.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/cli/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
cd "$scratch" || exit 1

tools=()
for source in "$source_dir"/tools/*.cpp; do tools+=("$(basename "$source" .cpp)"); done
section_of() { echo "${1#dp-}"; }
# flags_of TOOL: the flags that may stand in a file.
flags_of() { "$bin/$1" --help | sed '/^Example:/,$d' | grep -oP '^ {6}--\K[a-z-]+' | grep -vxE 'config|print-config|help|version'; }

# ── Every tool: what is printed reads back the same, from every section, and the example is accepted ──
cat >same.py <<'PY'
import sys, tomllib
first, again = (tomllib.load(open(name, "rb")) for name in sys.argv[1:])
sys.exit(first != again)
PY
for tool in "${tools[@]}"; do
  : >one.toml
  for section in "${tools[@]}"; do printf '[%s]\n' "$(section_of "$section")" >>one.toml; done
  run "$bin/$tool" --config one.toml --quiet --print-config
  expect_status 0
  expect_empty err
  expect_line out 'quiet = true  # command line'
  expect_line out 'log-level = "info"  # default'
  cp out first.toml
  for flag in $(flags_of "$tool"); do expect_line out "$flag "; done
  run "$bin/$tool" --config first.toml --print-config
  expect_status 0
  expect_line out 'quiet = true  # first.toml:'
  python3 same.py first.toml out || fail "$tool: what --print-config shows reads back differently"
  run "$bin/$tool" --config "$source_dir/pipelines/example.toml" --print-config
  expect_status 0
  expect_empty err
done
run "$bin/dp-stream" --config "$source_dir/pipelines/example.toml" --rate max --print-config
expect_line out 'rate = "max"  # command line'
expect_line out 'arrivals = "poisson"  # ' 'example.toml:'
expect_line out 'seed = 1  # ' '[common]'

# ── [common] takes flags that at least two tools have, tells which, and passes over those of other tools ──
for tool in "${tools[@]}"; do flags_of "$tool"; done | sort | uniq -c >having
printf '[common]\nno-such = 1\n' >c.toml
run "$bin/dp-plot" --config c.toml --print-config
expect_status 2
expect_line err "dp-plot: c.toml:2: 'no-such' (1) is no key of [common]: the nearest is "
common=$(sed 's/.*share: //; s/)$//; s/,//g' err)
for key in $common; do
  (($(awk -v key="$key" '$2 == key { print $1 }' having) >= 2)) || fail "[common] takes $key, which no two tools have"
done
while read -r _ flag; do
  printf '[common]\n%s = "x"\n' "$flag" >c.toml
  run "$bin/cifar10-from-png" --config c.toml --print-config
  if [[ " $common " != *" $flag "* ]]; then
    expect_status 2
    expect_line err "'$flag' (\"x\") is no key of [common]"
  elif [[ $flag != quiet && $flag != log-level ]]; then
    expect_status 0
  fi
done <having

# ── A bad value is refused in the words of the command line, and its line is named: all of tools.sh's refusals ──
tried=0
while IFS='|' read -r tool arguments _; do
  [[ $arguments =~ ^(--[a-z-]+\ [^-][^\ ]*\ ?)+$ && $arguments != *--bogus* ]] || continue
  read -ra words <<<"$arguments"
  [[ $(printf '%s\n' "${words[@]}" | grep -c -- '^--') == "$(printf '%s\n' "${words[@]}" | grep -- '^--' | sort -u | wc -l)" ]] || continue
  echo "[$(section_of "$tool")]" >c.toml
  for ((i = 0; i < ${#words[@]}; i += 2)); do
    grep -q -- "^ *${words[i]} " <("$bin/$tool" --help) || continue 2
    printf '%s = "%s"\n' "${words[i]#--}" "${words[i + 1]}" >>c.toml
  done
  run "$bin/$tool" "${words[@]}"
  said=$(<err)
  run "$bin/$tool" --config c.toml
  expect_status 2
  expect_empty out
  # The command line's words, but for the place of what they begin with.
  [[ $(sed -E 's/^([a-z-]+: )(c\.toml:[0-9]+: |--)/\1/' err) == "${said/: --/: }" ]] || fail "expected: $said"
  read -r _ flag _ <<<"$said"
  line=$(grep -n "^${flag#--} = " c.toml | cut -d: -f1)
  [[ -z $line || $(<err) == "$tool: c.toml:$line: "* ]] || fail "expected c.toml:$line"
  tried=$((tried + 1))
done < <(sed -n "/^done <<'CASES'$/,/^CASES$/p" "$source_dir/tests/cli/tools.sh")
((tried >= 35)) || fail "only $tried refusals were tried"

# ── What is no key, no section, no TOML ──
while IFS='|' read -r text wanted; do
  printf '%b' "$text" >c.toml
  run "$bin/dp-infer" --config c.toml
  expect_status 2
  expect_empty out
  [[ $(wc -l <err) == 1 ]] || fail "expected one line on stderr"
  IFS=';' read -ra parts <<<"$wanted"
  expect_line err "dp-infer: c.toml:" "${parts[@]}"
done <<'CASES'
[infer]\n\nbackand = "null"\n|c.toml:3;'backand' ("null");'backend';dp-infer --help
[infer]\ncredits = 3\n|c.toml:2;'credits' (3);'credit'
[infre]\nbackend = "null"\n|c.toml:1;'infre';'infer'
backend = "null"\n|c.toml:1;'backend' is in no section
[infer]\nprint-config = true\n|c.toml:2;'print-config' (true) is no key of [infer]
[infer]\ncredit = true\n|c.toml:2;credit = true;one text or number
[infer]\ninsecure = "yes"\n|c.toml:2;insecure = "yes";true or false
[infer]\ncredit = 3\ncredit = 4\n|c.toml:3
[infer]\ncredit = \n|c.toml:2
CASES
run "$bin/dp-infer" --config missing.toml
expect_status 1
expect_line err "dp-infer: missing.toml: No such file"
# A pipe will do.
run bash -c "'$bin/dp-infer' --print-config --config <(printf '[infer]\ncredit = 9\n')"
expect_status 0
expect_line out 'credit = 9'
echo "ok"
