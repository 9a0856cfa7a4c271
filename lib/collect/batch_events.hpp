// --events as text: one JSON object a line, for the run, each batch, and whatever else happened. No file here.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/settled.hpp"
#include "collect/observer.hpp"

namespace dp {

/// Text as a JSON string, with its quotes; bytes that are no UTF-8 are replaced.
std::string json_text(std::string_view text);

/// Times in the lines are ms since t0, and exact to the nanosecond.
class BatchEvents final : public Observer {
 public:
  /// What stands in the file already. Returns how many bytes of it can stay: whole lines of this run; what
  /// follows is to be cut off.
  std::size_t found(RunId run, std::string_view text);

  /// A line unless it was found.
  void opened(RunId run, bool resumed) override;
  void started(Time t0) override { t0_ = t0; }
  void settled(const SettledBatch& batch) override;
  void happened(Time at, const std::string& what) override;

  /// The lines since it was last asked.
  std::string take();
  std::size_t size() const { return text_.size(); }

 private:
  bool take_over(std::string_view line);

  std::optional<Time> t0_;
  std::string text_;
  std::uint64_t count_ = 0;  ///< batches told of
  bool headed_ = false;
  Settled found_batches_;
  std::set<std::string, std::less<>> found_lines_;  ///< of other kinds
};

}  // namespace dp
