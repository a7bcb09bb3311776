-- The pictures of Neovim for its page: a real Neovim with the real server. Run by neovim.sh; --write replaces them.

package.path = 'tests/editors/?.lua;' .. package.path
local editor = require('editor')
local gallery = require('gallery')
local screen = require('screen')

-- Picture → its lines and the screen's rows, the server where it is not $HXQD, what is pressed, and the wait for what it brings.
local PICTURES = {
  ['neovim.svg'] = {
    lines = gallery.UNFINISHED, rows = 9,
    keys = '4Gofor (int i = 0;',
    wait = function(nvim) return nvim:wait_ghost() end,
  },
  ['neovim-hover.svg'] = {
    lines = gallery.FINISHED, rows = 13,
    keys = 'GkfsK',
    wait = function(nvim)
      nvim:wait('the hover', function() return nvim:windows_text():find('sum.c:2', 1, true) end)
    end,
  },
  ['neovim-command.svg'] = {
    lines = gallery.FINISHED, rows = 13, cmd = gallery.INSTRUCT,
    keys = '2G:Hxqd explain<CR>',
    wait = function(nvim)
      nvim:wait('the window', function() return nvim:windows_text():find('numbers', 1, true) end)
    end,
  },
}

-- Longer than a screen needs to follow its editor.
local SETTLE_MS = 300

-- Presses keys in the sample as a user would, and waits for what they bring.
local function make_picture(one)
  local options = ('{ keymaps = false, cmd = %s }'):format(vim.inspect(one.cmd))
  local nvim = editor.open(gallery.FILE, one.lines, { options = options })
  nvim:lua([[
    vim.o.termguicolors, vim.o.number, vim.o.ruler, vim.o.laststatus = true, true, false, 0
    vim.o.fillchars, vim.o.showmode, vim.o.showcmd = 'eob: ', false, false
    vim.o.cmdheight = 0
    vim.bo.shiftwidth, vim.bo.expandtab = 4, true
    vim.cmd.colorscheme('habamax')
    vim.api.nvim_set_hl(0, 'ComplHint', { fg = '#8a919c', italic = true })
    vim.api.nvim_set_hl(0, 'FloatBorder', { link = 'NormalFloat' })
    vim.cmd('syntax on')
  ]])
  nvim:wait_ready()
  local shown = screen.open(nvim, gallery.COLUMNS, one.rows)
  nvim:press(one.keys)
  one.wait(nvim)
  -- What has been waited for is in the editor; its screen follows within moments.
  nvim:lua('vim.cmd.redraw()')
  vim.wait(SETTLE_MS)
  local picture = gallery.draw(shown)
  shown:close()
  nvim:close()
  return picture
end

gallery.run(PICTURES, make_picture)
