// Hears what a Publisher tells. Connects, and connects again, by itself; to be used from one thread.
// SPDX-License-Identifier: MIT
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wire/curve.hpp"

namespace dp {

class Subscriber {
 public:
  /// With keys it listens to the owner of `security`'s key of dp-collect only. Throws Error when the endpoint cannot be.
  Subscriber(std::string endpoint, std::optional<Security> security);
  ~Subscriber();

  /// The newest snapshot that waits; nothing when none does. What is none is passed over, and told by `complaint`.
  std::optional<Snapshot> receive();
  /// Connects anew: a peer whose host is gone says nothing of it.
  void reconnect();
  /// Why nothing is heard, as far as is known; "" otherwise.
  const std::string& complaint() const;
  /// Readable when something may have happened; to be asked for before each wait, once `receive` has nothing more.
  std::vector<int> descriptors() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace dp
