-- What the user chose: the options of `setup`, and where ghost text is on. Read by the other modules, written by `setup` and
-- by `:Hxqd enable` and `:Hxqd disable`.
--
-- `settings` is the server's part, by the names of its own documentation (lsp/SETTINGS.md); it is passed on as it is. The
-- server also decides by it what is on, so that what is off costs no work there.

local M = {
  -- Turn on inline completion in every buffer that the server attaches to.
  ghost_text = true,
  -- Ask while typing; false: only the key `ask` asks.
  automatic = true,
  -- Show ghost text and hovers while they are being written.
  growing = true,
  -- Tell the server what is yanked, which may be what the next code is about.
  share_yanks = true,
  -- Keys in insert mode, each a string or false; `keymaps = false` sets none.
  keymaps = {
    accept = '<Tab>',
    accept_word = '<M-Right>',
    accept_line = '<M-Down>',
    next = '<M-]>',
    previous = '<M-[>',
    ask = '<M-\\>',
  },
  settings = {},
}

-- Options of `setup` that are copied as they are, and those that are Neovim's to know.
local PLAIN = { 'ghost_text', 'automatic', 'growing', 'share_yanks' }
local NEOVIMS = { 'cmd', 'filetypes', 'root_markers' }

-- Settings of the server that are paths, which users write with a `~`.
local PATHS = { 'model', 'draftModel' }

-- What `:Hxqd enable` and `:Hxqd disable` have said since: filetype → on or off, and whether everything is off, whatever else
-- was said.
local turned = {}
local is_paused = false

--- Takes over what the user gave to `setup`; returns the names in it that are no options.
function M.set(options)
  for _, name in ipairs(PLAIN) do
    if options[name] ~= nil then
      M[name] = options[name]
    end
  end
  if options.keymaps == false then
    M.keymaps = false
  elseif options.keymaps then
    M.keymaps = vim.tbl_extend('force', M.keymaps or {}, options.keymaps)
  end
  M.settings = vim.deepcopy(options.settings or {})
  for _, name in ipairs(PATHS) do
    M.settings[name] = M.settings[name] and vim.fs.normalize(M.settings[name])
  end
  return vim.tbl_filter(function(name)
    return M[name] == nil and not vim.list_contains(NEOVIMS, name)
  end, vim.tbl_keys(options))
end

--- Whether files of a type are completed, as the server sees it: what holds for a language wins.
function M.is_on(filetype)
  if is_paused then
    return false
  elseif turned[filetype] ~= nil then
    return turned[filetype]
  end
  local own = vim.tbl_get(M.settings, 'languages', filetype, 'enabled')
  if own ~= nil then
    return own
  end
  return M.settings.enabled ~= false
end

--- Turns a filetype on or off, or with nil everything.
function M.turn(on, filetype)
  if filetype then
    turned[filetype] = on
  else
    is_paused = not on
  end
end

--- A copy of settings for the server, with what was turned on or off since.
function M.for_server(settings)
  settings = vim.deepcopy(settings or {})
  for filetype, on in pairs(turned) do
    settings = vim.tbl_deep_extend('force', settings, { languages = { [filetype] = { enabled = on } } })
  end
  if is_paused then
    settings.enabled = false
    for _, language in pairs(settings.languages or {}) do
      language.enabled = false
    end
  end
  -- An empty table would travel as a list.
  return next(settings) and settings or vim.empty_dict()
end

return M
