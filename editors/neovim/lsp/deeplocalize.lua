-- Neovim 0.11 and later: vim.lsp.enable("deeplocalize")
return require("deeplocalize.config").client()
