# Completes the flags and values of every tool of DataParallel in bash. Both are read from the tool's own --help, once a
# shell: a value that is named there in small letters (torch|null|synthetic, synthetic:CxHxW) is offered as it stands up
# to where something is to be filled in, and files or folders for everything else.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash

declare -gA _dataparallel_help

# Sets `flags` to the flags of the tool $1, and `wanted` to what the flag $2 takes ("" for nothing).
_dataparallel_read() {
  [[ -n ${_dataparallel_help[$1]-} ]] || _dataparallel_help[$1]=$("$1" --help 2>/dev/null)
  local line word
  flags=() wanted=
  while IFS= read -r line && [[ $line != Example: ]]; do
    [[ $line =~ ^(  |      )(--.*)$ ]] || continue # what stands further in is text
    line=${BASH_REMATCH[2]}
    for word in ${line%%  *}; do
      word=${word%,}
      if [[ $word == --[a-z]* ]]; then
        flags+=("$word")
        [[ $wanted != + ]] || wanted=
        [[ $word != "$2" ]] || wanted=+
      elif [[ $wanted == + ]]; then
        wanted=$word
      fi
    done
    [[ $wanted != + ]] || wanted=
  done <<<"${_dataparallel_help[$1]}"
}

# Sets `values` to what stands in small letters in what is wanted, such as R|max.
_dataparallel_values() {
  local choice
  values=()
  IFS='|' read -ra choices <<<"$1"
  for choice in "${choices[@]}"; do
    choice=${choice%%[A-Z[]*}
    [[ -z $choice || $choice == *[^a-z0-9:,-]* ]] || values+=("$choice")
  done
}

_dataparallel() {
  local word=$2 before=$3 flags wanted values choices
  [[ $before == '=' ]] && before=${COMP_WORDS[COMP_CWORD - 2]}
  [[ $word == '=' ]] && word=''
  _dataparallel_read "$1" "$before"
  if [[ $word == -* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "${flags[*]}" -- "$word")
    return
  fi
  _dataparallel_values "$wanted"
  mapfile -t COMPREPLY < <(compgen -W "${values[*]}" -- "$word")
  if [[ ${COMPREPLY[*]} == *: ]]; then compopt -o nospace 2>/dev/null; fi
  case $wanted in
    DIR | FOLDER) mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "$word") ;;
    *FILE* | *SPEC* | '') mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$word") ;;
    *) return ;;
  esac
  ((${#values[@]})) || compopt -o filenames 2>/dev/null
}

complete -F _dataparallel @COMMANDS@
