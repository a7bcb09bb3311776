-- Inline completion for Neovim 0.11, whose core has none: the part of `vim.lsp.inline_completion` of 0.12 that this plugin
-- uses, with the same names, the same moments and the same namespace, so that all else need not know which of the two it has.
--
-- One buffer has one state while it is enabled: the items of the newest answer, which of them is shown, and the timer of the
-- next request. Items are kept in bytes of the line that they were written for.

local server = require('hxqd.server')

local M = {}

local NAMESPACE = vim.api.nvim_create_namespace('nvim.lsp.inline_completion')
local METHOD = 'textDocument/inlineCompletion'

-- Pause in typing before the server is asked; the core's.
local PAUSE_MS = 200
local AUTOMATIC = 2

-- Buffer number → { items, index, timer, group }.
local states = {}

local function hide(buffer)
  vim.api.nvim_buf_clear_namespace(buffer, NAMESPACE, 0, -1)
end

-- Draws what the shown item has beyond what was typed of it; nothing where something else was typed.
local function draw(buffer)
  local state = states[buffer]
  local item = state.items[state.index]
  hide(buffer)
  if not item or buffer ~= vim.api.nvim_get_current_buf() then
    return
  end
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  local typed = vim.api.nvim_get_current_line():sub(item.column + 1, column)
  if row - 1 ~= item.row or column < item.column or not vim.startswith(item.text, typed) then
    return
  end
  local lines = vim.split(item.text:sub(#typed + 1), '\n', { plain = true })
  local chunks = vim.tbl_map(function(line) return { { line, 'ComplHint' } } end, lines)
  if state.is_cycled then
    table.insert(chunks[#chunks], { (' (%d/%d)'):format(state.index, #state.items), 'ComplHintMore' })
  end
  vim.api.nvim_buf_set_extmark(buffer, NAMESPACE, row - 1, column, {
    virt_text = chunks[1],
    virt_lines = vim.list_slice(chunks, 2),
    virt_text_pos = item.end_column > item.column and 'overlay' or 'inline',
    hl_mode = 'combine',
  })
end

-- An item of the protocol in bytes of its line.
local function to_bytes(buffer, item, client)
  local row = item.range.start.line
  local line = vim.api.nvim_buf_get_lines(buffer, row, row + 1, false)[1] or ''
  local function column(position)
    return vim.str_byteindex(line, client.offset_encoding, position.character, false)
  end
  return {
    client_id = client.id,
    text = item.insertText,
    row = row,
    column = column(item.range.start),
    end_column = column(item.range['end']),
  }
end

local function handle_answer(err, result, context)
  local buffer, client = context.bufnr, vim.lsp.get_client_by_id(context.client_id)
  local state = states[buffer]
  if err or not result or not client or not state or vim.api.nvim_get_mode().mode:sub(1, 1) ~= 'i' then
    return
  end
  state.items = vim.tbl_map(function(item) return to_bytes(buffer, item, client) end, result)
  state.index, state.is_cycled = 1, false
  draw(buffer)
end

local function stop_timer(state)
  if state.timer and not state.timer:is_closing() then
    state.timer:close()
  end
  state.timer = nil
end

local function request(buffer)
  local client = server.client(buffer)
  if not client or buffer ~= vim.api.nvim_get_current_buf() then
    return
  end
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = AUTOMATIC }
  client:request(METHOD, params, handle_answer, buffer)
end

-- A key was pressed: what is still right stays, and the server is asked after a pause.
local function follow(buffer)
  local state = states[buffer]
  draw(buffer)
  stop_timer(state)
  state.timer = vim.defer_fn(function() request(buffer) end, PAUSE_MS)
end

-- Drops the answer, and the next one.
local function abort(buffer)
  local state = states[buffer]
  stop_timer(state)
  state.items = {}
  hide(buffer)
  local client = server.client(buffer)
  for id, pending in pairs(client and client.requests or {}) do
    if pending.method == METHOD and pending.bufnr == buffer and pending.type == 'pending' then
      client:cancel_request(id)
    end
  end
end

function M.is_enabled(filter)
  return states[filter.bufnr] ~= nil
end

function M.enable(on, filter)
  local buffer = filter.bufnr
  if on == M.is_enabled(filter) then
    return
  elseif not on then
    abort(buffer)
    vim.api.nvim_del_augroup_by_id(states[buffer].group)
    states[buffer] = nil
    return
  end
  vim.api.nvim_set_hl(0, 'ComplHint', { link = 'NonText', default = true })
  vim.api.nvim_set_hl(0, 'ComplHintMore', { link = 'MoreMsg', default = true })
  local group = vim.api.nvim_create_augroup('hxqd.inline.' .. buffer, {})
  states[buffer] = { items = {}, index = 1, group = group }
  vim.api.nvim_create_autocmd({ 'InsertEnter', 'CursorMovedI', 'TextChangedP' }, {
    group = group, buffer = buffer, callback = function() follow(buffer) end,
  })
  vim.api.nvim_create_autocmd('InsertLeave', {
    group = group, buffer = buffer, callback = function() abort(buffer) end,
  })
end

--- Shows another item, `count` further.
function M.select(options)
  local buffer = vim.api.nvim_get_current_buf()
  local state = states[buffer]
  if state and #state.items > 0 then
    state.index = (state.index + options.count - 1) % #state.items + 1
    state.is_cycled = true
    draw(buffer)
  end
end

--- Hands the shown item to `on_accept`, at the next turn as the core does; false where none is shown.
function M.get(options)
  local buffer = vim.api.nvim_get_current_buf()
  local state = states[buffer]
  local item = state and state.items[state.index]
  if not item then
    return false
  end
  vim.schedule(function()
    abort(buffer)
    options.on_accept({
      client_id = item.client_id,
      insert_text = item.text,
      range = { to_extmark = function() return item.row, item.column, item.row, item.end_column end },
    })
  end)
  return true
end

return M
