#!/usr/bin/env bash
# Real images through real ResNet-18 workers: the predictions are those shipped with the weights, and top-1 is what
# those predictions score against the labels in the file.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"

grep -q torch <(ldd "$DP_BIN/dp-infer") || die "dp-infer was built without LibTorch"

fixture=$root/data/fixture/test_512.bin
for model in resnet18 resnet18-cifar; do
  predictions=$root/data/weights/$model.predictions.bin
  correct=$(paste <(od -An -v -tu1 -w3073 "$fixture" | awk '{ print $1 }') <(head -c 512 "$predictions" | od -An -v -tu1 -w1) |
    awk '$1 == $2 { n++ } END { print n }')
  run "$model" --model "$model" --workers 2 --rate max --samples 512 --data "$fixture" --expected "$predictions"
  ((status == 0)) || die "$model: status $status"
  check "$model" "$accounted" '.accuracy.agreement >= 0.999' '.accuracy.compared == 512' \
    "(.accuracy.top1 * 512 - $correct) | fabs <= 1" '.weights.digest | length == 32' '.versions | .libtorch != null and .onednn != null and .blas != null'
done
run reference --workers 1 --rate max --samples 512 --payload reference --data "$fixture" --expected "$root/data/weights/resnet18.predictions.bin"
((status == 0)) || die "by reference: status $status"
check reference "$accounted" '.accuracy.agreement >= 0.999'
echo ok
