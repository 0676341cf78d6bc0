--- :checkhealth deeplocalize
local M = {}

local function version_of(program, arguments)
  local command = vim.list_extend({ program }, arguments)
  local ok, result = pcall(function()
    return vim.system(command, { text = true, timeout = 20000 }):wait()
  end)
  if ok and result.code == 0 then
    return vim.trim(result.stdout .. result.stderr)
  end
end

function M.check()
  local health = vim.health
  health.start("deeplocalize")
  if vim.fn.has("nvim-0.10") == 1 then
    health.ok("Neovim " .. tostring(vim.version()))
  else
    health.error("Neovim 0.10 or later is needed")
  end
  -- The report has a buffer of its own, so any of our clients is looked at.
  local client = vim.lsp.get_clients({ name = "deeplocalize" })[1]
  local cmd = client and client.config.cmd or require("deeplocalize.config").defaults.cmd
  local version = version_of(cmd[1], { "--version" })
  if version then
    health.ok(version .. " (" .. vim.fn.exepath(cmd[1]) .. ")")
  else
    health.error("`" .. cmd[1] .. "` cannot be run", {
      "Install it: cargo install --path server/deeplocalize",
      'Or name it: require("deeplocalize").setup({ cmd = { "/path/to/deeplocalize", "server" } })',
    })
  end
  if client then
    health.ok("the server is running for " .. (client.config.root_dir or "no root"))
    if not client.config.init_options.trusted then
      health.info("`trusted` is false: scripts are read, never run")
    end
  else
    health.info("no server is running; open a Python file first")
  end
  local settings = client and client.config.init_options.settings or {}
  local python = settings.python or vim.env.VIRTUAL_ENV and vim.env.VIRTUAL_ENV .. "/bin/python" or "python3"
  local keras = version_of(python, { "-c", "import importlib.metadata as m; print(m.version('keras'))" })
  if keras then
    health.ok("Keras " .. keras .. " in " .. python)
  else
    health.warn(python .. " has no Keras: quick checks work, runs will not", {
      "Activate the environment of the project, or set `settings.python`",
    })
  end
end

return M
