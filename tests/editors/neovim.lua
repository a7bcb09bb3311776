-- The plugin in a real Neovim with the real server and its embedded model: what a user sees and gets when typing.
--
-- Run by neovim.sh. An argument runs only the tests with it in their names.

package.path = 'tests/editors/?.lua;' .. package.path
local suite = require('suite')

local TYPED, SETTLE_MS = suite.TYPED, suite.SETTLE_MS
local expect_equal, expect_match, expect_text = suite.expect_equal, suite.expect_match, suite.expect_text
local expect_server_agrees = suite.expect_server_agrees
local type_for_ghost, split_ghost = suite.type_for_ghost, suite.split_ghost
local accept_ghost, type_and_accept = suite.accept_ghost, suite.type_and_accept
local test, test_both = suite.test, suite.test_both

test_both('ghost_after_typing_stands_at_cursor', function(nvim)
  local before = type_for_ghost(nvim)
  local _, row, column = nvim:ghost()
  local lines = vim.split(before, '\n')
  expect_equal(row, #lines - 1, 'the row')
  expect_equal(column, #lines[#lines], 'the column')
  expect_equal(nvim:text(), before, 'the buffer, which ghost text must not touch')
  expect_server_agrees(nvim)
end)

test_both('accept_ghost_inserts_exactly_it', function(nvim)
  type_and_accept(nvim)
end)

test_both('accept_after_wide_characters_inserts_at_cursor', function(nvim)
  type_and_accept(nvim, 'print("naïve 😀 é", ')
end)

test_both('key_pressed_with_accept_key_stays_behind_accepted_text', function(nvim)
  local before, ghost = type_for_ghost(nvim)
  nvim:press('<Tab>#')
  expect_text(nvim, before .. ghost .. '#')
  expect_server_agrees(nvim)
end)

test('undo_after_accept_takes_back_accepted_text_only', function(nvim)
  local before, ghost = type_for_ghost(nvim)
  nvim:press('<Tab> #')
  expect_text(nvim, before .. ghost .. ' #')
  nvim:press('<Esc>u')
  expect_text(nvim, before)
  nvim:press('<C-r>')
  expect_text(nvim, before .. ghost .. ' #')
  expect_server_agrees(nvim)
end)

test_both('typing_what_ghost_foresaw_leaves_the_rest_to_accept', function(nvim)
  local before, ghost = type_for_ghost(nvim)
  local first, rest = split_ghost(ghost)
  nvim:press(first)
  expect_equal(nvim:ghost(), rest, 'the ghost text')
  nvim:press('<Tab>')
  expect_text(nvim, before .. ghost)
  expect_server_agrees(nvim)
end)

test_both('typing_something_else_hides_ghost_and_accept_key_is_a_tab', function(nvim)
  local before = type_for_ghost(nvim)
  nvim:press('~')
  expect_equal(nvim:ghost(), nil, 'the ghost text')
  -- The cursor stands behind "    return~".
  nvim:press('<Tab>#')
  expect_text(nvim, before .. '~ #')
  expect_server_agrees(nvim)
end)

test_both('answer_to_older_text_is_not_shown', function(nvim)
  local let_go = suite.type_and_hold_answer(nvim)
  -- Neovim holds this key back for a moment, so the server cannot know that its answer is too late.
  nvim:press('x')
  let_go()
  -- The first ghost text to be seen is one for the newer text: it can be accepted.
  accept_ghost(nvim)
end)

test_both('leaving_insert_mode_hides_ghost', function(nvim)
  local before = type_for_ghost(nvim)
  nvim:press('<Esc>')
  expect_equal(nvim:ghost(), nil, 'the ghost text')
  expect_text(nvim, before)
end)

test_both('accept_word_inserts_first_word_and_shows_the_rest', function(nvim)
  local before, ghost = type_for_ghost(nvim)
  local word = ghost:match('^%s*[%w_]+') or ghost:match('^%s*[^%w_%s]+')
  nvim:press('<M-Right>')
  expect_text(nvim, before .. word)
  if #word < #ghost then
    expect_equal(nvim:wait_ghost(), ghost:sub(#word + 1), 'the ghost text')
  end
  nvim:press('<Tab>')
  expect_text(nvim, before .. ghost)
  expect_server_agrees(nvim)
  nvim:press('<Esc>u')
  expect_text(nvim, before .. (#word < #ghost and word or ''))
end)

test_both('accept_line_inserts_first_line', function(nvim)
  local before, ghost = type_for_ghost(nvim, '<C-u>def multiply(a, b):<CR>')
  local line = ghost:match('^[^\n]+') or ghost:match('^\n[^\n]*')
  nvim:press('<M-Down>')
  expect_text(nvim, before .. line)
  expect_server_agrees(nvim)
end)

test_both('cycling_asks_for_candidates_and_shows_the_next', function(nvim)
  local before = type_for_ghost(nvim, 'x = ')
  nvim:press('<M-]>')
  local shown = nvim:wait('a second candidate', function()
    return nvim:hint() == ' (2/3)' and nvim:ghost()
  end)
  nvim:press('<M-[>')
  nvim:wait('the first candidate', function() return nvim:hint() == ' (1/3)' end)
  nvim:press('<M-]>')
  expect_equal(nvim:ghost(), shown, 'the ghost text')
  nvim:press('<Tab>')
  expect_text(nvim, before .. shown)
end)

test_both('automatic_turned_off_shows_ghost_when_asked_only', function(nvim)
  nvim:wait_ready()
  nvim:press('Go' .. TYPED)
  vim.wait(SETTLE_MS)
  expect_equal(nvim:ghost(), nil, 'the ghost text')
  nvim:press('<M-Bslash>')
  nvim:wait_ghost()
end, '{ automatic = false, settings = { minProbability = 0 } }')

test_both('ghost_asked_for_before_neovim_asks_is_shown', function(nvim)
  nvim:wait_ready()
  nvim:press('Go' .. TYPED .. '<M-Bslash>')
  expect_equal(nvim:lua('return vim.fn.mode()'), 'i', 'the mode')
  nvim:wait_ghost()
end, '{ automatic = false, settings = { minProbability = 0 } }')

test_both('ghost_grows_while_it_is_written', function(nvim)
  nvim:lua([[
    Pieces = {}
    local ghost = require('hxqd.ghost')
    local handle = ghost.handle_progress
    ghost.handle_progress = function(err, params, context)
      handle(err, params, context)
      if vim.islist(params.value) and #params.value == 1 then
        local namespace = vim.api.nvim_create_namespace('nvim.lsp.inline_completion')
        local mark = vim.api.nvim_buf_get_extmarks(0, namespace, 0, -1, { details = true })[1]
        local first_line = vim.split(params.value[1].insertText, '\n')[1]
        table.insert(Pieces, { written = first_line, shown = mark and mark[4].virt_text[1][1] })
      end
    end
  ]])
  type_for_ghost(nvim, '<C-u>def multiply(a, b):<CR>')
  local pieces = nvim:lua('return Pieces')
  expect_equal(#pieces > 0, true, 'pieces came')
  for _, piece in ipairs(pieces) do
    expect_equal(piece.shown, piece.written, 'what is shown of a piece')
  end
end)

test('growing_turned_off_asks_for_no_pieces', function(nvim)
  nvim:lua([[
    require('hxqd.ghost').handle_progress = function(_, params)
      Got = Got or type(params.token) == 'string' and params.token:find('ghost')
    end
  ]])
  type_for_ghost(nvim)
  expect_equal(nvim:lua('return Got'), vim.NIL, 'a piece')
end, '{ growing = false, settings = { minProbability = 0 } }')

-- How many items the server has for the cursor.
local function count_items(nvim)
  return nvim:lua([[
    local client = vim.lsp.get_clients({ name = 'hxqd' })[1]
    local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
    params.context = { triggerKind = 1 }
    return #client:request_sync('textDocument/inlineCompletion', params, 10000, vim.api.nvim_get_current_buf()).result
  ]])
end

test_both('filetype_turned_off_shows_no_ghost_until_turned_on', function(nvim)
  type_for_ghost(nvim)
  nvim:press('<Esc>:Hxqd disable python<CR>')
  nvim:wait('the status', function() return nvim:lua("return require('hxqd').status()") == 'hxqd off' end)
  nvim:press('A ')
  vim.wait(SETTLE_MS)
  expect_equal(nvim:ghost(), nil, 'the ghost text')
  -- The server too does nothing for this language.
  expect_equal(count_items(nvim), 0, 'the number of items')
  nvim:press('<Esc>:Hxqd enable python<CR>A<BS>')
  nvim:wait_ghost()
  nvim:press('~')
  expect_equal(nvim:ghost(), nil, 'the ghost text after something else was typed')
end)

test('filetype_turned_off_by_setup_shows_no_ghost', function(nvim)
  nvim:wait('the server', function() return nvim:lua("return require('hxqd').status()") == 'hxqd off' end)
  nvim:press('Go' .. TYPED)
  vim.wait(SETTLE_MS)
  expect_equal(nvim:ghost(), nil, 'the ghost text')
end, '{ settings = { languages = { python = { enabled = false } } } }')

test('filetype_turned_off_stays_off_for_another_server', function(nvim)
  type_for_ghost(nvim)
  nvim:press('<Esc>:Hxqd disable python<CR>')
  nvim:restart_server()
  nvim:press('A ')
  expect_equal(count_items(nvim), 0, 'the number of items')
end)

test('everything_turned_off_goes_before_a_language_that_setup_turned_on', function(nvim)
  type_for_ghost(nvim)
  nvim:press('<Esc>:Hxqd disable<CR>A ')
  nvim:wait('the status', function() return nvim:lua("return require('hxqd').status()") == 'hxqd off' end)
  expect_equal(count_items(nvim), 0, 'the number of items')
end, '{ settings = { minProbability = 0, languages = { python = { enabled = true } } } }')

test('status_of_ready_server_names_device_and_latency', function(nvim)
  type_for_ghost(nvim)
  nvim:wait('the status', function()
    return nvim:lua("return require('hxqd').status()"):find('^hxqd %S+ cpu.* %d+ ms$')
  end)
end)

-- Puts the cursor on an empty line below a comment that says what is wanted.
local function write_wish(nvim)
  nvim:wait_ready()
  nvim:lua([[
    local lines = { 'def clamp(value, low, high):', '    # keep the value between low and high', '', '' }
    vim.api.nvim_buf_set_lines(0, 0, 0, true, lines)
    vim.api.nvim_win_set_cursor(0, { 3, 0 })
    vim.go.undolevels = vim.go.undolevels
  ]])
  return nvim:text()
end

test('command_generate_writes_code_that_one_undo_takes_back', function(nvim)
  local before = write_wish(nvim)
  nvim:press(':Hxqd generate<CR>')
  nvim:wait('code', function() return nvim:text() ~= before end)
  expect_server_agrees(nvim)
  nvim:press('u')
  expect_text(nvim, before)
  expect_server_agrees(nvim)
end)

test('command_that_cannot_be_done_says_why', function(nvim)
  nvim:wait_ready()
  nvim:press('gg:Hxqd fix<CR>')
  nvim:wait('the message', function() return nvim:messages():find('hxqd: %l') end)
  nvim:press(':Hxqd nonsense<CR>')
  nvim:wait('the message', function() return nvim:messages():find('there is no :Hxqd nonsense', 1, true) end)
end)

test('command_with_a_range_is_about_all_of_its_lines', function(nvim)
  nvim:wait_ready()
  nvim:lua([[
    local function complain(row, severity, message)
      return { lnum = row, col = 0, severity = severity, message = message }
    end
    vim.diagnostic.set(vim.api.nvim_create_namespace('test'), 0, {
      complain(0, 2, 'a warning'), complain(1, 1, 'an error'), complain(4, 1, 'an error elsewhere'),
    })
    vim.o.selection = 'exclusive'
    local client = vim.lsp.get_clients({ name = 'hxqd' })[1]
    client.request = function(_, method, params)
      Asked = method == 'workspace/executeCommand' and params.arguments[1] or Asked
    end
  ]])
  nvim:press('G:1,2Hxqd fix<CR>')
  local asked = nvim:lua('return Asked')
  expect_equal(asked.diagnostic.message, 'an error', 'the diagnostic')
  expect_equal(vim.inspect(asked.range), vim.inspect({
    start = { line = 0, character = 0 }, ['end'] = { line = 1, character = #'    return a + b' },
  }), 'the range')
end)

test('command_names_and_filetypes_are_completed', function(nvim)
  local function completed(line)
    return table.concat(nvim:lua("return vim.fn.getcompletion(..., 'cmdline')", line), ' ')
  end
  expect_equal(completed('Hxqd e'), 'enable explain', 'names')
  expect_match(completed('Hxqd disable pytho'), 'python')
end)

test('command_prompt_before_any_says_so', function(nvim)
  nvim:wait_ready()
  nvim:press(':Hxqd prompt<CR>')
  nvim:wait('the message', function() return nvim:messages():find('hxqd: there was no prompt yet', 1, true) end)
end)

test('command_prompt_shows_what_the_model_read', function(nvim)
  type_for_ghost(nvim)
  nvim:press('<Esc>:Hxqd prompt<CR>')
  nvim:wait('the prompt', function() return nvim:text():find('fim_prefix', 1, true) end)
  expect_match(nvim:text(), 'def subtract')
end)

test('command_restart_starts_another_server', function(nvim)
  type_for_ghost(nvim)
  nvim:restart_server()
  nvim:press('cc' .. TYPED .. ' ')
  nvim:wait_ghost()
  expect_server_agrees(nvim)
  expect_equal(nvim:messages():match('hxqd stopped'), nil, 'a message')
  nvim:press('~')
  expect_equal(nvim:ghost(), nil, 'the ghost text after something else was typed')
end)

test('hover_shows_signature_of_name_under_cursor', function(nvim)
  nvim:wait_ready()
  nvim:press('Goadd(1, 2)<Esc>^K')
  local shown = nvim:wait('a window', function()
    local text = nvim:windows_text()
    return text:find('def add(a, b)', 1, true) and text
  end)
  expect_match(shown, 'sample.py')
end)

-- A server that says this of any code, a word at a time, as if it were an instruct model.
local SAID = 'It adds both of them, says nothing else, and gives back what comes of it.'
local SLOW = ([[{
  %%s
  cmd = {
    'env', 'HXQD_SCRIPTED_CHAT=%s', 'HXQD_SCRIPTED_TOKEN_MS=150', vim.fs.dirname(vim.env.HXQD) .. '/hxqd_scripted', 'serve',
  },
}]]):format(SAID)

-- Hovers over a name and notes what the windows show after each piece.
local function hover_and_note(nvim)
  nvim:wait_ready()
  nvim:lua([[
    Shown, Cancelled = {}, 0
    local hover, client = require('hxqd.hover'), vim.lsp.get_clients({ name = 'hxqd' })[1]
    local handle, cancel = hover.handle_progress, client.cancel_request
    hover.handle_progress = function(params)
      local is_piece = handle(params)
      local window = vim.b.lsp_floating_preview
      if is_piece then
        local lines = window and vim.api.nvim_buf_get_lines(vim.api.nvim_win_get_buf(window), 0, -1, true) or {}
        table.insert(Shown, table.concat(lines, '\n'))
      end
      return is_piece
    end
    client.cancel_request = function(...)
      Cancelled = Cancelled + 1
      return cancel(...)
    end
  ]])
  nvim:press('ggwK')
  nvim:wait('a piece', function() return #nvim:lua('return Shown') > 0 end)
end

local function wait_explanation(nvim)
  return nvim:wait('the whole explanation', function()
    local text = nvim:windows_text()
    return text:find('what comes of it.', 1, true) and text
  end)
end

test('hover_grows_behind_what_syntax_knows', function(nvim)
  hover_and_note(nvim)
  local whole = wait_explanation(nvim)
  local shown = nvim:lua('return Shown')
  expect_equal(shown[1]:match('^(.*)\n%[sample.py:1%]%([^\n]*%)$'), '```python\ndef add(a, b):\n```\n', 'the first piece')
  expect_match(shown[2], '\n─[^\n]*\nIt')
  expect_equal(vim.startswith(whole, shown[1] .. '\n─'), true, 'the facts stay')
  expect_equal(select(2, whole:gsub('It adds', '')), 1, 'times that it is said')
  -- All of it can be seen: it wraps, and the window has grown.
  expect_equal(nvim:lua([[
    local window = vim.b.lsp_floating_preview
    return vim.api.nvim_win_get_height(window) >= vim.api.nvim_win_text_height(window, {}).all
  ]]), true, 'the window is high enough')
end, SLOW:format(''))

test('hover_entered_while_it_grows_says_all_of_it_once', function(nvim)
  hover_and_note(nvim)
  nvim:wait('the beginning', function() return nvim:windows_text():find('It adds', 1, true) end)
  nvim:press('K')
  nvim:wait('the focus', function() return nvim:lua('return vim.api.nvim_win_get_config(0).relative') ~= '' end)
  local whole = wait_explanation(nvim)
  expect_equal(select(2, whole:gsub('It adds', '')), 1, 'times that it is said')
  expect_equal(nvim:lua('return Cancelled'), 0, 'cancelled requests')
end, SLOW:format(''))

test('hover_made_a_window_of_its_own_goes_on', function(nvim)
  hover_and_note(nvim)
  nvim:lua("vim.api.nvim_win_set_config(vim.b.lsp_floating_preview, { split = 'right', win = 0 })")
  wait_explanation(nvim)
  expect_equal(nvim:messages(), '', 'the messages')
end, SLOW:format(''))

test('hover_closed_while_it_grows_stops_the_model', function(nvim)
  hover_and_note(nvim)
  nvim:press('l')
  nvim:wait('the cancelled request', function() return nvim:lua('return Cancelled') == 1 end)
  nvim:wait('the answer', function()
    return nvim:lua("return next(vim.lsp.get_clients({ name = 'hxqd' })[1].requests) == nil")
  end)
  expect_equal(nvim:windows_text(), '', 'the windows')
  expect_equal(nvim:messages():match('hxqd[^\n]*'), nil, 'a message')
end, SLOW:format(''))

test('hover_with_growing_turned_off_comes_whole', function(nvim)
  nvim:wait_ready()
  nvim:lua([[
    require('hxqd.hover').handle_progress = function(params)
      Got = Got or type(params.token) == 'string' and params.token:find('hover')
    end
  ]])
  nvim:press('ggwK')
  expect_match(wait_explanation(nvim), 'sample.py:1')
  expect_equal(nvim:lua('return Got'), vim.NIL, 'a piece')
end, SLOW:format('growing = false, settings = { hoverDeadline = 60000 },'))

-- What other plugins ask has no window that we could lengthen.
test('hover_asked_by_others_comes_whole', function(nvim)
  nvim:wait_ready()
  nvim:press('ggw')
  expect_match(nvim:lua([[
    local client = vim.lsp.get_clients({ name = 'hxqd' })[1]
    local params = vim.lsp.util.make_position_params(0, client.offset_encoding)
    return client:request_sync('textDocument/hover', params, 60000, 1).result.contents.value
  ]]), 'what comes of it')
end, SLOW:format('settings = { hoverDeadline = 60000 },'))

test('code_action_writes_what_the_comment_says', function(nvim)
  local before = write_wish(nvim)
  nvim:press('gra')
  -- The core's list: a number and <CR> choose.
  nvim:wait('the list', function() return nvim:lua('return vim.fn.mode(1)'):find('^[rc]') end)
  nvim:press('1<CR>')
  nvim:wait('code', function() return nvim:text() ~= before end)
  expect_server_agrees(nvim)
end)

test('yank_of_several_lines_is_told_to_the_server', function(nvim)
  nvim:wait_ready()
  nvim:lua([[
    vim.api.nvim_create_autocmd('LspNotify', {
      callback = function(event)
        if event.data.method == 'hxqd/didYank' then Yanked = event.data.params.text end
      end,
    })
  ]])
  nvim:press('ggyj')
  nvim:wait('the notification', function()
    return nvim:lua('return Yanked') == 'def add(a, b):\n    return a + b'
  end)
  nvim:press('1000pggyG')
  nvim:wait('the notification', function()
    return #vim.split(nvim:lua('return Yanked'), '\n') == 256
  end)
end)

-- Presses <Tab> where there is no ghost text.
local function expect_tab(nvim, expected)
  local before = nvim:text()
  nvim:press('<Tab>')
  expect_text(nvim, before .. expected)
end

test('accept_key_without_ghost_does_what_it_did_before', function(nvim)
  nvim:wait_ready()
  nvim:press('Go')
  nvim:lua([[vim.keymap.set('i', '<Tab>', function() return 'expr' end, { expr = true })]])
  expect_tab(nvim, 'expr')
  nvim:lua([[vim.keymap.set('i', '<Tab>', 'plain')]])
  expect_tab(nvim, 'plain')
  -- A snippet plugin's, which presses its own key where it has nothing to do.
  nvim:lua([[vim.keymap.set('i', '<Tab>', function() return '<Tab>' end, { expr = true, remap = true })]])
  nvim:press('#')
  expect_tab(nvim, '  ')
end)

test('accept_key_mapped_in_the_buffer_does_what_it_did_before', function(nvim)
  nvim:wait_ready()
  nvim:press('Go')
  expect_tab(nvim, 'snippet')
  -- It is handed back when the server goes, though a completion plugin may fall back on ours for ever.
  nvim:lua("Ours = vim.fn.maparg('<Tab>', 'i', false, true).callback")
  nvim:lua("vim.lsp.enable('hxqd', false)")
  nvim:wait('the key', function()
    return nvim:lua("return vim.fn.maparg('<Tab>', 'i', false, true).desc") == 'a snippet'
  end)
  expect_equal(nvim:lua("return vim.fn.maparg('<M-Right>', 'i')"), '', 'another key')
  expect_tab(nvim, 'snippet')
  nvim:lua('Ours()')
end, nil, [[
  vim.api.nvim_create_autocmd('FileType', { callback = function(event)
    vim.keymap.set('i', '<Tab>', function() return 'snippet' end, { buffer = event.buf, expr = true, desc = 'a snippet' })
  end })
  require('hxqd').setup({ cmd = { vim.env.HXQD, 'serve', '--stdio' } })
]])

test('keymaps_turned_off_are_not_set', function(nvim)
  local before = type_for_ghost(nvim)
  nvim:press('<Tab>')
  expect_text(nvim, before .. '  ')
end, '{ keymaps = false }')

test('server_killed_is_started_again_with_a_message', function(nvim)
  type_for_ghost(nvim)
  vim.uv.kill(nvim:server_pids()[1], 'sigkill')
  nvim:wait('the message', function()
    return nvim:messages():find('hxqd stopped (signal 9) and was started again', 1, true)
  end)
  nvim:wait_ready()
  nvim:press('<Esc>cc' .. TYPED .. ' ')
  nvim:wait_ghost()
  expect_server_agrees(nvim)
end)

test('server_that_keeps_dying_is_left_alone', function(nvim)
  nvim:wait('the message', function()
    return nvim:messages():find('hxqd keeps stopping (exit code 1) and stays off', 1, true)
  end)
  -- Neovim goes on as an editor without completions.
  local text = nvim:text()
  nvim:press('Go#')
  expect_text(nvim, text .. '\n    #')
  vim.wait(SETTLE_MS)
  expect_equal(#nvim:server_pids(), 0, 'the number of servers')
  expect_equal(nvim:messages():match('E%d+:[^\n]*'), nil, 'an error')
end, '{ cmd = { "false" } }')

test('checkhealth_with_attached_server_is_all_ok', function(nvim)
  type_for_ghost(nvim)
  local report = nvim:health()
  local facts = {
    'inline completion', 'hxqd doctor is content', 'the model is loaded', 'ghost text is on',
  }
  for _, line in ipairs(facts) do
    expect_match(report, 'OK [^\n]*' .. line)
  end
  expect_equal(report:match('[^\n]*WARNING[^\n]*'), nil, 'a warning')
  expect_equal(report:match('[^\n]*ERROR[^\n]*'), nil, 'an error')
end)

test('checkhealth_without_program_says_what_to_do', function(nvim)
  local report = nvim:health()
  expect_match(report, 'ERROR program not found')
  expect_match(report, 'bootstrap build')
end, '{ cmd = { "/nonexistent/hxqd", "serve", "--stdio" } }')

test('leaving_neovim_ends_the_server', function(nvim)
  type_for_ghost(nvim)
  local pid = nvim:server_pids()[1]
  expect_equal(nvim:close(), true, 'Neovim ended by itself')
  nvim:wait('the server to end', function()
    return vim.uv.kill(pid, 0) ~= 0
  end)
end)

suite.run()
