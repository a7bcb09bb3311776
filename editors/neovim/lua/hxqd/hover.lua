-- Hovers that grow: what syntax knows at once, and behind it the model's explanation as it is written.
--
-- The core asks each server once and shows the answers in one window. This module stands between its `vim.lsp.buf.hover` and
-- our client: it asks for pieces, hands over the first one as the answer, and lengthens our part of the window with the others.
-- So keys, borders, focusing and closing are the core's. When the window closes, the server is told to stop. What other
-- plugins ask has no window that we know, and is answered whole.

local options = require('hxqd.options')

local M = {}

local METHOD = 'textDocument/hover'

-- Calls between the core's hover and its client; it is found well before.
local CALLS_MAX = 12

-- Lines and columns that a border takes.
local BORDER = 2

-- The hover that grows, or nil: { token, client, id, buffer, source, place, hand_over, facts, answer }.
local growing

-- The core's window that was lengthened last, or nil: { window, row, count }, the row below which our lines are, and how many.
local view

-- How many tokens for pieces were made.
local tokens = 0

-- Whether the core's hover is among the callers.
local function is_cores()
  for level = 3, CALLS_MAX do
    local caller = debug.getinfo(level, 'S')
    if not caller then
      return false
    elseif vim.endswith(caller.source, 'vim/lsp/buf.lua') then
      return true
    end
  end
  return false
end

-- Where the cursor is, to be compared.
local function place()
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  return ('%d:%d:%d'):format(vim.api.nvim_get_current_win(), row, column)
end

-- No more of an explanation is wanted.
local function cancel(hover)
  if hover and growing == hover then
    growing = nil
    hover.client:cancel_request(hover.id)
  end
end

-- The core's window, once it is open: it may wait for the answers of other servers. Asking twice gives the same window.
local function find_view(hover)
  local window = vim.b[hover.buffer].lsp_floating_preview
  if not window or not vim.api.nvim_win_is_valid(window) or vim.w[window][METHOD] ~= hover.buffer then
    return nil
  end
  if not view or view.window ~= window then
    view = { window = window, count = 0 }
    vim.api.nvim_create_autocmd('WinClosed', {
      pattern = tostring(window), once = true, callback = function() cancel(growing) end,
    })
  end
  hover.was_shown = true
  return view
end

-- The row of the last line of the facts.
local function find_row(hover, buffer)
  local facts = vim.split(vim.trim(hover.facts), '\n', { plain = true })
  local lines = vim.api.nvim_buf_get_lines(buffer, 0, -1, true)
  for row = #lines, 1, -1 do
    if lines[row] == facts[#facts] then
      return row
    end
  end
end

-- As wide and high as the lines want, as far as the core would go. Returns the width.
local function fit(hover, window, lines)
  local width, look = vim.api.nvim_win_get_width(window), vim.api.nvim_win_get_config(window)
  if look.relative == '' or not vim.api.nvim_win_is_valid(hover.source) then
    -- It does not float any more, or over nothing.
    return width
  end
  for _, line in ipairs(lines) do
    width = math.max(width, math.min(vim.fn.strdisplaywidth(line), vim.api.nvim_win_get_width(hover.source)))
  end
  vim.api.nvim_win_set_width(window, width)

  local above = vim.api.nvim_win_call(hover.source, vim.fn.winline) - 1
  local room = look.anchor:sub(1, 1) == 'N' and vim.api.nvim_win_get_height(hover.source) - above or above
  room = room - (look.border and look.border ~= 'none' and BORDER or 0)
  local height = math.min(vim.api.nvim_win_text_height(window, {}).all, room)
  vim.api.nvim_win_set_height(window, math.max(height, vim.api.nvim_win_get_height(window)))
  return width
end

-- Puts lines behind the facts, in place of those that were there.
local function put(lines)
  local buffer = vim.api.nvim_win_get_buf(view.window)
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, view.row, view.row + view.count, true, lines)
  vim.bo[buffer].modifiable = false
  view.count = #lines
end

-- Shows the whole text of a hover in the window that has the facts.
local function lengthen(hover, text)
  view.row = view.row or find_row(hover, vim.api.nvim_win_get_buf(view.window))
  if not view.row or not vim.startswith(text, hover.facts) then
    return
  end
  local lines = vim.split(vim.trim(text:sub(#hover.facts + 1)), '\n', { plain = true })
  local has_rule = lines[1] == '---'
  if has_rule and lines[2] == '' then
    table.remove(lines, 2)
  end
  put(lines)
  local width = fit(hover, view.window, lines)
  if has_rule then
    -- As the core draws them.
    lines[1] = ('─'):rep(width)
    put(lines)
  end
end

-- One more piece of a hover; `is_last`: the server's answer.
local function take(hover, answer, is_last)
  local text = vim.tbl_get(answer or {}, 'contents', 'value')
  if not hover.facts then
    hover.facts, hover.answer = text, answer
    hover.hand_over(nil, answer)
    find_view(hover)
  elseif find_view(hover) then
    lengthen(hover, text or hover.facts)
  elseif hover.was_shown or hover.place ~= place() then
    cancel(hover)
  elseif is_last and answer then
    -- The core has our first piece, and still waits for other servers.
    hover.answer.contents = answer.contents
  end
end

-- The core's request on its way to the server, and the answer on its way back.
local function request(client, send, params, handler, buffer)
  tokens = tokens + 1
  local version = vim.lsp.util.buf_versions[buffer]
  local hover = {
    token = 'hxqd-hover-' .. tokens, client = client, buffer = buffer,
    source = vim.api.nvim_get_current_win(), place = place(),
  }
  function hover.hand_over(err, answer)
    handler(err, answer, {
      method = METHOD, client_id = client.id, bufnr = buffer, params = params, version = version,
    })
  end
  growing = hover
  params = vim.tbl_extend('force', params, { partialResultToken = hover.token })
  local is_sent, id = send(client, METHOD, params, function(err, answer)
    local is_wanted = growing == hover
    growing = not is_wanted and growing or nil
    if not hover.facts then
      hover.hand_over(err, answer)
    elseif is_wanted and not err then
      take(hover, answer, true)
    end
  end, buffer)
  hover.id = id
  return is_sent, id
end

--- Takes a piece of a hover; false where `params` of `$/progress` are none. Those of a hover that is over are nobody's.
function M.handle_progress(params)
  if not vim.startswith(tostring(params.token), 'hxqd-hover-') then
    return false
  end
  if growing and growing.token == params.token then
    take(growing, params.value)
  end
  return true
end

--- Stands between the core and its client.
function M.attach(client)
  if rawget(client, 'hxqd_grows_hovers') then
    return
  end
  local send = client.request
  client.hxqd_grows_hovers = true
  client.request = function(self, method, params, handler, buffer)
    if method ~= METHOD or not handler or not options.growing or not is_cores() then
      return send(self, method, params, handler, buffer)
    end
    return request(self, send, params, handler, buffer)
  end
end

return M
