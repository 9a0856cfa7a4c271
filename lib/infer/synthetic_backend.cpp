// Stands for a worker of known speed: each batch takes a fixed or exponentially drawn time, spent asleep, so
// that routing can be studied with more workers than cores and a slow worker can be staged.
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
  double seconds;  // mean, slowdown included
};

Service parse_service(const std::string& text, double slowdown) {
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
  if (seconds > 1e6)
    throw UsageError("--service '{}' times --slowdown {} is over 1e6 s a batch", text, slowdown);
  return {kind == "exp", seconds};
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
      : service_(parse_service(options.service, options.slowdown)),
        rng_(options.seed),
        description_(options.slowdown == 1
                         ? fmt::format("synthetic {}", options.service)
                         : fmt::format("synthetic {}, slowed {}x", options.service, options.slowdown)) {}

  void warm_up(Shape, std::uint32_t) override {}

  Outcome run(const Job& job) override {
    const Time start = now();
    const double seconds = service_.exponential ? rng_.exponential(service_.seconds) : service_.seconds;
    sleep_until(start + from_seconds(seconds));
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
