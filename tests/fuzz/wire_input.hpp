// One message as a fuzzer's input: frames present (bit 0: columns, bit 1: payload), payload size and header size
// (16 bits each, little-endian), header, columns. Of the payload only the size matters.
// SPDX-License-Identifier: MIT
#pragma once

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "wire/codec.hpp"

namespace dp::fuzz {

struct WireInput {
  static constexpr std::size_t prefix = 5;
  std::string_view head;  ///< the first three bytes: frames present, payload size
  std::string_view header, columns;

  /// Takes what is there, whatever the sizes say.
  static std::optional<WireInput> split(std::string_view input) {
    if (input.size() < prefix) return std::nullopt;
    std::uint16_t size = 0;
    std::memcpy(&size, input.data() + 3, sizeof size);
    const std::string_view rest = input.substr(prefix);
    return WireInput{input.substr(0, 3), rest.substr(0, size),
                     rest.substr(std::min<std::size_t>(size, rest.size()))};
  }
  static std::string join(std::string_view head, std::string_view header, std::string_view columns) {
    std::string input(head);
    input.resize(3);
    const auto size = static_cast<std::uint16_t>(header.size());
    input.append(reinterpret_cast<const char*>(&size), sizeof size);
    input += header;
    return input += columns;
  }
  static std::string join(const Frames& frames) {
    const auto size = static_cast<std::uint16_t>(frames.payload.bytes.size());
    std::string head(1, static_cast<char>(frames.has_arrays | frames.has_payload << 1));
    head.append(reinterpret_cast<const char*>(&size), sizeof size);
    return join(head, frames.header, frames.arrays);
  }

  Envelope decode() const {
    static constexpr std::array<std::byte, 1 << 16> pixels{};
    std::uint16_t size = 0;
    std::memcpy(&size, head.data() + 1, sizeof size);
    std::optional<std::string_view> arrays;
    std::optional<Payload> payload;
    if (head[0] & 1) arrays = columns;
    if (head[0] & 2) payload = Payload{nullptr, std::span(pixels).first(size)};
    return dp::decode(header, arrays, payload);
  }
};

}  // namespace dp::fuzz
