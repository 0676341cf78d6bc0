local M = {}

--- Starts the server for Python files, those that are open too. `options` as in `:help deeplocalize-setup`.
---@param options? table
function M.setup(options)
  local client = require("deeplocalize.config").client(options)
  if vim.lsp.config and vim.lsp.enable then
    vim.lsp.config("deeplocalize", client)
    vim.lsp.enable("deeplocalize")
    return
  end
  -- Neovim 0.10 and older find no configurations by themselves.
  local function start(buffer)
    if vim.bo[buffer].buftype ~= "" or vim.api.nvim_buf_get_name(buffer) == "" then
      return
    end
    local root = vim.fs.root and vim.fs.root(buffer, client.root_markers)
      or vim.fs.dirname(
        vim.fs.find(client.root_markers, { upward = true, path = vim.api.nvim_buf_get_name(buffer) })[1]
      )
    local own = { root_dir = root or vim.fs.dirname(vim.api.nvim_buf_get_name(buffer)) }
    vim.lsp.start(vim.tbl_extend("force", client, own), { bufnr = buffer })
  end
  vim.api.nvim_create_autocmd("FileType", {
    group = vim.api.nvim_create_augroup("deeplocalize", { clear = true }),
    pattern = "python",
    callback = function(event)
      start(event.buf)
    end,
  })
  for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
    if vim.api.nvim_buf_is_loaded(buffer) and vim.bo[buffer].filetype == "python" then
      start(buffer)
    end
  end
end

return M
