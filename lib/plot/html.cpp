// Escaping, tables and placeholders.
// SPDX-License-Identifier: MIT
#include "plot/html.hpp"

#include <fmt/format.h>

#include <regex>

#include "base/error.hpp"

namespace dp {
namespace {

std::string_view entity_of(char c) {
  switch (c) {
    case '&':
      return "&amp;";
    case '<':
      return "&lt;";
    case '>':
      return "&gt;";
    case '"':
      return "&quot;";
    case '\'':
      return "&#39;";
    default:
      return "";
  }
}

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t') || c == 0x7f;
}

std::string cell_html(const HtmlCell& cell, const std::string& element) {
  std::string attributes = cell.numeric ? " class=\"number\"" : "";
  if (cell.columns > 1) attributes += fmt::format(" colspan=\"{}\"", cell.columns);
  return fmt::format("<{0}{1}>{2}</{3}>", element, attributes, cell.html, element.substr(0, 2));
}

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (is_control(c)) {
      escaped += "\xEF\xBF\xBD";
    } else if (const auto entity = entity_of(c); !entity.empty()) {
      escaped += entity;
    } else {
      escaped += c;
    }
  }
  return escaped;
}

std::string script_json(std::string_view json) {
  std::string safe;
  for (const char c : json) {
    if (c == '<') {
      safe += "\\u003c";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string script_text(std::string_view code) {
  static const std::regex dangerous("<(/script|script|!--)", std::regex::icase);
  std::string safe;
  std::regex_replace(std::back_inserter(safe), code.begin(), code.end(), dangerous, "\\x3c$1");
  return safe;
}

std::string html_table(const HtmlTable& table) {
  std::string html = fmt::format(
      "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"{0}\">\n<table id=\"{1}\">\n"
      "<caption>{0}</caption>\n<thead><tr>",
      html_escaped(table.caption), table.id);
  for (const HtmlCell& cell : table.head) html += cell_html(cell, "th scope=\"col\"");
  html += "</tr></thead>\n<tbody>\n";
  for (const HtmlRow& row : table.rows) {
    html += row.row_class.empty() ? "<tr>" : fmt::format("<tr class=\"{}\">", row.row_class);
    for (const HtmlCell& cell : row.cells) html += cell_html(cell, "td");
    html += "</tr>\n";
  }
  return html + "</tbody>\n</table>\n</div>\n";
}

std::string html_list(const std::vector<std::string>& sentences) {
  if (sentences.empty()) return "";
  std::string html = "<ul>\n";
  for (const std::string& sentence : sentences) html += "<li>" + html_escaped(sentence) + "</li>\n";
  return html + "</ul>\n";
}

std::string fill_page(std::string_view template_text, const std::map<std::string, std::string>& values,
                      const std::string& source) {
  std::string page;
  while (true) {
    const std::size_t open = template_text.find("{{");
    const std::size_t close = open == template_text.npos ? open : template_text.find("}}", open);
    page += template_text.substr(0, close == template_text.npos ? close : open);
    if (close == template_text.npos) return page;
    const std::string name(template_text.substr(open + 2, close - open - 2));
    const auto value = values.find(name);
    if (value == values.end()) {
      throw Error("{}: nothing is called {{{{{}}}}} (mend the template, or give another --templates DIR)",
                  source, name);
    }
    page += value->second;
    template_text.remove_prefix(close + 2);
  }
}

}  // namespace dp
