// Drawing a vega-lite specification by the renderers of vega-cli, each run as a child process.
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace dp {

/// Where renderers are when nobody says where: $DP_VEGA, the build's vega folder, that of dp-install-vega.
std::vector<std::filesystem::path> renderer_folders();

/// The folder `program` (vl2svg, vl2png) is found in: one of `folders` or its node_modules/.bin, or one of
/// PATH. Throws Error saying how to install it.
std::filesystem::path find_renderer(const std::string& program,
                                    const std::vector<std::filesystem::path>& folders);

/// Runs `command` with `input` on its stdin and returns its stdout. Throws Error holding what it said on
/// stderr when it cannot be started or fails.
std::string run_filter(const std::vector<std::string>& command, const std::string& input);

}  // namespace dp
