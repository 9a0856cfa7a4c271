#!/usr/bin/env bash
# tests/slowest.sh names what a run of ctest spent its time on, tests that fail included, the slowest first.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/cli/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
cd "$scratch" || exit 1

run "$source_dir/tests/slowest.sh" nothing
expect_status 1
expect_line err "nothing/Testing/Temporary/LastTest.log: no such file"

# Twelve tests, of which two take a while, and one of those fails.
for n in {1..10}; do echo "add_test([=[quick: $n]=] true)"; done >CTestTestfile.cmake
cat >>CTestTestfile.cmake <<'CMAKE'
add_test([=[e2e: slow, and fails]=] sh -c "echo 'Test time = 99 sec'; sleep 0.6; false")
add_test([=[e2e: slower]=] sleep 1.2)
CMAKE
run ctest -j4
expect_status 8
run "$source_dir/tests/slowest.sh" .
expect_status 0
expect_empty err
expect_line out "The slowest of 12 tests"
[[ $(sed -n 2p out) == *' s  e2e: slower' ]] || fail "not the slowest first"
[[ $(wc -l <out) == 11 ]] || fail "not ten tests"
awk '$3 == "e2e:" && $4 == "slow," { found = $1 >= 0.6 && $1 < 99 } END { exit !found }' out || fail "not the time of the test that fails"
echo ok
