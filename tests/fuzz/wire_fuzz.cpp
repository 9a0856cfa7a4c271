// Frames off the network: decoded or refused with MalformedFrame; what is decoded can be encoded, and decodes to the
// same.
// SPDX-License-Identifier: MIT
#include "parts.hpp"
#include "wire_input.hpp"

using dp::fuzz::WireInput;

extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                               unsigned seed) {
  return dp::fuzz::mutate(
      data, size, max_size, seed,
      [](std::string_view whole) -> std::vector<std::string> {
        const auto input = WireInput::split(whole);
        if (!input) return {};
        return {std::string(input->head), std::string(input->header), std::string(input->columns)};
      },
      [](const std::vector<std::string>& parts) { return WireInput::join(parts[0], parts[1], parts[2]); });
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto input = WireInput::split({reinterpret_cast<const char*>(data), size});
  if (!input) return 0;
  dp::Envelope first;
  try {
    first = input->decode();
  } catch (const dp::MalformedFrame&) {
    return 0;
  }
  dp::Frames frames;
  dp::encode(first, frames);
  const std::string encoded = WireInput::join(frames);
  dp::Envelope second = WireInput::split(encoded)->decode();
  dp::fuzz::claim(first.from == second.from && first.to == second.to, "the sessions survive encoding");
  std::visit(
      [&]<class M>(M& message) {
        M& again = std::get<M>(second.body);
        dp::fuzz::claim(message.header() == again.header(), "the header's fields survive encoding");
        if constexpr (requires { message.arrays(); }) {
          dp::fuzz::claim(message.arrays() == again.arrays(), "the columns survive encoding");
        }
      },
      first.body);
  return 0;
}
