-- The pictures of Helix for its page: a real Helix, which is $HELIX or `hx` on $PATH, with this repository's configuration and
-- the real server. Run by neovim.sh; --write replaces them.

package.path = 'tests/editors/?.lua;' .. package.path
local gallery = require('gallery')
local terminal = require('terminal')

local HELIX = terminal.need('HELIX', 'hx', 'helix 25.07')

-- Picture → its rows, the server where it is not $HXQD, what is pressed, and what that brings.
local PICTURES = {
  ['helix-hover.svg'] = {
    rows = 15,
    keys = '<Esc>gg11jfs; k', brings = 'sum.c:2',
  },
  ['helix-actions.svg'] = {
    rows = 15, server = gallery.INSTRUCT,
    keys = '<Esc>gg3jff; a', brings = 'Explain',
  },
}

-- No sign of progress, and no rows that are kept free at the cursor.
local CONFIG = {
  '[editor]', 'scrolloff = 0',
  '[editor.statusline]', 'left = ["mode", "file-base-name"]',
}

-- The configuration without the servers of others, which may be installed here or not.
local function languages()
  local lines = vim.fn.readfile('editors/helix/languages.toml')
  return vim.iter(lines):map(function(line) return (line:gsub('"[%w-]+", "hxqd"', '"hxqd"')) end):totable()
end

local function make_picture(one)
  local helix = terminal.open({
    command = { HELIX }, lines = gallery.FINISHED, rows = one.rows, server = one.server,
    files = { ['helix/config.toml'] = CONFIG, ['helix/languages.toml'] = languages() },
  })
  helix:press_for(one.keys, one.brings)
  local picture = gallery.draw(helix.shown)
  helix:close()
  return picture
end

gallery.run(PICTURES, make_picture)
