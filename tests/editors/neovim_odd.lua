-- The plugin where a user rarely is: the first start, bad installations, and Neovim in an unusual state while ghost text comes.
--
-- Run by neovim.sh. An argument runs only the tests with it in their names.

package.path = 'tests/editors/?.lua;' .. package.path
local suite = require('suite')

local SETTLE_MS = suite.SETTLE_MS
local expect_equal, expect_match, expect_text = suite.expect_equal, suite.expect_match, suite.expect_text
local expect_server_agrees, type_for_ghost = suite.expect_server_agrees, suite.type_for_ghost
local accept_ghost, type_and_accept = suite.accept_ghost, suite.type_and_accept
local test, test_both = suite.test, suite.test_both

local function attached(nvim, buffer)
  return nvim:lua("return #vim.lsp.get_clients({ name = 'hxqd', bufnr = ... })", buffer or 0)
end

-- --- the first start ---------------------------------------------------------------------------------------------------

-- $PATH names the program, as after an installation.
local ON_PATH = "vim.env.PATH = vim.fs.dirname(vim.env.HXQD) .. ':' .. vim.env.PATH\n"

test('core_client_alone_completes', function(nvim)
  type_and_accept(nvim)
  expect_equal(nvim:messages():match('E%d+:[^\n]*'), nil, 'an error')
  nvim:press('<Esc>:Hxqd disable lua<CR>')
  nvim:wait('the settings', function()
    return nvim:lua("return vim.lsp.get_clients({ name = 'hxqd' })[1].settings.hxqd.languages") ~= vim.NIL
  end)
  expect_equal(nvim:lua("return vim.lsp.get_clients({ name = 'hxqd' })[1].settings.hxqd.minProbability"), 0, 'a setting')
end, nil, ON_PATH .. [[
  vim.lsp.config('hxqd', { settings = { hxqd = { minProbability = 0 } } })
  vim.lsp.enable('hxqd')
]])

test('package_folder_with_link_and_packadd_completes', function(nvim)
  type_and_accept(nvim)
  nvim:press('<Esc>:helptags ALL | help :Hxqd<CR>')
  nvim:wait('the manual', function() return nvim:text():find('COMMANDS', 1, true) end)
end, nil, ON_PATH .. [[
  local plugin = vim.api.nvim_get_runtime_file('lua/hxqd', false)[1]:gsub('/lua/hxqd$', '')
  vim.opt.runtimepath:remove(plugin)
  local pack = vim.fn.stdpath('data') .. '/site/pack/hxqd/opt'
  vim.fn.mkdir(pack, 'p')
  vim.uv.fs_symlink(plugin, pack .. '/hxqd')
  vim.opt.packpath:append(vim.fn.stdpath('data') .. '/site')
  vim.cmd.packadd('hxqd')
  require('hxqd').setup({ settings = { minProbability = 0 } })
]])

-- The specifications for lazy.nvim on the page and in the manual, each by itself.
local function lazy_specs()
  local page = table.concat(vim.fn.readfile('editors/neovim/README.md'), '\n')
  local manual = table.concat(vim.fn.readfile('editors/neovim/doc/hxqd.txt'), '\n')
  local specs = vim.split(page:match('lazy.nvim[^\n]*\n\n```lua\n(.-)\n```'), '\n\n')
  for spec in manual:gmatch('\nlazy.nvim[^\n]*>lua\n(.-)\n<') do
    table.insert(specs, spec)
  end
  return specs
end

-- What lazy.nvim does with a specification: a folder goes onto the runtime path and its plugin/ is sourced, then `config` is
-- called with the plugin and `opts`, or `setup` of `main` with `opts`. The clone is where this source tree is.
local LAZY = [[
  local root, plugin = %q, %s
  vim.env.PATH = vim.fs.dirname(vim.env.HXQD) .. ':' .. vim.env.PATH
  plugin.dir = plugin.dir and plugin.dir:gsub('^~/src/hxqd', root) or root
  assert(not plugin.build or vim.fn.executable(root .. '/' .. plugin.build:match('^%%S+')) == 1, 'nothing to build with')
  plugin.opts.settings = { minProbability = 0 }
  vim.opt.runtimepath:prepend(plugin.dir)
  for _, path in ipairs(vim.fn.glob(plugin.dir .. '/plugin/*', false, true)) do
    vim.cmd.source(path)
  end
  if plugin.config then
    plugin.config(plugin, plugin.opts)
  else
    require(plugin.main).setup(plugin.opts)
  end
]]

