#!/usr/bin/env bash
# A strategy is added by CONTRIBUTING.md alone: its file and its line in the list. Then the suite holds it to its traits,
# help and man page know it, pipelines route by it, a sweep measures it and pictures show it.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/cli/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
root=$(realpath "$source_dir") bin=$(realpath "$bin")
build=$(dirname "$bin")
spec=burst2:n=3

mkdir "$scratch/bin"
sed -n '/strategy_burst2.cpp`:/,/^2\. /p' "$root/CONTRIBUTING.md" | sed -n 's/^       //p' >"$scratch/strategy_burst2.cpp"
grep -q 'burst2_strategy' "$scratch/strategy_burst2.cpp" || fail "the example was not found in CONTRIBUTING.md"
line=$(grep -oP 'add the line `\K[^`]+(?=` to the list)' "$root/CONTRIBUTING.md") || fail "CONTRIBUTING.md names no line for the list"
awk -v line="  $line  \\\\" '{ print } /^#define DP_STRATEGIES/ { print line }' "$root/lib/route/strategy.cpp" >"$scratch/strategy.cpp"

# command_of TARGET: what ninja would run for it.
command_of() { ninja -C "$build" -t commands "$1" | tail -n 1; }
# compile NAME FOLDER: as the build does lib/route/NAME.cpp.
compiler=$(command_of CMakeFiles/dp_route.dir/lib/route/strategy.cpp.o)
for name in strategy strategy_burst2; do
  words=${compiler% -MD *}
  (cd "$build" && eval "$words -Wall -Wextra -Werror -c '$scratch/$name.cpp' -o '$scratch/$name.o'") || fail "$name.cpp does not compile"
done
# link TARGET: as the build does, the two before all libraries.
link() {
  local words
  words=$(command_of "bin/$1")
  words=${words#: && } words=${words% && :}
  words=${words/ -o bin\/$1/ \'$scratch/strategy.o\' \'$scratch/strategy_burst2.o\' -o \'$scratch/bin/$1\'}
  (cd "$build" && eval "$words") || fail "$1 does not link"
}
for path in "$bin"/*; do ln -s "$path" "$scratch/bin/"; done
rm -f "$scratch"/bin/{dp-route,route_test}
link dp-route
link route_test

run "$scratch/bin/route_test" --gtest_brief=1 --gtest_filter='*StrategyConformance*burst2*'
expect_status 0
expect_line out '8 tests'

run "$scratch/bin/dp-route" --list-strategies --strategy "$spec"
expect_status 0
expect_line out $'burst2\tn batches in a row' 'n: length of a burst'
run "$scratch/bin/dp-route" --strategy burst2:n=0
expect_status 2
expect_line err "--strategy 'burst2:n=0': n '0'"
[[ $("$scratch/bin/dp-route" --help) == *'|burst2|'* || $("$scratch/bin/dp-route" --help) == *' burst2|'* ]] || fail "--help does not know it"
mkdir "$scratch/pages"
run bash "$root/tools/install/man-pages.sh" <(:) 0 "$scratch/pages"  # it takes its names from the tools of a folder
mkdir "$scratch/one" && cp "$scratch/bin/dp-route" "$scratch/one/"
run bash "$root/tools/install/man-pages.sh" "$scratch/one" 0 "$scratch/pages"
expect_status 0
grep -q '^\.B burst2$' "$scratch/pages/man7/dataparallel.7" || fail "the man page does not know it"

cd "$scratch" || exit 1
for entry in "$root"/*; do [[ ${entry##*/} == build* || ${entry##*/} == results ]] || ln -s "$entry" .; done
run env -u MAKEFLAGS -u MAKELEVEL make -f Makefile.bench matrix BIN="$scratch/bin" DEPS=skip BACKEND=null STRATEGIES="$spec,uniform" WORKERS=1,2 \
  SAMPLES=640 ITERATIONS=1 RESULTS=results
expect_status 0
compgen -G 'results/matrix/runs/*/burst2+n_3-n2-max-i1.json' >/dev/null || fail "it was not swept"
jq -e '.strategy == "burst2:n=3" and .valid and .samples.completed == 640 and (.workers | all(.samples > 0))' \
  results/matrix/runs/*/burst2+n_3-n2-max-i1.json >/dev/null || fail "it was not measured"
grep -q '^aggregate,burst2:n=3,2,' results/matrix/combined_results.csv || fail "no row of a table is its own: $(head -n 3 results/matrix/*.csv)"
run "$bin/dp-plot" --vega "$build/vega" --only streaming_throughput_comparison --out pictures results/matrix/runs/*/*.json
expect_status 0
[[ $(cat pictures/*.svg) == *burst2:n=3* ]] || fail "the picture does not name it"
echo ok
