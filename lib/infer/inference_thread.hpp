// The thread that computes, apart from the one that talks: tasks go in, outcomes come back in the same order
// with their times, and a descriptor becomes readable when one is there.
// SPDX-License-Identifier: MIT
#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <variant>
#include <vector>

#include "data/dataset.hpp"
#include "infer/backend.hpp"
#include "wire/stage.hpp"

namespace dp {

class InferenceThread {
 public:
  struct Warmed {};
  struct Computed {
    Time started{}, done{};
    Outcome outcome;
  };
  struct Broken {
    std::string why;  ///< warm-up failed
  };
  using Task = std::variant<WarmUp, Compute>;
  using Answer = std::variant<Warmed, Computed, Broken>;

  /// `data`: for batches by reference; may be null.
  InferenceThread(std::unique_ptr<Backend> backend, std::unique_ptr<Dataset> data);
  ~InferenceThread();

  void submit(Task task);
  /// All answers there are.
  std::vector<Answer> take();
  /// A task is under way or waits: destruction would have to wait for the one under way.
  bool busy();
  /// Readable when there may be an answer.
  int descriptor() const { return wake_; }

 private:
  void run();
  Answer work(Task& task);
  Computed compute(const Batch& batch);
  Outcome serve(const Batch& batch);
  std::string gather(const Batch& batch);

  std::unique_ptr<Backend> backend_;
  std::unique_ptr<Dataset> data_;
  std::vector<std::byte> pixels_;  ///< of a batch by reference
  std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<Task> tasks_;
  std::vector<Answer> answers_;
  bool stopping_ = false, working_ = false;
  int wake_ = -1;
  std::thread thread_;
};

}  // namespace dp
