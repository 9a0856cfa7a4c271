// dp-infer: a worker that computes the predictions of batches.
// SPDX-License-Identifier: MIT
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <thread>

#include "base/file.hpp"
#include "base/log.hpp"
#include "base/shared_files.hpp"
#include "infer/inference_thread.hpp"
#include "infer/normalize.hpp"
#include "infer/worker.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/host_cores.hpp"
#include "runtime/link_options.hpp"
#include "runtime/process_usage.hpp"

namespace {

using namespace dp;

constexpr const char* example =
    "  dp-collect & dp-route & dp-stream --data synthetic:3x32x32 --rate 1000 --samples 2000 &\n"
    "  dp-infer --backend synthetic --service exp:5ms --slowdown 3 && wait\n"
    "On another host (dp-keygen makes the keys):\n"
    "  dp-infer --route tcp://HEAD:5602 --collect tcp://HEAD:5603 --key infer.key --server-key public";

Options declare() {
  Options options("dp-infer", "compute the predictions of batches that dp-route hands out", example);
  options.section("Model")
      .value("backend", "torch|null|synthetic",
             "torch, null (measures the toolkit itself) or synthetic (a worker of known speed)", "torch")
      .value("model", "resnet18|resnet18-cifar|FILE.pt",
             "torch: resnet18 (torchvision's topology), resnet18-cifar (3x3 stem, no max-pool), or a "
             "TorchScript file of one's own, "
             "such as model.pt, that returns samples x classes",
             "resnet18")
      .value("weights", "FILE",
             "torch, resnet18 and resnet18-cifar: safetensors with torchvision's names (default: "
             "data/weights/MODEL.safetensors)")
      .value("input-size", "HxW", "torch: scale images to this in the worker, bilinearly, or none", "none")
      .value("normalize", "MEANS/DEVS",
             "torch, a model of one's own: input = (pixel / 255 - mean) / deviation by channel, such as "
             "0.49,0.48,0.45/0.25,0.24,0.26; or cifar10, imagenet, none (pixel / 255)",
             "none")
      .value("threads", "N", "torch: threads of one forward pass", "1")
      .value("device", "cpu|cuda:N", "torch: cpu or cuda:N", "cpu")
      .value("service", "fixed:TIME|exp:TIME",
             "synthetic: time for a batch of any size, fixed:5ms or exp:5ms", "fixed:5ms")
      .value("per-sample", "TIME",
             "synthetic: added for each sample, so that larger batches take longer (fixed:2ms and 100us: 32 "
             "take 5.2 ms)",
             "0s")
      .value("slowdown", "X", "synthetic: multiply the time of a batch by X", "1")
      .value("seed", "N", "synthetic: of the drawn times", "1");
  options.section("Work")
      .value("name", "NAME",
             "of this worker, unique in the run (default: HOST-PID); a replacement takes its place")
      .value("credit", "N", "batches held at once: one computed, the rest waiting (default: 2, null 64)")
      .value("data", "FILE|npy:FILE|folder:DIR|synthetic:CxHxW[:N]",
             "data set held here, for batches by reference (as dp-stream --data)");
  options.section("Peers")
      .value("route", "ENDPOINT", "where dp-route hands out work", "tcp://127.0.0.1:5602")
      .value("collect", "ENDPOINT", "where dp-collect listens", "tcp://127.0.0.1:5603");
  add_link_options(options, Role::infer);
  return options;
}

/// The model, and which other flags go with it.
void choose_model(const Options& options, BackendOptions& backend) {
  backend.model = options.text("model");
  backend.normalize = options.text("normalize");
  parse_normalization(backend.normalize);
  if (options.text("input-size") != "none")
    backend.input_size = parse_size("--input-size", options.text("input-size"));
  if (is_model_file(backend.model)) {
    if (!options.text("weights").empty())
      throw UsageError("--weights: {} holds its own; leave --weights out", backend.model);
    return;
  }
  options.choice("model", {"resnet18", "resnet18-cifar", "a TorchScript file such as model.pt"});
  if (backend.normalize != "none")
    throw UsageError("--normalize: {} is normalised as its weights say; leave --normalize out",
                     backend.model);
  backend.weights =
      find_shared(options.has("weights") ? options.text("weights")
                                         : fmt::format("data/weights/{}.safetensors", backend.model));
}

BackendOptions backend_options(const Options& options) {
  BackendOptions backend;
  backend.kind = options.choice("backend", {"torch", "null", "synthetic"});
  choose_model(options, backend);
  backend.threads = static_cast<int>(options.count("threads", 1, 1024));
  backend.device = options.text("device");
  backend.service = options.text("service");
  backend.per_sample = options.duration("per-sample");
  backend.slowdown = options.number("slowdown", 0.001, 1000);
  backend.seed = options.count("seed", 0, UINT64_MAX);
  return backend;
}

std::unique_ptr<Backend> make_backend(const BackendOptions& options) {
  if (options.kind == "null") return make_null_backend();
  if (options.kind == "synthetic") return make_synthetic_backend(options);
#ifdef DP_TORCH
  return make_torch_backend(options);
#else
  throw Error(
      "this build has no LibTorch backend (configure with -DDP_TORCH=ON, or give --backend synthetic)");
#endif
}

/// What the run's record says of this worker.
std::vector<std::string> record(const Options& options, const BackendOptions& backend, std::uint64_t credit) {
  std::vector<std::string> all =
      record_of(options, {"backend", "model", "input-size", "normalize", "threads", "device", "service",
                          "per-sample", "slowdown", "seed", "data"});
  const auto add = [&](std::string name, std::string value) {
    all.push_back(std::move(name));
    all.push_back(std::move(value));
  };
  add("credit", fmt::format("{}", credit));
  add("host_cores", fmt::format("{}", std::thread::hardware_concurrency()));
  const UsableCores cores = usable_cores();
  add("cpus", cpu_list_text(cores.cpus));
  add("cpu_quotas", quotas_text(cores.quotas));
  const std::string boot = boot_id();
  add("machine", digest(std::as_bytes(std::span(boot))).substr(0, 8));
  if (backend.kind != "torch") return all;
  const auto weights = is_model_file(backend.model) ? std::filesystem::path(backend.model) : backend.weights;
  add("weights", weights.filename().string());
  add("weights_digest", digest(MappedFile(weights).bytes()));
#ifdef DP_TORCH
  const std::vector<std::string> versions = torch_versions();
  all.insert(all.end(), versions.begin(), versions.end());
#endif
  return all;
}

/// A forward pass cannot be interrupted: rather than wait for it, say what is to be said and go.
void leave_if_busy(InferenceThread& inference, std::unique_ptr<Transport>& transport, Exit status) {
  if (!inference.busy()) return;
  transport.reset();
  std::_Exit(static_cast<int>(status));
}

Exit run(Options& options) {
  const BackendOptions chosen = backend_options(options);
  WorkerOptions settings;
  settings.timing = link_timing(options);
  settings.boot_id = boot_id();
  settings.host = host_name();
  settings.name =
      options.has("name") ? options.text("name") : fmt::format("{}-{}", settings.host, ::getpid());
  if (settings.name.empty() || settings.name.size() > 100)
    throw UsageError("--name '{}': give 1 to 100 characters", settings.name);
  settings.credit = options.has("credit") ? options.count("credit", 1, 4096) : chosen.kind == "null" ? 64 : 2;
  settings.ahead = std::max<std::uint64_t>(1, settings.credit / 2);
  const std::string route = endpoint_option(options, "route"), collect = endpoint_option(options, "collect");
  std::optional<Security> security = security_option(options, Role::infer);
  std::unique_ptr<Dataset> data;
  if (options.has("data")) {
    data = open_dataset(options.text("data"));
    for (const std::string& remark : data->remarks()) log_warn("{}", remark);
    settings.datasets = {data->digest()};
  }

  EventLoop loop(set_up_process());
  std::unique_ptr<Backend> backend = make_backend(chosen);
  settings.detail = backend->describe();
  settings.record = record(options, chosen, settings.credit);
  InferenceThread inference(std::move(backend), std::move(data));
  auto transport = std::make_unique<Transport>(std::move(security));
  transport->dial(route_peer, route);
  transport->dial(collect_peer, collect, max_ledger_bytes);
  Worker worker(settings, random_seed());
  loop.on_action([&](Action& action) {
    if (auto* compute = std::get_if<Compute>(&action)) inference.submit(std::move(*compute));
    if (auto* warm_up = std::get_if<WarmUp>(&action)) inference.submit(std::move(*warm_up));
  });
  loop.watch(inference.descriptor(), [&](Time now, Outbox& out) {
    for (InferenceThread::Answer& answer : inference.take()) {
      if (const auto* broken = std::get_if<InferenceThread::Broken>(&answer))
        throw Error("warm-up failed: {}", broken->why);
      if (std::holds_alternative<InferenceThread::Warmed>(answer)) worker.warmed(now, out);
      if (auto* computed = std::get_if<InferenceThread::Computed>(&answer)) {
        worker.computed(now, computed->started, computed->done, std::move(computed->outcome), out);
      }
    }
  });
  ProcessUsage usage;
  loop.every(usage_interval, [&](Time now, Outbox& out) { worker.usage(now, usage.read(), out); });
  print_ready("dp-infer", fmt::format("name={} backend={}", settings.name, chosen.kind));
  try {
    const Exit status = loop.run(worker, *transport);
    leave_if_busy(inference, transport, status);
    return status;
  } catch (const Error& problem) {
    if (inference.busy()) log_line(LogLevel::error, problem.what());
    leave_if_busy(inference, transport, Exit::failed);
    throw;
  }
}

}  // namespace

int main(int argc, char** argv) { return run_main(declare(), argc, argv, run); }
