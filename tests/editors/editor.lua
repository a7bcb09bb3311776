-- A Neovim under test: a second, headless Neovim that is driven over RPC, as a user's keys would drive it.
--
-- It runs with no user configuration and with scratch folders of its own, the plugin of this source tree and the server
-- in $HXQD. Whoever opens an editor closes it. Waits end with an error after WAIT_MS, so nothing can hang.

local editor = {}
editor.__index = editor

-- Patience with slow machines and sanitizers; no test measures time.
local WAIT_MS = 60000
local STEP_MS = 20
local CLOSE_MS = 5000

local NAMESPACE = 'nvim.lsp.inline_completion'

-- The model is small: what it says is shown however improbable, for the tests are about showing.
local OPTIONS = '{ settings = { minProbability = 0 } }'

--- Starts an editor on a new file `name` with `lines`. All of `how` is optional: `options` (Lua source of a table) go to the
--- plugin's setup; `start` (Lua source) takes the place of setup; with `without_core` Neovim's own inline completion is out of
--- reach, as if it were 0.11; with `is_bare` the plugin is, until `start` has brought it within reach.
function editor.open(name, lines, how)
  local self = setmetatable({ folder = vim.fn.tempname() }, editor)
  vim.fn.mkdir(self.folder .. '/hxqd-test/.git', 'p')
  self.path = self.folder .. '/hxqd-test/' .. name
  vim.fn.writefile(lines, self.path)

  local root = vim.fn.getcwd()
  self.channel = vim.fn.jobstart({
    vim.env.NVIM, '--clean', '--embed', '--headless', '-n',
    '--cmd', (how.is_bare and 'set' or 'set runtimepath+=' .. root .. '/editors/neovim') .. ' columns=80 lines=24',
  }, {
    rpc = true,
    cwd = self.folder,
    env = {
      HOME = self.folder,
      XDG_CONFIG_HOME = self.folder, XDG_DATA_HOME = self.folder,
      XDG_STATE_HOME = self.folder, XDG_CACHE_HOME = self.folder,
    },
  })
  assert(self.channel > 0, 'cannot start ' .. vim.env.NVIM)
  self:lua(how.without_core and 'vim.lsp.inline_completion = false' or '')
  self:lua(how.start or ([[
    local options = %s
    options.cmd = options.cmd or { vim.env.HXQD, 'serve', '--stdio' }
    require('hxqd').setup(options)
  ]]):format(how.options or OPTIONS))
  self:lua('vim.cmd.edit(...)', self.path)
  return self
end

--- Ends the editor, by force where it does not end by itself; false in the latter case. Closing again does nothing.
function editor:close()
  if not self.channel then
    return true
  end
  vim.fn.rpcnotify(self.channel, 'nvim_command', 'qall!')
  local ended = vim.fn.jobwait({ self.channel }, CLOSE_MS)[1] ~= -1
  vim.fn.jobstop(self.channel)
  vim.fn.delete(self.folder, 'rf')
  self.channel = nil
  return ended
end

--- Runs Lua inside and returns its result; `...` inside are the arguments.
function editor:lua(source, ...)
  return vim.fn.rpcrequest(self.channel, 'nvim_exec_lua', source, { ... })
end

--- Presses keys, written as in mappings.
function editor:press(keys)
  vim.fn.rpcrequest(self.channel, 'nvim_input', keys)
end

--- Waits until `condition` gives something other than nil or false, and returns that.
function editor:wait(what, condition)
  local result
  vim.wait(WAIT_MS, function()
    result = condition()
    return result
  end, STEP_MS)
  if not result then
    error(('waited in vain for %s; messages: %s'):format(what, self.channel and self:messages()), 2)
  end
  return result
end

--- The whole text of the buffer.
function editor:text()
  return table.concat(vim.fn.rpcrequest(self.channel, 'nvim_buf_get_lines', 0, 0, -1, true), '\n')
end

