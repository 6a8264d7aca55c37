package lsp

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"rtfm/ruleset"
	"rtfm/ruleset/cover"
	"rtfm/ruleset/match"
	"rtfm/ruleset/srl"
)

// TestLenses has a program covered by a trace of three packets that have nothing.
func TestLenses(t *testing.T) {
	c := start(t, Options{Cover: func(rs *ruleset.RuleSet, p *srl.Program, source func(string) []byte, trace string) (*cover.Report, error) {
		if filepath.Base(trace) != "a.pcap" {
			return nil, errors.New("no trace")
		}
		counter, err := cover.New(rs, p)
		if err != nil {
			return nil, err
		}
		for range 3 {
			counter.Add(new(match.Packet))
		}
		return counter.Report(source), nil
	}})
	const uri = "file:///tmp/lens.srl"
	doc := map[string]any{"textDocument": map[string]any{"uri": uri}}
	text := "# é\nif SourceTransType == tcp\n   ignore;\ncount;\n"
	c.openText(uri, text)
	lenses := func() string {
		t.Helper()
		return string(c.ask("textDocument/codeLens", doc).Result)
	}
	command := func(args ...string) received {
		t.Helper()
		return c.ask("workspace/executeCommand", map[string]any{"command": coverCommand, "arguments": args})
	}
	if got := lenses(); got != "[]" {
		t.Errorf("lenses before there are any: %s", got)
	}
	for _, args := range [][]string{nil, {uri}, {"file:///other.srl", "a.pcap"}, {uri, "b.pcap"}} {
		if m := command(args...); m.Error == nil {
			t.Errorf("%q: %s", args, m.Result)
		}
	}
	if m := command(uri, "a.pcap"); m.Error != nil || !strings.Contains(string(m.Result), "3 packets") {
		t.Errorf("%s, %v", m.Result, m.Error)
	}
	got := lenses()
	for _, want := range []string{`"line":1,"character":0`, "ran 3 times · SourceTransType held 0, failed 3", "never ran", `"line":3`} {
		if !strings.Contains(got, want) {
			t.Errorf("lenses %s, without %s", got, want)
		}
	}
	c.tell("textDocument/didChange", map[string]any{"textDocument": doc["textDocument"], "contentChanges": []any{map[string]any{"text": text + " "}}})
	if got := lenses(); got != "[]" {
		t.Errorf("lenses of another text: %s", got)
	}
}
