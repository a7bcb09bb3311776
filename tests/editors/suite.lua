-- What the tests of Neovim share: the sample, the ways to look at an editor and to complain, and the run of a file's tests.
--
-- What the model writes is its own affair: each expectation is made from the ghost text that was shown.

local editor = require('editor')

local suite = {}

-- Code where even a small model is sure to have something to say: the end of this file, then TYPED.
local FILE = 'sample.py'
local LINES = { 'def add(a, b):', '    return a + b', '', '', 'def subtract(a, b):' }
suite.TYPED = 'return'

-- Longer than the pause after which Neovim asks the server, and than this server needs to answer.
suite.SETTLE_MS = 1500

function suite.expect_equal(actual, expected, what)
  if actual ~= expected then
    error(('%s: got %s, expected %s'):format(what, vim.inspect(actual), vim.inspect(expected)), 2)
  end
end

function suite.expect_match(text, pattern)
  if not text:find(pattern) then
    error(('no %q in:\n%s'):format(pattern, text), 2)
  end
end

--- The buffer becomes what is expected; keys are handled while we look, so not at once.
function suite.expect_text(nvim, expected)
  local text
  vim.wait(suite.SETTLE_MS, function()
    text = nvim:text()
    return text == expected
  end)
  suite.expect_equal(text, expected, 'the buffer')
end

--- The server holds what the buffer shows, and the final newline that the buffer implies.
function suite.expect_server_agrees(nvim)
  suite.expect_equal(nvim:server_text(), nvim:text() .. '\n', "the server's text")
end

--- Types at the end of the file; returns the text before the cursor and the ghost text after it.
function suite.type_for_ghost(nvim, typed)
  nvim:wait_ready()
  nvim:press('Go' .. (typed or suite.TYPED))
  local ghost = nvim:wait_ghost()
  return nvim:text(), ghost
end

--- Accepts the ghost text that comes at the cursor: the buffer and the server have exactly it then. Returns the text before the
--- cursor and what was accepted.
function suite.accept_ghost(nvim)
  local ghost = nvim:wait_ghost()
  local before = nvim:text()
  nvim:press('<Tab>')
  suite.expect_text(nvim, before .. ghost)
  suite.expect_server_agrees(nvim)
  return before, ghost
end

--- Types at the end of the file and accepts what comes.
function suite.type_and_accept(nvim, typed)
  suite.type_for_ghost(nvim, typed)
  return suite.accept_ghost(nvim)
end

--- Types, and has Neovim ask for ghost text anew while the server is held; returns what lets the server go on.
function suite.type_and_hold_answer(nvim)
  suite.type_for_ghost(nvim)
  local pid = nvim:server_pids()[1]
  vim.uv.kill(pid, 'sigstop')
  nvim:press(' ')
  nvim:wait('the request', function() return nvim:is_asking() end)
  return function() vim.uv.kill(pid, 'sigcont') end
end

--- The first character of a ghost text, as a key, and what follows it.
function suite.split_ghost(ghost)
  local first = vim.fn.strcharpart(ghost, 0, 1)
  return first == '<' and '<lt>' or first == '\n' and '<CR>' or first, ghost:sub(#first + 1)
end

local tests = {}

--- A test gets an editor on the sample; `options`, Lua source of a table, go to the plugin's setup. `start`, Lua source, takes
--- the place of setup.
function suite.test(name, run, options, start)
  table.insert(tests, { name = name, run = run, options = options, start = start })
end

--- A test whose Neovim knows nothing of the plugin until `start` has run.
function suite.test_bare(name, run, start)
  table.insert(tests, { name = name, run = run, start = start, is_bare = true })
end

--- A test that passes with the core's inline completion, and with what stands in for it in Neovim 0.11. There both are one.
function suite.test_both(name, run, options)
  suite.test(name, run, options)
  if vim.lsp.inline_completion then
    table.insert(tests, { name = name .. '_without_core', run = run, options = options, without_core = true })
  end
end

-- Runs one test in an editor of its own; the problem as a string, or nil.
local function run(one)
  local nvim
  local passed, problem = xpcall(function()
    nvim = editor.open(FILE, LINES, one)
    one.run(nvim)
  end, debug.traceback)
  if nvim then
    nvim:close()
  end
  return not passed and problem or nil
end

--- Runs the tests, or with an argument of the script those with it in their names, and ends this Neovim.
function suite.run()
  local failed = 0
  for _, one in ipairs(tests) do
    if not arg[1] or one.name:find(arg[1], 1, true) then
      local problem = run(one)
      failed = failed + (problem and 1 or 0)
      io.write(problem and 'FAIL ' or 'ok   ', one.name, '\n', problem and problem .. '\n' or '')
    end
  end
  os.exit(failed == 0 and 0 or 1)
end

return suite
