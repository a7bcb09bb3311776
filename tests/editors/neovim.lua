-- The plugin in a real Neovim with the real server and its embedded model: what a user sees and gets when typing.
--
-- Run by neovim.sh. What the model writes is its own affair: each expectation is made from the ghost text that was shown.
-- An argument runs only the tests with it in their names.

package.path = 'tests/editors/?.lua;' .. package.path
local editor = require('editor')

-- Code where even a small model is sure to have something to say: the end of this file, then TYPED.
local FILE = 'sample.py'
local LINES = { 'def add(a, b):', '    return a + b', '', '', 'def subtract(a, b):' }
local TYPED = 'return'

-- Longer than the pause after which Neovim asks the server, and than this server needs to answer.
local SETTLE_MS = 1500

local function expect_equal(actual, expected, what)
  if actual ~= expected then
    error(('%s: got %s, expected %s'):format(what, vim.inspect(actual), vim.inspect(expected)), 2)
  end
end

local function expect_match(text, pattern)
  if not text:find(pattern) then
    error(('no %q in:\n%s'):format(pattern, text), 2)
  end
end

-- The buffer becomes what is expected; keys are handled while we look, so not at once.
local function expect_text(nvim, expected)
  local text
  vim.wait(SETTLE_MS, function()
    text = nvim:text()
    return text == expected
  end)
  expect_equal(text, expected, 'the buffer')
end

-- The server holds what the buffer shows, and the final newline that the buffer implies.
local function expect_server_agrees(nvim)
  expect_equal(nvim:server_text(), nvim:text() .. '\n', "the server's text")
end

-- Types at the end of the file; returns the text before the cursor and the ghost text after it.
local function type_for_ghost(nvim, typed)
  nvim:wait_ready()
  nvim:press('Go' .. (typed or TYPED))
  local ghost = nvim:wait_ghost()
  return nvim:text(), ghost
end

