#!/bin/sh
# What hxqd says and does on a GPU: with_gpu.sh HXQD, a program with the stand-in device.
set -u
hxqd=$1
failures=0

# says STATUS PATTERN ARGUMENTS...: the exit status, and a pattern that one line of all that is printed matches.
says() {
    status=$1 pattern=$2
    shift 2
    output=$("$hxqd" "$@" 2>&1)
    found=$?
    if [ "$found" != "$status" ] || ! printf '%s\n' "$output" | grep -Eq -- "$pattern"; then
        printf 'hxqd %s: exit %s, expected %s and "%s" in:\n%s\n' "$*" "$found" "$status" "$pattern" "$output"
        failures=$((failures + 1))
    fi
}

export HXQD_STAND_IN_BYTES=100000000
says 0 '^device +cuda \(Stand-in 1: needs 0.05 GiB of the 0.09 GiB available\)' doctor
says 0 '^ +driver +0.0 MiB  has its share already' doctor
says 0 '^ +computes on the GPU, context 768 ' doctor
says 0 '^kernels +sm_00$' doctor
says 0 '"device":"cuda",.*"hardware":"Stand-in 1"' doctor --json
says 0 '"gpu":\{"name":"Stand-in 1","supposed":false,.*"fits":true' doctor --json
says 0 '^device +cpu \(asked for\)' doctor --device cpu
says 0 'of the 0.06 GiB available' doctor --gpu-memory 60M
says 1 '^hxqd: Stand-in 1: a context of 768 tokens needs .* GiB are available; use' doctor --gpu-memory 8M --device cuda
says 0 '^device +cpu \(Stand-in 1: a context of 768 tokens needs .* GiB are available\)' doctor --gpu-memory 8M
says 1 '^hxqd: Stand-in 1: .* are available; use a smaller --context' doctor --gpu-memory 8M --no-gpu-fallback
says 0 '"supposed":false' inspect --device cuda --json
says 0 '"supposed":true' inspect --gpu-memory 4G --json

brief='--runs 1 --prompt-tokens 4 --decode-tokens 1'
# shellcheck disable=SC2086 # several words
says 0 '^decode .* GB/s of the 90.0 GB/s that memory delivers' bench $brief
# shellcheck disable=SC2086
says 0 '^peak +100.0 GB/s on paper: [0-9]+ % of it in decoding, 90 % in plain reading' bench $brief --device cuda
# shellcheck disable=SC2086
says 0 '"read_bandwidth_bytes_per_second":90000000000.0,"peak_bytes_per_second":100000000000.0' bench $brief --json
# shellcheck disable=SC2086
says 1 '^hxqd: Stand-in 1: .* use a smaller --context' bench $brief --device cuda --gpu-memory 8M

# lost while loading, then in a request
export HXQD_STAND_IN_OPS=3
says 0 '^device +cpu \(.*: Stand-in 1: it fell off the bus\)' doctor
says 1 'Stand-in 1: it fell off the bus$' doctor --device cuda
export HXQD_STAND_IN_OPS=1000
says 1 'hxqd: the request failed: Stand-in 1: it fell off the bus$' generate --device cuda --prompt 'int main('

[ "$failures" = 0 ]
