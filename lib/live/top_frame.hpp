// dp-top's picture of a run: a snapshot as lines of styled text for a screen of a given size. No terminal is touched
// here, and nothing a peer named itself can command one: what is not printable ASCII becomes '?'.
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "wire/snapshot.hpp"

namespace dp {

enum class Style { plain, faint, title, heading, good, bad };

struct Span {
  std::string text;
  Style style = Style::plain;
};
using Line = std::vector<Span>;

enum class SortKey { name, rate, share, cpu, memory };
inline constexpr int sort_keys = 5;
const char* name_of(SortKey key);

/// What the person chose to see.
struct View {
  int width = 80, height = 24;  ///< characters
  SortKey sort = SortKey::name;
  int first_row = 0;  ///< of the workers; clamped to what there is
  bool paused = false, help = false;
  bool keys = true;  ///< name them below
};

/// What was heard so far.
struct Heard {
  std::string endpoint;  ///< "": none was found
  std::optional<Snapshot> latest;
  Duration silence{};     ///< since the latest, or since listening began
  std::string complaint;  ///< why nothing comes, if known
};

/// At most `view.height` lines of at most `view.width` characters.
std::vector<Line> draw(const Heard& heard, const View& view);

/// The texts of the lines, without trailing blanks.
std::string plain_text(const std::vector<Line>& lines);

/// Why nothing is heard, as far as is known.
std::string why_silent(const Heard& heard);
/// The same once that has lasted, and "" while all is well.
std::string silence_of(const Heard& heard);

}  // namespace dp
