--- What the plugin can be told, and how the server is told.
local M = {}

---@class deeplocalize.Config
---@field cmd string[] The server.
---@field trusted boolean Whether scripts may be run at all. They run on request only in any case.
---@field root_markers string[] Files that mark the root of a project.
---@field settings table Settings of the server (`:help deeplocalize-settings`).
M.defaults = {
  cmd = { "deeplocalize", "server" },
  trusted = true,
  root_markers = { "deeplocalize.toml", "pyproject.toml", ".git" },
  settings = {},
}

--- The configuration of a client, as `vim.lsp.start` and `vim.lsp.config` take it.
---@param options? table
---@return table
function M.client(options)
  local config = vim.tbl_deep_extend("force", M.defaults, options or {})
  return {
    name = "deeplocalize",
    cmd = config.cmd,
    filetypes = { "python" },
    root_markers = config.root_markers,
    -- Trust is told apart from the settings, so that no setting can grant it.
    init_options = { trusted = config.trusted == true, settings = config.settings },
    settings = { deeplocalize = config.settings },
    on_attach = function(client, buffer)
      require("deeplocalize.commands").attach(client, buffer)
    end,
  }
end

return M
