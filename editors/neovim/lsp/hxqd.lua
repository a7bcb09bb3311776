-- How Neovim starts the hxqd language server; read by `vim.lsp.enable('hxqd')`.
--
-- Everything here can be overridden with `vim.lsp.config('hxqd', {...})`, or through `require('hxqd').setup{...}`, which
-- does just that.

local hxqd = require('hxqd')

return {
  cmd = { hxqd.find_binary() or 'hxqd', 'serve', '--stdio' },
  -- The first row is read with a grammar; the others are completed as plain text until they get one.
  filetypes = {
    'c', 'javascript', 'javascriptreact', 'lua', 'python',
    'cpp', 'css', 'go', 'html', 'java', 'php', 'ruby', 'rust', 'sh', 'typescript',
    'typescriptreact',
  },
  root_markers = { '.git' },
  -- A process holds a whole model, so one serves every project of this Neovim.
  reuse_client = function(client, config)
    return client.name == config.name and not client:is_stopped()
  end,
  on_exit = hxqd.handle_exit,
}
