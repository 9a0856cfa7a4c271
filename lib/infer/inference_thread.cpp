// SPDX-License-Identifier: MIT
#include "infer/inference_thread.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <utility>

namespace dp {

InferenceThread::InferenceThread(std::unique_ptr<Backend> backend, std::unique_ptr<Dataset> data)
    : backend_(std::move(backend)), data_(std::move(data)), wake_(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (wake_ < 0) throw Error("eventfd failed");
  thread_ = std::thread([this] { run(); });
}

InferenceThread::~InferenceThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_one();
  thread_.join();
  ::close(wake_);
}

void InferenceThread::submit(std::variant<WarmUp, Compute> job) {
  {
    const std::lock_guard lock(mutex_);
    job_ = std::move(job);
  }
  ready_.notify_one();
}

std::optional<InferenceThread::Answer> InferenceThread::take() {
  std::uint64_t count = 0;
  if (::read(wake_, &count, sizeof count) != sizeof count) return std::nullopt;
  const std::lock_guard lock(mutex_);
  return std::exchange(answer_, std::nullopt);
}

void InferenceThread::run() {
  while (true) {
    std::optional<std::variant<WarmUp, Compute>> job;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return stopping_ || job_; });
      if (stopping_) return;
      job = std::exchange(job_, std::nullopt);
    }
    Answer answer = work(*job);
    {
      const std::lock_guard lock(mutex_);
      answer_ = std::move(answer);
    }
    const std::uint64_t one = 1;
    if (::write(wake_, &one, sizeof one) != sizeof one) return;
  }
}

InferenceThread::Answer InferenceThread::work(std::variant<WarmUp, Compute>& job) {
  if (const auto* compute_job = std::get_if<Compute>(&job)) return compute(compute_job->batch);
  try {
    const DataShape& data = std::get<WarmUp>(job).data;
    backend_->warm_up(data.shape, data.max_batch);
    return Warmed{};
  } catch (const std::exception& problem) {
    return Broken{problem.what()};
  }
}

InferenceThread::Computed InferenceThread::compute(const Batch& batch) {
  Computed result;
  result.started = now();
  std::span<const std::byte> pixels = batch.payload.bytes;
  std::string problem;
  if (batch.mode == PayloadMode::reference) {
    problem = gather(batch);
    pixels = pixels_;
  }
  if (problem.empty()) {
    result.outcome = backend_->run({batch.shape, batch.ids, pixels});
  } else {
    result.outcome = {{}, ErrorClass::data, problem};
  }
  result.done = now();
  return result;
}

/// Fills `pixels_` from our own copy of the data set; says what is wrong, or nothing.
std::string InferenceThread::gather(const Batch& batch) {
  if (!data_ || data_->shape() != batch.shape) return "no data set of this shape here";
  const std::size_t each = batch.shape.bytes();
  pixels_.resize(batch.ids.size() * each);
  for (std::size_t i = 0; i < batch.ids.size(); ++i) {
    if (batch.ids[i] >= data_->size()) return fmt::format("sample {} is not in the data set", batch.ids[i]);
    data_->copy(batch.ids[i], std::span(pixels_).subspan(i * each, each));
  }
  return {};
}

}  // namespace dp
