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

# More outstanding than dp-route has room for is no such run; with room it is.
wide=(--workers 2 --backend synthetic --samples 640 --data synthetic:1x4x4 --batch-size 1 --concurrency 600)
run narrow "${wide[@]}" --service fixed:1ms
((status == 3)) || die "600 outstanding of 256: status $status"
check narrow "$accounted" '[.verdicts[] | select(.ok | not)] | length == 1 and (.[0].remedy | test("--buffer 600"))'
run roomy "${wide[@]}" --service fixed:10ms --buffer 600
((status == 0)) || die "600 outstanding: status $status"
check roomy "$accounted" '.verdicts[] | select(.criterion | test("outstanding")) | .ok'

# Four samples at 10/s are 0.4 s: none of them makes it 13/s.
run four --backend null --data synthetic:3x4x4 --rate 10 --batch-size 1 --samples 4 --slo throughput=13
((status == 3)) || die "13/s of 10: status $status"
check four "$accounted" '.rates.scheduled == 10' '.rates.released <= 10' '.rates.completed <= 10' '.slo[0].ok == false'
echo ok
