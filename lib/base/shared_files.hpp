// What comes with the tools: data/, lib/plot/templates, pipelines/. An installed tool has it in share/dataparallel of
// its prefix, wherever that was moved; a build has links there to the sources.
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>

namespace dp {

/// The shared folder of the tool that is `executable`; empty if there is none.
std::filesystem::path shared_folder_of(const std::filesystem::path& executable);

/// The shared folder of this process. Throws Error that says where it was looked for.
std::filesystem::path shared_folder();

/// `path` if it is absolute or there; else the file of this name that comes with the tools, if there is one; else
/// `path`, whose reader will miss it. So data/fixture/test_512.bin means something in any folder.
std::filesystem::path find_shared(const std::filesystem::path& path);

}  // namespace dp
