-- The pictures that the pages of editors show: screens of real editors, drawn as SVG cell by cell.
--
-- With --write they replace those in the repository; without, each one's text (not its colours, which differ between versions
-- of editors) is compared with the one in the repository, so that no picture can go stale.

local gallery = {}

--- What is in the files of the pictures.
gallery.FILE = 'sum.c'
gallery.UNFINISHED = {
  '/* The sum of n numbers. */',
  'int sum(const int *numbers, int n)',
  '{',
  '    int total = 0;',
  '        total += numbers[i];',
  '    }',
  '    return total;',
  '}',
}
gallery.FINISHED = vim.list_extend(vim.list_slice(gallery.UNFINISHED, 1, 4), {
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

--- A server that stands in for one with an instruct model, which the embedded model is not.
gallery.INSTRUCT = {
  'env', 'HXQD_SCRIPTED_CHAT=Adds up the numbers, one after the other.',
  vim.fs.dirname(vim.env.HXQD) .. '/hxqd_scripted',
}

--- A screen's width in cells.
gallery.COLUMNS = 56

-- A cell and the frame around all in pixels.
local CELL_WIDTH, CELL_HEIGHT = 9, 20
local PADDING, BASELINE = 14, 6

local function color(number)
  return ('#%06x'):format(number)
end

local function escape(text)
  return (text:gsub('[&<>]', { ['&'] = '&amp;', ['<'] = '&lt;', ['>'] = '&gt;' }))
end

local function unescape(text)
  return (text:gsub('&(%a+);', { amp = '&', lt = '<', gt = '>' }))
end

-- The colours of a run: foreground, background.
local function run_colors(run, base)
  local foreground = run.look.foreground or base.foreground
  local background = run.look.background or base.background
  if run.look.reverse then
    return background, foreground
  end
  return foreground, background
end

-- The background of most cells: an editor in a terminal may paint all of them in one that is not the screen's.
local function page_color(shown)
  local cells, most = {}, shown.base.background
  for row = 0, shown.rows - 1 do
    for _, run in ipairs(shown:runs(row)) do
      local _, background = run_colors(run, shown.base)
      cells[background] = (cells[background] or 0) + run.cells
      most = cells[background] > (cells[most] or 0) and background or most
    end
  end
  return most
end

-- A run as SVG: its background where it is not the page's, then each word at its place, for viewers fold blanks.
local function draw_run(run, row, base)
  local foreground, background = run_colors(run, base)
  local x, y = PADDING + run.column * CELL_WIDTH, PADDING + row * CELL_HEIGHT
  local style = (run.look.bold and ' font-weight="bold"' or '') .. (run.look.italic and ' font-style="italic"' or '')
  local parts = {}
  if background ~= base.background then
    table.insert(parts, ('<rect x="%d" y="%d" width="%d" height="%d" fill="%s"/>'):format(
      x, y, run.cells * CELL_WIDTH, CELL_HEIGHT, color(background)))
  end
  for at, word in run.text:gmatch('()(%S+)') do
    table.insert(parts, ('<text x="%d" y="%d" textLength="%d" fill="%s"%s>%s</text>'):format(
      x + vim.fn.strwidth(run.text:sub(1, at - 1)) * CELL_WIDTH, y + CELL_HEIGHT - BASELINE,
      vim.fn.strwidth(word) * CELL_WIDTH, color(foreground), style, escape(word)))
  end
  return parts
end

-- The cursor: a bar in insert mode, else a veil over its cell.
local function draw_cursor(shown)
  local is_bar = shown.mode == 'insert'
  return ('<rect x="%d" y="%d" width="%d" height="%d" fill="%s"%s/>'):format(
    PADDING + shown.cursor.column * CELL_WIDTH, PADDING + shown.cursor.row * CELL_HEIGHT, is_bar and 2 or CELL_WIDTH,
    CELL_HEIGHT, color(shown.base.foreground), is_bar and '' or ' fill-opacity="0.5"')
end

--- A whole screen as an SVG document.
function gallery.draw(shown)
  local width, height = 2 * PADDING + shown.columns * CELL_WIDTH, 2 * PADDING + shown.rows * CELL_HEIGHT
  local base = { foreground = shown.base.foreground, background = page_color(shown) }
  local parts = {
    ('<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d"'):format(
      width, height, width, height),
    '  font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="15">',
    ('<rect width="%d" height="%d" rx="8" fill="%s"/>'):format(width, height, color(base.background)),
  }
  for row = 0, shown.rows - 1 do
    for _, run in ipairs(shown:runs(row)) do
      vim.list_extend(parts, draw_run(run, row, base))
    end
  end
  if shown.has_cursor then
    table.insert(parts, draw_cursor(shown))
  end
  table.insert(parts, '</svg>\n')
  return table.concat(parts, '\n')
end

-- The rows of text that a picture shows, wherever its colours begin.
local function text_of(picture)
  local rows = {}
  for x, y, word in picture:gmatch('<text x="(%d+)" y="(%d+)"[^>]*>([^<]*)</text>') do
    local row, column = (y - PADDING) / CELL_HEIGHT, (x - PADDING) / CELL_WIDTH
    while #rows <= row do
      table.insert(rows, '')
    end
    local index = math.floor(row) + 1
    rows[index] = rows[index] .. (' '):rep(column - vim.fn.strwidth(rows[index])) .. unescape(word)
  end
  return table.concat(rows, '\n')
end

local function read(path)
  return vim.fn.filereadable(path) == 1 and table.concat(vim.fn.readfile(path, 'b'), '\n') or ''
end

--- Makes pictures, a table of what `make` needs for each by its name, writes or compares them, and ends this Neovim.
function gallery.run(pictures, make)
  local is_stale = false
  for name, one in pairs(pictures) do
    local path = 'editors/pictures/' .. name
    local picture, kept = make(one), text_of(read(path))
    if arg[1] == '--write' then
      vim.fn.writefile(vim.split(picture, '\n'), path, 'b')
    elseif kept ~= text_of(picture) then
      is_stale = true
      io.write(path, ' is stale; tests/editors/README.md says how to make it again\n')
      io.write('--- kept ---\n', kept, '\n--- now ---\n', text_of(picture), '\n')
    end
  end
  os.exit(is_stale and 1 or 0)
end

return gallery
