-- The screen of a Neovim under test as its user sees it, with floating windows on top: a terminal without a terminal.
--
-- It attaches to the editor's socket as a user interface and follows the `redraw` notifications of :help ui-linegrid into a
-- table of cells. All columns and rows count from 0. Whoever opens a screen closes it, before the editor.

local screen = {}
screen.__index = screen

-- Handles of buffers, windows and tabpages, which no notification that matters here carries.
local function ignore()
  return 0
end

-- Notification → what it changes. Numbers are those of the protocol; there is one grid, since ext_multigrid is off.
local HANDLERS = {
  default_colors_set = function(self, foreground, background)
    self.base = { foreground = foreground, background = background }
  end,
  hl_attr_define = function(self, id, look)
    self.looks[id] = look
  end,
  grid_resize = function(self, _, columns, rows)
    self.columns, self.rows = columns, rows
  end,
  grid_clear = function(self)
    self.cells = {}
    for row = 0, self.rows - 1 do
      self.cells[row] = {}
      for column = 0, self.columns - 1 do
        self.cells[row][column] = { text = ' ', look = 0 }
      end
    end
  end,
  grid_cursor_goto = function(self, _, row, column)
    self.cursor = { row = row, column = column }
  end,
  -- Busy: no cursor is shown, be it that a program in the editor's terminal hides its own.
  busy_start = function(self)
    self.has_cursor = false
  end,
  busy_stop = function(self)
    self.has_cursor = true
  end,
  mode_change = function(self, mode)
    self.mode = mode
  end,
  -- Cells are {text, look, times}; a look that is left out is that of the cell before.
  grid_line = function(self, _, row, column, cells)
    local look
    for _, cell in ipairs(cells) do
      look = cell[2] or look
      for _ = 1, cell[3] or 1 do
        self.cells[row][column] = { text = cell[1], look = look }
        column = column + 1
      end
    end
  end,
  -- Rows of a rectangle move up by `by`, or down where it is negative.
  grid_scroll = function(self, _, top, bottom, left, right, by)
    local first, last, step = top, bottom - 1 - by, 1
    if by < 0 then
      first, last, step = bottom - 1, top - by, -1
    end
    for row = first, last, step do
      for column = left, right - 1 do
        self.cells[row][column] = self.cells[row + by][column]
      end
    end
  end,
  flush = function(self)
    self.is_drawn = true
  end,
}

-- One message of the editor: {2, 'redraw', {{name, arguments, arguments, ...}, ...}}, or the answer to our request.
local function handle(self, message)
  if message[1] == 2 and message[2] == 'redraw' then
    for _, event in ipairs(message[3]) do
      local handler = HANDLERS[event[1]]
      for i = 2, handler and #event or 0 do
        handler(self, unpack(event[i]))
      end
    end
  end
end

--- Attaches a screen of a size in cells to an editor, which takes on that size, and waits until it is drawn.
function screen.open(nvim, columns, rows)
  local self = setmetatable({ looks = { [0] = {} }, has_cursor = true, pipe = vim.uv.new_pipe() }, screen)
  local address = nvim:lua('return vim.fn.serverstart()')
  local unpacker = vim.mpack.Unpacker({ ext = { [0] = ignore, ignore, ignore } })
  self.pipe:connect(address, function(problem)
    assert(not problem, problem)
    self.pipe:read_start(function(failure, bytes)
      assert(not failure, failure)
      local at, message = 1, nil
      while bytes and at <= #bytes do
        message, at = unpacker(bytes, at)
        if message ~= nil then
          handle(self, message)
        end
      end
    end)
    local options = { rgb = true, ext_linegrid = true }
    self.pipe:write(vim.mpack.encode({ 0, 1, 'nvim_ui_attach', { columns, rows, options } }))
  end)
  nvim:wait('the screen', function() return self.is_drawn and self.columns == columns and self.rows == rows end)
  return self
end

function screen:close()
  self.pipe:close()
end

--- What stands in a row, without the blanks at its end.
function screen:row_text(row)
  local parts = {}
  for column = 0, self.columns - 1 do
    table.insert(parts, self.cells[row][column].text)
  end
  return (table.concat(parts):gsub('%s+$', ''))
end

--- The whole screen as text.
function screen:text()
  local rows = {}
  for row = 0, self.rows - 1 do
    table.insert(rows, self:row_text(row))
  end
  return table.concat(rows, '\n')
end

--- A row as runs of equal looks: {text, column, cells, look}; a look is Neovim's table of attributes.
function screen:runs(row)
  local runs = {}
  for column = 0, self.columns - 1 do
    local cell, last = self.cells[row][column], runs[#runs]
    if last and last.id == cell.look then
      last.text, last.cells = last.text .. cell.text, last.cells + 1
    else
      table.insert(runs, { text = cell.text, column = column, cells = 1, id = cell.look, look = self.looks[cell.look] })
    end
  end
  return runs
end

return screen
