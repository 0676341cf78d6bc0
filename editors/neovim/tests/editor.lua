-- The plugin in real Neovim: nvim --headless -u NONE -l tests/editor.lua, with DEEPLOCALIZE_TEST_* set by cargo xtask test.
local plugin = vim.fs.dirname(vim.fs.dirname(vim.fs.normalize(vim.fn.fnamemodify(arg[0], ":p"))))
local fixtures = vim.fs.dirname(vim.fs.dirname(plugin)) .. "/fixtures/deeplocalize-40/"
local binary = assert(vim.env.DEEPLOCALIZE_TEST_BINARY, "run the tests with cargo xtask test")
local python = assert(vim.env.DEEPLOCALIZE_TEST_PYTHON, "run the tests with cargo xtask test")
vim.opt.runtimepath:prepend(plugin)
vim.o.swapfile = false

local folder = vim.fn.tempname()
vim.fn.mkdir(folder, "p")

local function wait(what, limit, condition)
  assert(vim.wait(limit * 1000, condition, 20), "waited " .. limit .. " s for " .. what)
end

local function open(source, name)
  local path = folder .. "/" .. name
  vim.fn.writefile(vim.fn.readfile(source), path)
  vim.cmd.edit(path)
  vim.bo.filetype = "python"
  return vim.api.nvim_get_current_buf()
end

local function errors(buffer)
  return vim.diagnostic.get(buffer, { severity = vim.diagnostic.severity.ERROR })
end

local function line_with(text)
  for number, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do
    local column = line:find(text, 1, true)
    if column then
      return number - 1, column - 1
    end
  end
  error("no line with " .. text)
end

local tests = {}

