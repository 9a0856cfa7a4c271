// Strong types for everything that is counted or named.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <type_traits>

namespace dp {

enum class RunId : std::uint64_t {};    ///< minted by the collector, one per run
enum class Session : std::uint64_t {};  ///< random nonce of one side of a link; 0: not known yet
enum class BatchId : std::uint64_t {};  ///< position of a batch in the plan, from 0
enum class PeerId : std::uint64_t {};   ///< one connection as the event loop knows it
using SampleId = std::uint32_t;         ///< index of an image in its data set
using ShardId = std::uint32_t;          ///< 0 … S-1
using Label = std::uint16_t;            ///< class index; `no_label` where there is none
inline constexpr Label no_label = 0xFFFF;

template <class Id>
requires std::is_enum_v<Id>
constexpr std::uint64_t raw(Id id) { return static_cast<std::uint64_t>(id); }
constexpr BatchId next(BatchId id) { return BatchId{raw(id) + 1}; }

}  // namespace dp
