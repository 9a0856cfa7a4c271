// --events and --trace while a run lasts: the ledger's batches as text (batch_events.hpp, batch_trace.hpp), on
// their way into files. What goes wrong there is told and harms nothing else.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/file.hpp"
#include "base/output_file.hpp"
#include "collect/batch_events.hpp"
#include "collect/batch_trace.hpp"

namespace dp {

class BatchOutputs final : public Observer {
 public:
  /// "": none. A trace goes to its place when it is whole, unless that is written in place. Throws Error naming the path
  /// that cannot be written.
  BatchOutputs(const std::string& events, const std::string& trace);
  /// A trace that was not closed is thrown away.
  ~BatchOutputs() override;

  /// An events file of the same run is gone on with, after its last whole line; any other begins anew, and the
  /// trace always does.
  void opened(RunId run, bool resumed) override;
  void started(Time t0) override;
  void settled(const SettledBatch& batch) override;
  void happened(Time at, const std::string& what) override;

  /// From here on nobody waits for a file.
  void replayed() { waits_ = false; }
  /// Hands the text over to the files. Returns what went wrong since it was last asked.
  std::vector<std::string> pump();
  /// Has everything written and the trace at its place. Returns like `pump`.
  std::vector<std::string> close();

 private:
  template <class Text>
  struct Output {
    Output(std::string path, const std::string& at) : path(std::move(path)), file(at) {}
    std::string path;
    Text text;
    OutputFile file;
    bool told = false;         ///< of its problem
    bool told_unread = false;  ///< that nobody reads it
  };
  template <class Text>
  void hand_over(std::optional<Output<Text>>& output, std::vector<std::string>& problems);
  void relieve();
  void place_trace(std::vector<std::string>& problems);

  std::optional<Output<BatchEvents>> events_;
  OutputPlace trace_place_;
  std::optional<Output<BatchTrace>> trace_;
  bool waits_ = true;
};

}  // namespace dp
