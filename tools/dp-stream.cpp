// dp-stream: emits rate-limited batches of a data set.
// SPDX-License-Identifier: MIT
#include "base/log.hpp"
#include "data/dataset.hpp"
#include "data/plan.hpp"
#include "runtime/event_loop.hpp"
#include "runtime/link_options.hpp"
#include "runtime/process_usage.hpp"
#include "stream/streamer.hpp"

namespace {

using namespace dp;

constexpr const char* example =
    "  dp-collect & dp-route --strategy dynamic & dp-infer --backend synthetic --service fixed:5ms &\n"
    "  dp-stream --data synthetic:3x32x32 --rate 1000 --samples 2000 && wait";

Options declare() {
  Options options("dp-stream", "emit batches of a data set at a given rate, for dp-route to spread", example);
  options.section("Data")
      .value("data", "FILE|npy:FILE|folder:DIR|synthetic:CxHxW[:N]",
             "CIFAR-10 binary files, comma-separated; npy:IMAGES[,LABELS] (NxCxHxW or NxHxWxC, uint8, or "
             "float32 "
             "from 0 to 1); folder:DIR[,HxW] (PNG and JPEG, a sub-folder for each class or unlabelled); or "
             "synthetic:CxHxW[:N]",
             "data/cifar10/test_batch.bin")
      .value("layout", "sequential|distributed:W[,shuffle]|shards:S[,hash][,zipf:A]",
             "who shares a batch: the order of the file, ranks as in PyTorch's DistributedSampler, or shards",
             "shards:16")
      .value("samples", "N", "samples to send, cycling through the data", "8000")
      .value("batch-size", "N|A..B", "samples in a batch, or a range to draw from", "32")
      .value("batch-timeout", "TIME",
             "release a batch this long after its first sample even if not full; 0s: never", "0s")
      .value("payload", "inline|reference",
             "inline (uint8 pixels) or reference (sample ids; workers need --data)", "inline");
  options.section("Load")
      .value("rate", "R|max",
             "samples per second, on a schedule that waits for nobody, or as fast as possible", "1000")
      .value("arrivals", "constant|poisson", "of samples: constant or poisson", "constant")
      .value("concurrency", "K", "closed loop instead: keep K batches outstanding, for which dp-route --buffer must have room (0: open loop)", "0")
      .value("seed", "N", "of everything drawn: the same seed, the same schedule", "1");
  options.section("Peers")
      .value("route", "ENDPOINT", "where dp-route takes batches", "tcp://127.0.0.1:5601")
      .value("collect", "ENDPOINT", "where dp-collect listens", "tcp://127.0.0.1:5603");
  add_link_options(options, Role::stream);
  return options;
}

PlanOptions plan_options(const Options& options, std::uint32_t concurrency) {
  PlanOptions plan;
  plan.layout = options.text("layout");
  plan.samples = options.count("samples", 1, most_samples_of_run);
  plan.batch_size = parse_range("--batch-size", options.text("batch-size"), 1, largest_batch);
  plan.batch_timeout = options.duration("batch-timeout");
  const bool max = options.text("rate") == "max" || concurrency > 0;
  plan.rate = max ? 0 : options.number("rate", lowest_rate, highest_rate);
  plan.poisson = options.choice("arrivals", {"constant", "poisson"}) == "poisson";
  plan.seed = options.count("seed", 0, UINT64_MAX);
  return plan;
}

/// Refuses batches that no message can hold.
void check_message(const std::string& batch_size, std::uint32_t samples, const Shape& shape) {
  const std::size_t fit = max_payload_bytes / shape.bytes();
  if (samples <= fit) return;
  throw UsageError(
      "--batch-size '{}': {} samples of {}x{}x{} are {} bytes, a message holds 64 MiB ({}): give "
      "--batch-size {} or "
      "less, or --payload reference and the workers --data",
      batch_size, samples, shape.channels, shape.height, shape.width, samples * shape.bytes(),
      max_payload_bytes, fit);
}

Exit run(Options& options) {
  StreamerOptions settings;
  settings.timing = link_timing(options);
  settings.concurrency = static_cast<std::uint32_t>(options.count("concurrency", 0, 1'000'000));
  const bool inline_pixels = options.choice("payload", {"inline", "reference"}) == "inline";
  settings.payload = inline_pixels ? PayloadMode::inline_pixels : PayloadMode::reference;
  settings.boot_id = boot_id();
  settings.record = record_of(options, {"data", "layout", "samples", "batch-size", "batch-timeout", "payload",
                                        "rate", "arrivals", "concurrency", "seed"});
  const std::string route = endpoint_option(options, "route"), collect = endpoint_option(options, "collect");
  const PlanOptions planned = plan_options(options, settings.concurrency);
  std::optional<Security> security = security_option(options, Role::stream);
  const auto data = open_dataset(options.text("data"));
  for (const std::string& remark : data->remarks()) log_warn("{}", remark);
  settings.record.insert(settings.record.end(), {"sample-bytes", fmt::format("{}", data->shape().bytes())});
  if (inline_pixels) check_message(options.text("batch-size"), planned.batch_size.high, data->shape());
  const Plan plan(planned, data->size());

  EventLoop loop(set_up_process());
  Transport transport(std::move(security));
  transport.dial(route_peer, route, max_ledger_bytes);
  transport.dial(collect_peer, collect, max_ledger_bytes);
  Streamer streamer(settings, plan, *data, random_seed());
  ProcessUsage usage;
  loop.every(usage_interval, [&](Time now, Outbox& out) { streamer.usage(now, usage.read(), out); });
  print_ready("dp-stream", fmt::format("batches={} data={}", plan.batches(), data->name()));
  return loop.run(streamer, transport);
}

}  // namespace

int main(int argc, char** argv) { return run_main(declare(), argc, argv, run); }
