// Child processes as filters.
// SPDX-License-Identifier: MIT
#include "plot/vega.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"

namespace dp {
namespace {

using testing::HasSubstr;

template <class Body>
std::string error_of(Body body) {
  try {
    body();
  } catch (const Error& e) {
    return e.what();
  }
  return "no error";
}

TEST(RunFilter, ReturnsWhatTheCommandWrote) {
  const std::string input(1 << 20, 'x');  // more than a pipe holds
  EXPECT_EQ(run_filter({"/bin/cat"}, input), input);
}

TEST(RunFilter, ReportsWhatAFailingCommandSaid) {
  EXPECT_THAT(error_of([] {
                run_filter({"/bin/sh", "-c", "echo no fonts >&2; exit 7"}, "");
              }),
              testing::AllOf(HasSubstr("/bin/sh failed (status 7)"), HasSubstr("no fonts")));
  EXPECT_THAT(error_of([] { run_filter({"/bin/sh", "-c", "kill -9 $$"}, ""); }), HasSubstr("signal 9"));
  EXPECT_THAT(error_of([] { run_filter({"/no/such/program"}, ""); }),
              HasSubstr("/no/such/program: cannot be started"));
}

TEST(FindRenderer, LooksInTheFoldersThenInPath) {
  EXPECT_EQ(find_renderer("sh", {"/nowhere", "/bin"}), "/bin/sh");
  EXPECT_EQ(find_renderer("sh", {}).filename(), "sh");
  EXPECT_THAT(error_of([] { find_renderer("vl2nothing", {"/bin"}); }),
              HasSubstr("vl2nothing not found (run: make -f Makefile.bench deps"));
}

}  // namespace
}  // namespace dp
