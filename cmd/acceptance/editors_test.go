package acceptance

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"rtfm/traces/tracetest"
)

// inNeovim is what TestNeovim does in the editor, behind the set-up that the document
// shows. It writes what it sees to the file "seen".
const inNeovim = `
local seen = {}
local function see(what, value) table.insert(seen, what .. ": " .. tostring(value)) end
local function done() vim.fn.writefile(seen, "seen"); vim.cmd("qa!") end
local function wait(what, ok) if not vim.wait(20000, ok, 20) then see("no", what); done() end end
local function ask(method, line, col, more)
	local params = {textDocument = vim.lsp.util.make_text_document_params(), position = {line = line, character = col}}
	local answers = vim.lsp.buf_request_sync(0, method, vim.tbl_extend("force", params, more or {}), 20000) or {}
	for _, answer in pairs(answers) do return answer.result end
end
local function diagnostics() local all = {} for _, d in ipairs(vim.diagnostic.get(0)) do table.insert(all, d.lnum .. ":" .. d.col .. "-" .. d.end_col .. " " .. d.message) end return table.concat(all, " | ") end

vim.api.nvim_create_autocmd("VimEnter", {callback = function() vim.schedule(function()
	see("filetype", vim.bo.filetype)
	wait("server", function() local ready = false for _, c in pairs(vim.lsp.get_active_clients()) do ready = ready or c.server_capabilities and c.initialized end return ready end)
	vim.lsp.buf_request_sync(0, "workspace/executeCommand", {command = "rtfm.cover", arguments = {vim.uri_from_bufnr(0), "sample.pcap"}}, 20000)
	for _, lens in ipairs(ask("textDocument/codeLens", 0, 0)) do see("lens", (lens.range.start.line + 1) .. " " .. lens.command.title) end
	vim.api.nvim_buf_set_lines(0, 3, 3, false, {"# é 😀", "if souceTransType == tcp ignore; # é 😀"})
	wait("diagnostics", function() return #vim.diagnostic.get(0) > 0 end)
	see("fault", diagnostics())
	vim.api.nvim_buf_set_lines(0, 4, 5, false, {})
	wait("no diagnostics", function() return #vim.diagnostic.get(0) == 0 end)
	see("mended", vim.api.nvim_buf_line_count(0))
	see("hover", vim.inspect(ask("textDocument/hover", 7, 10)):match("%*%*(%w+)%*%*"))
	local names = {}
	for _, item in ipairs((ask("textDocument/completion", 8, 28) or {items = {}}).items) do names[item.label] = true end
	see("completion has dns", names.dns)
	see("completion has services", names.services)
	local edit = ask("textDocument/rename", 8, 28, {newName = "wanted"})
	vim.lsp.util.apply_workspace_edit(edit, "utf-16")
	for n, line in ipairs(vim.api.nvim_buf_get_lines(0, 0, -1, false)) do if line:find("wanted") then see("renamed " .. n, line) end end
	done()
end) end})
`

// TestNeovim has Neovim talk to the language server, set up as the document tells.
func TestNeovim(t *testing.T) {
	t.Parallel()
	tracetest.Require(t, "nvim")
	document, err := os.ReadFile("docs/EDITORS.md")
	if err != nil {
		t.Fatal(err)
	}
	setup := regexp.MustCompile("(?s)```lua\n(.*?)```").FindSubmatch(document)
	if setup == nil {
		t.Fatal("the document shows no set-up of Neovim")
	}
	example, err := os.ReadFile("ruleset/examples/services.srl")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{"init.lua": string(setup[1]) + inNeovim, "services.srl": string(example)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	sample, err := filepath.Abs("traces/testdata/sample.pcap")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(sample, filepath.Join(dir, "sample.pcap")); err != nil {
		t.Fatal(err)
	}
	limited, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	nvim := exec.CommandContext(limited, "nvim", "--headless", "-n", "-i", "NONE", "-u", "init.lua", "services.srl")
	nvim.Dir, nvim.WaitDelay = dir, time.Second
	nvim.Env = append(os.Environ(), "HOME="+dir, "XDG_CONFIG_HOME="+dir, "XDG_DATA_HOME="+dir, "XDG_STATE_HOME="+dir, "XDG_CACHE_HOME="+dir, "XDG_RUNTIME_DIR="+dir)
	if out, err := nvim.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	seen, err := os.ReadFile(filepath.Join(dir, "seen"))
	if err != nil {
		t.Fatal(err)
	}
	const want = `filetype: srl
lens: 4 ran 2705 times · SourcePeerType held 2687, failed 18
lens: 5 ran 18 times
lens: 7 ran 2687 times · SourceTransType held 2449, failed 238
lens: 8 ran 2449 times · SourceTransAddress held 677, failed 1772
lens: 9 ran 1772 times · DestTransAddress held 1342, failed 430
lens: 11 ran 2010 times
fault: 4:3-17 no attribute "souceTransType"; did you mean SourceTransType?
mended: 12
hover: SourceTransType
completion has dns: true
completion has services: true
renamed 2: define wanted = (www, https, dns, smtp, ntp, ssh);
renamed 9:    if SourceTransAddress == wanted nomatch;  # the service is the destination
renamed 10:    if DestTransAddress == wanted save;
`
	if got := string(seen); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
