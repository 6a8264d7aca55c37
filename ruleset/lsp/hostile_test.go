package lsp

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestFrames(t *testing.T) {
	for _, tc := range []struct{ in, content, fault string }{
		{"Content-Length: 2\r\n\r\n{}", "{}", ""},
		{"content-length:2\nContent-Type: application/vscode-jsonrpc; charset=utf-8\n\n{}rest", "{}", ""},
		{"Content-Length: 0\r\n\r\n", "", ""},
		{"", "", "EOF"},
		{"Content-Length: 2\r\n", "", "unexpected EOF"},
		{"Content-Length: 9\r\n\r\n{}", "", "unexpected EOF"},
		{"Content-Length: -1\r\n\r\n{}", "", `Content-Length "-1" is no number up to 134217728`},
		{"Content-Length: 134217729\r\n\r\n{}", "", `Content-Length "134217729" is no number`},
		{"Content-Length: 99999999999999999999\r\n\r\n{}", "", `Content-Length "99999999999999999999" is no number`},
		{"Content-Length: two\r\n\r\n{}", "", `Content-Length "two" is no number`},
		{"Content-Type: x\r\n\r\n{}", "", "no Content-Length"},
		{"{}\r\n\r\n", "", `header "{}"`},
		{strings.Repeat("x", 10_000), "", "header has more than 4096 octets"},
		{strings.Repeat("a: b\r\n", 1000), "", "header has more than 4096 octets"},
	} {
		content, err := readFrame(bufio.NewReaderSize(strings.NewReader(tc.in), maxHeader))
		switch {
		case tc.fault == "" && (err != nil || string(content) != tc.content):
			t.Errorf("%q: got %q, %v", tc.in, content, err)
		case tc.fault != "" && (err == nil || !strings.Contains(err.Error(), tc.fault)):
			t.Errorf("%.80q: got %v, want %s", tc.in, err, tc.fault)
		}
	}
}

// TestLengthTakesNoMemory holds that a header alone takes none.
func TestLengthTakesNoMemory(t *testing.T) {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err := readFrame(bufio.NewReaderSize(strings.NewReader("Content-Length: 134217728\r\n\r\nabc"), maxHeader))
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; !errors.Is(err, io.ErrUnexpectedEOF) || took > 8<<20 {
		t.Errorf("%v, with %d octets", err, took)
	}
}

func TestRefusals(t *testing.T) {
	c := startRaw(t, Options{})
	doc := map[string]any{"textDocument": map[string]any{"uri": "file:///a.srl"}}
	expect := func(m received, code int) {
		t.Helper()
		if m.Error == nil || m.Error.Code != code || m.Result != nil {
			t.Errorf("got %+v, want code %d", m, code)
		}
	}
	expect(c.ask("textDocument/hover", doc), serverNotInitialized)
	c.tell("textDocument/didOpen", doc) // too early: nothing is open
	c.ask("initialize", map[string]any{})
	expect(c.ask("textDocument/hover", doc), invalidParams)
	expect(c.ask("textDocument/hover", []any{1}), invalidParams)
	expect(c.ask("textDocument/moniker", doc), methodNotFound)
	c.tell("$/setTrace", map[string]any{"value": "off"})
	c.tell("textDocument/didChange", doc)
	c.tell("textDocument/didOpen", []any{"x"})
	c.send([]byte("{"))
	expect(c.answer("null"), parseError)
	c.send([]byte(`[{"jsonrpc":"2.0","id":7,"method":"shutdown"}]`))
	expect(c.answer("null"), parseError)
	c.send([]byte(`{"jsonrpc":"2.0","id":"a","method":7}`))
	expect(c.answer("null"), parseError)
	c.send([]byte(`{"jsonrpc":"2.0","id":"x"}`)) // no request
	c.send([]byte(`{"jsonrpc":"2.0","id":"é","method":"textDocument/hover","params":{"textDocument":{}}}`))
	expect(c.answer(`"é"`), invalidParams)
	if m := c.ask("shutdown", nil); m.Error != nil || string(m.Result) != "null" {
		t.Errorf("shutdown: %+v", m)
	}
	expect(c.ask("textDocument/hover", doc), invalidRequest)
	c.tell("exit", nil)
	if err := <-c.ended; err != nil {
		t.Error(err)
	}
}

