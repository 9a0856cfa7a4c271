// Stands for a worker of known speed: each batch takes a fixed or exponentially drawn time and so much for each of its
// samples, spent asleep, so that routing can be studied with more workers than cores and uneven work can be staged.
// SPDX-License-Identifier: MIT
#include <time.h>

#include <cerrno>
#include <cmath>

#include "base/error.hpp"
#include "base/options.hpp"
#include "base/random.hpp"
#include "base/time.hpp"
#include "infer/backend.hpp"

namespace dp {
namespace {

struct Service {
  bool exponential;
  double seconds;     // a batch, mean; slowdown included
  double per_sample;  // seconds; slowdown included
};

constexpr double longest_service = 1e6;   // seconds
constexpr double largest_batch = 65'536;  // samples

Service parse_service(const BackendOptions& options) {
  const std::string& text = options.service;
  const double slowdown = options.slowdown;
  const auto colon = text.find(':');
  const std::string kind = text.substr(0, colon);
  if (colon == std::string::npos || (kind != "fixed" && kind != "exp")) {
    throw UsageError("--service '{}': give a time per batch such as fixed:5ms or exp:5ms", text);
  }
  if (!(slowdown > 0) || !std::isfinite(slowdown)) {
    throw UsageError("--slowdown {}: give a number above 0, such as 3 for a worker three times slower",
                     slowdown);
  }
  const double seconds = to_seconds(parse_duration("--service", text.substr(colon + 1))) * slowdown;
  if (seconds > longest_service)
    throw UsageError("--service '{}' times --slowdown {} is over 1e6 s a batch", text, slowdown);
  const double per_sample = to_seconds(options.per_sample) * slowdown;
  if (per_sample < 0 || per_sample * largest_batch > longest_service) {
    throw UsageError("--per-sample '{} s' times --slowdown {}: give 0s to {:.0f} s, such as 100us",
                     to_seconds(options.per_sample), slowdown, longest_service / largest_batch);
  }
  return {kind == "exp", seconds, per_sample};
}

std::string description_of(const BackendOptions& options) {
  std::string text = fmt::format("synthetic {}", options.service);
  if (options.per_sample > Duration{}) text += fmt::format(" + {:g} ms a sample", to_ms(options.per_sample));
  return options.slowdown == 1 ? text : text + fmt::format(", slowed {}x", options.slowdown);
}

// An absolute deadline: an interrupted sleep goes on without drifting.
void sleep_until(Time deadline) {
  const auto ns = deadline.time_since_epoch().count();
  const timespec at{.tv_sec = ns / 1'000'000'000, .tv_nsec = ns % 1'000'000'000};
  while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr) == EINTR) {
  }
}

class SyntheticBackend : public Backend {
 public:
  explicit SyntheticBackend(const BackendOptions& options)
      : service_(parse_service(options)), rng_(options.seed), description_(description_of(options)) {}

  void warm_up(Shape, std::uint32_t) override {}

  Outcome run(const Job& job) override {
    const Time start = now();
    const double batch = service_.exponential ? rng_.exponential(service_.seconds) : service_.seconds;
    sleep_until(start + from_seconds(batch + static_cast<double>(job.ids.size()) * service_.per_sample));
    return {.predictions = std::vector<Label>(job.ids.size(), Label{0})};
  }

  std::string describe() const override { return description_; }

 private:
  Service service_;
  Rng rng_;
  std::string description_;
};

}  // namespace

std::unique_ptr<Backend> make_synthetic_backend(const BackendOptions& options) {
  return std::make_unique<SyntheticBackend>(options);
}

}  // namespace dp
