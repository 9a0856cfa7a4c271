#!/usr/bin/env bash
# What every tool does with its command line: help, version, refusals, statuses, and who says what when peers are
# missing. Nothing here needs data or LibTorch.
# SPDX-License-Identifier: MIT
# shellcheck source=tests/cli/common.bash
. "$(dirname "${BASH_SOURCE[0]}")/common.bash"
cd "$scratch" || exit 1

stages=(dp-stream dp-route dp-infer dp-collect)
mapfile -t tools < <(basename -s .cpp -a "$source_dir"/tools/dp-*.cpp)

for tool in "${tools[@]}"; do
  run "$bin/$tool" --help
  expect_status 0
  expect_empty err
  expect_line out "$tool - "
  expect_line out "Usage: $tool"
  for flag in --help --version --log-level --quiet --config --print-config; do expect_line out "$flag"; done
  grep -q "$tool" <(sed -n '/^Example:$/,$p' out) || fail "--help ends with no example of $tool"
  # Each flag of the source is listed.
  grep -oP '\.(value|list|flag)\("\K[a-z-]+' "$source_dir/tools/$tool.cpp" | while read -r flag; do expect_line out "--$flag"; done || exit 1

  run "$bin/$tool" --version
  expect_status 0
  expect_empty err
  [[ $(<out) =~ ^$tool\ [0-9]+\.[0-9]+\.[0-9]+\ \(.+\)$ ]] || fail "expected a line such as '$tool 1.2.3 (compiler, build type)'"
done
for tool in "${stages[@]}"; do
  run "$bin/$tool" --help
  for flag in --heartbeat --wait --key --insecure; do expect_line out "$flag"; done
done

# Refusals: tool | arguments | what the one line on stderr must hold, parted by ;
while IFS='|' read -r tool arguments wanted; do
  IFS=' ' read -ra words <<<"$arguments"
  run "$bin/$tool" "${words[@]}"
  expect_status 2
  expect_empty out
  [[ $(wc -l <err) == 1 ]] || fail "expected one line on stderr"
  [[ $(<err) == "$tool: "* ]] || fail "expected the tool's name first"
  IFS=';' read -ra parts <<<"$wanted"
  expect_line err "${parts[@]}"
