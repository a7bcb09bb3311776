-- `:Hxqd`: what the server writes on demand, and the plugin's switches.
--
-- Each subcommand is a row of a table with what it does and what may follow it. What the server writes comes back as an edit
-- that the core applies, so only explanations and errors are shown here.

local options = require('hxqd.options')
local server = require('hxqd.server')
local status = require('hxqd.status')

local M = {}

-- Widest explanation, in columns.
local EXPLANATION_WIDTH = 80

-- The newest request of a command, for `:Hxqd cancel`.
local newest

local function complain(sentence)
  vim.notify('hxqd: ' .. sentence, vim.log.levels.ERROR)
end

--- Shows what the model says about code, beside the cursor.
function M.show_explanation(text)
  local lines = vim.split(vim.trim(text), '\n', { plain = true })
  vim.lsp.util.open_floating_preview(lines, 'markdown', {
    border = 'rounded', max_width = EXPLANATION_WIDTH, wrap = true, focus_id = 'hxqd',
  })
end

-- Where a command works: the lines it was given, else the cursor.
local function place(client, call)
  local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
  if call.range == 0 then
    return params
  end
  local last = vim.api.nvim_buf_get_lines(0, call.line2 - 1, call.line2, true)[1]
  return {
    textDocument = params.textDocument,
    range = {
      start = { line = call.line1 - 1, character = 0 },
      ['end'] = { line = call.line2 - 1, character = vim.str_utfindex(last, client.offset_encoding) },
    },
  }
end

-- Has the server write something, then hands over the result.
local function write(name, call, extra, on_result)
  local client = server.client(vim.api.nvim_get_current_buf())
  if not client then
    return complain('no server is attached here, see :checkhealth hxqd')
  end
  local argument = vim.tbl_extend('error', place(client, call), extra or {})
  local id = server.execute(client, 'hxqd.' .. name, argument, on_result or function() end)
  newest = { client = client, id = id }
end

local function generate(call)
  local instruction = table.concat(vim.list_slice(call.fargs, 2), ' ')
  write('generate', call, instruction ~= '' and { instruction = instruction } or nil)
end

local function explain(call)
  write('explain', call, nil, function(result) M.show_explanation(result.text) end)
end

-- What is wrong is the worst diagnostic of the line, or of the lines that were given.
local function fix(call)
  local found = vim.tbl_filter(function(one)
    return one.lnum < call.line2 and (one.end_lnum or one.lnum) >= call.line1 - 1
  end, vim.diagnostic.get(0))
  table.sort(found, function(a, b) return a.severity < b.severity end)
  write('fix', call, found[1] and { diagnostic = { message = found[1].message } } or nil)
end

local function cancel()
  if newest and not newest.client:is_stopped() then
    newest.client:cancel_request(newest.id)
  end
end

-- On or off for a filetype, or for all: here at once, and at the server.
local function turn(on, call)
  options.turn(on, call.fargs[2])
  local client = server.client()
  if client then
    server.configure(client)
    for buffer in pairs(client.attached_buffers) do
      require('hxqd.ghost').update(buffer)
    end
    vim.cmd.redrawstatus()
  end
end

-- A window with text that belongs to no file.
local function show_text(name, text)
  vim.cmd('botright new')
  vim.api.nvim_buf_set_lines(0, 0, -1, true, vim.split(text, '\n', { plain = true }))
  vim.bo.buftype, vim.bo.bufhidden, vim.bo.swapfile, vim.bo.modifiable = 'nofile', 'wipe', false, false
  vim.api.nvim_buf_set_name(0, ('hxqd://%s/%d'):format(name, vim.api.nvim_get_current_buf()))
end

local function show_prompt()
  local client = server.client()
  if not client then
    return complain('no server is running')
  end
  server.execute(client, 'hxqd.showPrompt', nil, function(prompt)
    if not prompt.text then
      return complain('there was no prompt yet')
    end
    show_text('prompt', prompt.text)
    vim.wo[0][0].winbar = ('%d tokens, %d of other files'):format(prompt.tokens.total, prompt.tokens.files)
  end)
end

local function show_log()
  vim.cmd.split(vim.fn.fnameescape(vim.lsp.log.get_filename()))
  vim.cmd.normal({ 'G', bang = true })
end

local function show_status()
  local facts = status.facts()
  local latency = facts.latency_ms and (', last answer after %d ms'):format(facts.latency_ms) or ''
  local model = facts.model and (', %s on %s'):format(facts.model, facts.device) or ''
  vim.notify(('hxqd is %s here%s%s'):format(facts.state, model, latency))
end

local function filetypes(lead)
  return vim.fn.getcompletion(lead, 'filetype')
end

-- Subcommand → what it does with the call, and what completes its first argument.
local SUBCOMMANDS = {
  cancel = { cancel },
  disable = { function(call) turn(false, call) end, filetypes },
  document = { function(call) write('document', call) end },
  enable = { function(call) turn(true, call) end, filetypes },
  explain = { explain },
  fix = { fix },
  generate = { generate },
  log = { show_log },
  prompt = { show_prompt },
  restart = { server.restart },
  status = { show_status },
  test = { function(call) write('test', call) end },
}

-- Completes the subcommand, then its argument.
local function complete(lead, line)
  local words = vim.split(vim.trim(line:sub(1, #line - #lead)), '%s+')
  local name = words[2]
  if not name then
    local names = vim.tbl_filter(function(one) return vim.startswith(one, lead) end, vim.tbl_keys(SUBCOMMANDS))
    table.sort(names)
    return names
  end
  local subcommand = SUBCOMMANDS[name]
  return #words == 2 and subcommand and subcommand[2] and subcommand[2](lead) or {}
end

local function run(call)
  local name = call.fargs[1] or 'status'
  local subcommand = SUBCOMMANDS[name]
  if subcommand then
    subcommand[1](call)
  else
    complain(('there is no :Hxqd %s'):format(name))
  end
end

--- Defines `:Hxqd`.
function M.define()
  vim.api.nvim_create_user_command('Hxqd', run, {
    nargs = '*', range = true, complete = complete, desc = 'Code written by a local model',
  })
end

return M
