-- Completions from a local hxqd server: `setup`, keys, and what a buffer needs once the server is attached to it.
--
-- The other modules: `ghost` (ghost text, on Neovim's own inline completion), `inline` (a stand-in for that in Neovim 0.11),
-- `hover` (hovers that grow), `command` (:Hxqd), `status` (for statuslines), `server` (the process), `options` (what the user
-- chose), `health`. They are loaded when the server first attaches, so that starting Neovim costs nothing.

local options = require('hxqd.options')
local server = require('hxqd.server')

local M = {}

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

-- A key of ours that has nothing to do does what it did before: the global mapping of the same key where there is one (a
-- snippet plugin's, or Neovim's own for <Tab>), else the plain key.
local function press_through(key)
  local raw, plug = vim.keycode(key), '<Plug>(hxqd-through)'
  for _, map in ipairs(vim.api.nvim_get_keymap('i')) do
    if map.lhsraw == raw or map.lhsrawalt == raw then
      -- The same mapping under a name of ours, so that our buffer-local one does not catch it again.
      map.lhs, map.lhsraw, map.lhsrawalt = plug, vim.keycode(plug), nil
      vim.fn.mapset('i', false, map)
      vim.api.nvim_feedkeys(vim.keycode(plug), 'im', false)
      return
    end
  end
  vim.api.nvim_feedkeys(raw, 'in', false)
end

-- What the keys do; each returns false where there was nothing to do.
local ACTIONS = {
  accept = { function() return M.accept() end, 'Accept the ghost text' },
  accept_word = { function() return M.accept('word') end, 'Accept a word of the ghost text' },
  accept_line = { function() return M.accept('line') end, 'Accept a line of the ghost text' },
  next = { function() return M.cycle(1) end, 'Next ghost text' },
  previous = { function() return M.cycle(-1) end, 'Previous ghost text' },
  ask = { M.ask, 'Ask for ghost text' },
}

-- Sets the keys of one buffer.
local function set_keymaps(buffer)
  for name, key in pairs(options.keymaps or {}) do
    local action = ACTIONS[name]
    if action and key then
      vim.keymap.set('i', key, function()
        if not action[1]() then
          press_through(key)
        end
      end, { buffer = buffer, desc = 'hxqd: ' .. action[2] })
    end
  end
end

--- Keys of ours that something else has taken in a buffer since; for `:checkhealth`.
function M.foreign_keys(buffer)
  local foreign = {}
  for _, map in ipairs(vim.api.nvim_buf_get_keymap(buffer, 'i')) do
    for _, key in pairs(options.keymaps or {}) do
      local is_ours = vim.startswith(map.desc or '', 'hxqd: ')
      if key and map.lhsraw == vim.keycode(key) and not is_ours then
        table.insert(foreign, key)
      end
    end
  end
  return foreign
end

-- Tells the server what was copied; it passes over single lines itself.
local function share_yank(buffer)
  local event, client = vim.v.event, server.client(buffer)
  if options.share_yanks and client and event.operator == 'y' then
    local text = table.concat(event.regcontents, '\n')
    client:notify('hxqd/didYank', { text = text, uri = vim.uri_from_bufnr(buffer) })
  end
end

-- Everything that one buffer needs once the server is attached to it.
local function attach(event)
  local client = vim.lsp.get_client_by_id(event.data.client_id)
  if not client or client.name ~= 'hxqd' then
    return
  end
  local group = vim.api.nvim_create_augroup('hxqd.buffer.' .. event.buf, { clear = true })
  require('hxqd.ghost').attach(client, event.buf, group)
  require('hxqd.hover').attach(client)
  require('hxqd.status').refresh()
  set_keymaps(event.buf)
  vim.api.nvim_create_autocmd('TextYankPost', {
    group = group, buffer = event.buf, callback = function() share_yank(event.buf) end,
  })
end

--- Defines `:Hxqd` and waits for the server to attach to buffers. Called by `setup` and by plugin/hxqd.lua; calling it again
--- changes nothing.
function M.watch()
  local group = vim.api.nvim_create_augroup('hxqd', { clear = true })
  require('hxqd.command').define()
  vim.api.nvim_create_autocmd('LspAttach', { group = group, callback = attach })
  vim.api.nvim_create_autocmd('LspProgress', {
    group = group,
    pattern = 'end',
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == 'hxqd' then
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
  options.set(given)
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
    init_options = options.for_server(),
    settings = { hxqd = options.for_server() },
  })
  vim.lsp.enable('hxqd')
end

return M
