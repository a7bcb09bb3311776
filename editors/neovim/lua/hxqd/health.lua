-- `:checkhealth hxqd`: from the ground up, what ghost text needs; each line that is not OK says what to do about it.

-- The other modules cannot even be loaded by older versions, some of which have other names for reporting.
if vim.fn.has('nvim-0.11') == 0 then
  return {
    check = function()
      local health = vim.health or require('health')
      local start, complain = health.start or health.report_start, health.error or health.report_error
      start('hxqd: Neovim')
      complain(require('hxqd').too_old(), 'Use Neovim 0.11 or newer')
    end,
  }
end

local ghost = require('hxqd.ghost')
local keys = require('hxqd.keys')
local options = require('hxqd.options')
local server = require('hxqd.server')
local health = vim.health

local M = {}

-- Longest waits for the program and for the running server to answer.
local PROGRAM_MS = 20000
local SERVER_MS = 2000

-- Plugins that draw ghost text of their own: the variable that each sets → its name.
local RIVALS = {
  loaded_copilot = 'copilot.vim',
  loaded_codeium = 'windsurf.vim',
  loaded_llama = 'llama.vim',
  loaded_supermaven = 'supermaven-nvim',
}

-- Filetype → grammar, where their names differ.
local GRAMMARS = {
  cuda = 'cpp', javascriptreact = 'javascript', sh = 'bash', typescriptreact = 'tsx',
}

local function check_neovim()
  health.start('hxqd: Neovim')
  local version = tostring(vim.version())
  if vim.lsp.inline_completion then
    health.ok('Neovim ' .. version .. ' shows inline completion')
  else
    health.ok('Neovim ' .. version .. ' has no inline completion; the plugin shows it itself')
  end
end

-- Runs the program with arguments; its output, or nil and what went wrong.
local function run(program, ...)
  local started, process = pcall(vim.system, { program, ... }, { text = true })
  if not started then
    return nil, process
  end
  local result = process:wait(PROGRAM_MS)
  if result.code ~= 0 then
    return nil, vim.trim(result.stderr ~= '' and result.stderr or ('exit code ' .. result.code))
  end
  return result.stdout
end

-- One line per fact that `hxqd doctor` knows; nested ones as a path.
local function report_facts(facts, path)
  local names = vim.tbl_keys(facts)
  table.sort(names, function(a, b) return tostring(a) < tostring(b) end)
  for _, name in ipairs(names) do
    local value, label = facts[name], path == '' and tostring(name) or path .. '.' .. name
    if type(value) == 'table' and not vim.islist(value) then
      report_facts(value, label)
    else
      health.info(label .. ': ' .. (type(value) == 'string' and value or vim.json.encode(value)))
    end
  end
end

-- Returns the names of the grammars that the program has, or nil.
local function check_program()
  health.start('hxqd: program')
  local config = vim.lsp.config.hxqd or {}
  local program = type(config.cmd) == 'table' and vim.fn.exepath(config.cmd[1]) or ''
  if program == '' then
    health.error('program not found; looked for ' .. table.concat(server.candidates(), ', '), {
      'Build it (./bootstrap build) or install it',
      'or say where it is: require("hxqd").setup{ cmd = { ..., "serve", "--stdio" } }',
    })
    return
  end
  local version, problem = run(program, '--version')
  if not version then
    health.error(('%s does not run: %s'):format(program, problem))
    return
  end
  health.ok(('%s, %s'):format(program, vim.trim(version)))

  -- The doctor looks at the model that the server would be given.
  local model = vim.tbl_get(config, 'init_options', 'model')
  local choice = model and { '--model', model } or {}
  local report, complaint = run(program, 'doctor', '--json', unpack(choice))
  local parsed, facts = pcall(vim.json.decode, report or '')
  if parsed and type(facts) == 'table' then
    health.ok('hxqd doctor is content')
    report_facts(facts, '')
    return facts.grammars
  else
    health.error(
      'hxqd doctor: ' .. (complaint or 'unreadable answer'),
      ('Run `%s doctor` in a terminal'):format(program)
    )
  end
end

-- Whether the running server answers and has its model, and what it counts.
local function check_server(client)
  local advice = 'Look into ' .. vim.lsp.log.get_filename()
  local command = { command = 'hxqd.debug.stats' }
  local reply, problem = client:request_sync('workspace/executeCommand', command, SERVER_MS)
  if not reply or reply.err then
    health.error('the server does not answer: ' .. (problem or reply.err.message), advice)
    return
  end
  health.ok('the server answers')
  local stats = server.without_nulls(reply.result)
  if stats.model then
    health.ok('the model is loaded')
  else
    health.warn('the model is not loaded', { 'Wait a moment and check again', advice })
  end
  report_facts(stats, '')
end

local function check_client(grammars)
  health.start('hxqd: client')
  local client = vim.lsp.get_clients({ name = 'hxqd' })[1]
  if not client and vim.lsp.is_enabled and not vim.lsp.is_enabled('hxqd') then
    health.warn('not enabled', 'Call require("hxqd").setup() or vim.lsp.enable("hxqd")')
    return
  elseif not client then
    local filetypes = table.concat(vim.lsp.config.hxqd.filetypes or {}, ', ')
    health.warn('attached to no buffer', 'Open a file of one of: ' .. filetypes)
    return
  end
  local buffers = vim.tbl_keys(client.attached_buffers)
  health.ok(('attached to %d buffer(s), positions in %s'):format(#buffers, client.offset_encoding))
  check_server(client)
  for _, buffer in ipairs(buffers) do
    local name = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(buffer), ':~:.')
    local filetype = vim.bo[buffer].filetype
    if ghost.inline.is_enabled({ bufnr = buffer }) then
      health.ok('ghost text is on in ' .. name)
    elseif not options.is_on(filetype) then
      health.info(('ghost text is off for %s, in %s; `:Hxqd enable %s` turns it on'):format(filetype, name, filetype))
    else
      health.warn('ghost text is off in ' .. name, 'Set the option `ghost_text`')
    end
    if grammars and not vim.list_contains(grammars, GRAMMARS[filetype] or filetype) then
      health.info(('%s is completed as plain text: there is no grammar for %s'):format(name, filetype))
    end
  end
  if not options.automatic then
    health.info('the option `automatic` is off: only the key `ask` asks for ghost text')
  end
end

-- Others who draw ghost text, or who took a key of ours.
local function check_conflicts()
  health.start('hxqd: conflicts')
  local found = false
  for variable, name in pairs(RIVALS) do
    if vim.g[variable] then
      found = true
      health.warn(name .. ' is loaded: two ghost texts at one place', 'Turn one of the two off')
    end
  end
  for _, client in ipairs(vim.lsp.get_clients({ method = 'textDocument/inlineCompletion' })) do
    if client.name ~= 'hxqd' then
      found = true
      health.warn(('the language server %s offers inline completion too'):format(client.name),
        ('Turn one off: vim.lsp.enable(%q, false)'):format(client.name))
    end
  end
  local client = vim.lsp.get_clients({ name = 'hxqd' })[1]
  for buffer in pairs(client and client.attached_buffers or {}) do
    for _, key in ipairs(keys.foreign(buffer)) do
      found = true
      local sentence = ('%s in buffer %d is mapped by something else'):format(key, buffer)
      health.warn(sentence, ':verbose imap ' .. key .. ' tells by what')
    end
  end
  if not found then
    health.ok('none found')
  end
end

function M.check()
  check_neovim()
  check_client(check_program())
  check_conflicts()
end

return M
