// dp-top: a live view of a running pipeline, from what dp-collect publishes.
// SPDX-License-Identifier: MIT
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>

#include "base/log.hpp"
#include "base/standard_streams.hpp"
#include "base/without_signals.hpp"
#include "live/local_runs.hpp"
#include "live/snapshot_json.hpp"
#include "live/terminal.hpp"
#include "live/top_frame.hpp"
#include "runtime/link_options.hpp"
#include "wire/endpoint.hpp"
#include "wire/subscriber.hpp"

namespace {

using namespace dp;

constexpr const char* example =
    "  dp-collect --live auto >run.json & dp-route & dp-infer --backend synthetic --service fixed:5ms &\n"
    "  dp-stream --data synthetic:3x32x32 --rate 1000 --samples 2000 &\n"
    "  dp-top --once && wait && cat run.json\n"
    "  # In a terminal of its own, dp-top alone. For a run on another host, whose dp-collect was started "
    "with\n"
    "  # --live tcp://0.0.0.0:5604 --key keys/collect.key --allow keys/public (dp-keygen makes them):\n"
    "  #   dp-top tcp://HOST:5604 --key keys/top.key --server-key keys/public";

constexpr Duration redraw_every = std::chrono::milliseconds(250);
constexpr Duration look_after = std::chrono::seconds(1);
constexpr Duration reconnect_after = std::chrono::seconds(10);
constexpr int tall = 10'000;  ///< lines: all of them

volatile std::sig_atomic_t interrupted = 0;
void on_signal(int) { interrupted = 1; }

Options declare() {
  Options options("dp-top", "show a running pipeline as it goes", example);
  options.positional(
      "[ENDPOINT]",
      "where dp-collect publishes, its --live; without: your latest run here that has --live auto");
  options.section("View")
      .flag("once", "print one picture as text and end: for scripts, and terminals that cannot be drawn on")
      .flag("json", "print each snapshot, about two a second, as a line of JSON; with --once, one")
      .value("wait", "TIME", "with --once: longest time to wait for a snapshot before ending with status 1",
             "5s");
  add_key_options(options, Role::top);
  return options;
}

/// "": the latest run on this host.
std::string endpoint_of(const Options& options) {
  if (options.arguments().empty()) return "";
  if (options.arguments().size() > 1)
    throw UsageError("unexpected argument '{}': one endpoint is enough (see: dp-top --help)",
                     options.arguments()[1]);
  std::string endpoint =
      checked_endpoint("ENDPOINT", options.arguments()[0], options.has("insecure") || options.has("key"));
  require_resolved("ENDPOINT", endpoint);
  return endpoint;
}

/// What is heard, and for how long nothing was.
class Listening {
 public:
  /// `endpoint` "": the latest run on this host, and then the next one.
  Listening(const std::string& endpoint, std::optional<Security> security)
      : follows_(endpoint.empty()), security_(std::move(security)) {
    const WithoutSignals meanwhile;
    if (follows_) look_for_runs();
    else listen_to(endpoint);
  }
  /// True when there is something new.
  bool listen() {
    const WithoutSignals meanwhile;
    auto snapshot = subscriber_ ? subscriber_->receive() : std::nullopt;
    const bool fresh = snapshot.has_value();
    if (fresh) {
      heard_.latest = std::move(snapshot);
      last_ = connected_ = now();
    }
    heard_.silence = now() - last_;
    if (subscriber_) heard_.complaint = subscriber_->complaint();
    if (!fresh && follows_ && heard_.silence > look_after) look_for_runs();
    if (subscriber_ && now() - connected_ > reconnect_after) {
      connected_ = now();
      subscriber_->reconnect();
    }
    return fresh;
  }
  /// Until something may have happened, there or on `input` (-1: none). False when that is gone.
  bool wait(int input) const {
    std::vector<pollfd> fds{{input, POLLIN, 0}};
    if (subscriber_) {
      const WithoutSignals meanwhile;
      for (const int fd : subscriber_->descriptors()) fds.push_back({fd, POLLIN, 0});
    }
    ::poll(fds.data(), fds.size(), static_cast<int>(redraw_every / std::chrono::milliseconds(1)));
    return (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) == 0;
  }
  const Heard& heard() const { return heard_; }

