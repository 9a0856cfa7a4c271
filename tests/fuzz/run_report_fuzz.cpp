// run.json: read or refused with Error; what is read can be written, and reads as the same.
// SPDX-License-Identifier: MIT
#include "base/error.hpp"
#include "parts.hpp"
#include "report/run_report.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  dp::RunReport first;
  try {
    first = dp::parse_run_report({reinterpret_cast<const char*>(data), size}, "input");
  } catch (const dp::Error&) {
    return 0;
  }
  const dp::RunReport second = dp::parse_run_report(dp::write_run_report(first), "output");
  dp::fuzz::claim(first == second, "the report survives writing");
  return 0;
}
