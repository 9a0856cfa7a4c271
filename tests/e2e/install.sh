#!/usr/bin/env bash
# Installed, moved elsewhere and called from another folder, the tools find their data, weights, templates and scripts.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/e2e/common.bash
source "$(dirname "$0")/common.bash"

build=$DP_BIN/..
cmake --install "$build" --prefix "$work/first" >"$work/install.log" 2>"$work/install.err" || die "cmake --install"
mkdir "$work/else where" "$work/here"
mv "$work/first" "$work/else where/dp"
prefix="$work/else where/dp"
cd "$work/here" || exit 1
plain=$(realpath "$DP_BIN")
unset DP_BIN
export PATH=$prefix/bin:$PATH

# Every tool is there and starts.
for source in "$root"/tools/*.cpp; do
  tool=$(basename "$source" .cpp)
  [[ $(command -v "$tool") == "$prefix/bin/$tool" ]] || die "$tool is not installed"
  "$tool" --version >"$work/version" 2>"$work/version.err" || die "$tool does not start"
done
# Nothing that was installed names the folder it was built in or installed to.
! grep -rlIF -e "$work/first" -e "$root" "$prefix" || die "a folder of this machine is named"
for command in dp-run-local dp-fetch-cifar10 dp-install-vega; do
  "$command" --help >"$work/help" 2>"$work/help.err" || die "$command --help"
  grep -q "$command" "$work/help" || die "$command --help calls itself something else"
done

# The fixture, by the name it has in a checkout; with LibTorch the weights and the predictions expected of them, too.
backend=synthetic arguments=(--service fixed:1ms) agreement=true
if grep -q libtorch <(ldd "$prefix/bin/dp-infer"); then
  backend=torch arguments=(--expected data/weights/resnet18.predictions.bin) agreement='.accuracy.agreement >= 0.998'
fi
status=0
dp-run-local --backend "$backend" "${arguments[@]}" --data data/fixture/test_512.bin --samples 512 --rate max \
  --out "$work/moved.json" 2>"$work/moved.err" || status=$?
((status == 0)) || die "dp-run-local: status $status"
check moved "$accounted" .valid '.samples.completed == 512' "$agreement"

# Missing data: told what to do about it.
dp-run-local --backend null --samples 32 2>"$work/missing.err" && [[ ! -e $root/data/cifar10/test_batch.bin ]] &&
  die "CIFAR-10 from nowhere"
if [[ -s $work/missing.err ]]; then grep -q dp-fetch-cifar10 "$work/missing.err" || die "no word of dp-fetch-cifar10"; fi

DP_VEGA=${DP_VEGA:-$build/vega}
export DP_VEGA
dp-plot --out pictures --only streaming_throughput_comparison "$work/moved.json" >"$work/drawn" 2>"$work/plot.err" || die "dp-plot"
[[ $(head -c 8 pictures/streaming_throughput_comparison.png | od -An -tx1 | tr -d ' ') == 89504e470d0a1a0a ]] || die "no picture"
# The doctor finds all that well, and a byte of the fixture that is another.
dp-doctor >"$work/doctor" 2>"$work/doctor.err" || die "dp-doctor: $(grep -v ^ok "$work/doctor")"
[[ ! -s $work/doctor.err ]] || die "dp-doctor on stderr"
for subject in toolkit tools zeromq shipped vega; do
  grep -q "^ok    $subject " "$work/doctor" || die "dp-doctor: $(grep " $subject " "$work/doctor")"
done
if [[ $backend == torch ]]; then
  for model in resnet18 resnet18-cifar; do grep -qE "^ok +$model +51[12] of 512" "$work/doctor" || die "dp-doctor: $model"; done
fi
cp "$plain/dp-doctor" "$prefix/bin/"  # whose models were looked at above
printf x | dd of="$prefix/share/dataparallel/data/fixture/test_512.bin" bs=1 seek=5000 conv=notrunc status=none
status=0
dp-doctor >"$work/doctor" 2>"$work/doctor.err" || status=$?
((status == 1)) || die "dp-doctor: status $status on a damaged fixture"
grep -q "^FAIL  shipped .*test_512.bin" "$work/doctor" || die "the damaged fixture is not named"
echo ok