done <<'CASES'
dp-stream|--bogus|bogus;--help
dp-route|--bogus 1|bogus;--help
dp-infer|--bogus|bogus;--help
dp-collect|--bogus|bogus;--help
dp-summarize|--bogus|bogus;--help
dp-plot|--bogus|bogus;--help
dp-stream|stray|stray;--help
dp-collect|stray|stray;--help
dp-stream|--rate|rate;--help
dp-stream|--log-level loud|--log-level 'loud';debug, info, warn, error
dp-stream|--rate 0|--rate '0';a number from
dp-stream|--rate 1e10|--rate '1e10';from 0.001 to 100000000
dp-stream|--rate 1e9|--rate '1e9';from 0.001 to 100000000
dp-stream|--rate 0.0001|--rate '0.0001';from 0.001 to 100000000
dp-stream|--rate fast|--rate 'fast';a number from
dp-stream|--samples 0|--samples '0';a whole number from 1
dp-stream|--samples 12x|--samples '12x';a whole number from 1
dp-stream|--batch-size 0|--batch-size '0';from 1 to 65536
dp-stream|--batch-size 64..8|--batch-size '64..8';backwards
dp-stream|--batch-size 65536 --data synthetic:3x32x32|--batch-size '65536';64 MiB;--payload reference
dp-stream|--batch-timeout 5|--batch-timeout '5';5ms
dp-stream|--arrivals bursty|--arrivals 'bursty';constant, poisson
dp-stream|--payload pixels|--payload 'pixels';inline, reference
dp-stream|--concurrency -1|--concurrency '-1';from 0
dp-stream|--seed -1|--seed '-1';from 0
dp-stream|--layout rows --data synthetic:3x32x32|rows;sequential;distributed:W;shards:S
dp-stream|--layout shards:0 --data synthetic:3x32x32|shards:0
dp-stream|--data synthetic:3x32|synthetic:3x32;synthetic:CxHxW
dp-stream|--heartbeat 1ms|--heartbeat '1ms';at least 10ms
dp-stream|--wait soon|--wait 'soon';5ms
dp-stream|--route localhost:5601|--route 'localhost:5601';tcp://HOST:PORT
dp-stream|--route tcp://127.0.0.1:99999|--route;99999;65535
dp-stream|--collect tcp://10.0.0.1:5603|--collect 'tcp://10.0.0.1:5603';dp-keygen;--insecure
dp-route|--strategy best|--strategy 'best';uniform, dynamic, sharded
dp-route|--workers 0|--workers '0';from 1
dp-route|--attempts 0|--attempts '0';from 1
dp-route|--lease 10|--lease '10';5ms
dp-route|--buffer many|--buffer 'many';from 0
dp-route|--stream-bind tcp://0.0.0.0:5601|--stream-bind 'tcp://0.0.0.0:5601';--insecure
dp-route|--worker-bind tcp://*:5602|--worker-bind 'tcp://*:5602';--insecure
dp-route|--collect tcp://127.evil.example:5603|--collect 'tcp://127.evil.example:5603';--insecure
dp-infer|--backend gpu|--backend 'gpu';torch, null, synthetic
dp-infer|--model vgg|--model 'vgg';resnet18, resnet18-cifar
dp-infer|--threads 0|--threads '0';from 1
dp-infer|--slowdown 0|--slowdown '0';from
dp-infer|--credit 0|--credit '0';from 1
dp-infer|--backend synthetic --service 5ms|--service '5ms';fixed:5ms;exp:5ms
dp-infer|--route tcp://10.0.0.1:5602|--route 'tcp://10.0.0.1:5602';--insecure
dp-collect|--run-id xyz|--run-id 'xyz';hexadecimal
dp-collect|--run-id 0|--run-id '0';hexadecimal
dp-collect|--slo p99|--slo 'p99';p99=50ms
dp-collect|--slo p50=5ms --slo p99=50|--slo p99 '50';5ms
dp-collect|--slo p99=50ms,p42=1ms|--slo 'p42=1ms';throughput
dp-collect|--events -|--events -;--out
dp-collect|--trace - --out run.json|--trace -;give a file
dp-collect|--out a.json --events ./a.json|--events './a.json';--out
dp-collect|--events b.json --trace b.json|--trace 'b.json';--events
dp-collect|--journal c --trace c|--trace 'c';--journal
dp-collect|--live tcp://0.0.0.0:5604|--live 'tcp://0.0.0.0:5604';--insecure
dp-collect|--live 5604|--live '5604';tcp://HOST:PORT
dp-collect|--metrics 0.0.0.0:9464|--metrics '0.0.0.0:9464';--insecure
dp-collect|--metrics 9464|--metrics '9464';127.0.0.1:9464
dp-top|tcp://10.0.0.1:5604|ENDPOINT 'tcp://10.0.0.1:5604';--insecure
dp-top|tcp://127.0.0.1:1 tcp://127.0.0.1:2|tcp://127.0.0.1:2;one endpoint
dp-top|--once --wait soon|--wait 'soon'
dp-top|--key some.key|--key;--server-key
dp-collect|--bind tcp://0.0.0.0:5603|--bind 'tcp://0.0.0.0:5603';--insecure
dp-collect|--bind udp://127.0.0.1:1|--bind 'udp://127.0.0.1:1';tcp://HOST:PORT
dp-stream|--key some.key|--key;--server-key;dp-keygen --help
dp-stream|--key some.key --server-key public --insecure|--key;--insecure
dp-stream|--server-key public|--server-key;--key;stream.key
dp-stream|--allow public|allow;--help
dp-route|--key some.key --allow public|--key;--server-key
dp-route|--key some.key --server-key public|--key;--allow
dp-route|--allow public|--allow;--key;route.key
dp-infer|--server-key public|--server-key;--key;infer.key
dp-collect|--key some.key|--key;--allow;dp-keygen --help
dp-collect|--allow public|--allow;--key;collect.key
dp-collect|--server-key public|server-key;--help
dp-keygen||--out DIR
dp-keygen|--out keys --role infer|--role;--name
dp-keygen|--out keys --name lab|--role;--name
dp-keygen|--out keys --role worker --name lab|--role 'worker';infer
dp-keygen|--out keys --role infer --name ../lab|--name '../lab';letters
dp-summarize||RUN.json
dp-summarize|run.json|--streaming DIR;--matrix DIR
dp-audit||RUN.json
dp-replay||--dispatcher-trace
dp-replay|trace --strategy best|--strategy 'best';uniform, dynamic, sharded
dp-route|--strategy jsq:e=1|--strategy 'jsq:e=1';it has d
dp-plot|--out plots|RUN.json
dp-plot|run.json|--out DIR
CASES