func TestEndings(t *testing.T) {
	for _, tc := range []struct {
		end  func(c *client)
		want error
	}{
		{func(c *client) { c.tell("exit", nil) }, ErrNoShutdown},
		{func(c *client) { c.out.Close() }, nil},
		{func(c *client) { fmt.Fprint(c.out, "Content-Length: 5\r\n\r\n"); c.out.Close() }, io.ErrUnexpectedEOF},
		{func(c *client) { fmt.Fprint(c.out, "GET / HTTP/1.1\r\n\r\n") }, errFrame},
	} {
		c := start(t, Options{})
		tc.end(c)
		if err := <-c.ended; !errors.Is(err, tc.want) {
			t.Errorf("got %v, want %v", err, tc.want)
		}
	}
}

// TestLargeDocuments opens what no program is, 10 MB of letters and less of what takes
// longer, and asks for everything.
func TestLargeDocuments(t *testing.T) {
	for name, piece := range map[string]string{
		"letters": "a", "parentheses": "(", "marks": ";", "lines": "\n", "returns": "\r", "texts": `"`, "defines": "define a = b; ",
		"values": "1.2.3.4/5, ", "comments": "/* ", "ifs": "if Host == 1 ", "subroutines": "subroutine a (address b) ", "wide": "😀é ", "octets": "\xff",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			size := 100_000
			if name == "letters" && !testing.Short() {
				size = 10 << 20
			}
			text := strings.Repeat(piece, size/len(piece))
			c := start(t, Options{})
			c.openText("file:///tmp/large.srl", text)
			askAll(t, c, "file:///tmp/large.srl", position{0, len(text) / 2})
			c.diagnostics("file:///tmp/large.srl", 1)
		})
	}
}

// askAll asks for all that there is at a position. Answers may be errors.
func askAll(t testing.TB, c *client, uri string, at position) {
	t.Helper()
	for method := range new(server).answers() {
		c.ask(method, map[string]any{"textDocument": map[string]any{"uri": uri}, "position": at, "newName": "another", "range": span{at, at}})
	}
}

// TestWrongEncodings has files of other encodings beside the document.
func TestWrongEncodings(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"utf16.srl": "\xff\xfed\x00e\x00f\x00i\x00n\x00e\x00", "latin1.srl": "# caf\xe9\ndefine a = caf\xe9;\n", "bom.srl": bom + "define b = 10/8;\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	c := start(t, Options{})
	uri := uriOf(filepath.Join(dir, "main.srl"))
	c.openText(uri, bom+"xsave;\ninclude \"utf16.srl\";\ninclude \"latin1.srl\";\ninclude \"bom.srl\";\nif SourcePeerAddress == b save; count;\n")
	p := c.diagnostics(uri, 1)
	if len(p.Diagnostics) < 2 || p.Diagnostics[0].Range != (span{position{0, 1}, position{0, 6}}) {
		t.Errorf("behind a byte order mark: %+v", p.Diagnostics)
	}
	askAll(t, c, uri, position{4, 26})
	latin := uriOf(filepath.Join(dir, "latin1.srl"))
	if p := c.wait(latin, func(p publishParams) bool { return len(p.Diagnostics) > 0 }); p.Diagnostics[0].Range.Start != (position{1, 14}) {
		t.Errorf("behind an octet that is no UTF-8: %+v", p.Diagnostics)
	}
}

// A still server does what it is told to without goroutines: for fuzzing.
func still(out io.Writer) *server {
	return &server{
		out: out, byPath: map[string]*document{}, files: map[string]*onDisk{}, running: map[bool]bool{}, results: make(chan *check, 2), covered: make(chan covering, 1), timer: time.NewTimer(time.Hour),
		found: map[string][]finding{}, quick: map[string][]finding{}, mends: map[string]*check{}, shown: map[string][]diagnostic{},
	}
}

// settle does all checks that are due.
func (s *server) settle(t *testing.T) {
	for s.calm = true; ; {
		if s.next(); !s.running[false] && !s.running[true] {
			return
		}
		c := <-s.results
		s.running[c.whole] = false
		if err := s.take(c); err != nil {
			t.Fatal(err)
		}
	}
}

