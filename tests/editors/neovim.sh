#!/bin/sh
# Runs a Lua script of this folder in Neovim 0.11 or newer: neovim.sh SCRIPT HXQD [ARGUMENT...]
# Neovim is $NVIM, else `nvim` on $PATH. Exit 77, with the reason, where there is none (ctest counts that as skipped).
set -eu

script=$1
HXQD=$(realpath "$2")
NVIM=${NVIM:-nvim}
shift 2
export HXQD NVIM

if ! command -v "$NVIM" >/dev/null; then
    echo "skipped: no Neovim ($NVIM not found); tests/editors/README.md says how to get one"
    exit 77
fi
if ! "$NVIM" --clean --headless '+if has("nvim-0.11") | qall | else | cquit | endif' 2>/dev/null; then
    echo "skipped: Neovim 0.11 or newer is needed, this is: $("$NVIM" --version | head -n 1)"
    exit 77
fi
exec "$NVIM" --clean -l "$script" "$@"
