-- The pictures of Neovim for its page: a real Neovim with the real server, its screen drawn as SVG cell by cell.
--
-- With --write it replaces the pictures; without, it compares each one's text (not its colours, which differ between versions
-- of Neovim) with the one in the repository, so that no picture can go stale. Run by neovim.sh.

package.path = 'tests/editors/?.lua;' .. package.path
local editor = require('editor')
local screen = require('screen')

-- What is in the files of the pictures.
local FILE = 'sum.c'
local UNFINISHED = {
  '/* The sum of n numbers. */',
  'int sum(const int *numbers, int n)',
  '{',
  '    int total = 0;',
  '        total += numbers[i];',
  '    }',
  '    return total;',
  '}',
}
local FINISHED = vim.list_extend(vim.list_slice(UNFINISHED, 1, 4), {
  '    for (int i = 0; i < n; i++)',
  '        total += numbers[i];',
  '    return total;',
  '}',
  '',
  'double mean(const int *numbers, int n)',
  '{',
  '    return (double)sum(numbers, n) / n;',
  '}',
})

-- A server that stands in for one with an instruct model, which the embedded model is not.
local INSTRUCT = [[
  'env', 'HXQD_SCRIPTED_CHAT=Adds up the numbers, one after the other.',
  vim.fs.dirname(vim.env.HXQD) .. '/hxqd_scripted', 'serve',
]]

-- Picture → its lines and the screen's rows, the server where it is not $HXQD, what is pressed, and the wait for what it brings.
local PICTURES = {
  ['editors/pictures/neovim.svg'] = {
    lines = UNFINISHED, rows = 9,
    keys = '4Gofor (int i = 0;',
    wait = function(nvim) return nvim:wait_ghost() end,
  },
  ['editors/pictures/neovim-hover.svg'] = {
    lines = FINISHED, rows = 13,
    keys = 'GkfsK',
    wait = function(nvim)
      nvim:wait('the hover', function() return nvim:windows_text():find('sum.c:2', 1, true) end)
    end,
  },
  ['editors/pictures/neovim-command.svg'] = {
    lines = FINISHED, rows = 13, cmd = INSTRUCT,
    keys = '2G:Hxqd explain<CR>',
    wait = function(nvim)
      nvim:wait('the window', function() return nvim:windows_text():find('numbers', 1, true) end)
    end,
  },
}

-- A screen's width in cells, and a cell in pixels.
local COLUMNS = 56
local CELL_WIDTH, CELL_HEIGHT = 9, 20
local PADDING, BASELINE = 14, 6

-- Longer than a screen needs to follow its editor.
local SETTLE_MS = 300

local function color(number)
  return ('#%06x'):format(number)
end

local function escape(text)
  return (text:gsub('[&<>]', { ['&'] = '&amp;', ['<'] = '&lt;', ['>'] = '&gt;' }))
end

-- A run as SVG: its background where it has one of its own, then its text.
local function draw_run(run, row, base)
  local foreground = run.look.foreground or base.foreground
  local background = run.look.background or base.background
  if run.look.reverse then
    foreground, background = background, foreground
  end
  local x, y = PADDING + run.column * CELL_WIDTH, PADDING + row * CELL_HEIGHT
  local parts = {}
  if background ~= base.background then
    table.insert(parts, ('<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>'):format(
      x, y, run.cells * CELL_WIDTH, CELL_HEIGHT, color(background)))
  end
  local text = run.text:gsub('%s+$', '')
  if text ~= '' then
    local cells = run.cells - (#run.text - #text)
    local style = (run.look.bold and ' font-weight="bold"' or '')
      .. (run.look.italic and ' font-style="italic"' or '')
    table.insert(parts, ('<text x="%d" y="%d" textLength="%d" fill="%s"%s>%s</text>'):format(
      x, y + CELL_HEIGHT - BASELINE, cells * CELL_WIDTH, color(foreground), style, escape(text)))
  end
  return table.concat(parts, '\n')
end

-- The cursor: a bar in insert mode, else a veil over its cell.
local function draw_cursor(shown)
  local is_bar = shown.mode == 'insert'
  return ('<rect x="%d" y="%d" width="%d" height="%d" fill="%s"%s/>'):format(
    PADDING + shown.cursor.column * CELL_WIDTH, PADDING + shown.cursor.row * CELL_HEIGHT, is_bar and 2 or CELL_WIDTH,
    CELL_HEIGHT, color(shown.base.foreground), is_bar and '' or ' fill-opacity="0.5"')
end

-- The whole screen as an SVG document.
local function draw_screen(shown)
  local width, height = 2 * PADDING + shown.columns * CELL_WIDTH, 2 * PADDING + shown.rows * CELL_HEIGHT
  local parts = {
    ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d"'):format(
      width, height, width, height),
    '  font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="15" xml:space="preserve">',
    ('<rect width="%d" height="%d" rx="8" fill="%s"/>'):format(width, height, color(shown.base.background)),
  }
  for row = 0, shown.rows - 1 do
    for _, run in ipairs(shown:runs(row)) do
      local part = draw_run(run, row, shown.base)
      if part ~= '' then
        table.insert(parts, part)
      end
    end
  end
  table.insert(parts, draw_cursor(shown))
  table.insert(parts, '</svg>\n')
  return table.concat(parts, '\n')
end

-- Presses keys in the sample as a user would, and waits for what they bring.
local function make_picture(one)
  local options = ('{ keymaps = false, cmd = %s }'):format(one.cmd and '{' .. one.cmd .. '}' or 'nil')
  local nvim = editor.open(FILE, one.lines, { options = options })
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
  local shown = screen.open(nvim, COLUMNS, one.rows)
  nvim:press(one.keys)
  one.wait(nvim)
  -- What has been waited for is in the editor; its screen follows within moments.
  nvim:lua('vim.cmd.redraw()')
  vim.wait(SETTLE_MS)
  local picture = draw_screen(shown)
  shown:close()
  nvim:close()
  return picture
end

local function text_of(picture)
  return vim.trim(picture:gsub('<[^>]*>', ''))
end

local function read(path)
  return vim.fn.filereadable(path) == 1 and table.concat(vim.fn.readfile(path, 'b'), '\n') or ''
end

local is_stale = false
for path, one in pairs(PICTURES) do
  local picture, kept = make_picture(one), text_of(read(path))
  if arg[1] == '--write' then
    vim.fn.writefile(vim.split(picture, '\n'), path, 'b')
  elseif kept ~= text_of(picture) then
    is_stale = true
    io.write(path, ' is stale; tests/editors/README.md says how to make it again\n')
    io.write('--- kept ---\n', kept, '\n--- now ---\n', text_of(picture), '\n')
  end
end
os.exit(is_stale and 1 or 0)