-- The first character of a ghost text, as a key, and what follows it.
local function split_ghost(ghost)
  local first = vim.fn.strcharpart(ghost, 0, 1)
  return first == '<' and '<lt>' or first == '\n' and '<CR>' or first, ghost:sub(#first + 1)
end

-- A test gets an editor on the sample; `options`, Lua source of a table, go to the plugin's setup.
local tests = {}
local function test(name, run, options)
  table.insert(tests, { name = name, run = run, options = options })
end

test('ghost_after_typing_stands_at_cursor', function(nvim)
  local before = type_for_ghost(nvim)
  local _, row, column = nvim:ghost()
  local lines = vim.split(before, '\n')
  expect_equal(row, #lines - 1, 'the row')
  expect_equal(column, #lines[#lines], 'the column')
  expect_equal(nvim:text(), before, 'the buffer, which ghost text must not touch')
  expect_server_agrees(nvim)
end)

test('accept_ghost_inserts_exactly_it', function(nvim)
  local before, ghost = type_for_ghost(nvim)
  nvim:press('<Tab>')
  expect_text(nvim, before .. ghost)
  expect_server_agrees(nvim)
end)

test('accept_after_wide_characters_inserts_at_cursor', function(nvim)
  local before, ghost = type_for_ghost(nvim, 'print("naïve 😀 é", ')
  nvim:press('<Tab>')
  expect_text(nvim, before .. ghost)
  expect_server_agrees(nvim)
end)

test('key_pressed_with_accept_key_stays_behind_accepted_text', function(nvim)
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

test('typing_what_ghost_foresaw_leaves_the_rest_to_accept', function(nvim)
  local before, ghost = type_for_ghost(nvim)
  local first, rest = split_ghost(ghost)
  nvim:press(first)
  expect_equal(nvim:ghost(), rest, 'the ghost text')
  nvim:press('<Tab>')
  expect_text(nvim, before .. ghost)
  expect_server_agrees(nvim)
end)

test('typing_something_else_hides_ghost_and_accept_key_is_a_tab', function(nvim)
  local before = type_for_ghost(nvim)
  nvim:press('~')
  expect_equal(nvim:ghost(), nil, 'the ghost text')
  -- The cursor stands behind "    return~".
  nvim:press('<Tab>#')
  expect_text(nvim, before .. '~ #')
  expect_server_agrees(nvim)
end)

test('answer_to_older_text_is_not_shown', function(nvim)
  type_for_ghost(nvim)
  local pid = nvim:server_pids()[1]
  vim.uv.kill(pid, 'sigstop')
  nvim:press(' ')
  nvim:wait('the request', function()
    return nvim:lua("return next(vim.lsp.get_clients({ name = 'hxqd' })[1].requests) ~= nil")
  end)
  -- Neovim holds this key back for a moment, so the server cannot know that its answer is too late.
  nvim:press('x')
  vim.uv.kill(pid, 'sigcont')
  local before = nvim:text()

  -- The first ghost text to be seen is one for the newer text: it can be accepted.
  local ghost = nvim:wait_ghost()
  nvim:press('<Tab>')
  expect_text(nvim, before .. ghost)
  expect_server_agrees(nvim)
end)

test('leaving_insert_mode_hides_ghost', function(nvim)
  local before = type_for_ghost(nvim)
  nvim:press('<Esc>')
  expect_equal(nvim:ghost(), nil, 'the ghost text')
  expect_text(nvim, before)
end)

test('cycling_single_candidate_still_inserts_it', function(nvim)
  local before, ghost = type_for_ghost(nvim)
  nvim:press('<M-]>')
  expect_equal(nvim:ghost(), ghost, 'the ghost text')
  nvim:press('<M-[><Tab>')
  expect_text(nvim, before .. ghost)
end)

test('accept_key_without_ghost_does_what_it_did_before', function(nvim)
  nvim:wait_ready()
  nvim:lua([[vim.keymap.set('i', '<Tab>', function() return 'expr' end, { expr = true })]])
  nvim:press('Go')
  local before = nvim:text()
  nvim:press('<Tab>')
  expect_text(nvim, before .. 'expr')
  nvim:lua([[vim.keymap.set('i', '<Tab>', 'plain')]])
  nvim:press('<Tab>')
  expect_text(nvim, before .. 'exprplain')
end)

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
  nvim:press('<Esc>:checkhealth hxqd<CR>')
  local report = nvim:wait('the report', function()
    local text = nvim:text()
    return text:find('hxqd: conflicts') and text
  end)
  local facts = {
    'shows inline completion', 'hxqd doctor is content', 'the model is loaded', 'ghost text is on',
  }
  for _, line in ipairs(facts) do
    expect_match(report, 'OK [^\n]*' .. line)
  end
  expect_equal(report:match('[^\n]*WARNING[^\n]*'), nil, 'a warning')
  expect_equal(report:match('[^\n]*ERROR[^\n]*'), nil, 'an error')
end)

test('checkhealth_without_program_says_what_to_do', function(nvim)
  nvim:press(':checkhealth hxqd<CR>')
  local report = nvim:wait('the report', function()
    local text = nvim:text()
    return text:find('hxqd: conflicts') and text
  end)
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

-- Runs one test in an editor of its own; the problem as a string, or nil.
local function run(one)
  local nvim = editor.open(FILE, LINES, one.options)
  local passed, problem = xpcall(one.run, debug.traceback, nvim)
  nvim:close()
  return not passed and problem or nil
end

local failed = 0
for _, one in ipairs(tests) do
  if not arg[1] or one.name:find(arg[1], 1, true) then
    local problem = run(one)
    failed = failed + (problem and 1 or 0)
    io.write(problem and 'FAIL ' or 'ok   ', one.name, '\n', problem and problem .. '\n' or '')
  end
end
os.exit(failed == 0 and 0 or 1)
