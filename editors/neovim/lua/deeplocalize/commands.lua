--- The commands of a buffer.
local M = {}

--- Asks the server to execute one of its commands; what it refuses is shown.
---@param client vim.lsp.Client
---@param buffer integer
---@param command string
---@param arguments? table
local function execute(client, buffer, command, arguments)
  local params = { command = command, arguments = arguments }
  local function handler(problem)
    if problem then
      vim.notify(problem.message, vim.log.levels.ERROR, { title = "DeepLocalize" })
    end
  end
  -- Neovim 0.11 made the functions of a client methods.
  if vim.fn.has("nvim-0.11") == 1 then
    client:request("workspace/executeCommand", params, handler, buffer)
  else
    client.request("workspace/executeCommand", params, handler, buffer)
  end
end

--- Makes the commands of a buffer.
---@param client vim.lsp.Client
---@param buffer integer
function M.attach(client, buffer)
  local function uri()
    return vim.uri_from_bufnr(buffer)
  end
  local commands = {
    LspDeepLocalizeRun = {
      function()
        execute(client, buffer, "deeplocalize.run", { uri() })
      end,
      "Run this script and localise its faults",
    },
    LspDeepLocalizeTryFixes = {
      function()
        execute(client, buffer, "deeplocalize.run", { uri(), { tryFixes = "always" } })
      end,
      "Run this script, localise its faults and try what would mend them",
    },
    LspDeepLocalizeCancel = {
      function()
        execute(client, buffer, "deeplocalize.cancel")
      end,
      "Cancel the run",
    },
    LspDeepLocalizeClear = {
      function()
        execute(client, buffer, "deeplocalize.clear")
      end,
      "Remove what runs found",
    },
    LspDeepLocalizeFix = {
      function()
        vim.lsp.buf.code_action({
          context = { only = { "source.fixAll.deeplocalize" }, diagnostics = {} },
          apply = true,
        })
      end,
      "Apply every safe fix",
    },
    LspDeepLocalizeReport = {
      function()
        execute(client, buffer, "deeplocalize.report", { { show = true } })
      end,
      "Open the report of the last run in a browser",
    },
  }
  for name, command in pairs(commands) do
    vim.api.nvim_buf_create_user_command(buffer, name, command[1], { desc = command[2] })
  end
  -- "Localize faults" stands above every fit.
  if not client.server_capabilities.codeLensProvider then
    return
  end
  -- Neovim 0.12 keeps them fresh by itself.
  if vim.lsp.codelens.enable then
    vim.lsp.codelens.enable(true, { bufnr = buffer })
    return
  end
  vim.api.nvim_create_autocmd({ "BufEnter", "InsertLeave", "TextChanged" }, {
    group = vim.api.nvim_create_augroup("deeplocalize-lens-" .. buffer, { clear = true }),
    buffer = buffer,
    callback = function()
      vim.lsp.codelens.refresh({ bufnr = buffer })
    end,
  })
  vim.lsp.codelens.refresh({ bufnr = buffer })
end

return M
