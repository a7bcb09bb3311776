-- Ghost text from a local hxqd server, shown by Neovim's own `vim.lsp.inline_completion`.
--
-- Neovim's core asks the server, draws the answer and inserts it. This module finds the program, sets the keys, and fills
-- three gaps of Neovim 0.12's core, each named where it is filled: answers that no longer fit what was typed, keys that are
-- pressed right after accepting, and what the accept key did before.
--
-- One process of the server serves one Neovim. State kept here: the options, per buffer the newest request and whether the
-- answer shown is outdated, and when the server died.

local M = {}

-- Longest wait for the core to insert what was accepted; it does so at its next turn, so this is never reached.
local ACCEPT_MS = 200

-- Where the core draws.
local NAMESPACE = vim.api.nvim_create_namespace('nvim.lsp.inline_completion')

-- This plugin's own folder, wherever the repository or the installation put it, links followed.
local PLUGIN_DIR = vim.fn.fnamemodify(vim.fn.resolve(debug.getinfo(1, 'S').source:sub(2)), ':p:h:h:h')

-- A server that dies more often than this within the window is not started again.
local RESTARTS_MAX = 3
local DEATHS_WINDOW_MS = 3 * 60 * 1000

-- Options of `setup` that travel to the server, and their names there.
local SERVER_OPTIONS = {
  model = 'model',
  device = 'device',
  threads = 'threads',
  context = 'context',
  max_tokens = 'maxTokens',
  candidates = 'candidates',
  exact = 'exact',
}

M.options = {
  -- Turn on inline completion in every buffer that the server attaches to.
  ghost_text = true,
  -- Keys in insert mode, each a string or false; `keymaps = false` sets none.
  keymaps = {
    accept = '<Tab>',
    next = '<M-]>',
    previous = '<M-[>',
  },
}

-- Buffers whose answer no longer fits what was typed: buffer number → true.
local outdated = {}

-- The newest request's id: buffer number → id.
local newest = {}

-- When the server died lately, in milliseconds of the event loop.
local deaths = {}

--- Whether this Neovim can show ghost text at all; 0.11 runs the server but has nothing to draw it with.
function M.has_inline_completion()
  return vim.lsp.inline_completion ~= nil
end

--- Where the program may stand, most wanted first: $PATH, this clone's build folder, the prefix it was installed to.
function M.binary_candidates()
  return { 'hxqd', PLUGIN_DIR .. '/../../build/hxqd', PLUGIN_DIR .. '/../../../bin/hxqd' }
end

--- The absolute path of the program, or nil.
function M.find_binary()
  for _, candidate in ipairs(M.binary_candidates()) do
    local path = vim.fn.exepath(candidate)
    if path ~= '' then
      return vim.fs.normalize(path)
    end
  end
end

--- The client's `on_exit`: starts a dead server again and says so, but leaves alone one that keeps dying. Restarting at
--- once also keeps the core from forgetting buffers: one edited while no server is attached never reports edits again.
function M.handle_exit(code, signal)
  local died = code ~= 0 or signal ~= 0
  if not died or vim.v.exiting ~= vim.NIL then
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
      local message = 'hxqd keeps stopping (%s) and stays off, see :checkhealth hxqd'
      vim.notify(message:format(cause), vim.log.levels.ERROR)
    end
  end)
end

-- The ghost text in a buffer as {row, column, first line}, or nil while none is shown.
local function find_ghost(buffer)
  local filter = { details = true, limit = 1 }
  local mark = vim.api.nvim_buf_get_extmarks(buffer, NAMESPACE, 0, -1, filter)[1]
  if mark then
    local chunk = (mark[4].virt_text or {})[1]
    return { row = mark[2], column = mark[3], text = chunk and chunk[1] or '' }
  end
end

-- Remembers, before a character goes in, whether the ghost text foresaw it.
local function judge_typed(buffer)
  local ghost = find_ghost(buffer)
  if ghost and not vim.startswith(ghost.text, vim.v.char) then
    outdated[buffer] = true
  end
end

