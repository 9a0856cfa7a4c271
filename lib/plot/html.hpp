// The few pieces of HTML that a report is put together from. Whatever comes from a run file passes html_escaped
// or script_json: names of workers and strategies are anybody's.
// SPDX-License-Identifier: MIT
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dp {

/// Text for element content and quoted attributes: & < > " ' become entities, other control characters than
/// newline and tab U+FFFD.
std::string html_escaped(std::string_view text);

/// JSON for a script element: `<` becomes its JSON escape, so no text ends the element. `json` must be valid.
std::string script_json(std::string_view json);

/// JavaScript for a script element: what ends one, or opens a comment, inside a string or a regular expression
/// is written with an escape.
std::string script_text(std::string_view code);

/// One cell of a table; `html` is put in as it is.
struct HtmlCell {
  std::string html;
  bool numeric = false;
  std::size_t columns = 1;  ///< it spans
};

struct HtmlRow {
  std::vector<HtmlCell> cells;
  std::string row_class = "";
};

struct HtmlTable {
  std::string id, caption;  ///< caption is escaped
  std::vector<HtmlCell> head;
  std::vector<HtmlRow> rows;
};

/// The table in a box of its own, which scrolls sideways where the page is narrower.
std::string html_table(const HtmlTable& table);

/// A list of sentences, each escaped; "" for none.
std::string html_list(const std::vector<std::string>& sentences);

/// `template_text` with every {{name}} replaced, once: what is put in is not searched again. Throws Error
/// naming `source` and a name that has no value.
std::string fill_page(std::string_view template_text, const std::map<std::string, std::string>& values,
                      const std::string& source);

}  // namespace dp
