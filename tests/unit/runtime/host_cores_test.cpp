// The cores a process may use, from trees of control groups as the kernel shows them and from this process's own.
// SPDX-License-Identifier: MIT
#include "runtime/host_cores.hpp"

#include <gmock/gmock.h>
#include <sched.h>
#include <sys/stat.h>

#include <thread>

#include "base/file.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* v2_mount =
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
constexpr const char* v1_mounts =
    "31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:9 - cgroup cgroup rw,cpu,cpuacct\n"
    "33 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

struct Tree : testing::Test {
  Tree() {
    std::string name = testing::TempDir() + "cores-XXXXXX";
    root_ = ::mkdtemp(name.data());
  }
  ~Tree() override { fs::remove_all(root_); }
  void file(const std::string& path, const std::string& text) { write_atomically(root_ / path, text); }
  std::string group(const std::string& path) {
    struct stat facts {};
    EXPECT_EQ(::stat((root_ / path).c_str(), &facts), 0) << path;
    return std::to_string(facts.st_ino);
  }
  fs::path root_;
};

TEST_F(Tree, AQuotaOfItsOwnGroupAndOfThoseAboveCounts) {
  file("sys/fs/cgroup/cpu.max", "max 100000\n");
  file("sys/fs/cgroup/a/cpu.max", "300000 100000\n");
  file("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  file("sys/fs/cgroup/a/b/c/cpu.max", "25000 50000\n");
  file("sys/fs/cgroup/other/cpu.max", "1000 100000\n");
  EXPECT_THAT(cpu_quotas("0::/a/b/c\n", v2_mount, root_),
              ElementsAre(CpuQuota{group("sys/fs/cgroup/a/b/c"), 0.5},
                          CpuQuota{group("sys/fs/cgroup/a"), 3}));
  EXPECT_THAT(cpu_quotas("0::/\n", v2_mount, root_), IsEmpty());
}

TEST_F(Tree, TheFirstVersionHasAFileForQuotaAndPeriod) {
  file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n");
  file("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n");
  file("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_quota_us", "150000\n");
  file("sys/fs/cgroup/cpu,cpuacct/job/cpu.cfs_period_us", "100000\n");
  const char* groups = "5:cpuset:/\n4:cpu,cpuacct:/job\n1:name=systemd:/x\n0::/x\n";
  EXPECT_THAT(cpu_quotas(groups, v1_mounts, root_),
              ElementsAre(CpuQuota{group("sys/fs/cgroup/cpu,cpuacct/job"), 1.5}));
}

TEST_F(Tree, AContainerSeesItsOwnGroupAtTheMount) {
  file("sys/fs/cgroup/cpu.max", "200000 100000\n");
  const std::string own = "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
  const CpuQuota two{group("sys/fs/cgroup"), 2};
  EXPECT_THAT(cpu_quotas("0::/docker/abc\n", own, root_), ElementsAre(two));  // the host's names
  EXPECT_THAT(cpu_quotas("0::/\n", v2_mount, root_), ElementsAre(two));       // a name space of its own
  EXPECT_THAT(cpu_quotas("0::/../../elsewhere\n", v2_mount, root_), ElementsAre(two));
}

TEST_F(Tree, WhatCannotBeReadIsNoQuota) {
  file("sys/fs/cgroup/a/cpu.max", "x y\n");
  file("sys/fs/cgroup/a/b/cpu.max", "0 0\n");
  EXPECT_THAT(cpu_quotas("0::/a/b\n", v2_mount, root_), IsEmpty());
  EXPECT_THAT(cpu_quotas("", v2_mount, root_), IsEmpty());
  EXPECT_THAT(cpu_quotas("0::/a\n", "", root_), IsEmpty());
  EXPECT_THAT(cpu_quotas("::\n0\n", "30 23 - cgroup2\n- - -\n", root_), IsEmpty());
}

TEST(UsableCoresHere, AreThoseOfTheAffinity) {
  std::thread pinned([] {  // the affinity of a thread is its own
    const CpuList before = usable_cores().cpus;
    ASSERT_FALSE(before.empty());
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(before.back(), &one);
    ASSERT_EQ(::sched_setaffinity(0, sizeof one, &one), 0);
    EXPECT_THAT(usable_cores().cpus, ElementsAre(before.back()));
    EXPECT_LE(usable_cores().count(), 1);
  });
  pinned.join();
}

}  // namespace
}  // namespace dp
