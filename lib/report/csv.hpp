// A table of text cells, to and from CSV (RFC 4180, first row: column names).
// SPDX-License-Identifier: MIT
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dp {

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;

  /// Position of a column; nothing when there is none of that name.
  std::optional<std::size_t> find(std::string_view column) const;
};

std::string write_csv(const Table& table);

/// Throws Error naming `source` and the line when a row has another number of cells than the header.
Table parse_csv(std::string_view text, const std::string& source);

}  // namespace dp
