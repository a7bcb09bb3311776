-- The picture of a completion for the README: a real Neovim with the real server, its screen drawn as SVG cell by cell.
--
-- With --write it replaces the picture; without, it compares the picture's text (not its colours, which differ between
-- versions of Neovim) with the one in the repository, so that the picture cannot go stale. Run by neovim.sh.

package.path = 'tests/editors/?.lua;' .. package.path
local editor = require('editor')

local PICTURE = 'editors/pictures/neovim.svg'

-- What is in the file, and what is typed on a new line below line ROW.
local FILE = 'sum.c'
local LINES = {
  '/* The sum of n numbers. */',
  'int sum(const int *numbers, int n)',
  '{',
  '    int total = 0;',
  '        total += numbers[i];',
  '    }',
  '    return total;',
  '}',
}
local ROW = 4
local TYPED = 'for (int i = 0;'

-- The screen in cells, and a cell in pixels.
local COLUMNS, ROWS = 56, 9
local CELL_WIDTH, CELL_HEIGHT = 9, 20
local PADDING, BASELINE = 14, 6

-- One row as runs of equal looks: {text, column, cells, look}; a look is Neovim's table of attributes.
local READ_ROW = [[
  local row, columns = ...
  local runs = {}
  for column = 0, columns - 1 do
    local text, look = unpack(vim.api.nvim__inspect_cell(1, row, column))
    local last = runs[#runs]
    if last and vim.deep_equal(last.look, look) then
      last.text, last.cells = last.text .. text, last.cells + 1
    else
      table.insert(runs, { text = text, column = column, cells = 1, look = look })
    end
  end
  return runs
]]

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

-- The cursor, a bar as in insert mode.
local function draw_cursor(nvim, base)
  local row, column = unpack(nvim:lua('return { vim.fn.screenrow() - 1, vim.fn.screencol() - 1 }'))
  return ('<rect x="%d" y="%d" width="2" height="%d" fill="%s"/>'):format(
    PADDING + column * CELL_WIDTH, PADDING + row * CELL_HEIGHT, CELL_HEIGHT, color(base.foreground))
end

-- The whole screen as an SVG document. The first look at a cell makes Neovim number its looks anew, so the screen is drawn
-- again after it.
local function draw_screen(nvim)
  local base = nvim:lua([[
    vim.api.nvim__inspect_cell(1, 0, 0)
    vim.cmd('redraw!')
    local normal = vim.api.nvim_get_hl(0, { name = 'Normal' })
    return { foreground = normal.fg, background = normal.bg }
  ]])
  local width, height = 2 * PADDING + COLUMNS * CELL_WIDTH, 2 * PADDING + ROWS * CELL_HEIGHT
  local parts = {
    ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d"'):format(
      width, height, width, height),
    '  font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="15" xml:space="preserve">',
    ('<rect width="%d" height="%d" rx="8" fill="%s"/>'):format(width, height, color(base.background)),
  }
  for row = 0, ROWS - 1 do
    for _, run in ipairs(nvim:lua(READ_ROW, row, COLUMNS)) do
      local part = draw_run(run, row, base)
      if part ~= '' then
        table.insert(parts, part)
      end
    end
  end
  table.insert(parts, draw_cursor(nvim, base))
  table.insert(parts, '</svg>\n')
  return table.concat(parts, '\n')
end

-- Types the sample as a user would, and waits for the ghost text.
local function make_picture()
  local nvim = editor.open(FILE, LINES, { options = '{ keymaps = false }' })
  nvim:lua(([[
    vim.o.columns, vim.o.lines = %d, %d
    vim.o.termguicolors, vim.o.number, vim.o.ruler, vim.o.laststatus = true, true, false, 0
    vim.o.fillchars, vim.o.showmode = 'eob: ', false
    vim.o.cmdheight = 0
    vim.bo.shiftwidth, vim.bo.expandtab = 4, true
    vim.cmd.colorscheme('habamax')
    vim.api.nvim_set_hl(0, 'ComplHint', { fg = '#8a919c', italic = true })
    vim.cmd('syntax on | %d')
  ]]):format(COLUMNS, ROWS, ROW))
  nvim:wait_ready()
  nvim:press('o' .. TYPED)
  nvim:wait_ghost()
  local picture = draw_screen(nvim)
  nvim:close()
  return picture
end

local function text_of(picture)
  return vim.trim(picture:gsub('<[^>]*>', ''))
end

local picture = make_picture()
if arg[1] == '--write' then
  vim.fn.writefile(vim.split(picture, '\n'), PICTURE, 'b')
  return
end
local kept = ''
if vim.fn.filereadable(PICTURE) == 1 then
  kept = table.concat(vim.fn.readfile(PICTURE, 'b'), '\n')
end
if text_of(kept) ~= text_of(picture) then
  io.write(PICTURE, ' is stale; tests/editors/README.md says how to make it again\n')
  io.write('--- kept ---\n', text_of(kept), '\n--- now ---\n', text_of(picture), '\n')
  os.exit(1)
end
