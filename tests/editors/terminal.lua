-- An editor under test that lives in a terminal: it runs in the :terminal of a Neovim, whose screen is then what its user sees.
--
-- It finds `hxqd` on $PATH and its configuration in a home of its own, as after an installation by hand. Such editors say
-- nowhere that their server is ready, so what is pressed before is pressed again. Whoever opens a terminal closes it.

local editor = require('editor')
local gallery = require('gallery')
local screen = require('screen')

local terminal = {}
terminal.__index = terminal

-- Patience with slow machines; no test measures time.
local WAIT_MS = 60000
-- Between two presses of the same keys; longer than a server needs to answer.
local AGAIN_MS = 2000
-- What does not change for so long is all that there is to see.
local SETTLE_MS = 1000
local STEP_MS = 20
-- Exit code of a test that cannot be run here.
local SKIPPED = 77

--- The program that a variable names, else the one of a name on $PATH. Ends this Neovim, saying why, where there is none, or
--- not the version that the pictures are of: what is around the server's words on a screen is each version's own.
function terminal.need(variable, name, version)
  local program = vim.env[variable] or name
  local said = vim.fn.executable(program) == 1 and vim.fn.system({ program, '--version' }) or program .. ' not found'
  if not vim.startswith(said, version) then
    io.write('skipped: the pictures are of ', version, ': ', vim.split(said, '\n')[1], '\n')
    os.exit(SKIPPED)
  end
  return program
end

--- Opens an editor on the pictures' file and waits until it shows that. Of `how` are `command` (a list, to which the file is
--- added), `lines`, `rows`, `files` (lines by name, in its folder of configuration), and `server` (a list) where that is not $HXQD.
function terminal.open(how)
  local nvim = editor.open(gallery.FILE, how.lines, { is_bare = true, start = '' })
  local self = setmetatable({ nvim = nvim }, terminal)
  for name, lines in pairs(how.files) do
    vim.fn.mkdir(vim.fs.dirname(nvim.folder .. '/' .. name), 'p')
    vim.fn.writefile(lines, nvim.folder .. '/' .. name)
  end
  local server = vim.iter(how.server or { vim.env.HXQD }):map(vim.fn.shellescape):join(' ')
  vim.fn.writefile({ '#!/bin/sh', 'exec ' .. server .. ' "$@"' }, nvim.folder .. '/hxqd')
  vim.fn.setfperm(nvim.folder .. '/hxqd', 'rwxr-xr-x')

  nvim:lua([[
    vim.o.termguicolors, vim.o.showmode, vim.o.laststatus, vim.o.cmdheight = true, false, 0, 0
    vim.cmd.enew()
  ]])
  self.shown = screen.open(nvim, gallery.COLUMNS, how.rows)
  nvim:lua([[
    local command, path = ...
    assert(vim.fn.jobstart(command, { term = true, env = { PATH = path } }) > 0)
    vim.cmd.startinsert()
  ]], vim.list_extend(vim.list_slice(how.command), { nvim.path }), nvim.folder .. ':' .. vim.env.PATH)
  -- Before, a key may get between the terminal's answers to what an editor asks it at its start.
  self:press_for('', gallery.FILE)
  return self
end

function terminal:close()
  self.shown:close()
  self.nvim:close()
end

--- Presses keys until `expected`, a plain text, stands on the screen, and waits until that does not change any more.
function terminal:press_for(keys, expected)
  local pressed, seen, still
  local found = vim.wait(WAIT_MS, function()
    local now, text = vim.uv.now(), self.shown:text()
    if text ~= seen then
      seen, still = text, now
    end
    local has_come = pressed and text:find(expected, 1, true)
    if not has_come and (not pressed or now - pressed >= AGAIN_MS) then
      pressed = now
      self.nvim:press(keys)
    end
    return has_come and now - still >= SETTLE_MS
  end, STEP_MS)
  if not found then
    error(('waited in vain for %s after %s; the screen:\n%s'):format(expected, keys, seen))
  end
end

return terminal
