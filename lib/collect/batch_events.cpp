// SPDX-License-Identifier: MIT
#include "collect/batch_events.hpp"

#include <fmt/format.h>

#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

namespace dp {
namespace {

using Json = nlohmann::json;

constexpr std::uint64_t farthest_ahead = std::uint64_t{1} << 24;  ///< of the first batch that is not there

std::string header_of(RunId run) {
  return fmt::format(R"({{"type":"run","schema":"dp.events/1","run_id":"{:016x}"}})", raw(run));
}

}  // namespace

std::string json_text(std::string_view text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::size_t BatchEvents::found(RunId run, std::string_view text) {
  const std::string header = header_of(run) + "\n";
  if (!text.starts_with(header)) return 0;
  headed_ = true;
  std::size_t good = header.size();
  for (std::size_t end; (end = text.find('\n', good)) != text.npos; good = end + 1) {
    if (!take_over(text.substr(good, end - good))) break;
  }
  return good;
}

/// True of a whole line of ours.
bool BatchEvents::take_over(std::string_view line) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return false;
  const auto type = json.find("type"), id = json.find("id");
  if (type != json.end() && *type == "event") return found_lines_.emplace(line), true;
  if (type == json.end() || *type != "batch" || id == json.end() || !id->is_number_unsigned()) return false;
  const auto batch = id->get<std::uint64_t>();
  return batch < raw(found_batches_.watermark()) + farthest_ahead && found_batches_.insert(BatchId{batch});
}

void BatchEvents::opened(RunId run, bool) {
  if (!headed_) text_ += header_of(run) + "\n";
  headed_ = true;
}

void BatchEvents::settled(const SettledBatch& b) {
  const std::uint64_t seq = count_++;
  if (found_batches_.contains(b.id)) return;
  const auto since = [&](Time at) { return to_ms(between(t0_.value_or(at), at)); };
  auto out = std::back_inserter(text_);
  fmt::format_to(out, R"({{"type":"batch","id":{},"seq":{},"samples":{},"status":"{}","attempt":{},)",
                 raw(b.id), seq, b.samples, b.failed ? "failed" : "ok", b.attempt);
  fmt::format_to(out, R"("scheduled_ms":{},"released_ms":{},)", since(b.outbound.scheduled),
                 since(b.outbound.released));
  if (b.failed) {
    fmt::format_to(out, R"("collected_ms":{},"why":{}}})", since(b.collected), json_text(b.why));
  } else {
    fmt::format_to(out, R"("sent_ms":{},"routed_ms":{},"received_ms":{},"started_ms":{},"done_ms":{},)",
                   since(b.outbound.sent), since(b.outbound.routed), since(b.at_worker.received),
                   since(b.at_worker.started), since(b.at_worker.done));
    fmt::format_to(out, R"("collected_ms":{},"latency_ms":{},"worker":{}}})", since(b.collected),
                   to_ms(between(b.outbound.scheduled, b.collected)), json_text(b.worker));
  }
  text_ += '\n';
}

void BatchEvents::happened(Time at, const std::string& what) {
  const std::string when = t0_ ? fmt::format("{}", to_ms(between(*t0_, at))) : "null";
  std::string line = fmt::format(R"({{"type":"event","t_ms":{},"what":{}}})", when, json_text(what));
  if (!found_lines_.contains(line)) text_ += line + "\n";
}

std::string BatchEvents::take() { return std::exchange(text_, {}); }

}  // namespace dp
