#!/bin/sh
# What hxqd says where no GPU can be used: without_gpu.sh HXQD. A machine's GPUs are hidden, so that it holds everywhere.
set -u
hxqd=$1
CUDA_VISIBLE_DEVICES=''
export CUDA_VISIBLE_DEVICES
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

reason='(this build has no CUDA backend|no .*)'
says 0 "^device +cpu \($reason\)" doctor
says 0 "^device +cpu \(asked for\)" doctor --device cpu
says 0 '"device":"cpu","device_reason":".+"' doctor --json
says 0 "^device +cpu \($reason\)" doctor --no-gpu-fallback
says 1 "^hxqd: $reason; use --device cpu or auto$" doctor --device cuda
says 1 "^hxqd: $reason; use --device cpu or auto$" generate --device cuda --prompt a
says 1 "^hxqd: $reason; use --device cpu or auto$" bench --device cuda
says 1 '--gpu-memory 4G$' inspect --device cuda
says 0 '"device":"cpu","device_reason"' bench --json --runs 1 --prompt-tokens 4 --decode-tokens 1

# a card that is not here
says 0 'of 4096.0 MiB that are available: fits' inspect --gpu-memory 4G
says 0 'computes on the GPU, context 256 ' inspect --device cuda --gpu-memory 4G --context 256
says 0 '"supposed":true,.*"fits":true,"device":"cuda"' inspect --gpu-memory 4G --json
says 0 'does not fit' inspect --gpu-memory 20M
says 0 'computes on the CPU' inspect --gpu-memory 20M
says 0 'refused: .* GiB are available; use a smaller --context or model' inspect --gpu-memory 20M --no-gpu-fallback
says 0 '"fits":false,"device":"none"' inspect --gpu-memory 20M --device cuda --json

[ "$failures" = 0 ]