// FuzzMessages gives a server messages, one a line, and holds that each request has
// one answer, which is JSON.
func FuzzMessages(f *testing.F) {
	f.Add(`{"id":1,"method":"initialize","params":{}}` + "\n" +
		`{"method":"textDocument/didOpen","params":{"textDocument":{"uri":"file:///no/a.srl","text":"define a = 10/8;\nif Host == a save;"}}}` + "\n" +
		`{"method":"textDocument/didChange","params":{"textDocument":{"uri":"file:///no/a.srl"},"contentChanges":[{"range":{"start":{"line":0,"character":7},"end":{"line":-1,"character":9}},"text":"x"}]}}` + "\n" +
		`{"id":"2","method":"textDocument/rename","params":{"textDocument":{"uri":"file:///no/a.srl"},"position":{"line":0,"character":7},"newName":"b"}}` + "\n" +
		`{"id":3,"method":"textDocument/completion","params":{"textDocument":{"uri":"file:///no/a.srl"},"position":{"line":1,"character":12}}}` + "\n" +
		`{"method":"textDocument/didClose","params":{"textDocument":{"uri":"file:///no/a.srl"}}}` + "\n" + `{"id":null,"method":"shutdown"}`)
	f.Add("{}\n[]\nnull\n{\"id\":{}}\n{\"id\":1}\n7")
	f.Fuzz(func(t *testing.T, script string) {
		var out bytes.Buffer
		s := still(&out)
		asked := 0
		for line := range strings.Lines(script) {
			if strings.Contains(line, "../") || strings.Contains(line, `\u`) {
				continue // keep away from files
			}
			var r request
			if err := json.Unmarshal([]byte(line), &r); err != nil || r.ID != nil && r.Method != "" {
				asked++
			}
			if err := s.message([]byte(line)); err != nil && err != errExit {
				t.Fatal(err)
			}
			s.settle(t)
		}
		answered := 0
		for r := bufio.NewReaderSize(&out, maxHeader); ; {
			content, err := readFrame(r)
			if err == io.EOF {
				break
			}
			var m received
			if err := json.Unmarshal(content, &m); err != nil {
				t.Fatalf("%v: %s", err, content)
			}
			if m.Method == "" {
				answered++
			}
		}
		if answered != asked {
			t.Errorf("%d answers to %d requests", answered, asked)
		}
	})
}

// FuzzDocument changes a document and asks for everything at a place.
func FuzzDocument(f *testing.F) {
	f.Add("define a = (10/8, 1.2/16);\nif Host == a && dst port == http save, { count; }\nsubroutine s (address p) save p; x: { exit x; } endsub;", "é😀\r\n", 1, 4, 2, 1)
	f.Add("call s (SourcePeerAddress) 1: count; endcall;\ninclude \"b\"; define b = file(\"", ";", 0, 40, 0, 41)
	f.Add("save A, B = ; format FlowIndex \"\";", "save ", 0, 0, 9, 9)
	f.Add("if DestTransAddress == ("+strings.Repeat("1, # x\n", 80)+"2) count;", "", 3, 0, 70, 1)
	f.Fuzz(func(t *testing.T, text, more string, line, char, endLine, endChar int) {
		s := still(io.Discard)
		const uri = "untitled:a" // which has no folder
		params, _ := json.Marshal(changeParams{TextDocument: textDocument{URI: uri, Text: text}})
		s.initialized = true
		s.notified(&request{Method: "textDocument/didOpen", Params: params})
		s.settle(t)
		at := span{position{line, char}, position{endLine, endChar}}
		params, _ = json.Marshal(changeParams{TextDocument: textDocument{URI: uri}, ContentChanges: []change{{&at, more}}})
		s.notified(&request{Method: "textDocument/didChange", Params: params})
		s.settle(t)
		d := s.byPath[uri]
		if len(d.short) != len(d.all) {
			t.Fatalf("%d octets were shortened to %d", len(d.all), len(d.short))
		}
		for offset := range d.all {
			if p := d.position(offset); d.offset(p) > offset {
				t.Fatalf("offset %d is %v, which is %d", offset, p, d.offset(p))
			}
		}
		for name, answer := range s.answers() {
			result, err := answer(d, &documentParams{TextDocument: textDocument{URI: uri}, Position: at.Start, Range: at, NewName: "other"})
			if err != nil {
				continue
			}
			if _, err := json.Marshal(result); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, fault := range s.shown[uri] {
			r := fault.Range
			if r.End.before(r.Start) || r.End.Line >= len(d.lines) || d.position(d.offset(r.Start)) != r.Start {
				t.Errorf("no place in the text: %+v", fault)
			}
		}
	})
}
