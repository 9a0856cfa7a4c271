// In this test binary nothing may ask for much memory at once: a frame that makes the decoder do so fails its
// test instead of the machine. Sanitizers bring allocators of their own.
// SPDX-License-Identifier: MIT
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)

#include <gtest/gtest.h>

#include <cstdlib>
#include <new>
#include <vector>

namespace {
constexpr std::size_t most_at_once = std::size_t{256} << 20;
}

void* operator new(std::size_t size) {
  void* memory = size > most_at_once ? nullptr : std::malloc(size ? size : 1);
  if (!memory) throw std::bad_alloc();
  return memory;
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace {

TEST(AllocationLimit, IsInForce) {
  std::vector<char> memory;
  EXPECT_NO_THROW(memory.reserve(most_at_once));
  EXPECT_THROW(memory.reserve(most_at_once + 1), std::bad_alloc);
}

}  // namespace

#endif
