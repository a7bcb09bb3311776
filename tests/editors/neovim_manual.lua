-- The manual (editors/neovim/doc/hxqd.txt) and the page (README.md) against the plugin's code: commands, options, keys, groups,
-- fields and tags are the same here and there. Needs no server. Run by neovim.sh.

local FOLDER = 'editors/neovim/'
local MANUAL, PAGE = FOLDER .. 'doc/hxqd.txt', FOLDER .. 'README.md'

local function read(path)
  return table.concat(vim.fn.readfile(path), '\n')
end

vim.opt.runtimepath:append(FOLDER)
vim.cmd.runtime('plugin/hxqd.lua')
local options = require('hxqd.options')
local manual, page = read(MANUAL), read(PAGE)

-- A section of the manual, by its number.
local function section(number)
  return assert(manual:match('\n' .. number .. '%. [A-Z].-\n(.-)\n====') or manual:match('\n' .. number .. '%. [A-Z].*'))
end

-- What a pattern captures in a text, sorted and each once.
local function all(text, pattern)
  local found = {}
  for one in text:gmatch(pattern) do
    found[one] = true
  end
  found = vim.tbl_keys(found)
  table.sort(found)
  return found
end

local function sorted(list)
  table.sort(list)
  return list
end

-- Everything that the code says.
local function code()
  local parts = {}
  for path in vim.fs.dir(FOLDER .. 'lua/hxqd') do
    table.insert(parts, read(FOLDER .. 'lua/hxqd/' .. path))
  end
  return table.concat(parts, '\n')
end

-- The options that the manual passes to setup(), as a table.
local function documented_options()
  local block = section(6):match("\n    require%('hxqd'%)%.setup(%b())")
  return loadstring('return ' .. block)()
end

-- The options that there are, with what they are when nothing is chosen; Neovim's own have no value here.
local function real_options()
  local real = vim.deepcopy(options)
  for name, value in pairs(real) do
    real[name] = type(value) ~= 'function' and value or nil
  end
  return real
end

-- What is compared → what is written, what there is.
local CHECKS = {
  commands_of_the_manual = function()
    return all(section(4), '\n  :Hxqd (%l+)'), vim.fn.getcompletion('Hxqd ', 'cmdline')
  end,
  commands_of_the_page = function()
    local columns = all(page:match('\n## Commands\n(.-)\n\n[^|]'), '\n| ([^|]*) |')
    return all(table.concat(columns, ' '), '`(%l+)[^`]*`'), vim.fn.getcompletion('Hxqd ', 'cmdline')
  end,
  names_of_the_options = function()
    local real = vim.list_extend(vim.tbl_keys(real_options()), { 'cmd', 'filetypes', 'root_markers' })
    return sorted(vim.tbl_keys(documented_options())), sorted(real)
  end,
  values_of_the_options = function()
    local written, real = documented_options(), real_options()
    written.cmd, written.filetypes, written.root_markers, written.settings, real.settings = nil, nil, nil, nil, nil
    return written, real
  end,
  keys_of_the_manual = function()
    return all(section(3), '\n  (<[^>]+>)  '), sorted(vim.tbl_values(options.keymaps))
  end,
  keys_of_the_page = function()
    return all(page:match('\n## Keys\n(.-)\n\n[A-Z]'), '`(<[^`]+>)`'), sorted(vim.tbl_values(options.keymaps))
  end,
  highlight_groups = function()
    return all(manual, '|hl%-(%w+)|'), all(code(), "'(Compl%w+)'")
  end,
  fields_of_facts = function()
    local real = read(FOLDER .. 'lua/hxqd/status.lua'):match('return {\n(.-)  }')
    return all(section(5):match('the same as a table with(.*)'), '`([%l_]+)`'), all(real, '\n?    ([%l_]+) = ')
  end,
  tags = function()
    return all(read(FOLDER .. 'doc/tags'), '([^\n\t]+)\thxqd.txt'), all(manual, '%*([^%s*]+)%*')
  end,
  references = function()
    local missing = vim.tbl_filter(function(tag)
      local is_ours = tag:find('hxqd', 1, true) or tag:find('Hxqd', 1, true)
      local is_newer = not vim.lsp.inline_completion and (tag:find('^lsp%-inline') or tag:find('^hl%-ComplHint'))
      return not is_newer and not vim.list_contains(is_ours and all(manual, '%*([^%s*]+)%*')
        or vim.fn.getcompletion(tag, 'help'), tag)
    end, all(manual, '|([^%s|]+)|'))
    return missing, {}
  end,
}

local is_wrong = false
for name, check in vim.spairs(CHECKS) do
  local written, real = check()
  local is_same = vim.deep_equal(written, real)
  is_wrong = is_wrong or not is_same
  io.write(is_same and 'ok   ' or 'FAIL ', name, '\n')
  if not is_same then
    io.write('written: ', vim.inspect(written), '\nreal: ', vim.inspect(real), '\n')
  end
end
os.exit(is_wrong and 1 or 0)