--- The text of all windows except the first one: what pops up.
function editor:windows_text()
  return self:lua([[
    local lines = {}
    for _, window in ipairs(vim.list_slice(vim.api.nvim_list_wins(), 2)) do
      vim.list_extend(lines, vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, true))
    end
    return table.concat(lines, '\n')
  ]])
end

function editor:messages()
  return vim.fn.rpcrequest(self.channel, 'nvim_exec2', 'messages', { output = true }).output
end

-- The ghost text as Neovim keeps it: row, column, its lines as chunks; nil where there is none.
local function find_ghost(self)
  local mark = self:lua([[
    local namespace = vim.api.nvim_create_namespace(...)
    return vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })[1]
  ]], NAMESPACE)
  if mark ~= vim.NIL then
    return mark[2], mark[3], vim.list_extend({ mark[4].virt_text or { { '' } } }, mark[4].virt_lines or {})
  end
end

--- The ghost text that is shown as one string, or nil; after it the row and the column where it stands, from 0.
function editor:ghost()
  local row, column, lines = find_ghost(self)
  if row then
    return table.concat(vim.tbl_map(function(line) return line[1][1] end, lines), '\n'), row, column
  end
end

--- What stands behind the ghost text when there are several candidates, such as " (2/3)"; nil where nothing does.
function editor:hint()
  local row, _, lines = find_ghost(self)
  local behind = row and lines[#lines][2]
  return behind and behind[1]
end

--- Waits until the server is attached and has loaded its model; before that it has nothing to offer.
function editor:wait_ready()
  self:wait('the server and its model', function()
    local answered, stats = pcall(self.command, self, 'hxqd.debug.stats')
    return answered and (stats.model or vim.NIL) ~= vim.NIL
  end)
end

--- Whether the server owes ghost text.
function editor:is_asking()
  return self:lua([[
    local client = vim.lsp.get_clients({ name = 'hxqd' })[1]
    local asks = function(request) return request.method == 'textDocument/inlineCompletion' end
    return client ~= nil and vim.iter(vim.tbl_values(client.requests)):any(asks)
  ]])
end

--- Waits for ghost text that does not grow any more, and returns it.
function editor:wait_ghost()
  return self:wait('ghost text', function() return not self:is_asking() and self:ghost() end)
end

--- Runs one of the server's commands and returns its result.
function editor:command(name, ...)
  return self:lua([[
    local is_alive = function(client) return not client:is_stopped() end
    local clients = vim.lsp.get_clients({ name = 'hxqd', bufnr = 0 })
    local client = assert(vim.iter(clients):find(is_alive), 'no server')
    local name, arguments = select(1, ...), { select(2, ...) }
    local params = { command = name, arguments = arguments }
    -- Named, not 0: the core sends pending edits first only for a buffer named by its number.
    local buffer = vim.api.nvim_get_current_buf()
    local reply, problem = client:request_sync('workspace/executeCommand', params, 10000, buffer)
    assert(reply, problem)
    assert(not reply.err, vim.inspect(reply.err))
    return reply.result
  ]], name, ...)
end

--- The server's copy of the buffer.
function editor:server_text()
  return self:command('hxqd.debug.documentText', vim.uri_from_fname(self.path))
end

--- Process ids of the servers that this editor has started.
function editor:server_pids()
  return self:lua('return vim.api.nvim_get_proc_children(vim.fn.getpid())')
end

--- Has the server restarted by the command, and waits for the other one.
function editor:restart_server()
  local pid = self:server_pids()[1]
  self:press('<Esc>:Hxqd restart<CR>')
  self:wait('another server', function()
    local pids = self:server_pids()
    return #pids == 1 and pids[1] ~= pid
  end)
  self:wait_ready()
end

--- The report of `:checkhealth hxqd`.
function editor:health()
  self:press('<Esc>:checkhealth hxqd<CR>')
  return self:wait('the report', function()
    local text = self:text()
    return text:find('hxqd: conflicts') and text
  end)
end

return editor
