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

-- Options of `setup` that are copied as they are.
local PLAIN = { 'ghost_text', 'automatic', 'growing', 'share_yanks' }

-- Settings of the server that are paths, which users write with a `~`.
local PATHS = { 'model', 'draftModel' }

-- `:Hxqd disable` without a filetype: everything is off, whatever `settings` say, until `:Hxqd enable`.
local is_paused = false

--- Takes over what the user gave to `setup`.
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
end

--- Whether files of a type are completed, as the server sees it: what holds for a language wins.
function M.is_on(filetype)
  local own = vim.tbl_get(M.settings, 'languages', filetype, 'enabled')
  if is_paused then
    return false
  elseif own ~= nil then
    return own
  end
  return M.settings.enabled ~= false
end

--- Turns a filetype on or off, or with nil everything.
function M.turn(on, filetype)
  if not filetype then
    is_paused = not on
    return
  end
  local languages = M.settings.languages or {}
  languages[filetype] = vim.tbl_extend('force', languages[filetype] or {}, { enabled = on })
  M.settings.languages = languages
end

--- The settings that the server shall work by now.
function M.for_server()
  local settings = vim.deepcopy(M.settings)
  if is_paused then
    settings.enabled = false
    for _, language in pairs(settings.languages or {}) do
      language.enabled = nil
    end
  end
  -- Empty tables would travel as lists.
  for name, language in pairs(settings.languages or {}) do
    settings.languages[name] = next(language) and language or nil
  end
  settings.languages = settings.languages and next(settings.languages) and settings.languages or nil
  return next(settings) and settings or vim.empty_dict()
end

return M
