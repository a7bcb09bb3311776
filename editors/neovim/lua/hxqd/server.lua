-- The server's process: where its program stands, how it is started again, and questions to it.
--
-- One process serves one Neovim. State kept here: when it died lately, and whether a restart was asked for.

local options = require('hxqd.options')

local M = {}

-- This plugin's own folder, wherever the repository or the installation put it, links followed.
local PLUGIN_DIR = vim.fn.fnamemodify(vim.fn.resolve(debug.getinfo(1, 'S').source:sub(2)), ':p:h:h:h')

-- A server that dies more often than this within the window is not started again.
local RESTARTS_MAX = 3
local DEATHS_WINDOW_MS = 3 * 60 * 1000

-- How long a server may take to end when it is restarted.
local STOP_MS = 2000

-- When the server died lately, in milliseconds of the event loop.
local deaths = {}

local is_restarting = false

--- Where the program may stand, most wanted first: $PATH, this clone's build folder, the prefix it was installed to.
function M.candidates()
  return { 'hxqd', PLUGIN_DIR .. '/../../build/hxqd', PLUGIN_DIR .. '/../../../bin/hxqd' }
end

--- The absolute path of the program, or nil.
function M.find()
  for _, candidate in ipairs(M.candidates()) do
    local path = vim.fn.exepath(candidate)
    if path ~= '' then
      return vim.fs.normalize(path)
    end
  end
end

--- The client that lives, or nil; with a buffer, only one attached to it.
function M.client(buffer)
  local clients = vim.lsp.get_clients({ name = 'hxqd', bufnr = buffer })
  return vim.iter(clients):find(function(client) return not client:is_stopped() end)
end

--- A result without its nulls: Neovim 0.12 keeps them as `vim.NIL`, 0.11 leaves them out.
function M.without_nulls(result)
  for name, value in pairs(type(result) == 'table' and result or {}) do
    if value == vim.NIL then
      result[name] = nil
    end
  end
  return result
end

--- Asks the server to run a command; `on_result` gets its result, without nulls. What goes wrong is shown, unless `is_quiet`.
--- Returns the request's number.
function M.execute(client, command, argument, on_result, is_quiet)
  local params = { command = command, arguments = argument and { argument } or nil }
  local function on_reply(err, result)
    if not err then
      on_result(M.without_nulls(result))
    elseif not is_quiet then
      vim.notify('hxqd: ' .. err.message, vim.log.levels.ERROR)
    end
  end
  -- Named, not 0: the core sends pending edits first only for a buffer named by its number.
  local _, id = client:request('workspace/executeCommand', params, on_reply, vim.api.nvim_get_current_buf())
  return id
end

--- Tells a client's server its settings: those of its configuration, with what was turned on or off since.
function M.configure(client)
  local configured = client.config.settings or {}
  client.settings = vim.tbl_extend('force', configured, { hxqd = options.for_server(configured.hxqd) })
  client:notify('workspace/didChangeConfiguration', { settings = client.settings })
end

--- Ends the server and starts it again; starts it where there is none, also one that kept dying.
function M.restart()
  local client = M.client()
  deaths = {}
  if not client then
    vim.lsp.enable('hxqd')
    return
  end
  is_restarting = true
  client:stop()
  vim.defer_fn(function()
    if not client:is_stopped() or is_restarting then
      client:stop(true)
    end
  end, STOP_MS)
end

--- The client's `on_exit`: starts a dead server again and says so, but leaves alone one that keeps dying. Restarting at
--- once also keeps the core from forgetting buffers: one edited while no server is attached never reports edits again.
function M.handle_exit(code, signal)
  if vim.v.exiting ~= vim.NIL then
    return
  end
  if is_restarting then
    is_restarting = false
    vim.schedule(function() vim.lsp.enable('hxqd') end)
    return
  end
  if code == 0 and signal == 0 then
    return
  end
  local cause = signal ~= 0 and ('signal %d'):format(signal) or ('exit code %d'):format(code)
  local now = vim.uv.now()
  deaths = vim.tbl_filter(function(time) return now - time < DEATHS_WINDOW_MS end, deaths)
  table.insert(deaths, now)

  vim.schedule(function()
    if vim.lsp.is_enabled and not vim.lsp.is_enabled('hxqd') then
      return
    end
    if #deaths <= RESTARTS_MAX then
      vim.lsp.enable('hxqd')
      vim.notify(('hxqd stopped (%s) and was started again'):format(cause), vim.log.levels.WARN)
    else
      local message = 'hxqd keeps stopping (%s) and stays off: see :checkhealth hxqd, then :Hxqd restart'
      vim.notify(message:format(cause), vim.log.levels.ERROR)
    end
  end)
end

return M