for number, spec in ipairs(lazy_specs()) do
  suite.test_bare('lazy_spec_' .. number .. '_completes', function(nvim)
    type_and_accept(nvim)
    expect_equal(nvim:lua('return vim.fn.exists(":Hxqd")'), 2, 'the command')
  end, LAZY:format(vim.fn.getcwd(), spec))
end

test('option_that_does_not_exist_is_named', function(nvim)
  nvim:wait('the message', function() return nvim:messages():find('no option `keymap`, see', 1, true) end)
end, "{ keymap = {}, filetypes = { 'python' } }")

test('checkhealth_without_model_says_so', function(nvim)
  nvim:wait('the message', function() return nvim:messages():find('/nonexistent/model', 1, true) end)
  local report = nvim:health()
  expect_match(report, 'ERROR hxqd doctor: [^\n]*/nonexistent/model')
  expect_match(report, 'WARNING the model is not loaded')
end, "{ settings = { model = '/nonexistent/model' } }")

test('checkhealth_of_other_program_says_so', function(nvim)
  expect_match(nvim:health(), 'ERROR /[^\n]*/false does not run: exit code 1')
end, "{ cmd = { 'false' } }")

test('checkhealth_before_enabling_says_so', function(nvim)
  expect_match(nvim:health(), 'WARNING not enabled')
end, nil, ON_PATH)

test('checkhealth_of_filetype_without_grammar_says_so', function(nvim)
  nvim:wait_ready()
  nvim:lua("vim.cmd.edit('odd.rb')")
  nvim:wait('the server', function() return attached(nvim) == 1 end)
  expect_match(nvim:health(), 'odd.rb is completed as plain text: there is no grammar for ruby')
end)

-- --- where there is none -----------------------------------------------------------------------------------------------

test('buffers_that_are_no_files_get_no_server', function(nvim)
  nvim:wait_ready()
  for _, kind in ipairs({ 'nofile', 'prompt', 'acwrite', 'quickfix' }) do
    local buffer = nvim:lua([[
      local buffer = vim.api.nvim_create_buf(true, false)
      vim.bo[buffer].buftype = ...
      vim.bo[buffer].filetype = 'python'
      vim.cmd.sbuffer(buffer)
      return buffer
    ]], kind)
    vim.wait(100)
    expect_equal(attached(nvim, buffer), 0, 'the servers of ' .. kind)
  end
  nvim:press(':terminal<CR>:setfiletype python<CR>')
  vim.wait(100)
  expect_equal(attached(nvim), 0, 'the servers of a terminal')
end)

test_both('buffer_that_cannot_be_changed_shows_no_ghost', function(nvim)
  nvim:wait_ready()
  nvim:lua('vim.bo.modifiable = false')
  nvim:press('Goreturn')
  vim.wait(SETTLE_MS)
  expect_equal(nvim:ghost(), nil, 'the ghost text')
  expect_equal(nvim:messages():match('Error[^\n]*'), nil, 'an error')
end)

-- --- keys --------------------------------------------------------------------------------------------------------------

test_both('accept_key_in_popup_menu_does_what_it_did_before', function(nvim)
  nvim:wait_ready()
  nvim:lua([[
    local function choose() return vim.fn.pumvisible() == 1 and '<C-n>' or '<Tab>' end
    vim.keymap.set('i', '<Tab>', choose, { expr = true })
    vim.o.completeopt = 'menuone,noselect'
  ]])
  nvim:press('Gosub<C-x><C-n>')
  nvim:wait('the menu', function() return nvim:lua('return vim.fn.pumvisible()') == 1 end)
  nvim:press('<Tab>')
  nvim:wait('the choice', function() return nvim:text():find('\n    subtract$') end)
end)

test_both('accept_key_in_snippet_jumps_where_there_is_no_ghost', function(nvim)
  nvim:wait_ready()
  nvim:press('Go<C-u>')
  nvim:lua("vim.snippet.expand('a($1, $2)')")
  local before = nvim:text()
  nvim:lua("require('hxqd.ghost').inline.enable(false, { bufnr = 0 })")
  nvim:press('<Tab>')
  vim.wait(300)
  nvim:press('x')
  expect_text(nvim, (before:gsub('a%(, %)$', 'a(, x)')))
end)

