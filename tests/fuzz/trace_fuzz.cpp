// Traces of a dispatcher: replayed, asked about, or refused with Error. The input is two bytes that choose strategies, and
// records; the blocks around them are made here, so that checksums stay right.
// SPDX-License-Identifier: MIT
#include <string>

#include "base/error.hpp"
#include "base/file.hpp"
#include "parts.hpp"
#include "route/replay.hpp"

namespace {

using namespace dp;

std::string block_of(std::string_view contents) {
  const auto length = static_cast<std::uint32_t>(contents.size());
  const std::uint64_t sum = checksum(std::as_bytes(std::span(contents)));
  std::string block(reinterpret_cast<const char*>(&length), sizeof length);
  return block.append(reinterpret_cast<const char*>(&sum), sizeof sum).append(contents);
}

std::string strategy(std::uint8_t choice) {
  return std::string(strategy_kinds()[choice % strategy_kinds().size()].name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  std::string file;
  TraceWriter(strategy(data[0]), {2, {5, 4, 3, 2}, 1}, [&](std::string block) { file += block; });
  file += block_of({reinterpret_cast<const char*>(data + 2), size - 2});
  const auto bytes = std::as_bytes(std::span(file));
  try {
    TraceReader trace("trace", bytes);
    const ReplayedTrace result = replay(trace);
    fuzz::claim(result.same == result.decisions, "what was replayed is what was recorded");
    TraceReader again("trace", bytes);
    const ReplayedTrace asked = ask_another(again, strategy(data[0]), [](const DispatcherCall&, std::optional<Slot>) {});
    fuzz::claim(asked.same == asked.decisions, "the strategy that ran would decide as it did");
  } catch (const Error&) {
  }
  try {
    TraceReader trace("trace", bytes);
    ask_another(trace, strategy(data[1]), [](const DispatcherCall&, std::optional<Slot>) {});
  } catch (const Error&) {
  }
  return 0;
}
