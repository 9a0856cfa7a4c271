// Messages to frames and back. FORMAT.md is the same in prose.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "wire/message.hpp"

namespace dp {

inline constexpr std::uint32_t protocol_version = 3;
inline constexpr std::size_t max_header_bytes = 4096;
inline constexpr std::size_t max_arrays_bytes = std::size_t{16} << 20;
inline constexpr std::size_t max_payload_bytes = std::size_t{64} << 20;
inline constexpr std::size_t max_frames = 3;

/// Frames of one message, the routing id of ROUTER sockets excluded.
struct Frames {
  std::string header;  ///< MessagePack array [version, type, from, to, fields…]
  std::string arrays;  ///< binary columns; sent only if the type has any
  Payload payload;     ///< sent only with BATCH
  bool has_arrays = false, has_payload = false;
};

/// A frame off the network that cannot be taken: says why.
struct MalformedFrame : Error {
  using Error::Error;
  Session from{};  ///< whom to answer, when that much could be read
};

/// Encodes into `out`, whose buffers are reused.
void encode(Envelope& envelope, Frames& out);

/// Decodes one message. `payload` is taken over when the type carries one; it must be null otherwise. Throws
/// MalformedFrame on anything but exactly a valid message: unknown version or type, wrong field, trailing
/// bytes, a payload whose size is not the product of its shape.
Envelope decode(std::string_view header, std::optional<std::string_view> arrays,
                std::optional<Payload> payload);

}  // namespace dp
