# Sets `bin`, the folder of the tools: $DP_BIN, the build of the checkout that $here is in, or bin of an installation.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2034,SC2154  # between the script that reads this and this
if [[ -e $here/../CMakeLists.txt ]]; then
  bin=${DP_BIN:-$here/../build/bin}
else
  bin=${DP_BIN:-$(cd "$here/../../.." && pwd)/bin}
fi
