// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>

namespace dp {

/// While this lives, its thread takes no signals, nor do threads it begins, ever: neither those of the process, which wait
/// for a thread that takes them, nor those of a closed pipe or a limit on file sizes. A call that a signal interrupts may
/// fail, and ZeroMQ's do.
class WithoutSignals {
 public:
  WithoutSignals() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~WithoutSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  WithoutSignals(const WithoutSignals&) = delete;
  WithoutSignals& operator=(const WithoutSignals&) = delete;

 private:
  sigset_t before_;
};

}  // namespace dp
