#!/usr/bin/env bash
# Every strategy on one, two and three workers accounts for every sample, inline and by reference, with an uneven end.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"

for strategy in uniform dynamic sharded; do
  for workers in 1 2 3; do
    for payload in inline reference; do
      run one --strategy "$strategy" --workers "$workers" --backend null --rate max --samples 5003 --payload "$payload" "${synthetic[@]}"
      ((status == 0)) || die "$strategy × $workers, $payload: status $status"
      [[ ! -s $work/one.err ]] || die "unexpected stderr"
      check one "$accounted" '.samples.completed == 5003' ".nodes == $workers" ".strategy == \"$strategy\"" \
        ".payload == \"$payload\"" "(.workers | length) == $workers" '([.workers[].samples] | add) == 5003' '.accuracy.top1 == null'
    done
  done
done
for layout in sequential distributed:3,shuffle shards:5,hash shards:8,zipf:1.1; do
  run one --workers 2 --backend null --rate max --samples 25000 --layout "$layout" "${synthetic[@]}" -- --batch-size 1..64
  ((status == 0)) || die "$layout: status $status"
  check one "$accounted" '.samples.completed == 25000'
done
run closed --workers 2 --backend null --samples 3200 "${synthetic[@]}" -- --concurrency 4
((status == 0)) || die "closed loop: status $status"
check closed "$accounted" '.rate_mode == "closed"'
echo ok