-- Gap 1: after each key the core draws the old answer again until the next one comes, whatever was typed. Hides it where it
-- is wrong: after a character that it did not foresee, or away from the cursor.
local function hide_outdated(buffer)
  local ghost = find_ghost(buffer)
  if not ghost then
    return
  end
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  if outdated[buffer] or ghost.row ~= row - 1 or ghost.column < column then
    outdated[buffer] = true
    vim.api.nvim_buf_clear_namespace(buffer, NAMESPACE, 0, -1)
  end
end

-- The answer to the newest request fits again: the server offers nothing where the text has changed since.
local function follow_request(buffer, request_id, request)
  if request.type == 'pending' then
    newest[buffer] = request_id
  elseif request.type == 'complete' and newest[buffer] == request_id then
    outdated[buffer] = nil
  end
end

-- Gap 1, for answers that come late: Neovim holds edits back for a moment, so the server may answer for a text that has
-- changed already, and the core would draw that. Empties such answers on their way.
local function drop_late_answers(client)
  if rawget(client, 'hxqd_drops_late_answers') then
    return
  end
  local send = client.request
  client.hxqd_drops_late_answers = true
  client.request = function(self, method, params, handler, buffer)
    if method ~= 'textDocument/inlineCompletion' or not handler then
      return send(self, method, params, handler, buffer)
    end
    local asked_for = vim.api.nvim_buf_get_changedtick(buffer)
    return send(self, method, params, function(err, result, ...)
      local fits = vim.api.nvim_buf_is_valid(buffer) and vim.api.nvim_buf_get_changedtick(buffer) == asked_for
      return handler(err, fits and result or {}, ...)
    end, buffer)
  end
end

