// dp-doctor: looks at everything a run needs and says what to do where it is not well.
// SPDX-License-Identifier: MIT
#include <filesystem>
#include <functional>

#include "base/file.hpp"
#include "base/options.hpp"
#include "base/shared_files.hpp"
#include "base/standard_streams.hpp"
#include "base/version.hpp"
#include "data/predictions_file.hpp"
#include "doctor/checks.hpp"
#include "plot/vega.hpp"
#include "runtime/host_cores.hpp"
#include "wire/curve.hpp"
#include "wire/transport.hpp"

namespace {

using namespace dp;
namespace fs = std::filesystem;

constexpr const char* example = "  dp-doctor || echo 'not before the lines that begin with FAIL are mended'";

Options declare() {
  Options options("dp-doctor", "check what the tools need on this host, and say what to do", example);
  options.section("Where")
      .value("data", "DIR", "CIFAR-10, as make -f Makefile.bench data or dp-fetch-cifar10 put it there",
             "data/cifar10")
      .value("keys", "DIR", "keys that dp-keygen made", "keys");
  return options;
}

class Doctor {
 public:
  explicit Doctor(const Options& options)
      : shared_(shared_folder()), data_(find_shared(options.text("data"))), keys_(options.text("keys")) {}

  bool healthy() const { return healthy_; }

  void examine() {
    const HostDescription host = describe_host();
    say({Health::ok, "toolkit", fmt::format("{} {} ({}, {})", version, git_revision, compiler, build_type)});
    say(check_tools(fs::read_symlink("/proc/self/exe").parent_path(), version));
    say(check_zmq(zmq_version(), curve_is_there()));
    say(check_sums("shipped", shared_ / "data/shipped.sha256", shared_ / "data", Health::fail,
                   "install them again"));
    examine_torch(host);
    say(check_sums("cifar10", shared_ / "data/cifar10.sha256", data_, Health::warn,
                   "run: make -f Makefile.bench data, or dp-fetch-cifar10 of an installation"));
    say(check_program("node", "dp-plot draws with it"));
    say(check_vega(renderer_folders()));
    say(check_program("jq", "the examples read reports with it"));
    say(check_ports({5601, 5602, 5603}));
    say(check_cores(host));
    say(check_memory(available_memory_mb()));
    say(check_disk(fs::current_path()));
    say(check_keys(keys_));
    say(check_clock(host, clock_source()));
  }

 private:
  void say(const Finding& finding) {
    print("{}\n", line_of(finding));
    healthy_ &= finding.health != Health::fail;
  }

  static std::string clock_source() {
    const fs::path file = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
    return fs::exists(file) ? split(read_text(file), '\n').front() : "not told";
  }

#ifdef DP_TORCH
  void examine_torch(const HostDescription& host) {
    say(check_torch(torch_versions(), torch_capability(), host));
    for (const char* model : {"resnet18", "resnet18-cifar"}) say(answers_of(model));
  }

  Finding answers_of(const std::string& model) const {
    try {
      BackendOptions options;
      options.model = model;
      options.weights = shared_ / "data/weights" / (model + ".safetensors");
      options.threads = static_cast<int>(std::max(1.0, usable_cores().count()));
      const auto backend = make_torch_backend(options);
      const auto fixture = open_dataset((shared_ / "data/fixture/test_512.bin").string());
      const MappedFile expected(shared_ / "data/weights" / (model + ".predictions.bin"));
      return check_answers(model, *backend, *fixture, parse_predictions(expected.bytes()));
    } catch (const Error& problem) {
      return {Health::fail, model, problem.what()};
    }
  }
#else
  void examine_torch(const HostDescription&) {
    say({Health::warn, "libtorch", "not in this build: --backend null and synthetic only",
         "configure with -DDP_TORCH=ON"});
  }
#endif

  fs::path shared_, data_, keys_;
  bool healthy_ = true;
};

Exit run(const Options& options) {
  Doctor doctor(options);
  doctor.examine();
  return doctor.healthy() ? Exit::done : Exit::failed;
}

}  // namespace

int main(int argc, char** argv) { return run_main(declare(), argc, argv, run); }
