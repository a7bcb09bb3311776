-- What a statusline says about the server: its model, its device, whether it is at work, how long the last answer took.
--
-- The server tells model and device when asked. It is asked when it attaches, when something that it reported has ended (the
-- model was loaded, a device was lost), and after answers until both are known; never by a timer.

local options = require('hxqd.options')
local server = require('hxqd.server')

local M = {}

-- Of the running server: `model` and `device` are nil until it has a model.
local known = { model = nil, device = nil, latency_ms = nil }

--- Asks the server for its model and device.
function M.refresh()
  local client = server.client()
  if not client then
    return
  end
  server.execute(client, 'hxqd.debug.stats', nil, function(stats)
    known.model, known.device = stats.model, stats.device
    vim.cmd.redrawstatus()
  end, true)
end

--- An answer took so many milliseconds.
function M.note_answer(milliseconds)
  known.latency_ms = milliseconds
  if not known.model then
    M.refresh()
  end
  vim.cmd.redrawstatus()
end

--- Nothing is known any more: the server has ended.
function M.forget()
  known = {}
end

--- The facts for a buffer (0: the current one): `state` is 'off' (for this filetype or altogether), 'absent' (no server is
--- attached), 'loading' or 'ready'; with `model`, `device`, `latency_ms` (of the last answer), `is_busy`.
function M.facts(buffer)
  buffer = (buffer or 0) == 0 and vim.api.nvim_get_current_buf() or buffer
  local client = server.client(buffer)
  local is_busy = false
  for _, request in pairs(client and client.requests or {}) do
    is_busy = is_busy or request.type == 'pending'
  end
  local state = known.model and 'ready' or 'loading'
  if not client then
    state = 'absent'
  elseif not options.ghost_text or not options.is_on(vim.bo[buffer].filetype) then
    state = 'off'
  end
  return {
    state = state,
    is_busy = is_busy,
    model = known.model,
    device = known.device,
    latency_ms = known.latency_ms,
  }
end

--- The facts in a few words, '' where no server is attached: "hxqd 0.5b cpu 84 ms".
function M.line(buffer)
  local facts = M.facts(buffer)
  if facts.state == 'absent' then
    return ''
  elseif facts.state ~= 'ready' then
    return 'hxqd ' .. facts.state
  end
  local latency = facts.latency_ms and ('%d ms'):format(facts.latency_ms) or ''
  local words = { 'hxqd', vim.fs.basename(facts.model), facts.device or '', facts.is_busy and '...' or latency }
  return vim.trim(table.concat(words, ' '))
end

return M
