-- Sourced when Neovim starts. Lets `vim.lsp.enable('hxqd')` work alone, without `require('hxqd').setup()`.

if vim.g.loaded_hxqd then
  return
end
vim.g.loaded_hxqd = true

-- Older versions have no LSP configuration to wait for; `setup`, `:Hxqd` and `:checkhealth hxqd` say so.
if vim.fn.has('nvim-0.11') == 1 then
  require('hxqd').watch()
else
  vim.cmd([[command! -nargs=* -range Hxqd lua require('hxqd').setup()]])
end
