-- How Neovim starts the hxqd language server; read by `vim.lsp.enable('hxqd')`.
--
-- Everything here can be overridden with `vim.lsp.config('hxqd', {...})`, or through `require('hxqd').setup{...}`, which
-- does just that.

local server = require('hxqd.server')

return {
  cmd = { server.find() or 'hxqd', 'serve', '--stdio' },
  -- The last row has no grammar there and is completed as plain text.
  filetypes = {
    'c', 'cpp', 'css', 'cuda', 'go', 'html', 'java', 'javascript', 'javascriptreact', 'json', 'lua', 'python', 'rust', 'sh',
    'typescript', 'typescriptreact',
    'php', 'ruby',
  },
  root_markers = { '.git' },
  -- A process holds a whole model, so one serves every project of this Neovim.
  reuse_client = function(client, config)
    return client.name == config.name and not client:is_stopped()
  end,
  handlers = {
    ['$/progress'] = function(err, params, context)
      if not require('hxqd.hover').handle_progress(params) then
        return require('hxqd.ghost').handle_progress(err, params, context)
      end
    end,
  },
  commands = {
    -- Of a code action: its explanation beside the cursor.
    ['hxqd.explain'] = function(command, context)
      local client = assert(vim.lsp.get_client_by_id(context.client_id))
      local argument = vim.tbl_extend('force', command.arguments[1], { show = false })
      server.execute(client, command.command, argument, function(result)
        require('hxqd.command').show_explanation(result.text)
      end)
    end,
  },
  -- What `:Hxqd disable` turned off stays off when the server is another one.
  on_init = server.configure,
  on_exit = function(code, signal)
    require('hxqd.status').forget()
    server.handle_exit(code, signal)
  end,
}
