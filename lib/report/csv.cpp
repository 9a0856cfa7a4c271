// CSV as RFC 4180 has it, with \n line ends.
// SPDX-License-Identifier: MIT
#include "report/csv.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace dp {
namespace {

std::string quoted(const std::string& cell) {
  if (cell.find_first_of(",\"\r\n") == std::string::npos) return cell;
  std::string text = "\"";
  for (char c : cell) text.append(c == '"' ? 2 : 1, c);
  return text += '"';
}

void append_row(std::string& text, const std::vector<std::string>& cells) {
  for (const std::string& cell : cells) text.append(quoted(cell)).push_back(',');
  text.back() = '\n';
}

/// Takes one cell off the front of `text`, and the separator behind it; `row_ends` tells which that was.
std::string take_cell(std::string_view& text, bool& row_ends) {
  std::string cell;
  bool in_quotes = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"') {
      if (in_quotes && text.substr(i + 1, 1) == "\"") cell += text[i++];
      else in_quotes = !in_quotes;
    } else if (!in_quotes && (c == ',' || c == '\n')) {
      break;
    } else if (in_quotes || c != '\r') {
      cell += c;
    }
  }
  row_ends = i >= text.size() || text[i] == '\n';
  text.remove_prefix(std::min(i + 1, text.size()));
  return cell;
}

std::vector<std::string> take_row(std::string_view& text) {
  std::vector<std::string> row;
  for (bool row_ends = false; !row_ends;) row.push_back(take_cell(text, row_ends));
  return row;
}

}  // namespace

std::optional<std::size_t> Table::find(std::string_view column) const {
  const auto found = std::find(columns.begin(), columns.end(), column);
  if (found == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns.begin());
}

std::string write_csv(const Table& table) {
  std::string text;
  append_row(text, table.columns);
  for (const auto& row : table.rows) append_row(text, row);
  return text;
}

Table parse_csv(std::string_view text, const std::string& source) {
  Table table;
  table.columns = take_row(text);
  while (!text.empty()) {
    const auto& row = table.rows.emplace_back(take_row(text));
    if (row.size() != table.columns.size()) {
      throw Error("{}: row {} has {} cells, the header {}", source, table.rows.size() + 1, row.size(),
                  table.columns.size());
    }
  }
  return table;
}

}  // namespace dp