-- What was accepted is not what was typed; the key of a macro finds no ghost text when it is played at once.
test_both('macro_over_accepted_text_records_and_plays_the_keys', function(nvim)
  nvim:wait_ready()
  nvim:press('qaGo' .. suite.TYPED)
  local ghost = nvim:wait_ghost()
  local before = nvim:text()
  nvim:press('<Tab><Esc>q')
  expect_text(nvim, before .. ghost)
  expect_equal(nvim:lua("return vim.fn.getreg('a')"), 'Goreturn\t\27', 'the register')
  nvim:press('@a')
  expect_text(nvim, before .. ghost .. '\nreturn  ')
  expect_server_agrees(nvim)
end)

test_both('repeat_after_accepted_text_types_what_was_typed', function(nvim)
  local before, ghost = type_for_ghost(nvim)
  nvim:press('<Tab> #<Esc>')
  expect_text(nvim, before .. ghost .. ' #')
  nvim:press('.')
  expect_text(nvim, before .. ghost .. ' #\nreturn #')
  nvim:press('u')
  expect_text(nvim, before .. ghost .. ' #')
  expect_server_agrees(nvim)
end)

-- --- texts -------------------------------------------------------------------------------------------------------------

test_both('file_with_dos_lines_is_completed_and_saved_as_such', function(nvim)
  local lines = vim.fn.readfile(nvim.path)
  vim.fn.writefile(vim.tbl_map(function(line) return line .. '\r' end, lines), nvim.path)
  nvim:press(':silent edit!<CR>')
  nvim:wait('the file', function() return nvim:lua('return vim.bo.fileformat') == 'dos' end)
  local before, ghost = type_for_ghost(nvim)
  nvim:press('<Tab><Esc>:silent write<CR>')
  expect_text(nvim, before .. ghost)
  lines = before .. ghost .. '\n'
  nvim:wait('the file', function()
    return table.concat(vim.fn.readfile(nvim.path, 'b'), '\n') == lines:gsub('\n', '\r\n')
  end)
  expect_equal(nvim:server_text():gsub('\r', ''), lines, "the server's text")
end)

