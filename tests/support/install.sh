#!/bin/sh
# What cmake --install gives works from where it lies: sh install.sh CMAKE BUILD_FOLDER
#
# The installed program finds the installed model, completes a snippet with it, and stands beside the Neovim plugin. Started in a
# terminal it says what it waits for, where script(1) can make one.
set -eu
cmake=$1 build=$2
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
fail() { echo "install: $*"; exit 1; }

"$cmake" --install "$build" --prefix "$prefix" > "$prefix/log" || fail "$(cat "$prefix/log")"
printf 'int sum(int a, int b)\n{\n    return \n}\n' > "$prefix/sum.c"
text=$(env -u HXQD_MODEL "$prefix/bin/hxqd" complete "$prefix/sum.c:3:12" --max-tokens 16)
test -n "$text" || fail "the installed program completes nothing"
model=$(env -u HXQD_MODEL "$prefix/bin/hxqd" doctor | grep '^model')
case $model in
*"$prefix/bin/../share/hxqd/default_model "* | *"$prefix/share/hxqd/default_model "*) ;;
*) fail "another model is used: $model" ;;
esac
test -d "$prefix/share/hxqd/neovim/lua" || fail "no Neovim plugin in share/hxqd/neovim"

# needs a pseudo-terminal, which a bare chroot may lack
if script -qec true /dev/null < /dev/null > /dev/null 2>&1; then
  said=$(script -qec "$prefix/bin/hxqd" /dev/null < /dev/null 2>&1 || true)
  case $said in
  *"speaks LSP on standard input"*) ;;
  *) fail "nothing is said in a terminal: $said" ;;
  esac
else
  echo "install: not tried in a terminal: none can be made here"
fi
echo "install: completed \"$text\""
