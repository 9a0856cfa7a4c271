#!/usr/bin/env bash
# The worked example of CONTRIBUTING.md compiles, and its strategy spreads batches over live workers only.
# SPDX-License-Identifier: MIT
set -euo pipefail

root=${DP_SOURCE:?root of the sources}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed -n '/strategy_random.cpp`:/,/^2\. /p' "$root/CONTRIBUTING.md" | sed -n 's/^       //p' >"$work/strategy_random.cpp"
grep -q 'make_random' "$work/strategy_random.cpp" || { echo "the example was not found in CONTRIBUTING.md" >&2; exit 1; }
cat >"$work/main.cpp" <<'EOF'
#include <set>

#include "route/strategy.hpp"

namespace dp {
std::unique_ptr<Strategy> make_random(const StrategySetup&);
}

int main() {
  const auto strategy = dp::make_random({3, {}, 1});
  for (dp::Slot slot = 0; slot < 3; ++slot) strategy->joined(slot);
  strategy->left(1);
  std::set<dp::Slot> used;
  for (std::uint64_t batch = 0; batch < 100; ++batch) used.insert(strategy->choose({dp::BatchId{batch}, 0, 32}, {}).value());
  return used == std::set<dp::Slot>{0, 2} ? 0 : 1;
}
EOF
c++ -std=c++20 -Wall -Wextra -Werror -DFMT_HEADER_ONLY -I"$root/lib" "$work/strategy_random.cpp" "$work/main.cpp" -o "$work/example"
"$work/example"
echo ok
