-- Ghost text: what is shown, how it is accepted, and how it grows while it is written.
--
-- Neovim's core asks the server, draws the answer and hides it (`hxqd.inline` does where the core cannot). This module stands
-- between the core and its client, and fills gaps, each named where it is filled: answers that no longer fit what was typed,
-- keys that are pressed right after accepting, parts of a text, more than one candidate, texts that are not finished, and tabs.
--
-- Per buffer with ghost text it keeps a state: whether what is shown is outdated, how to hand an answer to the core, who waits
-- for pieces, and how many candidates the last answer had.

local options = require('hxqd.options')
local server = require('hxqd.server')
local status = require('hxqd.status')

local M = {}

-- The core's module, or what stands in for it in Neovim 0.11.
M.inline = vim.lsp.inline_completion or require('hxqd.inline')

local METHOD = 'textDocument/inlineCompletion'
local INVOKED = 1

-- Longest wait for the core to hand over what is accepted; it does so at its next turn, so this is never reached.
local ACCEPT_MS = 200

-- Where the core draws.
local NAMESPACE = vim.api.nvim_create_namespace('nvim.lsp.inline_completion')

-- What to accept of a text: as a pattern at its beginning.
local PARTS = {
  word = [[^\_s*\%(\k\+\|\%(\k\@!\S\)\+\)\?]],
  line = [[^\n\?[^\n]*]],
}

-- Buffer number → { is_outdated, hand_over, token, on_piece, count, was_invoked, is_wished, step, spread }.
local states = {}

-- How many tokens for pieces were made.
local tokens = 0

-- The ghost text in a buffer as {id, row, column, text, details}, or nil while none is shown.
local function find(buffer)
  local filter = { details = true, limit = 1 }
  local mark = vim.api.nvim_buf_get_extmarks(buffer, NAMESPACE, 0, -1, filter)[1]
  if not mark then
    return nil
  end
  local id, row, column, details = unpack(mark)
  local lines = { details.virt_text and details.virt_text[1] and details.virt_text[1][1] or '' }
  local spread = states[buffer] and states[buffer].spread
  if spread and lines[1] == spread.drawn then
    lines[1] = spread.line
  end
  for _, line in ipairs(details.virt_lines or {}) do
    table.insert(lines, line[1][1])
  end
  return { id = id, row = row, column = column, text = table.concat(lines, '\n'), details = details }
end

-- Gap 6: the core draws a tab as wide as it is below the first line only; in that it puts the cursor of a terminal wrong. Draws
-- spaces there, and remembers what they stand for.
local function spread_tabs(buffer)
  local ghost = find(buffer)
  local line = ghost and ghost.text:match('^[^\n]*')
  if not line or not line:find('\t', 1, true) then
    return
  end
  local before = vim.api.nvim_buf_get_lines(buffer, ghost.row, ghost.row + 1, true)[1]:sub(1, ghost.column)
  local start, drawn = vim.fn.strdisplaywidth(before), ''
  for piece in line:gmatch('[^\t]*\t?') do
    local width = vim.fn.strdisplaywidth(drawn .. piece, start)
    drawn = drawn .. piece:gsub('\t', '')
    drawn = drawn .. (' '):rep(width - vim.fn.strdisplaywidth(drawn, start))
  end
  local details = ghost.details
  details.virt_text[1][1] = drawn
  states[buffer].spread = { line = line, drawn = drawn }
  vim.api.nvim_buf_set_extmark(buffer, NAMESPACE, ghost.row, ghost.column, {
    id = ghost.id, hl_mode = details.hl_mode,
    virt_text = details.virt_text, virt_text_pos = details.virt_text_pos, virt_lines = details.virt_lines,
  })
end

-- Remembers, before a character goes in, whether the ghost text foresaw it.
local function judge_typed(buffer)
  local ghost = find(buffer)
  if ghost and not vim.startswith(ghost.text, vim.v.char) then
    states[buffer].is_outdated = true
  end
end

-- Gap 1: after each key the core draws the old answer again until the next one comes, whatever was typed. Hides it where it
-- is wrong: after a character that it did not foresee, or away from the cursor.
local function hide_outdated(buffer)
  local ghost = find(buffer)
  if not ghost then
    return
  end
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  if states[buffer].is_outdated or ghost.row ~= row - 1 or ghost.column < column then
    states[buffer].is_outdated = true
    vim.api.nvim_buf_clear_namespace(buffer, NAMESPACE, 0, -1)
  else
    spread_tabs(buffer)
  end
end

-- Where an answer is for: the cursor's row, what its line says before and behind it, and how many lines there are.
local function situation(buffer)
  if not vim.api.nvim_buf_is_valid(buffer) or buffer ~= vim.api.nvim_get_current_buf() then
    return nil
  end
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  local line = vim.api.nvim_get_current_line()
  return { row = row, before = line:sub(1, column), behind = line:sub(column + 1), lines = vim.api.nvim_buf_line_count(buffer) }
