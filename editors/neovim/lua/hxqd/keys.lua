-- Keys in insert mode: set in a buffer while the server is attached to it, and handed back afterwards.
--
-- A key of ours that finds nothing to do does what it did before: the mapping that the buffer had for it, else the global one
-- (a snippet plugin's, or Neovim's own for <Tab>), else the plain key.

local ghost = require('hxqd.ghost')
local options = require('hxqd.options')

local M = {}

-- How the descriptions of our mappings begin.
local MARK = 'hxqd: '

-- The name under which a mapping is pressed that one of ours hides.
local THROUGH = '<Plug>(hxqd-through)'

-- What the keys do; each returns false where there was nothing to do.
local ACTIONS = {
  accept = { function() return ghost.accept() end, 'Accept the ghost text' },
  accept_word = { function() return ghost.accept('word') end, 'Accept a word of the ghost text' },
  accept_line = { function() return ghost.accept('line') end, 'Accept a line of the ghost text' },
  next = { function() return ghost.cycle(1) end, 'Next ghost text' },
  previous = { function() return ghost.cycle(-1) end, 'Previous ghost text' },
  ask = { function() return ghost.ask() end, 'Ask for ghost text' },
}

-- Buffer number → key as Neovim stores it → the buffer's mapping that ours hides, or false.
local hidden = {}

-- The key that is being pressed through, and where; nil where none is.
local pressed

local function find(maps, raw)
  return vim.iter(maps):find(function(map) return map.lhsraw == raw or map.lhsrawalt == raw end)
end

local function is_ours(map)
  return vim.startswith(map.desc or '', MARK)
end

-- Presses a key as if our mapping were not there. Others may have kept that to fall back on, also when it is gone.
local function press_through(buffer, raw)
  local map = hidden[buffer] and hidden[buffer][raw] or find(vim.api.nvim_get_keymap('i'), raw)
  local now = table.concat({ raw, vim.b.changedtick, unpack(vim.api.nvim_win_get_cursor(0)) }, ' ')
  -- The same key at the same place is what the mapping itself presses, and then the plain key is meant.
  if not map or pressed == now then
    vim.api.nvim_feedkeys(raw, 'in', false)
    return
  end
  pressed = now
  vim.schedule(function() pressed = nil end)

  -- The same mapping under a name of ours, so that ours does not catch it again.
  map = vim.tbl_extend('force', map, { lhs = THROUGH, lhsraw = vim.keycode(THROUGH) })
  map.lhsrawalt = nil
  vim.fn.mapset('i', false, map)
  vim.api.nvim_feedkeys(vim.keycode(THROUGH), 'im', false)
end

--- Sets the keys of a buffer.
function M.set(buffer)
  hidden[buffer] = hidden[buffer] or {}
  for name, key in pairs(options.keymaps or {}) do
    local action = ACTIONS[name]
    if action and key then
      local raw = vim.keycode(key)
      local map = find(vim.api.nvim_buf_get_keymap(buffer, 'i'), raw)
      if not map or not is_ours(map) then
        hidden[buffer][raw] = map or false
      end
      vim.keymap.set('i', key, function()
        if not action[1]() then
          press_through(buffer, raw)
        end
      end, { buffer = buffer, desc = MARK .. action[2] })
    end
  end
end

--- Takes the keys of a buffer away, and gives back those that it had; what has become another's is left alone.
function M.unset(buffer)
  for raw, before in pairs(hidden[buffer] or {}) do
    local map = find(vim.api.nvim_buf_get_keymap(buffer, 'i'), raw)
    if map and is_ours(map) then
      vim.keymap.del('i', map.lhs, { buffer = buffer })
      if before then
        vim.api.nvim_buf_call(buffer, function() vim.fn.mapset('i', false, before) end)
      end
    end
  end
  hidden[buffer] = nil
end

--- Keys of ours that something else has taken in a buffer since; for `:checkhealth`.
function M.foreign(buffer)
  local foreign = {}
  for _, key in pairs(options.keymaps or {}) do
    local map = key and find(vim.api.nvim_buf_get_keymap(buffer, 'i'), vim.keycode(key))
    if map and not is_ours(map) then
      table.insert(foreign, key)
    end
  end
  return foreign
end

return M
