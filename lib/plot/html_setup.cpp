// What was measured on, with which options, and how to do it again.
// SPDX-License-Identifier: MIT
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "plot/html.hpp"
#include "plot/html_sections.hpp"

namespace dp {
namespace {

/// Distinct values in the order in which they first come; "" is left out.
class Values {
 public:
  void add(const std::string& value) {
    if (!value.empty() && std::find(values_.begin(), values_.end(), value) == values_.end())
      values_.push_back(value);
  }
  std::string text() const {
    if (values_.empty()) return "–";
    constexpr std::size_t shown = 8;
    const auto end = values_.begin() + static_cast<std::ptrdiff_t>(std::min(shown, values_.size()));
    const std::string text = fmt::format("{}", fmt::join(values_.begin(), end, ", "));
    return values_.size() > shown ? text + fmt::format(" … ({} values)", values_.size()) : text;
  }
  std::size_t size() const { return values_.size(); }

 private:
  std::vector<std::string> values_;
};

using Facts = std::vector<std::pair<std::string, std::string>>;

std::string facts_html(const Facts& facts) {
  std::string html = "<dl class=\"facts\">\n";
  for (const auto& [name, value] : facts) {
    html += fmt::format("<dt>{}</dt><dd>{}</dd>\n", html_escaped(name), html_escaped(value));
  }
  return html + "</dl>\n";
}

template <class Get>
std::string over(const std::vector<ListedRun>& runs, Get get) {
  Values values;
  for (const ListedRun& run : runs) values.add(get(run.run->report));
  return values.text();
}

template <class Get>
std::string largest(const std::vector<ListedRun>& runs, const char* number_format, Get get) {
  std::optional<double> most;
  for (const ListedRun& run : runs) {
    const std::optional<double> x = get(run.run->report);
    if (x) most = std::max(most.value_or(*x), *x);
  }
  return most ? fmt::format(fmt::runtime(number_format), *most) : "–";
}

std::string value_text(const ConfigValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return fmt::format("{}", *whole);
  return fmt::format("{:.6g}", std::get<double>(value));
}

/// Names that tell where things were, or all options once more, not what was measured.
bool of_the_place(const std::string& name) {
  static const std::set<std::string> names{"command_line", "journal", "events", "trace", "toml"};
  return names.count(name) > 0;
}

/// Stage by stage, option by option, the values over all runs.
std::vector<std::pair<std::string, std::vector<std::pair<std::string, Values>>>> options_of(
    const std::vector<ListedRun>& runs) {
  std::vector<std::pair<std::string, std::vector<std::pair<std::string, Values>>>> stages;
  const auto at = [](auto& list, const std::string& name) -> auto& {
    for (auto& entry : list) {
      if (entry.first == name) return entry.second;
    }
    return list.emplace_back(name, typename std::decay_t<decltype(list)>::value_type::second_type{}).second;
  };
  for (const ListedRun& run : runs) {
    for (const auto& [stage, section] : run.run->report.config) {
      auto& options = at(stages, stage);
      for (const auto& [name, value] : section) {
        if (!of_the_place(name)) at(options, name).add(value_text(value));
      }
    }
  }
  return stages;
}

/// stage: the option called `wanted`, of each stage that recorded one.
Facts recorded(const RunReport& report, std::string_view wanted) {
  Facts found;
  for (const auto& [stage, section] : report.config) {
    for (const auto& [name, value] : section) {
      if (name == wanted) found.emplace_back(stage, value_text(value));
    }
  }
  return found;
}

/// A word of a shell's command line that means `text` and nothing else.
std::string shell_word(const std::string& text) {
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

std::string code_html(const std::string& text) {
  return fmt::format("<pre><code>{}</code></pre>\n", html_escaped(text));
}

std::string run_commands_html(const ListedRun& run) {
  const RunReport& r = run.run->report;
  const std::string at =
      r.rates.requested ? fmt::format("at {:.6g}/s", *r.rates.requested) : "as fast as possible";
  std::string html =
      fmt::format("<details><summary>{}</summary>\n",
                  html_escaped(fmt::format("{}, {} {}, seed {}", r.strategy, count_text(r.nodes, "node"), at,
                                           run.iteration->seed)));
  if (!recorded(r, "toml").empty()) {
    html += "<p>All workers on this machine, each like the first:</p>\n" +
            code_html(fmt::format("jq -r '.config[].toml' {} > again.toml\n"
                                  "pipelines/run-local.sh --config again.toml --out again.json\n",
                                  shell_word(run.run->file)));
  }
  std::string started;
  for (const auto& [stage, line] : recorded(r, "command_line")) {
    if (stage == "infer" && r.nodes > 1) started += fmt::format("# the first of {} workers\n", r.nodes);
    started += line + "\n";
  }
  if (!started.empty()) html += "<p>Its processes, as they were started:</p>\n" + code_html(started);
  return html + "</details>\n";
}

}  // namespace

std::string machine_html(const ReportInputs& inputs) {
  const auto runs = listed_runs(inputs.sweep);
  const auto version = [&](std::string BuildFacts::*field) {
    return over(runs, [=](const RunReport& r) { return r.versions.*field; });
  };
  Facts machine{
      {"CPU", over(runs, [](const RunReport& r) { return r.host.cpu; })},
      {"Cores", over(runs, [](const RunReport& r) { return fmt::format("{}", r.host.cores); })},
      {"Instruction set", over(runs, [](const RunReport& r) { return r.host.isa; })},
      {"Memory",
       over(runs, [](const RunReport& r) { return fmt::format("{:.1f} GB", r.host.memory_mb / 1000); })},
      {"Kernel", over(runs, [](const RunReport& r) { return r.host.kernel; })},
      {"Governor", over(runs, [](const RunReport& r) { return r.host.governor; })},
      {"Load before a run, at most",
       largest(runs, "{:.2f}", [](const RunReport& r) { return std::optional(r.host.load_before); })},
      {"CPU time stolen during a run, at most",
       largest(runs, "{:.1f} %", [](const RunReport& r) { return r.host.steal_percent.during; })}};
  Facts build{{"Toolkit", version(&BuildFacts::toolkit)},
              {"Revision", over(runs,
                                [](const RunReport& r) {
                                  return r.versions.git.empty()
                                             ? ""
                                             : r.versions.git + (r.versions.dirty ? " (changed)" : "");
                                })},
              {"Compiler", version(&BuildFacts::compiler)},
              {"LibTorch", version(&BuildFacts::libtorch)},
              {"oneDNN", version(&BuildFacts::onednn)},
              {"BLAS", version(&BuildFacts::blas)},
              {"ZeroMQ", version(&BuildFacts::zmq)},
              {"Data", over(runs, [](const RunReport& r) { return r.data.name; })},
              {"Digest of the data", over(runs, [](const RunReport& r) { return r.data.digest; })},
              {"Weights", over(runs, [](const RunReport& r) { return r.weights.name; })},
              {"Digest of the weights", over(runs, [](const RunReport& r) { return r.weights.digest; })}};
  return facts_html(machine) + facts_html(build);
}

std::string configuration_html(const ReportInputs& inputs) {
  std::string html;
  for (const auto& [stage, options] : options_of(listed_runs(inputs.sweep))) {
    Facts facts;
    for (const auto& [name, values] : options) {
      if (values.size() > 0) facts.emplace_back(name, values.text());
    }
    if (!facts.empty())
      html += fmt::format("<section><h3>dp-{}</h3>\n{}</section>\n", html_escaped(stage), facts_html(facts));
  }
  return html;
}

std::string commands_html(const ReportInputs& inputs) {
  std::string html, commands;
  const auto runs = listed_runs(inputs.sweep);
  Values revisions;
  bool changed = false;
  for (const ListedRun& run : runs) {
    revisions.add(run.run->report.versions.git);
    changed = changed || run.run->report.versions.dirty;
  }
  if (revisions.size() == 1 && !changed) commands += "git checkout " + revisions.text() + "\n";
  if (!inputs.made_by.empty()) {
    html += fmt::format("<pre id=\"made-by\"><code>{}</code></pre>\n",
                        html_escaped(commands + inputs.made_by + "\n"));
    if (changed) html += "<p>The sources had been changed against their revision: figures may differ.</p>\n";
  }
  html += "<details><summary>One run alone</summary>\n";
  for (const ListedRun& run : runs) html += run_commands_html(run);
  return html + "</details>\n";
}

}  // namespace dp
