#!/bin/sh
# The plugin in a Neovim that is too old for it, which must be said and nothing else: neovim_old.sh
# That Neovim is $NVIM_OLD, else `nvim` on $PATH. Exit 77, with the reason, where there is none (ctest counts that as skipped).
set -eu

nvim=${NVIM_OLD:-nvim}
if ! command -v "$nvim" >/dev/null; then
    echo "skipped: no Neovim ($nvim not found)"
    exit 77
fi
if "$nvim" --clean --headless '+if has("nvim-0.11") | qall | else | cquit | endif' 2>/dev/null; then
    echo "skipped: a Neovim older than 0.11 is needed, this is: $("$nvim" --version | head -n 1)"
    exit 77
fi

# Runs an ex command with the plugin on the way; what Neovim says goes to $said.
say() {
    said=$("$nvim" --clean --headless --cmd 'set runtimepath+=editors/neovim' "$@" '+qall!' 2>&1)
}

# The last `say` spoke of the version and threw nothing; $1 says what was done.
expect_too_old() {
    case $said in
    *'stack traceback'* | *E5108* | *E492*) ;;
    *'Neovim 0.11 or newer is needed, this is 0.'*)
        echo "ok   $1"
        return
        ;;
    esac
    printf 'FAIL %s:\n%s\n' "$1" "$said"
    exit 1
}

say "+lua require('hxqd').setup({ settings = { model = '~/model' } })"
expect_too_old setup_says_too_old
say '+Hxqd generate a wish'
expect_too_old command_says_too_old
say '+checkhealth hxqd' '+%print'
expect_too_old checkhealth_says_too_old

# Whoever has the plugin and does not call it is left in peace.
say '+edit tests/editors/README.md' '+edit tests/editors/settings.mjs'
case $said in
*hxqd* | *E[0-9]*) printf 'FAIL start_without_setup_says_nothing:\n%s\n' "$said"; exit 1 ;;
*) echo 'ok   start_without_setup_says_nothing' ;;
esac