 private:
  void look_for_runs() {
    const std::string endpoint = latest_local_run();
    if (!endpoint.empty() && endpoint != heard_.endpoint) listen_to(endpoint);
  }
  void listen_to(const std::string& endpoint) {
    heard_.endpoint = endpoint;
    subscriber_.emplace(endpoint, follows_ ? std::nullopt : security_);
    last_ = connected_ = now();
  }

  bool follows_;
  std::optional<Security> security_;
  std::optional<Subscriber> subscriber_;
  Heard heard_;
  Time last_ = now(), connected_ = last_;
};

std::string picture(const Heard& heard) {
  View all;
  all.width = 100;
  all.height = tall;
  all.keys = false;
  return plain_text(draw(heard, all));
}

Exit once(Listening& listening, bool json, Duration patience) {
  const Time begun = now();
  while (!listening.listen()) {
    if (interrupted) return Exit::interrupted;
    if (now() - begun > patience) throw Error("{}", why_silent(listening.heard()));
    listening.wait(-1);
  }
  const Heard& heard = listening.heard();
  write_stdout(json ? snapshot_json(*heard.latest) : picture(heard));
  return Exit::done;
}

Exit lines_of_json(Listening& listening) {
  bool told = false;
  while (!interrupted) {
    if (listening.listen()) write_stdout(snapshot_json(*listening.heard().latest));
    const std::string silence = silence_of(listening.heard());
    if (!silence.empty() && !told) log_warn("{}", silence);
    told = !silence.empty();
    listening.wait(-1);
  }
  return Exit::interrupted;
}

/// Does what a key asks for. False: the person is done.
bool obey(int key, View& view, int page) {
  constexpr std::pair<char, SortKey> sorts[] = {{'n', SortKey::name},
                                                {'r', SortKey::rate},
                                                {'a', SortKey::share},
                                                {'c', SortKey::cpu},
                                                {'m', SortKey::memory}};
  for (const auto& [letter, sort] : sorts) {
    if (key == letter) view.sort = sort;
  }
  if (key == 's') view.sort = static_cast<SortKey>((static_cast<int>(view.sort) + 1) % sort_keys);
  if (key == 'p') view.paused = !view.paused;
  if (key == 'h' || key == '?') view.help = !view.help;
  const int step = key == key_up          ? -1
                   : key == key_down      ? 1
                   : key == key_page_up   ? -page
                   : key == key_page_down ? page
                                          : 0;
  view.first_row = std::max(0, view.first_row + step);
  return key != 'q' && key != 'Q';
}

Exit watch(Listening& listening) {
  Terminal terminal;
  View view;
  std::optional<Snapshot> shown;
  while (!interrupted) {
    listening.listen();
    if (!view.paused) shown = listening.heard().latest;
    Heard heard = listening.heard();
    heard.latest = shown;
    view.width = terminal.width();
    view.height = terminal.height();
    if (shown) view.first_row = std::min(view.first_row, static_cast<int>(shown->roles.size()));
    terminal.show(draw(heard, view));
    if (!listening.wait(STDIN_FILENO)) return Exit::done;
    for (int key = terminal.key(); key != no_key; key = terminal.key()) {
      if (!obey(key, view, view.height / 2)) return Exit::done;
    }
  }
  return Exit::interrupted;
}

Exit run(Options& options) {
  const std::string endpoint = endpoint_of(options);
  const Duration patience = options.duration("wait");
  std::optional<Security> security = security_option(options, Role::top);
  struct sigaction action {};
  action.sa_handler = on_signal;
  for (const int signal : {SIGINT, SIGTERM}) ::sigaction(signal, &action, nullptr);
  Listening listening(endpoint, std::move(security));
  if (options.has("once")) return once(listening, options.has("json"), patience);
  if (options.has("json")) return lines_of_json(listening);
  return watch(listening);
}

}  // namespace

int main(int argc, char** argv) { return run_main(declare(), argc, argv, run); }
