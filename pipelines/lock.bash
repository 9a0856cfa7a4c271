# One measurement at a time: two on one host spoil each other's figures, two in one folder overwrite each other's. Sourced.
# A lock is flock(2) on a path. A process of its own holds it until the process that it is for has ended, however that
# ends: so nothing started meanwhile keeps it by an inherited descriptor, and who has it stands in the holder's command line.
# What runs below the process that a lock is for has it too. Nothing is written into what other accounts can reach.
# SPDX-License-Identifier: MIT
# shellcheck shell=bash

# Every account's, whatever its TMPDIR; a folder, since another account's file in /tmp cannot be opened to be locked.
host_lock=${DP_LOCK:-/tmp/dataparallel.lock}
lock_holders=()

# shellcheck disable=SC2016  # the holder's: $0 is "holds LOCK", $1 the process it is for, $2 since when, $3 its command
keep_lock='trap "" HUP INT QUIT TERM; echo held; exec >/dev/null 2>&1 </dev/null 9<> <(:)
while [[ -d /proc/$1 ]]; do read -rt 0.5 -u 9; done'

# try_lock LOCK PID COMMAND: status 0 held from now on, 1 somebody else has it, 2 it cannot be had, as stderr says.
try_lock() {
  local said='' status=0
  read -r said < <(exec flock --nonblock --no-fork --conflict-exit-code 75 "$1" \
    "$BASH" -c "$keep_lock" "holds $1" "$2" "$(date '+%F %T')" "$3")
  if [[ $said == held ]]; then lock_holders+=("$!"); return; fi
  wait "$!" || status=$?
  return $((status == 75 ? 1 : 2))
}

# see_holder LOCK: leaves in held_for, held_since and held_by for which process LOCK is held; fails where none is to be seen.
see_holder() {
  local file words
  for file in $(grep -slzxF -- "holds $1" /proc/[0-9]*/cmdline); do
    mapfile -d '' words 2>/dev/null <"$file" || continue
    [[ ${words[1]:-} == -c && ${words[3]:-} == "holds $1" && ${words[4]:-} =~ ^[0-9]+$ ]] || continue
    held_for=${words[4]} held_since=${words[5]//[^[:print:]]/?} held_by=${words[6]//[^[:print:]]/?}
    return
  done
  return 1
}

# above PID: is it this process or one that this one runs below.
above() {
  local process=$$
  while ((process > 0)); do
    ((process != $1)) || return 0
    [[ $(</proc/$process/status) =~ PPid:[[:space:]]+([0-9]+) ]] || return 1
    process=${BASH_REMATCH[1]}
  done 2>/dev/null
  return 1
}

# seconds_of TIME: 30s, 10min, 2h or 0 in seconds; fails for what is no such time.
seconds_of() {
  [[ $1 =~ ^([0-9]{1,6})(s|min|h)$ || $1 =~ ^(0)()$ ]] || return 1
  local -A unit=([s]=1 [min]=60 [h]=3600)
  echo $((10#${BASH_REMATCH[1]} * ${unit[${BASH_REMATCH[2]:-s}]}))
}

# hold LOCK WHAT PID COMMAND TIME: LOCK is held for PID, whose command is COMMAND, when this returns 0: at once, or when
# whoever has it has ended within TIME. Else it says who has WHAT, and fails.
hold() {
  local lock what=$2 who end told='' status unseen=0
  lock=$(realpath -m -- "$1")
  end=$(seconds_of "${5:-0}") || { echo "${0##*/}: DP_LOCK_WAIT '$5': give a time, as in 30s, 10min or 2h" >&2; return 1; }
  end=$((end + SECONDS))
  until status=0; try_lock "$lock" "$3" "$4" || status=$?; ((status == 0)); do
    ((status == 1)) || { echo "${0##*/}: $lock cannot be locked (DP_LOCK=PATH names another lock of this host)" >&2; return 1; }
    who="a process that cannot be seen from here (another account's, container's or host's)"
    if see_holder "$lock"; then
      ! above "$held_for" || return 0
      who="process $held_for ($(stat -c %U "/proc/$held_for" 2>/dev/null || true)), since $held_since: $held_by"
      [[ -d /proc/$held_for ]] || who=''  # it has just ended, and its holder is about to
    elif ((++unseen <= 5)); then
      who=''  # gone between the attempt and the look
    fi
    if [[ -n $who ]]; then
      ((SECONDS < end)) || { printf '%s: %s by %s\n(WAIT=10min waits so long for it, run-local.sh --lock-wait 10min too)\n' "${0##*/}" "$what" "$who" >&2; return 1; }
      [[ -n $told ]] || echo "${0##*/}: waiting: $what by $who" >&2
      told=yes
    fi
    read -rt 0.2 <> <(:) || true
  done
}

# hold_host PID COMMAND TIME: the host, for one who measures.
hold_host() {
  [[ -d $host_lock ]] || mkdir -m 755 -- "$host_lock" 2>/dev/null || true
  hold "$host_lock" "this host is measured already" "$@"
}
# hold_folder FOLDER PID COMMAND TIME: the folder that results go to.
hold_folder() {
  mkdir -p -- "$1" && hold "$1/.lock" "$1 is being written to" "${@:2}"
}
# let_go: before this process ends. Otherwise the holders notice its end within half a second.
let_go() {
  local holder
  for holder in "${lock_holders[@]}"; do kill -KILL "$holder" 2>/dev/null && wait "$holder" 2>/dev/null || true; done
  lock_holders=()
}
