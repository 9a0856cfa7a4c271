// The dispatcher's calls and answers as a file: TRACE.md. What was recorded can be replayed, and another strategy asked what
// it would have answered.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "route/dispatcher_call.hpp"
#include "route/strategy.hpp"

namespace dp {

/// Turns calls into blocks, which it hands on as they are full.
class TraceWriter {
 public:
  using Take = std::function<void(std::string block)>;
  TraceWriter(const std::string& strategy, const StrategySetup& setup, Take take);
  void add(const DispatcherCall& call);
  /// Hands on what has not filled a block.
  void flush();

 private:
  Take take_;
  std::string records_;
  Time last_{};
};

/// Reads what a TraceWriter wrote. Keeps the view.
class TraceReader {
 public:
  /// `name` begins the words of each Error. Throws one if it is no trace.
  TraceReader(std::string name, std::span<const std::byte> file);
  const std::string& strategy() const { return strategy_; }
  const StrategySetup& setup() const { return setup_; }
  /// False after the last. Throws Error, naming the byte, for what is no record or damaged.
  bool next(DispatcherCall& call);
  /// Throws Error: what it says makes no sense.
  template <class... Args>
  [[noreturn]] void fail(fmt::format_string<Args...> format, Args&&... args) const {
    throw Error("{}: {}", name_, fmt::format(format, std::forward<Args>(args)...));
  }
  /// Bytes of a torn last block, once `next` was false.
  std::size_t torn() const { return torn_; }

 private:
  bool open_block();
  std::uint64_t number();

  std::string name_;
  std::span<const std::byte> file_, block_;
  std::size_t at_ = 0, in_block_ = 0, torn_ = 0;
  std::string strategy_;
  StrategySetup setup_;
  Time last_{};
};

}  // namespace dp
