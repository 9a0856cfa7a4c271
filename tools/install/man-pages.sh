#!/usr/bin/env bash
# Writes a man page for each tool and script of an installation, from its --help, by help2man; what --help does not say
# stands in NAME.inc beside this script. Usage: man-pages.sh BIN VERSION OUT
# SPDX-License-Identifier: MIT
set -euo pipefail
export LC_ALL=C.UTF-8 HOME='~' XDG_DATA_HOME=

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
bin=$1 version=$2 out=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
date=$(date -u -d "@${SOURCE_DATE_EPOCH:-$(date +%s)}" +%Y-%m-%d)
mkdir -p "$out/man1" "$out/man7"

names=()
for path in "$bin"/dp-* "$bin"/cifar10-from-png; do [[ -x $path ]] && names+=("${path##*/}"); done

# after_heading HEADING: what follows that line of the help.
after_heading() { sed -n "/^$1\$/,\$p" "$work/help" | tail -n +2; }

# What help2man takes for the program: --help without exit status and example, with headings as it knows them.
cat >"$work/program" <<'EOF'
#!/usr/bin/env bash
# The example's end is the end of the help.
sed -e '1d' -e '/^Exit status:/,$d' -e 's/^\([A-Z][a-z]*\)$/\1 options:/' -e 's/^Common options:$/Options of all tools:/' "${0%/*}/help"
EOF
chmod +x "$work/program"

# see_also NAME: the other pages.
see_also() {
  local other list=''
  for other in "${names[@]}"; do [[ $other == "$1" ]] || list+="\\fB$other\\fR(1), "; done
  echo "$list\\fBdataparallel\\fR(7)"
}

for name in "${names[@]}"; do
  "$bin/$name" --help | iconv -t ASCII//TRANSLIT >"$work/help"
  purpose=$(sed -n "1s/^[^ ]* - //p" "$work/help")
  {
    printf '[DESCRIPTION]\n%s. How the tools join is told in\n.BR dataparallel (7).\n\n' "${purpose^}"
    [[ ! -f $here/$name.inc ]] || cat "$here/$name.inc"
    printf '\n[EXIT STATUS]\n'
    sed -n '/^Exit status:/,/^$/s/^Exit status: *//p' "$work/help" | sed 's/ \([0-9]\)/ \\fB\1\\fR/g; s/^\([0-9]\)/\\fB\1\\fR/'
    printf '\n[EXAMPLES]\n.nf\n'
    after_heading 'Example:' | sed 's/^  //; s/\\/\\e/g; s/-/\\-/g; s/^\([.'"'"']\)/\\\&\1/'
    printf '.fi\n\n[SEE ALSO]\n'
    see_also "$name"
  } >"$work/include"
  help2man --no-info --no-discard-stderr --name "$purpose" --version-string "$version" --manual 'DataParallel' \
    --source "DataParallel $version" --include "$work/include" --output "$out/man1/$name.1" "$work/program"
  sed -i "1d; s/^\(\.TH [^ ]*\) \"1\" \"[^\"]*\"/\1 \"1\" \"$date\"/" "$out/man1/$name.1"
  # Options get a heading of their own.
  first=$(sed -nE 's/^(\.(SS|TP)).*/\1/p' "$out/man1/$name.1" | sed -n 1p)
  [[ -z $first ]] || sed -i "0,/^\\$first/s//.SH OPTIONS\n$first/" "$out/man1/$name.1"
  sed -i "s/^\(\.TH\) PROGRAM/\1 ${name^^}/; s/^program /$name /" "$out/man1/$name.1"
done
# strategies: what dp-route says of each.
strategies() {
  local name rule source parameters
  "$bin/dp-route" --list-strategies | iconv -t ASCII//TRANSLIT | while IFS=$'\t' read -r name rule source _ _ parameters; do
    printf '.TP\n.B %s\n%s (%s).%s\n' "$name" "$rule" "$source" "${parameters:+ Parameters: $parameters.}"
  done | sed 's/-/\\-/g'
}
strategies >"$work/strategies"
sed -e "s/@VERSION@/$version/; s/@DATE@/$date/" -e "/^@STRATEGIES@$/{r $work/strategies" -e 'd}' "$here/dataparallel.7" \
  >"$out/man7/dataparallel.7"
