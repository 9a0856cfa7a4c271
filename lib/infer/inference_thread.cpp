// SPDX-License-Identifier: MIT
#include "infer/inference_thread.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <new>
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

void InferenceThread::submit(Task task) {
  {
    const std::lock_guard lock(mutex_);
    tasks_.push_back(std::move(task));
  }
  ready_.notify_one();
}

std::vector<InferenceThread::Answer> InferenceThread::take() {
  std::uint64_t count = 0;
  if (::read(wake_, &count, sizeof count) != sizeof count) return {};
  const std::lock_guard lock(mutex_);
  return std::exchange(answers_, {});
}

bool InferenceThread::busy() {
  const std::lock_guard lock(mutex_);
  return working_ || !tasks_.empty();
}

void InferenceThread::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    ready_.wait(lock, [this] { return stopping_ || !tasks_.empty(); });
    if (stopping_) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    working_ = true;
    lock.unlock();
    Answer answer = work(task);
    lock.lock();
    working_ = false;
    const bool first = answers_.empty();
    answers_.push_back(std::move(answer));
    const std::uint64_t one = 1;
    if (first && ::write(wake_, &one, sizeof one) != sizeof one) return;
  }
}

InferenceThread::Answer InferenceThread::work(Task& task) {
  if (const auto* computing = std::get_if<Compute>(&task)) return compute(computing->batch);
  try {
    const DataShape& data = std::get<WarmUp>(task).data;
    backend_->warm_up(data.shape, data.max_batch);
    return Warmed{};
  } catch (const std::exception& problem) {
    return Broken{problem.what()};
  }
}

InferenceThread::Computed InferenceThread::compute(const Batch& batch) {
  Computed result;
  result.started = now();
  try {
    result.outcome = serve(batch);
  } catch (const std::bad_alloc&) {
    result.outcome = {{}, ErrorClass::resource, "out of memory"};
  } catch (const std::exception& problem) {
    result.outcome = {{}, ErrorClass::permanent, problem.what()};
  }
  result.done = now();
  return result;
}

Outcome InferenceThread::serve(const Batch& batch) {
  if (batch.mode == PayloadMode::inline_pixels)
    return backend_->run({batch.shape, batch.ids, batch.payload.bytes});
  if (const std::string problem = gather(batch); !problem.empty()) return {{}, ErrorClass::data, problem};
  return backend_->run({batch.shape, batch.ids, pixels_});
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