-- Gap 1, when accepting: the core inserts the whole answer where the cursor stood when it was asked for. Returns the item
-- less what was typed since, or nil where something else was typed. The server's ranges begin at the cursor.
local function rest_of_item(buffer, item)
  if not item.range or type(item.insert_text) ~= 'string' then
    return item
  end
  local start_row, start_column, end_row, end_column = item.range:to_extmark()
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  if start_row ~= row - 1 or end_row ~= start_row or column < start_column then
    return nil
  end
  local typed = vim.api.nvim_get_current_line():sub(start_column + 1, column)
  if typed == '' then
    return item
  end
  if not vim.startswith(item.insert_text, typed) then
    return nil
  end
  item.insert_text = item.insert_text:sub(#typed + 1)
  item.range = vim.range(buffer, end_row, column, end_row, end_column + #typed)
  return item
end

--- Inserts the ghost text of the current buffer; false where there is none to insert.
--- Gap 2: the core inserts at its next turn, after keys that already wait; this waits for it, so that they stay behind.
function M.accept()
  local buffer = vim.api.nvim_get_current_buf()
  if not M.has_inline_completion() or not find_ghost(buffer) then
    return false
  end
  local done, accepted = false, false
  local function on_accept(item)
    local rest = rest_of_item(buffer, item)
    done, accepted = true, rest ~= nil
    if accepted then
      -- Ends the undo step: undo takes back the accepted text and not also what was typed before it.
      vim.go.undolevels = vim.go.undolevels
    end
    return rest
  end
  if not vim.lsp.inline_completion.get({ on_accept = on_accept }) then
    return false
  end
  vim.wait(ACCEPT_MS, function()
    return done
  end, 1)
  return accepted
end

--- Shows another candidate, `step` further; false where there is no ghost text.
function M.cycle(step)
  if not M.has_inline_completion() or not find_ghost(vim.api.nvim_get_current_buf()) then
    return false
  end
  vim.lsp.inline_completion.select({ count = step })
  return true
end

-- Gap 3: a key of ours that has nothing to do does what it did before: the global mapping of the same key where there is
-- one (a snippet plugin's, or Neovim's own for <Tab>), else the plain key.
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

-- Sets the keys of one buffer.
local function set_keymaps(buffer)
  local actions = {
    accept = { M.accept, 'Accept the ghost text' },
    next = { function() return M.cycle(1) end, 'Next ghost text' },
    previous = { function() return M.cycle(-1) end, 'Previous ghost text' },
  }
  for name, key in pairs(M.options.keymaps or {}) do
    local action = actions[name]
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
    for _, key in pairs(M.options.keymaps or {}) do
      local is_ours = vim.startswith(map.desc or '', 'hxqd: ')
      if key and map.lhsraw == vim.keycode(key) and not is_ours then
        table.insert(foreign, key)
      end
    end
  end
  return foreign
end

-- Everything that one buffer needs once the server is attached to it.
local function attach(buffer, group)
  if not M.has_inline_completion() then
    local message = 'hxqd: this Neovim cannot show ghost text, 0.12 can. See :checkhealth hxqd'
    vim.notify_once(message, vim.log.levels.WARN)
    return
  end
  -- By buffer and not by client: the core forgets to detach what was enabled by client alone.
  if M.options.ghost_text then
    vim.lsp.inline_completion.enable(true, { bufnr = buffer })
  end
  set_keymaps(buffer)

  -- Created after the core's own autocommands, so run after them.
  vim.api.nvim_clear_autocmds({ group = group, buffer = buffer })
  vim.api.nvim_create_autocmd('InsertCharPre', {
    group = group,
    buffer = buffer,
    callback = function()
      judge_typed(buffer)
    end,
  })
  vim.api.nvim_create_autocmd({ 'CursorMovedI', 'TextChangedP' }, {
    group = group,
    buffer = buffer,
    callback = function()
      hide_outdated(buffer)
    end,
  })
end

--- Waits for the server to attach to buffers. Called by `setup` and by plugin/hxqd.lua; calling it again changes nothing.
function M.watch()
  local group = vim.api.nvim_create_augroup('hxqd', { clear = true })
  local buffers = vim.api.nvim_create_augroup('hxqd.buffers', { clear = false })
  vim.api.nvim_create_autocmd('LspAttach', {
    group = group,
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == 'hxqd' then
        drop_late_answers(client)
        attach(event.buf, buffers)
      end
    end,
  })
  vim.api.nvim_create_autocmd('LspRequest', {
    group = group,
    callback = function(event)
      local request = event.data.request
      if request.method == 'textDocument/inlineCompletion' then
        follow_request(event.buf, event.data.request_id, request)
      end
    end,
  })
end

-- The part of the user's options that is for Neovim's client and for the server behind it.
local function client_config(options)
  local init_options = {}
  for name, server_name in pairs(SERVER_OPTIONS) do
    init_options[server_name] = options[name]
  end
  if options.model then
    init_options.model = vim.fs.normalize(options.model)
  end
  return {
    cmd = options.cmd,
    filetypes = options.filetypes,
    root_markers = options.root_markers,
    -- An empty table would travel as a list.
    init_options = next(init_options) and init_options or nil,
  }
end

--- Configures and enables the client. Options, all optional: `cmd`, `filetypes`, `root_markers`, `keymaps`, `ghost_text`,
--- and the server's `model`, `device`, `threads`, `context`, `max_tokens`, `candidates`, `exact`; see `:help hxqd-options`.
function M.setup(options)
  options = options or {}
  if vim.fn.has('nvim-0.11') == 0 then
    vim.notify('hxqd needs Neovim 0.11, and 0.12 to show ghost text', vim.log.levels.ERROR)
    return
  end
  if options.ghost_text ~= nil then
    M.options.ghost_text = options.ghost_text
  end
  if options.keymaps == false then
    M.options.keymaps = false
  elseif options.keymaps then
    M.options.keymaps = vim.tbl_extend('force', M.options.keymaps or {}, options.keymaps)
  end
  if not options.cmd and not M.find_binary() then
    local message = 'hxqd: program not found. Build it, put it on $PATH or set `cmd`; see :checkhealth hxqd'
    vim.notify(message, vim.log.levels.ERROR)
    return
  end
  M.watch()
  vim.lsp.config('hxqd', client_config(options))
  vim.lsp.enable('hxqd')
end

return M