# Failures: what is wrong, with its name, and what to do.
run "$bin/dp-stream" --data data/cifar10/no_such_batch.bin
expect_status 1
expect_empty out
expect_line err "dp-stream: data/cifar10/no_such_batch.bin: no such file" "make -f Makefile.bench data"
run "$bin/dp-infer" --backend torch --weights missing.safetensors
expect_status 1
grep -q 'missing.safetensors\|no LibTorch backend' err || fail "expected the weights' name"
run "$bin/dp-collect" --expected missing.u8 --bind tcp://127.0.0.1:0
expect_status 1
expect_line err "missing.u8"
run "$bin/dp-collect" --events /proc/none --bind tcp://127.0.0.1:0
expect_status 1
expect_line err "/proc/none"
run "$bin/dp-summarize" --streaming tables missing.json
expect_status 1
expect_line err "missing.json"
[[ ! -e tables ]] || fail "a table was written"

# Hosts: a name that does not resolve is said with its flag; IPv6 and names are bound and reached, an ipc path once.
grep -qs . /proc/net/if_inet6 || fail "this host has no IPv6, not even on loopback"
export RES_OPTIONS='timeout:1 attempts:1'
while read -r tool flag arguments; do
  IFS=' ' read -ra words <<<"$arguments"
  run "$bin/$tool" "${words[@]}" "$flag" tcp://nosuchhost.invalid:5602 --insecure
  expect_status 1
  expect_line err "$flag 'tcp://nosuchhost.invalid:5602'" "does not resolve"
done <<'CASES'
dp-stream --route --data synthetic:3x4x4
dp-stream --collect --data synthetic:3x4x4
dp-route --stream-bind
dp-route --worker-bind
dp-route --collect
dp-infer --route --backend null
dp-infer --collect --backend null
dp-collect --bind
dp-collect --live
CASES
run "$bin/dp-top" tcp://nosuchhost.invalid:5602 --insecure
expect_status 1
expect_line err "ENDPOINT 'tcp://nosuchhost.invalid:5602'" "does not resolve"
for host in '[::1]' localhost; do
  : >hosts.err
  "$bin/dp-collect" --bind "tcp://$host:0" --live "tcp://$host:0" --metrics "$host:0" 2>hosts.err >/dev/null &
  started+=($!)
  wait_until 10 "dp-collect is at $host" grep -q READY hosts.err
  at=$(sed -n 's/.*bind=\([^ ]*\).*/\1/p' hosts.err) && live=$(sed -n 's/.* live=\([^ ]*\).*/\1/p' hosts.err)
  run "$bin/dp-top" --once "tcp://$host:${live##*:}"
  expect_status 0
  run "$bin/dp-infer" --backend null --collect "tcp://$host:${at##*:}" --route "tcp://$host:9" --wait 1s
  expect_status 1
  expect_line err "no dp-route answered"
  kill "${started[-1]}" && wait "${started[-1]}"
done
"$bin/dp-collect" --bind "ipc://$scratch/once" 2>once.err >/dev/null &
started+=($!)
wait_until 10 "dp-collect is at its ipc path" grep -q READY once.err
run "$bin/dp-collect" --bind "ipc://$scratch/once"
expect_status 1
expect_line err "ipc://$scratch/once" "another process listens there"
kill -KILL "${started[-1]}" && wait "${started[-1]}" 2>/dev/null
"$bin/dp-collect" --bind "ipc://$scratch/once" 2>again.err >/dev/null &
started+=($!)
wait_until 10 "the path of a dead process is taken over" grep -q READY again.err
kill "${started[-1]}" && wait "${started[-1]}"

# Keys: made once, for one's own eyes; refused where they do not belong.
run "$bin/dp-keygen" --out keys
expect_status 0
expect_empty out
expect_empty err
for role in stream route infer collect; do
  [[ $(stat -c %a "keys/$role.key") == 600 ]] || fail "keys/$role.key can be read by others"
  [[ $(grep -c "^$role " keys/public) == 1 ]] || fail "no line of $role in keys/public"
