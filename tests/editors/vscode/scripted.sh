#!/bin/sh
# A server that writes and explains, as an instruct model does, always the same and slowly. $HXQD names the program beside it.
export HXQD_SCRIPTED_TEXT='self.items.append(item if item else None)'
export HXQD_SCRIPTED_CHAT='It adds up what things cost.' HXQD_SCRIPTED_TOKEN_MS=700
exec "$(dirname "$HXQD")/hxqd_scripted" "$@"
