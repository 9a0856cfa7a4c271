// Each check of the doctor on something that is well and something that is not.
// SPDX-License-Identifier: MIT
#include "doctor/checks.hpp"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "base/file.hpp"
#include "wire/curve.hpp"

namespace dp {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class Doctor : public testing::Test {
 protected:
  Doctor() {
    std::string name = (fs::temp_directory_path() / "doctor-XXXXXX").string();
    folder_ = mkdtemp(name.data());
  }
  ~Doctor() override { fs::remove_all(folder_); }

  void write_tool(const std::string& name, const std::string& script) {
    write_atomically(folder_ / name, "#!/bin/sh\n" + script + "\n");
    chmod((folder_ / name).c_str(), 0755);
  }
  void write_tools() {
    for (const char* name : {"dp-stream", "dp-route", "dp-infer", "dp-collect"})
      write_tool(name, "echo $(basename $0) 1.2.3 '(made up)'");
  }
  fs::path folder_;
};

TEST(DoctorLine, SaysWhatToDoInBrackets) {
  EXPECT_EQ(line_of({Health::ok, "zeromq", "4.3.4"}), "ok    zeromq     4.3.4");
  EXPECT_EQ(line_of({Health::warn, "jq", "not found", "install it"}),
            "warn  jq         not found (install it)");
  EXPECT_THAT(line_of({Health::fail, "keys", "bad"}), testing::StartsWith("FAIL  keys"));
}

TEST_F(Doctor, ToolsOfOneVersionAreWell) {
  write_tools();
  const Finding finding = check_tools(folder_, "1.2.3");
  EXPECT_EQ(finding.health, Health::ok) << finding.found;
  EXPECT_THAT(finding.found, HasSubstr("4 start"));
}

TEST_F(Doctor, AMissingToolIsNamed) {
  write_tools();
  fs::remove(folder_ / "dp-route");
  const Finding finding = check_tools(folder_, "1.2.3");
  EXPECT_EQ(finding.health, Health::fail);
  EXPECT_THAT(finding.found, HasSubstr("dp-route is not in"));
}

TEST_F(Doctor, AToolOfAnotherVersionIsNamed) {
  write_tools();
  write_tool("dp-infer", "echo dp-infer 1.2.2");
  const Finding finding = check_tools(folder_, "1.2.3");
  EXPECT_EQ(finding.health, Health::fail);
  EXPECT_THAT(finding.found, HasSubstr("dp-infer is not of version 1.2.3"));
}

TEST_F(Doctor, AToolThatDoesNotStartTellsWhy) {
  write_tools();
  write_tool("dp-infer", "echo libtorch.so: cannot open >&2; exit 127");
  const Finding finding = check_tools(folder_, "1.2.3");
  EXPECT_EQ(finding.health, Health::fail);
  EXPECT_THAT(finding.found, testing::AllOf(HasSubstr("dp-infer"), HasSubstr("libtorch.so: cannot open")));
}

TEST(DoctorLibraries, NoCurveIsAWarning) {
  EXPECT_EQ(check_zmq("4.3.4", true).health, Health::ok);
  EXPECT_EQ(check_zmq("4.3.4", false).health, Health::warn);
}

TEST(DoctorLibraries, LibTorchThatUsesLessThanTheCpuHasIsAWarning) {
  HostDescription host;
  host.isa = "avx512f";
  host.cores = 2;
  const std::vector<std::string> versions{"libtorch", "1.13.1", "onednn",
                                          "2.6.3",    "blas",   "libopenblas.so.0"};
  EXPECT_EQ(check_torch(versions, "AVX512", host).health, Health::ok);
  EXPECT_EQ(check_torch(versions, "DEFAULT", host).health, Health::warn);
  host.isa = "sse4_2";
  EXPECT_EQ(check_torch(versions, "DEFAULT", host).health, Health::ok);
}

TEST(DoctorLibraries, ASlowBlasOrNoOneDnnIsAWarning) {
  HostDescription host;
  EXPECT_THAT(check_torch({"libtorch", "1.13", "onednn", "2.6", "blas", "libblas.so.3"}, "AVX2", host).remedy,
              HasSubstr("libopenblas0-pthread"));
  EXPECT_EQ(check_torch({"libtorch", "1.13", "onednn", "", "blas", ""}, "AVX2", host).health, Health::warn);
}

TEST(DoctorPrograms, AMissingNodeIsAWarningWithItsPackage) {
  const std::string path = std::getenv("PATH");
  setenv("PATH", "/nowhere", 1);
  const Finding node = check_program("node", "pictures"), vega = check_vega({"/nowhere"});
  setenv("PATH", path.c_str(), 1);
  EXPECT_EQ(node.health, Health::warn);
  EXPECT_EQ(node.remedy, "apt-get install nodejs");
  EXPECT_EQ(vega.health, Health::warn);
  EXPECT_THAT(vega.found, HasSubstr("dp-install-vega"));
}

TEST_F(Doctor, RenderersThatDrawNothingAreFoundOut) {
  write_tool("vl2svg", "echo '<svg>'");
  write_tool("vl2png", "echo no picture");
  EXPECT_THAT(check_vega({folder_}).found, HasSubstr("drew no PNG"));
  write_tool("vl2png", "printf '\\211PNG'");
  EXPECT_EQ(check_vega({folder_}).health, Health::ok);
}

// SHA-256 of "abc", from FIPS 180-2.
constexpr const char* sum_of_abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST_F(Doctor, AWrongChecksumFails) {
  write_atomically(folder_ / "list", std::string(sum_of_abc) + "  file.bin\n");
  write_atomically(folder_ / "file.bin", "abc");
  EXPECT_EQ(check_sums("data", folder_ / "list", folder_, Health::warn, "again").health, Health::ok);
  write_atomically(folder_ / "file.bin", "abd");
  const Finding finding = check_sums("data", folder_ / "list", folder_, Health::warn, "again");
  EXPECT_EQ(finding.health, Health::fail);
  EXPECT_THAT(finding.found, HasSubstr("file.bin"));
}

TEST_F(Doctor, AMissingFileIsAsBadAsTheCallerSays) {
  write_atomically(folder_ / "list", std::string(sum_of_abc) + "  file.bin\n" + sum_of_abc + "  other.bin\n");
  EXPECT_EQ(check_sums("data", folder_ / "list", folder_, Health::warn, "fetch").health, Health::warn);
  write_atomically(folder_ / "file.bin", "abc");
  EXPECT_EQ(check_sums("data", folder_ / "list", folder_, Health::warn, "fetch").health, Health::ok);
  EXPECT_EQ(check_sums("data", folder_ / "list", folder_, Health::fail, "fetch").health, Health::fail);
}

/// Predicts what it was told to, sample by sample.
class Oracle : public Backend {
 public:
  explicit Oracle(std::vector<Label> answers) : answers_(std::move(answers)) {}
  void warm_up(Shape, std::uint32_t) override {}
  Outcome run(const Job& job) override {
    Outcome outcome;
    for (const SampleId id : job.ids) outcome.predictions.push_back(answers_[id]);
    return outcome;
  }
  std::string describe() const override { return "oracle"; }

