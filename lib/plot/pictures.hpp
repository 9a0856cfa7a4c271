// The one entrance to all pictures: vega-lite specifications, each made from a template by putting rows, colours and a
// title that states the finding in place of the strings that begin with `$`.
// SPDX-License-Identifier: MIT
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "plot/picture.hpp"
#include "plot/plot_data.hpp"

namespace dp {

/// Every kind of picture, in the order in which they are drawn.
const std::vector<PictureKind>& picture_kinds();

/// The pictures that `data` supports, of the kinds named in `only` (empty: all). Throws UsageError for a name that no
/// kind has, Error naming a template that is missing or not JSON.
std::vector<Picture> make_pictures(const PlotData& data, const std::filesystem::path& templates,
                                   const std::vector<std::string>& only = {});

/// The kinds named in `only` that `pictures` holds nothing of.
std::vector<PictureKind> left_out(const std::vector<Picture>& pictures, const std::vector<std::string>& only);

}  // namespace dp