test_both('tabs_and_wide_letters_are_completed_at_cursor', function(nvim)
  nvim:wait_ready()
  nvim:lua("vim.bo.expandtab = false; vim.bo.tabstop = 8; vim.bo.shiftwidth = 8")
  local before = type_for_ghost(nvim, '<C-u><C-v><Tab><C-v><Tab>print("中文字符", 名前, ')
  local _, _, column = nvim:ghost()
  expect_equal(column, #before:match('[^\n]*$'), 'the column')
  accept_ghost(nvim)
end)

-- The screen's line with the cursor, from there on.
local function shown_behind_cursor(nvim)
  return nvim:lua([[
    vim.cmd.redraw()
    local row, column, shown = vim.fn.screenrow(), vim.fn.screencol(), ''
    for cell = column, vim.o.columns do
      shown = shown .. vim.fn.screenstring(row, cell)
    end
    return vim.trim(shown)
  ]])
end

test_both('tabs_in_ghost_are_as_wide_as_tabs', function(nvim)
  nvim:wait_ready()
  nvim:lua('vim.bo.tabstop = 8')
  nvim:press('Go<C-u>x = ')
  nvim:wait_ghost()
  -- The text begins in column 4.
  expect_equal(shown_behind_cursor(nvim), 'lo  high    low', 'what is shown')
  nvim:press('l')
  expect_equal(shown_behind_cursor(nvim), 'o  high    low', 'what is shown after a key')
  local before = nvim:text()
  nvim:press('<Tab>')
  expect_text(nvim, before .. 'o\thigh\tlow')
end, [[{
  cmd = { 'env', 'HXQD_SCRIPTED_TEXT=lo\thigh\tlow', vim.fs.dirname(vim.env.HXQD) .. '/hxqd_scripted', 'serve' },
  settings = { minProbability = 0 },
}]])

test_both('wrapped_line_and_fold_are_completed', function(nvim)
  nvim:wait_ready()
  nvim:lua("vim.wo.foldmethod, vim.wo.foldlevel = 'indent', 0")
  type_and_accept(nvim, '<C-u>x = [' .. ('"word", '):rep(14))
end)

test_both('very_fast_typing_keeps_server_and_ghost_right', function(nvim)
  nvim:wait_ready()
  nvim:press('Go')
  for line = 1, 30 do
    nvim:press(('<C-u>def f%d(a):<CR>return a + %d<CR>'):format(line, line))
  end
  nvim:press('<C-u>ret')
  nvim:press('urn')
  accept_ghost(nvim)
end)

-- --- several buffers ---------------------------------------------------------------------------------------------------

-- What may happen to a buffer while ghost text for it is on its way.
local FATES = {
  buffer_wiped = 'vim.cmd.bwipeout({ bang = true })',
  buffer_unloaded = "vim.cmd.new(); vim.cmd.bunload({ '#', bang = true })",
  buffer_detached = "vim.lsp.buf_detach_client(0, vim.lsp.get_clients({ name = 'hxqd' })[1].id)",
  client_disabled = "vim.lsp.enable('hxqd', false)",
  ghost_turned_off_and_on = "vim.cmd('Hxqd disable'); vim.cmd('Hxqd enable')",
}

for fate, source in vim.spairs(FATES) do
  test_both(fate .. '_while_answer_is_due_leaves_no_error', function(nvim)
    local let_go = suite.type_and_hold_answer(nvim)
    nvim:lua(source)
    let_go()
    vim.wait(SETTLE_MS)
    expect_equal(nvim:messages(), '', 'the messages')
  end)
end

test_both('buffer_unloaded_and_loaded_again_is_completed', function(nvim)
  type_for_ghost(nvim)
  nvim:press('<Esc>')
  nvim:lua([[
    vim.cmd.write()
    local buffer = vim.api.nvim_get_current_buf()
    vim.cmd.enew()
    vim.cmd.bunload(buffer)
    vim.cmd.buffer(buffer)
  ]])
  nvim:wait('the server', function() return attached(nvim) == 1 end)
  nvim:press('GA ')
  accept_ghost(nvim)
  expect_equal(nvim:messages():match('E%d+:[^\n]*') or nvim:messages():match('Error[^\n]*'), nil, 'an error')
end)

test_both('ghost_is_in_the_buffer_that_is_typed_in_only', function(nvim)
  type_for_ghost(nvim)
  nvim:press('<C-o>:split other.py<CR>')
  nvim:wait('the server', function() return attached(nvim) == 1 end)
  nvim:press('<Esc>idef multiply(a, b):<CR>')
  nvim:wait_ghost()
  expect_equal(nvim:lua([[
    local namespace, count = vim.api.nvim_create_namespace('nvim.lsp.inline_completion'), 0
    for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
      count = count + #vim.api.nvim_buf_get_extmarks(buffer, namespace, 0, -1, {})
    end
    return count
  ]]), 1, 'the number of ghost texts')
end)

test_both('file_in_floating_window_is_completed', function(nvim)
  nvim:wait_ready()
  nvim:lua([[
    vim.api.nvim_open_win(0, true, { relative = 'editor', row = 1, col = 1, width = 60, height = 12, border = 'rounded' })
  ]])
  type_and_accept(nvim)
end)

-- --- other servers with ghost text ---------------------------------------------------------------------------------------

-- One inside Neovim, which says the same at every cursor and has a command for what is accepted.
local OTHER = [[
  local ANSWERS = {
    initialize = { capabilities = { inlineCompletionProvider = true } },
    ['textDocument/inlineCompletion'] = { { insertText = 'of another', command = { command = 'count', title = '' } } },
  }
  vim.lsp.config('other', {
    cmd = function()
      return {
        request = function(method, _, callback)
          vim.schedule(function() callback(nil, ANSWERS[method]) end)
          return true, 1
        end,
        notify = function() end, is_closing = function() return false end, terminate = function() end,
      }
    end,
    filetypes = { 'python' },
    commands = { count = function() Accepted = (Accepted or 0) + 1 end },
  })
  vim.lsp.enable('other')
  vim.lsp.inline_completion.enable()
  require('hxqd').setup({ cmd = { vim.env.HXQD, 'serve', '--stdio' }, ghost_text = %s })
]]

local function expect_of_another(nvim)
  expect_equal(nvim:wait_ghost(), 'of another', 'the ghost text')
  local before = nvim:text()
  nvim:press('<Tab>')
  expect_text(nvim, before .. 'of another')
  expect_equal(nvim:lua('return Accepted'), 1, 'how often its command ran')
end

-- Neovim 0.11 has no ghost text of other servers.
if vim.lsp.inline_completion then
  test('ghost_of_another_server_is_shown_where_ours_is_off', function(nvim)
    nvim:wait_ready()
    nvim:press('Go')
    expect_of_another(nvim)
  end, nil, OTHER:format('false'))

  test('ghost_of_another_server_stays_when_ours_is_turned_off', function(nvim)
    nvim:wait_ready()
    nvim:press(':Hxqd disable python<CR>Go')
    expect_of_another(nvim)
  end, nil, OTHER:format('true'))
end

suite.run()