done
cp -r keys before
run "$bin/dp-keygen" --out keys
expect_status 1
expect_line err "keys/public" "--force"
diff -r keys before >/dev/null || fail "keys were replaced unasked"
run "$bin/dp-keygen" --out keys --role infer --name lab7
expect_status 0
grep -qxF "infer $(awk '$1 == "infer" { print $2 }' keys/infer-lab7.key) lab7" keys/public || fail "no line of lab7"
diff keys/infer.key before/infer.key >/dev/null || fail "another worker's key was replaced"
run "$bin/dp-keygen" --out keys --role infer --name lab7
expect_status 1
expect_line err "keys/infer-lab7.key" "--force"
run "$bin/dp-keygen" --out keys --force
expect_status 0
! diff keys/infer.key before/infer.key >/dev/null || fail "--force replaced no key"
refused_key() {
  local tool=$1
  shift
  run "$bin/$tool" "${@:2}"
  expect_status 1
  expect_empty out
  expect_line err "$tool: " "$1"
}
refused_key dp-infer 'the key of a dp-stream, not of a dp-infer' --backend null --key keys/stream.key --server-key keys/public
refused_key dp-infer 'not a secret key' --backend null --key keys/public --server-key keys/public
refused_key dp-infer 'missing.key: no such file' --backend null --key missing.key --server-key keys/public
refused_key dp-infer 'a secret key' --backend null --key keys/infer.key --server-key keys/route.key
grep -v '^collect' keys/public >no-collect
refused_key dp-infer "no-collect: no line 'collect KEY'" --backend null --key keys/infer.key --server-key no-collect
chmod 640 keys/infer.key
refused_key dp-infer 'chmod 600 keys/infer.key' --backend null --key keys/infer.key --server-key keys/public

# A port in use.
: >first.err
"$bin/dp-collect" --bind tcp://127.0.0.1:0 2>first.err >/dev/null &
started+=($!)
wait_until 10 "dp-collect is ready" grep -q READY first.err
endpoint=$(sed -n 's/.*bind=\([^ ]*\).*/\1/p' first.err)
run "$bin/dp-collect" --bind "$endpoint"
expect_status 1
expect_empty out
expect_line err "$endpoint" "in use"
expect_line err "port 0"
run "$bin/dp-route" --stream-bind "$endpoint" --worker-bind tcp://127.0.0.1:0
expect_status 1
expect_line err "$endpoint" "in use"

# SIGTERM ends it with 130, and quickly.
kill -TERM "${started[-1]}"
wait "${started[-1]}"
status=$?
expect_status 130
started=()

# Alone, each gives up after --wait and says what is missing. (Port 9 of loopback has nobody.)
nobody=tcp://127.0.0.1:9
alone() {
  local tool=$1 missing=$2
  shift 2
  run "$bin/$tool" --wait 300ms "$@"
  expect_status 1
  expect_empty out
  expect_line err "$tool: READY"
  grep -v READY err >rest
  [[ $(wc -l <rest) == 1 ]] || fail "expected READY and one line more on stderr"
  expect_line err "$tool: " "$missing" "0.3 s"
}
alone dp-stream 'no dp-collect answered' --data synthetic:3x32x32 --route $nobody --collect $nobody
alone dp-route 'no dp-collect answered' --stream-bind tcp://127.0.0.1:0 --worker-bind tcp://127.0.0.1:0 --collect $nobody
alone dp-infer 'no dp-route answered' --backend null --route $nobody --collect $nobody
alone dp-collect 'no dp-stream' --bind tcp://127.0.0.1:0

# What of a folder was passed over is a warning, of whoever opens it.
mkdir -p imgs/cat
base64 -d >imgs/cat/a.png <<<iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgBwAACQAIICPDjAAAAABJRU5ErkJggg==
ln -s gone.png imgs/cat/b.png
run "$bin/dp-stream" --wait 100ms --data folder:imgs/ --route $nobody --collect $nobody
expect_line err "dp-stream: warning: imgs/: passed over: links to nothing (1, such as cat/b.png)"
expect_line err "READY" "data=imgs"
run "$bin/dp-infer" --backend null --wait 100ms --data folder:imgs/ --route $nobody --collect $nobody
expect_line err "dp-infer: warning: imgs/: passed over: links to nothing (1, such as cat/b.png)"

# --quiet leaves the READY line, which scripts wait for, and the failure.
run "$bin/dp-collect" --quiet --wait 100ms --bind tcp://127.0.0.1:0
expect_line err "READY"

[[ -z $(marked) ]] || fail "processes are left: $(marked)"
echo "ok"
