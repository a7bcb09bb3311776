-- Completions from a local hxqd server: `setup`, and what a buffer needs while the server is attached to it.
--
-- The other modules: `ghost` (ghost text, on Neovim's own inline completion), `inline` (a stand-in for that in Neovim 0.11),
-- `keys`, `hover` (hovers that grow), `command` (:Hxqd), `status` (for statuslines), `server` (the process), `options` (what
-- the user chose), `health`. What draws is loaded when the server first attaches, so that starting Neovim costs little.

local options = require('hxqd.options')
local server = require('hxqd.server')

local M = {}

-- Lines of a yank that the server is told; it keeps 4 KiB.
local YANK_LINES = 256

--- Inserts the ghost text of the current buffer, or of it the first 'word' or 'line'; false where there is none.
function M.accept(part)
  return require('hxqd.ghost').accept(part)
end

--- Shows another candidate, `step` further; false where there is no ghost text.
function M.cycle(step)
  return require('hxqd.ghost').cycle(step)
end

--- Asks anew for ghost text, for several candidates; false where nothing can be asked.
function M.ask()
  return require('hxqd.ghost').ask()
end

--- A few words for a statusline; '' where no server is attached.
function M.status(buffer)
  return require('hxqd.status').line(buffer)
end

--- The same as a table: `state`, `is_busy`, `model`, `device`, `latency_ms`.
function M.facts(buffer)
  return require('hxqd.status').facts(buffer)
end

-- Tells the server what was copied; it passes over single lines itself.
local function share_yank(buffer)
  local event, client = vim.v.event, server.client(buffer)
  if options.share_yanks and client and event.operator == 'y' then
    local text = table.concat(event.regcontents, '\n', 1, math.min(#event.regcontents, YANK_LINES))
    client:notify('hxqd/didYank', { text = text, uri = vim.uri_from_bufnr(buffer) })
  end
end

-- The autocommands of a buffer while the server is attached to it.
local function group_of(buffer)
  return vim.api.nvim_create_augroup('hxqd.buffer.' .. buffer, { clear = true })
end

-- The client of an event, or nil where it is another server's.
local function client_of(event)
  local client = vim.lsp.get_client_by_id(event.data.client_id)
  return client and client.name == 'hxqd' and client or nil
end

-- Everything that one buffer needs once the server is attached to it.
local function attach(event)
  local client, buffer = client_of(event), event.buf
  if not client then
    return
  end
  require('hxqd.ghost').attach(client, buffer)
  require('hxqd.hover').attach(client)
  require('hxqd.status').refresh()
  require('hxqd.keys').set(buffer)
  vim.api.nvim_create_autocmd('TextYankPost', {
    group = group_of(buffer), buffer = buffer, callback = function() share_yank(buffer) end,
  })
end

-- Takes all of it back, unless another process has taken over.
local function detach(event)
  local buffer = event.buf
  if client_of(event) and #vim.lsp.get_clients({ name = 'hxqd', bufnr = buffer }) == 1 then
    require('hxqd.ghost').detach(buffer)
    require('hxqd.keys').unset(buffer)
    vim.api.nvim_del_augroup_by_id(group_of(buffer))
  end
end

--- Defines `:Hxqd` and waits for the server to attach to buffers. Called by `setup` and by plugin/hxqd.lua; calling it again
--- changes nothing.
function M.watch()
  local group = vim.api.nvim_create_augroup('hxqd', { clear = true })
  require('hxqd.command').define()
  vim.api.nvim_create_autocmd('LspAttach', { group = group, callback = attach })
  vim.api.nvim_create_autocmd('LspDetach', { group = group, callback = detach })
  vim.api.nvim_create_autocmd('LspProgress', {
    group = group,
    pattern = 'end',
    callback = function(event)
      if client_of(event) then
        require('hxqd.status').refresh()
      end
    end,
  })
end

--- What is wrong with this Neovim where it is older than 0.11, else nil. Such ones load this module, the options and the
--- server's, but no other.
function M.too_old()
  if vim.fn.has('nvim-0.11') == 0 then
    local version = vim.version()
    return ('Neovim 0.11 or newer is needed, this is %d.%d.%d'):format(version.major, version.minor, version.patch)
  end
end

--- Configures and enables the client. Options, all optional: `cmd`, `filetypes`, `root_markers` (Neovim's), `ghost_text`,
--- `automatic`, `growing`, `share_yanks`, `keymaps`, and `settings` (the server's); see `:help hxqd-options`.
function M.setup(given)
  given = given or {}
  local problem = M.too_old()
  if problem then
    vim.notify('hxqd: ' .. problem, vim.log.levels.ERROR)
    return
  end
  for _, name in ipairs(options.set(given)) do
    vim.notify(('hxqd: there is no option `%s`, see :help hxqd-options'):format(name), vim.log.levels.WARN)
  end
  if not given.cmd and not server.find() then
    local message = 'hxqd: program not found. Build it, put it on $PATH or set `cmd`; see :checkhealth hxqd'
    vim.notify(message, vim.log.levels.ERROR)
    return
  end
  M.watch()
  vim.lsp.config('hxqd', {
    cmd = given.cmd,
    filetypes = given.filetypes,
    root_markers = given.root_markers,
    -- Known before the model is loaded; what changes later is asked for as configuration.
    init_options = options.for_server(options.settings),
    settings = { hxqd = options.for_server(options.settings) },
  })
  vim.lsp.enable('hxqd')
end

return M
