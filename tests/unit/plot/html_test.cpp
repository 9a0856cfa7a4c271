// The pieces of HTML: nothing that is anybody's text becomes markup.
// SPDX-License-Identifier: MIT
#include "plot/html.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/error.hpp"

namespace dp {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Html, MarkupBecomesText) {
  EXPECT_EQ(html_escaped("<b a=\"1\">'&amp;'</b>\x01\n"),
            "&lt;b a=&quot;1&quot;&gt;&#39;&amp;amp;&#39;&lt;/b&gt;\xEF\xBF\xBD\n");
}

TEST(Html, JsonOfAScriptElementCannotEndItAndMeansTheSame) {
  const std::string json = R"({"name": "</script><!-- \" -->"})";
  const std::string safe = script_json(json);
  EXPECT_THAT(safe, Not(HasSubstr("<")));
  EXPECT_EQ(nlohmann::json::parse(safe), nlohmann::json::parse(json));
}

TEST(Html, CodeOfAScriptElementCannotEndIt) {
  const std::string safe = script_text(R"(const end = "</script>", open = "<!--";)");
  EXPECT_THAT(safe, Not(HasSubstr("</script")));
  EXPECT_THAT(safe, Not(HasSubstr("<!--")));
}

TEST(Html, APageIsFilledOnceAndWholly) {
  EXPECT_EQ(fill_page("<p>{{a}}</p>{{b}}", {{"a", "{{b}}"}, {"b", "x"}}, "page"), "<p>{{b}}</p>x");
  EXPECT_THROW(fill_page("{{missing}}", {}, "page"), Error);
}

}  // namespace
}  // namespace dp