end

-- Whether the core asks for ghost text in a buffer.
local function is_enabled(buffer)
  return vim.api.nvim_buf_is_valid(buffer) and M.inline.is_enabled({ bufnr = buffer })
end

-- Whether what was asked for in one situation is good in another: nothing but its own beginning was typed since.
local function still_fits(items, asked, now)
  if not asked or not now or now.row ~= asked.row or now.lines ~= asked.lines or now.behind ~= asked.behind
    or not vim.startswith(now.before, asked.before) then
    return false
  end
  local typed = now.before:sub(#asked.before + 1)
  return vim.iter(items):all(function(item) return vim.startswith(item.insertText, typed) end)
end

-- Gap 1, for answers that come late: Neovim holds edits back for a moment, so the server may answer for a text that has
-- changed already, and the core would draw that. Hands on what fits, and nothing in place of the rest.
local function hand_on(state, fits, err, items, context)
  -- Gap 5: the core fails over an answer for a buffer that is gone, or that the server or ghost text has left.
  local buffer = context.bufnr
  if states[buffer] ~= state or not is_enabled(buffer) then
    return
  end
  if fits then
    state.is_outdated = nil
    state.count = items and #items or 0
  end
  state.hand_over(err, fits and items or {}, context)

  -- Gap 3: a key has asked for more candidates in order to see the next one.
  if fits and state.step and state.was_invoked and state.count > 1 then
    M.inline.select({ count = state.step })
  end
  spread_tabs(buffer)
end

-- Gap 4: the core knows no text that grows. Asks for pieces; each is handed on like an answer.
local function ask_for_pieces(state, params, client, buffer, asked)
  tokens = tokens + 1
  state.token = 'hxqd-ghost-' .. tokens
  params.partialResultToken = state.token
  state.on_piece = function(items)
    if still_fits(items, asked, situation(buffer)) then
      hand_on(state, true, nil, items, { client_id = client.id, bufnr = buffer, method = METHOD })
    end
  end
end

-- The core's request on its way to the server, and the answer on its way back.
local function request(client, send, params, handler, buffer)
  local state = states[buffer]
  if not state then
    -- It is another server's ghost text that is on.
    return true
  end
  local is_invoked = state.is_wished or params.context.triggerKind == INVOKED
  state.hand_over, state.is_wished = handler, nil
  if not is_invoked and not options.automatic then
    return true
  end
  if is_invoked then
    params.context.triggerKind = INVOKED
  end
  local asked_at, asked = vim.uv.hrtime(), situation(buffer)
  state.token, state.was_invoked = nil, is_invoked
  if options.growing and not is_invoked then
    ask_for_pieces(state, params, client, buffer, asked)
  end
  local token = state.token
  return send(client, METHOD, params, function(err, items, context)
    if state.token == token then
      state.token = nil
    end
    status.note_answer((vim.uv.hrtime() - asked_at) / 1e6)
    hand_on(state, still_fits(items or {}, asked, situation(buffer)), err, items, context)
  end, buffer)
end

-- Whether a request may be the core's, which names a buffer with ghost text by its number. What others ask is answered as it
-- comes.
local function is_for_ghost(method, handler, buffer)
  return method == METHOD and handler and (buffer or 0) > 0 and is_enabled(buffer)
end

-- Stands between the core and its client.
local function stand_between(client)
  if rawget(client, 'hxqd_stands_between') then
    return
  end
  local send = client.request
  client.hxqd_stands_between = true
  client.request = function(self, method, params, handler, buffer)
    if is_for_ghost(method, handler, buffer) then
      return request(self, send, params, handler, buffer)
    end
    return send(self, method, params, handler, buffer)
  end
end

--- The client's handler of `$/progress`: takes pieces of ghost text, and leaves the rest to the core.
function M.handle_progress(err, params, context)
  for _, state in pairs(states) do
    if state.token and state.token == params.token then
      return state.on_piece(params.value)
    end
  end
  -- Pieces that come after their answer was made void are nobody's.
  if not vim.startswith(tostring(params.token), 'hxqd-ghost-') then
    return vim.lsp.handlers['$/progress'](err, params, context)
  end
end

-- Puts text at the cursor in place of what stands there up to `end_column`, as an undo step of its own.
local function insert(buffer, text, end_column)
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  local lines = vim.split(text, '\n', { plain = true })
  local last = lines[#lines]
  -- Ends the undo step: undo takes back the accepted text and not also what was typed before it.
  vim.go.undolevels = vim.go.undolevels
  vim.api.nvim_buf_set_text(buffer, row - 1, column, row - 1, end_column or column, lines)
  vim.api.nvim_win_set_cursor(0, { row + #lines - 1, (#lines == 1 and column or 0) + #last })
end

-- Gap 1, when accepting: an item is for the place where the cursor stood when it was asked for. Returns its text less what
-- was typed since, and the column up to which it replaces; nil where something else was typed.
local function rest_of(item)
  local start_row, start_column, end_row, end_column = item.range:to_extmark()
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  if start_row ~= row - 1 or end_row ~= start_row or column < start_column then
    return nil
  end
  local typed = vim.api.nvim_get_current_line():sub(start_column + 1, column)
  if vim.startswith(item.insert_text, typed) then
    return item.insert_text:sub(#typed + 1), end_column + #typed
  end
end

-- Gap 2: the core hands over at its next turn, after keys that already wait; this waits for it, so that they stay behind.
local function accept_all(buffer)
  local is_done, is_accepted = false, false
  local function on_accept(item)
    is_done = true
    local client = vim.lsp.get_client_by_id(item.client_id)
    if client and client.name ~= 'hxqd' then
      -- Another server's item may be a snippet or have a command, which the core knows to handle.
      is_accepted = true
      return item
    end
    local text, end_column = rest_of(item)
    is_accepted = text ~= nil
    if text then
      insert(buffer, text, end_column)
    end
  end
  if not M.inline.get({ on_accept = on_accept }) then
    return false
  end
  vim.wait(ACCEPT_MS, function() return is_done end, 1)
  return is_accepted
end

--- Inserts the ghost text of the current buffer, or the first 'word' or 'line' of it; false where there is none to insert.
--- Gap 3: for the core a part is as if it had been typed, so it goes on showing the rest.
function M.accept(part)
  local buffer = vim.api.nvim_get_current_buf()
  local ghost = find(buffer)
  if not ghost then
    return false
  end
  local text = part and vim.fn.matchstr(ghost.text, PARTS[part]) or ghost.text
  if text == ghost.text or text == '' or ghost.column ~= vim.api.nvim_win_get_cursor(0)[2] then
    return accept_all(buffer)
  end
  insert(buffer, text)
  return true
end

--- Asks anew, for several candidates; with `step`, to show the one that many further. False where nothing can be asked.
function M.ask(step)
  local buffer = vim.api.nvim_get_current_buf()
  local client, state = server.client(buffer), states[buffer]
  if not client or not state or not is_enabled(buffer) then
    return false
  end
  state.step = step
  if not state.hand_over then
    -- The core has not asked yet; when it does, this is what it asks.
    state.is_wished = true
    return true
  end
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  params.context = { triggerKind = INVOKED }
  client:request(METHOD, params, state.hand_over, buffer)
  return true
end

--- Shows another candidate, `step` further; false where there is no ghost text. While typing the server is asked for one only,
--- so the first step asks for the others.
function M.cycle(step)
  local buffer = vim.api.nvim_get_current_buf()
  local state = states[buffer]
  if not state or not find(buffer) then
    return false
  end
  if (state.count or 0) > 1 then
    M.inline.select({ count = step })
    spread_tabs(buffer)
  elseif not state.was_invoked then
    M.ask(step)
  end
  return true
end

-- Whether the options say that the server shows ghost text in a buffer.
local function is_wanted(buffer)
  return options.ghost_text and options.is_on(vim.bo[buffer].filetype)
end

-- Whether the core shows another server's ghost text in a buffer.
local function is_shared(buffer)
  return M.inline == vim.lsp.inline_completion and is_enabled(buffer)
    and vim.iter(vim.lsp.get_clients({ bufnr = buffer })):any(function(client)
      return client.name ~= 'hxqd' and client.server_capabilities.inlineCompletionProvider
    end)
end

--- No more of our ghost text in a buffer.
function M.detach(buffer)
  states[buffer] = nil
  vim.api.nvim_create_augroup('hxqd.ghost.' .. buffer, { clear = true })
  if M.inline ~= vim.lsp.inline_completion then
    M.inline.enable(false, { bufnr = buffer })
  end
end

--- Turns ghost text in a buffer on or off, as the options say.
function M.update(buffer)
  local filter, on = { bufnr = buffer }, is_wanted(buffer)
  local is_needed = on or is_shared(buffer)
  M.detach(buffer)

  -- Off and on, so that the core begins anew: nothing of ours is left in it, and its autocommands are older than ours, which
  -- have to run after them. By buffer and not by client: the core forgets to detach what was enabled by client alone.
  M.inline.enable(false, filter)
  if is_needed then
    M.inline.enable(true, filter)
  end
  if not on then
    return
  end
  states[buffer] = {}
  local group = vim.api.nvim_create_augroup('hxqd.ghost.' .. buffer, {})
  vim.api.nvim_create_autocmd('InsertCharPre', {
    group = group, buffer = buffer, callback = function() judge_typed(buffer) end,
  })
  vim.api.nvim_create_autocmd({ 'CursorMovedI', 'TextChangedP' }, {
    group = group, buffer = buffer, callback = function() hide_outdated(buffer) end,
  })
end

--- What one buffer needs once the server is attached to it. Where ghost text is off, the core is left as the user set it.
function M.attach(client, buffer)
  stand_between(client)
  if is_wanted(buffer) then
    M.update(buffer)
  end
end

return M
