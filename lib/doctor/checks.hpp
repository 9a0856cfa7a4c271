// What dp-doctor looks at, each a function of what it is given: one finding a line, with what to do about it.
// SPDX-License-Identifier: MIT
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "data/dataset.hpp"
#include "infer/backend.hpp"
#include "runtime/host_facts.hpp"

namespace dp {

enum class Health {
  ok,
  warn,  ///< something is missing or slow; the tools work
  fail   ///< the tools do not work, or give wrong figures
};

/// One line of the doctor: `remedy` is empty or what to do.
struct Finding {
  Health health = Health::ok;
  std::string subject, found, remedy = {};
};

/// `warn  vega       vl2png not found (run: …)`, without an end of line.
std::string line_of(const Finding& finding);

// ── Programs ──
/// Every tool beside the doctor starts and is of `version`; the four of a pipeline are there.
Finding check_tools(const std::filesystem::path& folder, const std::string& version);
/// libzmq, with CURVE or not.
Finding check_zmq(const std::string& version, bool curve);
/// LibTorch: `versions` as of torch_versions(), `capability` as of torch_capability().
Finding check_torch(const std::vector<std::string>& versions, const std::string& capability,
                    const HostDescription& host);
/// `program` on PATH, and what it says its version is.
Finding check_program(const std::string& program, const std::string& what_for);
/// Draws a small picture with vl2svg and vl2png from `folders` (see find_renderer).
Finding check_vega(const std::vector<std::filesystem::path>& folders);

// ── Data ──
/// The files named in the list of SHA-256 sums, below `folder`; those that are not there are of health `missing`.
Finding check_sums(const std::string& subject, const std::filesystem::path& list,
                   const std::filesystem::path& folder, Health missing, const std::string& remedy);
/// The model predicts for each sample of the data set what is expected of the first ones.
Finding check_answers(const std::string& model, Backend& backend, const Dataset& data,
                      std::span<const Label> expected);
/// The folder's key files: readable by their owner only, well-formed. Nothing there is well, too.
Finding check_keys(const std::filesystem::path& folder);

// ── The host ──
/// Nobody listens on these ports of the loopback.
Finding check_ports(const std::vector<std::uint16_t>& ports);
/// Not all of the host's cores may be used: fewer threads are well.
Finding check_cores(const HostDescription& host);
/// `available_mb` as of available_memory_mb().
Finding check_memory(double available_mb);
double available_memory_mb();
Finding check_disk(const std::filesystem::path& folder);
/// Kernel clock source, governor and what else the host does.
Finding check_clock(const HostDescription& host, const std::string& clock_source);

}  // namespace dp
