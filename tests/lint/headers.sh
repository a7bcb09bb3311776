#!/bin/sh
# Compiles every header alone, as C17 (CUDA's as C++17), with warnings as errors: headers.sh ROOT COMPILER [FLAG]...
# A header that leans on what its includer happened to include before it is found here.
set -eu
cd "$1"
compiler=$2
shift 2

status=0
for header in $(find kernels infer parsers lsp tests \( -name '*.h' -o -name '*.cuh' \) \
    -not -path '*/node_modules/*' -not -path 'tests/fixtures/*' | sort); do
    # Included from a source, as a header is, and twice, which its guard must allow.
    language=c standard=c17
    case $header in kernels/cuda/*) language=c++ standard=c++17 ;; esac
    printf '#include "%s"\n#include "%s"\n' "$header" "$header" |
        "$compiler" -std=$standard -D_GNU_SOURCE -Wall -Wextra -Werror -fsyntax-only -I. -Ikernels/cuda/host "$@" -x $language - ||
        { echo "$header: does not compile alone"; status=1; }
done
exit $status
