#!/usr/bin/env bash
# The include rules: each layer of lib/ includes only what stands below it, each big library is included where it
# belongs, nothing that differs between compilers is used, one place changes the whole process, and stdout is written to
# where that is checked. Then: that this test sees what it is there to see.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/cli/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"

# What each layer may include besides itself.
stages_may="base stats wire data report runtime"
declare -A below=([base]="" [stats]="base" [wire]="base" [data]="base" [report]="base stats" [runtime]="base wire"
  [stream]=$stages_may [route]=$stages_may [infer]=$stages_may [collect]=$stages_may
  [doctor]="$stages_may infer plot"
  [live]="base stats wire" [plot]="$stages_may stream route infer collect" [sim]="$stages_may stream route infer collect")

# includes ROOT: "file:included" of every #include in lib/ and tools/.
includes() {
  (cd "$1" && grep -roP --include='*.hpp' --include='*.cpp' '^\s*#\s*include\s*[<"]\K[^">]+' lib tools)
}

layers() {
  local file included layer target
  while IFS=: read -r file included; do
    [[ $file == lib/* ]] || continue
    layer=${file#lib/}
    layer=${layer%%/*}
    if [[ ! -v below[$layer] ]]; then
      echo "$file: lib/$layer is not a layer (add it to $0)"
      continue
    fi
    target=${included%%/*}
    [[ $included == */* && -d $1/lib/$target && $target != "$layer" ]] || continue
    [[ " ${below[$layer]} " == *" $target "* ]] || echo "$file: includes $included: $layer does not stand above $target"
  done <"$scratch/includes"
}

# only LIBRARY-REGEX ALLOWED-FILE-REGEX: who includes a library and may not.
only() {
  grep -P ":($1)" "$scratch/includes" | grep -vP "^($2):" | sed 's/:/: includes /; s/$/, which is not for it/'
}

violations() {
  includes "$1" >"$scratch/includes"
  layers "$1"
  only 'zmq' 'lib/wire/[a-z_]+\.cpp'
  only 'msgpack' 'lib/wire/fields\.hpp'
  only 'wire/fields\.hpp' 'lib/(wire/codec|collect/journal)\.cpp'
  only 'zlib\.h' 'lib/collect/journal\.cpp'
  only '(ATen|torch|c10|caffe2)/' 'lib/infer/torch_(backend|model|resnet|script)\.(cpp|hpp)'
  only 'libproc2/' 'lib/runtime/(process|host)_usage\.cpp'
  only '(curses|term)\.h' 'lib/live/terminal(_check)?\.cpp'
  only 'microhttpd\.h' 'lib/live/metrics_server\.cpp'
  only 'cxxopts' 'lib/base/options\.cpp'
  only 'png\.h' '(tools/cifar10-from-png|lib/data/png_file)\.cpp'
  only 'jpeglib\.h' 'lib/data/jpeg_file\.cpp'
  only 'toml\+\+/' 'lib/base/config_file\.cpp'
  once "$1"
  (cd "$1" && grep -rnP --include='*.hpp' --include='*.cpp' 'std::\w+_distribution\b|std::unordered_|std::random_shuffle|std::shuffle' lib) |
    sed 's/$/   <- differs between compilers/'
  (cd "$1" && grep -rnP --include='*.hpp' --include='*.cpp' '::(sigaction|signal|prctl|setrlimit|mallopt)\(' lib tools) |
    grep -vP '^(lib/runtime/set_up_process|lib/base/(standard_streams|options)|tools/dp-top)\.cpp:' | sed 's/$/   <- changes the whole process/'
  (cd "$1" && grep -rnP --include='*.hpp' --include='*.cpp' 'fmt::print\(|std::(cout|puts|printf)\b|, stdout\)' lib tools) |
    sed 's/$/   <- is not checked: base\/standard_streams.hpp/'
}

# once ROOT: types that two headers define under one name. Both are dp::NAME, and a program that has both is no C++.
once() {
  local kind='struct|class|union|enum class|enum'
  (cd "$1" && grep -rnP --include='*.hpp' "^($kind) \\w+( final)?( : [\\w :<>,]+)? \\{" lib) |
    sed -E "s/^([^:]+):[0-9]+:($kind) (\\w+).*/\\3 \\1/" | sort |
    awk '$1 == name { print $2 ": defines " $1 ", as does " file } { name = $1; file = $2 }'
}

