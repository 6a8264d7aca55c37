package lsp

import (
	"fmt"
	"strings"
	"testing"
)

// manyNetworks returns a program with a list of n networks.
func manyNetworks(n int) string {
	var b strings.Builder
	b.WriteString("define customers = (\n")
	for i := range n {
		sep := ","
		if i == n-1 {
			sep = ""
		}
		fmt.Fprintf(&b, "   %d.%d.%d/24%s\n", 1+i*7919%223, i/256%256, i%256, sep)
	}
	b.WriteString(");\nif SourcePeerType == ipv4 save; else ignore;\nif SourcePeerAddress == customers save, {\n   save DestPeerAddress;\n   count;\n}\nnomatch;\n")
	return b.String()
}

// The benchmarks type a letter into a program with a list of 100,000 networks and
// ask for something.

func typed(b *testing.B, c *client, uri string, line, version int) {
	text, end := "x", 0
	if version%2 == 1 {
		text, end = "", 1
	}
	at := position{line, 3}
	c.tell("textDocument/didChange", map[string]any{
		"textDocument":   map[string]any{"uri": uri, "version": version},
		"contentChanges": []any{map[string]any{"range": span{at, position{line, 3 + end}}, "text": text}},
	})
}

func benchmark(b *testing.B, ask func(c *client, uri string, line, version int)) {
	const uri = "file:///tmp/customers.srl"
	text := manyNetworks(100_000)
	c := start(b, Options{Quiet: DefaultQuiet})
	c.openText(uri, text)
	line := strings.Count(text[:strings.Index(text, "   save Dest")], "\n")
	c.diagnostics(uri, 1)
	version := 1
	for b.Loop() {
		version++
		typed(b, c, uri, line, version)
		ask(c, uri, line, version)
	}
}

func BenchmarkDiagnostics(b *testing.B) {
	benchmark(b, func(c *client, uri string, _, version int) { c.diagnostics(uri, version) })
}

func BenchmarkHover(b *testing.B) {
	benchmark(b, func(c *client, uri string, line, _ int) {
		c.ask("textDocument/hover", map[string]any{"textDocument": map[string]any{"uri": uri}, "position": position{line - 1, 25}})
	})
}

func BenchmarkCompletion(b *testing.B) {
	benchmark(b, func(c *client, uri string, line, _ int) {
		c.ask("textDocument/completion", map[string]any{"textDocument": map[string]any{"uri": uri}, "position": position{line, 8}})
	})
}

// BenchmarkWhole checks all of the program, which is done when it is opened, and after
// a pause.
func BenchmarkWhole(b *testing.B) {
	text := manyNetworks(100_000)
	for b.Loop() {
		c := &check{path: "customers.srl", whole: true, texts: map[string]string{"customers.srl": text}}
		c.run()
		if len(c.found) > 0 {
			b.Fatal(c.found)
		}
	}
}