 private:
  std::vector<Label> answers_;
};

TEST(DoctorAnswers, OneNearTieInFiveHundredIsWellAndThreeWrongOnesAreNot) {
  const auto data = open_dataset("synthetic:3x4x4:512");
  const std::vector<Label> expected(10000, Label{7});
  std::vector<Label> answers(512, Label{7});
  const auto examine = [&] {
    Oracle oracle(answers);
    return check_answers("model", oracle, *data, expected);
  };
  EXPECT_EQ(examine().health, Health::ok);
  answers[511] = Label{3};
  EXPECT_EQ(examine().health, Health::ok);
  answers[0] = answers[100] = Label{3};
  EXPECT_EQ(examine().health, Health::fail);
  EXPECT_THAT(examine().found, HasSubstr("509 of 512"));
}

TEST_F(Doctor, AKeyThatOthersMayReadFails) {
  const fs::path key = folder_ / "infer-lab7.key";
  write_atomically(key, key_file_text(make_key_pair(Role::infer)));
  chmod(key.c_str(), 0600);
  EXPECT_EQ(check_keys(folder_).health, Health::ok) << check_keys(folder_).found;
  chmod(key.c_str(), 0644);
  const Finding finding = check_keys(folder_);
  EXPECT_EQ(finding.health, Health::fail);
  EXPECT_THAT(finding.found, testing::AllOf(HasSubstr("infer-lab7.key"), HasSubstr("chmod 600")));
}

TEST_F(Doctor, NoKeysAreNoFault) { EXPECT_EQ(check_keys(folder_ / "none").health, Health::ok); }

TEST(DoctorHost, APortInUseIsNamed) {
  const Fd socket(::socket(AF_INET, SOCK_STREAM, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(socket.fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(socket.fd, 1), 0);
  ASSERT_EQ(::getsockname(socket.fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const Finding finding = check_ports({ntohs(address.sin_port)});
  EXPECT_EQ(finding.health, Health::warn);
  EXPECT_THAT(finding.found, HasSubstr(std::to_string(ntohs(address.sin_port))));
  EXPECT_EQ(check_ports({}).health, Health::ok);
}

TEST(DoctorHost, LittleMemoryIsAWarning) {
  EXPECT_EQ(check_memory(8000).health, Health::ok);
  EXPECT_EQ(check_memory(400).health, Health::warn);
  EXPECT_GT(available_memory_mb(), 1);
}

TEST_F(Doctor, AFolderThatIsNotThereHasNoDisk) {
  EXPECT_EQ(check_disk(folder_ / "none").health, Health::fail);
  EXPECT_THAT(check_disk(folder_).found, HasSubstr(folder_.string()));
}

TEST(DoctorHost, CoresThatMayNotBeUsedAreToldOf) {
  HostDescription host;
  host.cores = 4;
  host.usable.cpus = {0, 1, 2, 3};
  EXPECT_EQ(check_cores(host).health, Health::ok);
  EXPECT_EQ(check_cores(host).found, "4 of 4 usable");
  host.usable.quotas = {{"a", 2.5}};
  EXPECT_EQ(check_cores(host).health, Health::warn);
  EXPECT_EQ(check_cores(host).found, "2.5 of 4 usable (affinity 0-3, a quota of 2.5)");
  EXPECT_THAT(check_cores(host).remedy, HasSubstr("no more threads than 2"));
  host.usable = {{3}, {}};
  EXPECT_EQ(check_cores(host).found, "1 of 4 usable (affinity 3)");
}

TEST(DoctorHost, ASlowClockASavingCpuAndCompanyAreWarnings) {
  HostDescription host;
  host.cores = 4;
  EXPECT_EQ(check_clock(host, "tsc").health, Health::ok);
  EXPECT_EQ(check_clock(host, "acpi_pm").health, Health::warn);
  host.load = 3;
  EXPECT_EQ(check_clock(host, "tsc").health, Health::warn);
  host.load = 0;
  host.governor = "powersave";
  EXPECT_EQ(check_clock(host, "tsc").health, Health::warn);
}

}  // namespace
}  // namespace dp
