#!/usr/bin/env bash
# What docs/troubleshooting.md quotes is what the tools say: every quoted piece of a first column stands in a source.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/cli/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
cd "$source_dir" || exit 1
run true  # what fail shows

# A text that C++ writes as several literals, as one.
find lib tools pipelines data Makefile.bench -type f \( -name '*.?pp' -o -name '*.sh' -o -name '*.bash' -o -name '*.jq' -o -name 'Makefile.bench' \) -print0 |
  xargs -0 cat | perl -0pe 's/"\s*\n\s*"//g' >"$scratch/sources"
# The quoted pieces, cut where something differs.
awk -F '|' '/^\| `/ { n = split($2, part, "`"); for (i = 2; i <= n; i += 2) print part[i] }' docs/troubleshooting.md |
  sed 's/ *… */\n/g' | sed -E 's/^[ ,;:)'\'']+//; s/[ ('\'']+$//' | awk 'length($0) > 5' >"$scratch/said"
(($(wc -l <"$scratch/said") >= 40)) || fail "only $(wc -l <"$scratch/said") pieces are quoted"
while IFS= read -r piece; do
  grep -qF -- "$piece" "$scratch/sources" || fail "docs/troubleshooting.md: no tool says '$piece'"
done <"$scratch/said"
echo ok