function tests.a_finding_stands_on_the_exact_columns(state)
  state.buffer = open(fixtures .. "31880720-ones-zeros/faulty.py", "train.py")
  wait("a diagnostic", 20, function()
    return #errors(state.buffer) == 1
  end)
  local found = errors(state.buffer)[1]
  local line, column = line_with('"softmax"')
  assert(found.code == "DL101" and found.lnum == line, vim.inspect(found))
  assert(found.col == column and found.end_col == column + #'"softmax"', vim.inspect(found))
end

function tests.a_quick_fix_changes_the_buffer_and_one_undo_takes_it_back(state)
  local line, column = line_with('"softmax"')
  local before = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  vim.api.nvim_win_set_cursor(0, { line + 1, column })
  vim.lsp.buf.code_action({
    filter = function(action)
      return action.isPreferred == true
    end,
    apply = true,
  })
  wait("the fix", 10, function()
    return vim.api.nvim_buf_get_lines(0, line, line + 1, false)[1]:find('"sigmoid"', 1, true) ~= nil
  end)
  wait("the diagnostic to go", 10, function()
    return #errors(state.buffer) == 0
  end)
  vim.cmd.undo()
  assert(vim.deep_equal(before, vim.api.nvim_buf_get_lines(0, 0, -1, false)))
end

function tests.the_code_lens_localises_the_fault_with_progress(state)
  local messages, ended = {}, nil
  vim.api.nvim_create_autocmd("LspProgress", {
    callback = function(event)
      local value = event.data.params.value
      table.insert(messages, value.message or "")
      ended = ended or value.kind == "end" and value.message
    end,
  })
  state.buffer = open(fixtures .. "48934338-quadratic/faulty.py", "diverges.py")
  wait("code lenses", 20, function()
    return #vim.lsp.codelens.get(state.buffer) > 0
  end)
  local line = line_with("model.fit(")
  vim.api.nvim_win_set_cursor(0, { line + 1, 0 })
  -- Two lenses stand on the line; a person is asked which.
  vim.ui.select = function(items, _, chosen)
    for index, item in ipairs(items) do
      if vim.inspect(item):find("Localize faults", 1, true) then
        return chosen(item, index)
      end
    end
  end
  vim.lsp.codelens.run()
  wait("the end of the run", 120, function()
    return ended
  end)
  assert(ended:find("^faulty: diverges.py"), ended)
  wait("a finding of the run", 10, function()
    return #errors(state.buffer) == 1
  end)
  local found = errors(state.buffer)[1]
  local expected, column = line_with("learning_rate=0.1")
  assert(found.lnum == expected and found.col == column + #"learning_rate=", vim.inspect(found))
  assert(found.code:find("^DL7"), found.code)
  assert(
    vim.iter(messages):any(function(message)
      return message:find("^epoch %d") or message:find("^Keras 3")
    end),
    vim.inspect(messages)
  )
end

function tests.all_fixes_are_tried_and_the_best_is_offered_with_its_effect(state)
  state.buffer = open(fixtures .. "48934338-quadratic/faulty.py", "tried.py")
  wait("code lenses", 20, function()
    return #vim.lsp.codelens.get(state.buffer) > 0
  end)
  local ended
  vim.api.nvim_create_autocmd("LspProgress", {
    callback = function(event)
      if event.data.params.value.kind == "end" then
        ended = event.data.params.value.message
      end
    end,
  })
  vim.cmd.LspDeepLocalizeTryFixes()
  wait("the end of the run", 180, function()
    return ended
  end)
  wait("a finding of the run", 10, function()
    return #errors(state.buffer) == 1
  end)
  local found = errors(state.buffer)[1]
  vim.api.nvim_win_set_cursor(0, { found.lnum + 1, found.col })
  local before = vim.api.nvim_buf_get_lines(0, 0, -1, false)
  local titles = {}
  vim.lsp.buf.code_action({
    filter = function(action)
      table.insert(titles, action.title)
      return action.isPreferred == true
    end,
    apply = true,
  })
  wait("the fix", 10, function()
    return not vim.deep_equal(before, vim.api.nvim_buf_get_lines(0, 0, -1, false))
  end)
  assert(titles[1]:find("explained variance .+ → .+ after %d+ steps"), vim.inspect(titles))
  vim.cmd.undo()
  assert(vim.deep_equal(before, vim.api.nvim_buf_get_lines(0, 0, -1, false)))
end

function tests.the_report_opens_in_the_browser(_)
  local opened
  vim.ui.open = function(path)
    opened = path
  end
  vim.cmd.LspDeepLocalizeReport()
  wait("the page", 20, function()
    return opened
  end)
  local page = table.concat(vim.fn.readfile(vim.uri_to_fname(opened)), "\n")
  assert(page:find("^<!doctype html>") and page:find("tried.py", 1, true), opened)
end

function tests.a_run_can_be_cancelled(_)
  local buffer = open(vim.fs.dirname(plugin) .. "/tests/slow.py", "slow.py")
  wait("the server", 20, function()
    return vim.api.nvim_buf_get_commands(buffer, {}).LspDeepLocalizeRun ~= nil
  end)
  local ended
  vim.api.nvim_create_autocmd("LspProgress", {
    callback = function(event)
      if event.data.params.value.kind == "end" then
        ended = event.data.params.value.message
      end
    end,
  })
  vim.cmd.LspDeepLocalizeRun()
  vim.wait(1500)
  vim.cmd.LspDeepLocalizeCancel()
  wait("the end of the run", 30, function()
    return ended ~= nil
  end)
  assert(ended == "cancelled", ended)
end

function tests.health_is_checked(_)
  vim.cmd("checkhealth deeplocalize")
  local text = table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "\n")
  assert(text:find("OK deeplocalize %d") and text:find("OK Keras 3"), text)
  assert(not text:find("ERROR"), text)
  vim.cmd.bwipeout()
end

-- In this order: later tests use what earlier ones opened.
local order = {
  "a_finding_stands_on_the_exact_columns",
  "a_quick_fix_changes_the_buffer_and_one_undo_takes_it_back",
  "the_code_lens_localises_the_fault_with_progress",
  "all_fixes_are_tried_and_the_best_is_offered_with_its_effect",
  "the_report_opens_in_the_browser",
  "a_run_can_be_cancelled",
  "health_is_checked",
}

require("deeplocalize").setup({ cmd = { binary, "server" }, settings = { python = python } })
local failed = 0
local state = {}
for _, name in ipairs(order) do
  local ok, problem = xpcall(tests[name], debug.traceback, state)
  io.write((ok and "ok " or "FAILED ") .. name .. "\n" .. (ok and "" or problem .. "\n"))
  failed = failed + (ok and 0 or 1)
end
vim.lsp.stop_client(vim.lsp.get_clients(), true)
vim.fn.delete(folder, "rf")
io.write(("%d passed, %d failed\n"):format(#order - failed, failed))
os.exit(failed == 0 and 0 or 1)