found=$(violations "$source_dir")
if [[ -n $found ]]; then
  echo "FAILED: the layer rules are broken:" >&2
  echo "$found" >&2
  exit 1
fi

# Plant violations of each rule in a copy: each must be seen, by one rule, and nothing else.
copy=$scratch/copy planted=()
mkdir "$copy"
cp -r "$source_dir/lib" "$source_dir/tools" "$copy/"
plant() { # plant FILE LINE [SAID]: SAID, or what is included, is said of the file
  mkdir -p "$(dirname "$copy/$1")"
  printf '%s\n' "$2" >>"$copy/$1"
  planted+=("$1|${3:-$(grep -oP '[<"]\K[^">]+(?=[">])' <<<"$2")}")
}
plant lib/base/file.cpp '#include "wire/message.hpp"'
plant lib/stats/summary.hpp '#include "data/plan.hpp"'
plant lib/wire/link.cpp '#include "report/latency.hpp"'
plant lib/data/plan.cpp '#include "wire/message.hpp"'
plant lib/report/csv.cpp '#include "wire/message.hpp"'
plant lib/runtime/event_loop.cpp '#include "route/router.hpp"'
plant lib/collect/recorder.cpp '#include "stream/streamer.hpp"'
plant lib/infer/worker.hpp '  #  include "route/router.hpp"'
plant lib/route/router.cpp '#include "plot/pictures.hpp"'
plant lib/route/router.cpp '#include <zmq.hpp>'
plant lib/wire/message.hpp '#include <msgpack.hpp>'
plant tools/dp-route.cpp '#include <zmq_addon.hpp>'
plant lib/collect/collector.cpp '#include "wire/fields.hpp"'
plant lib/collect/collector.cpp '#include <zlib.h>'
plant lib/infer/worker.cpp '#include <torch/torch.h>'
plant lib/infer/torch_third.cpp '#include <ATen/ATen.h>'
plant tools/dp-stream.cpp '#include <libproc2/pids.h>'
plant lib/runtime/host_facts.cpp '#include <libproc2/meminfo.h>'
plant tools/dp-collect.cpp '#include <cxxopts.hpp>'
plant lib/base/options.cpp '#include <toml++/toml.h>'
plant lib/live/top_frame.cpp '#include "collect/recorder.hpp"'
plant lib/live/top_frame.cpp '#include <curses.h>'
plant tools/dp-top.cpp '#include <term.h>'
plant tools/dp-collect.cpp '#include <microhttpd.h>'
plant lib/plot/vega.cpp '#include <png.h>'
plant lib/data/folder.cpp '#include <jpeglib.h>'
plant lib/route/strategy.cpp 'std::uniform_int_distribution<int> draw;' 'std::uniform_int_distribution<int> draw;   <- differs'
plant lib/route/router.hpp 'std::unordered_map<int, int> members;' 'std::unordered_map<int, int> members;   <- differs'
plant lib/wire/transport.cpp 'int limit() { return ::setrlimit(RLIMIT_NOFILE, nullptr); }' 'changes the whole process'
plant lib/wire/stage.hpp 'struct RepeatedFigure {};' 'defines RepeatedFigure, as does lib/report/repeatability.hpp'
plant lib/wire/stage.hpp 'enum class DType : int {};' 'defines DType, as does'
plant tools/dp-audit.cpp '  fmt::print("{}", 1);' 'is not checked'
plant lib/plot/words.cpp '  std::cout << 1;' 'is not checked'
plant tools/dp-doctor.cpp '  std::fputs("x", stdout);' 'is not checked'
plant lib/novel/novel.hpp '#include "base/time.hpp"' 'lib/novel is not a layer'
found=$(violations "$copy")
for plant in "${planted[@]}"; do
  [[ $(grep "^${plant%%|*}:" <<<"$found" | grep -cF -e "${plant#*|}") == 1 ]] || fail "not seen once: $plant: $found"
done
[[ $(grep -c . <<<"$found") == "${#planted[@]}" ]] || fail "more is seen than was planted: $found"
echo "ok"
