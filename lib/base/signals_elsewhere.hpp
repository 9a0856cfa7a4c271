// SPDX-License-Identifier: MIT
#pragma once

#include <csignal>

namespace dp {

/// Threads begun while this lives take no signals, neither for the process nor those of a closed pipe or a limit on
/// file sizes: signals are for the thread that waits for them.
class SignalsElsewhere {
 public:
  SignalsElsewhere() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsElsewhere() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsElsewhere(const SignalsElsewhere&) = delete;
  SignalsElsewhere& operator=(const SignalsElsewhere&) = delete;

 private:
  sigset_t before_;
};

}  // namespace dp
