package lsp

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestSessions plays sessions with a server. Each is a txtar file: "session" has
// a command a line, the files beside it are in a folder, and after each command
// stands, indented, what comes back. The commands:
//
//	open FILE                 opens it
//	close FILE
//	type FILE "AT|" "TEXT"     inserts a text; what is between two | goes
//	diagnostics FILE           waits for those of the latest version
//	hover|complete|definition|references|highlight|actions|canrename FILE "AT|"
//	rename FILE "AT|" NAME
//	symbols FILE
//
// AT is a part of the file, with | where the cursor is. The first place counts.
func TestSessions(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no sessions", err)
	}
	for _, name := range files {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			t.Parallel()
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			s := &session{client: start(t, Options{}), dir: t.TempDir(), texts: map[string]string{}, versions: map[string]int{}}
			for _, f := range archive.Files {
				if err := os.WriteFile(filepath.Join(s.dir, f.Name), f.Data, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			played := s.play(string(archive.Comment))
			if played == string(archive.Comment) {
				return
			}
			if *update {
				archive.Comment = []byte(played)
				if err := os.WriteFile(name, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			t.Errorf("got\n%s", played)
		})
	}
}

type session struct {
	*client
	dir      string
	texts    map[string]string // of open files, by name
	versions map[string]int
	asked    string // the file of the last command
}

// between returns what stands in a span of a line of a file.
func (s *session) between(file string, of span) string {
	line := utf16.Encode([]rune(strings.Split(s.text(file), "\n")[of.Start.Line]))
	return string(utf16.Decode(line[of.Start.Character:of.End.Character]))
}

// play returns the script with what comes back now.
func (s *session) play(script string) string {
	var played strings.Builder
	for line := range strings.Lines(script) {
		if strings.HasPrefix(line, "\t") {
			continue
		}
		played.WriteString(line)
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		out := strings.ReplaceAll(s.command(words(line)), s.dir, "DIR")
		for l := range strings.Lines(out) {
			played.WriteString("\t" + strings.TrimRight(l, "\n") + "\n")
		}
	}
	return played.String()
}

// words splits a command; texts in quotation marks may hold \n and \".
func words(line string) (list []string) {
	for line != "" {
		var w string
		if line[0] == '"' {
			end := 1
			for line[end] != '"' || line[end-1] == '\\' {
				end++
			}
			if err := json.Unmarshal([]byte(line[:end+1]), &w); err != nil {
				panic(err)
			}
			line = line[end+1:]
		} else {
			w, line, _ = strings.Cut(line, " ")
		}
		list, line = append(list, w), strings.TrimSpace(line)
	}
	return list
}

func (s *session) uri(name string) string {
	return (&url.URL{Scheme: "file", Path: filepath.Join(s.dir, name)}).String()
}

func (s *session) name(uri string) string {
	u, err := url.Parse(uri)
	if err != nil {
		s.t.Fatal(err)
	}
	return filepath.Base(u.Path)
}

// find returns the text around the mark and the positions that it has.
func (s *session) find(file, at string) (from, to position) {
	s.t.Helper()
	plain := strings.ReplaceAll(at, "|", "")
	text := s.text(file)
	if !strings.Contains(text, plain) {
		s.t.Fatalf("%q does not stand in %s", plain, file)
	}
	begin := strings.Index(text, plain)
	parts := strings.Split(at, "|")
	a := begin + len(parts[0])
	b := a
	if len(parts) == 3 {
		b += len(parts[1])
	}
	return where(text, a), where(text, b)
}

func (s *session) text(file string) string {
	if text, ok := s.texts[file]; ok {
		return text
	}
	text, err := os.ReadFile(filepath.Join(s.dir, file))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// where counts lines and UTF-16 units, the plain way.
func where(text string, offset int) position {
	before := text[:offset]
	line := before[strings.LastIndex(before, "\n")+1:]
	return position{strings.Count(before, "\n"), len(utf16.Encode([]rune(line)))}
}

func (s *session) command(c []string) string {
	s.t.Helper()
	file := c[1]
	s.asked = file
	doc := map[string]any{"uri": s.uri(file)}
	params := map[string]any{"textDocument": doc, "context": map[string]any{"includeDeclaration": true}}
	if len(c) > 2 {
		from, to := s.find(file, c[2])
		params["position"] = from
		params["range"] = span{from, to}
	}
	switch c[0] {
	case "open":
		s.texts[file] = s.text(file)
		s.versions[file] = 1
		s.openText(s.uri(file), s.texts[file])
		return ""
	case "close":
		delete(s.texts, file)
		s.tell("textDocument/didClose", params)
		return ""
	case "type":
		plain := strings.ReplaceAll(c[2], "|", "")
		parts := strings.Split(c[2], "|")
		s.texts[file] = strings.Replace(s.texts[file], plain, parts[0]+c[3]+parts[len(parts)-1], 1)
		s.versions[file]++
		doc["version"] = s.versions[file]
		s.tell("textDocument/didChange", map[string]any{"textDocument": doc, "contentChanges": []any{map[string]any{"range": params["range"], "text": c[3]}}})
		return ""
	case "diagnostics":
		var p publishParams
		if v := s.versions[file]; v > 0 {
			p = s.diagnostics(s.uri(file), v)
		} else {
			p = s.wait(s.uri(file), func(p publishParams) bool { return len(p.Diagnostics) > 0 })
		}
		return s.showDiagnostics(p)
	}
	methods := map[string]string{
		"hover": "hover", "complete": "completion", "definition": "definition", "references": "references", "highlight": "documentHighlight",
		"actions": "codeAction", "rename": "rename", "canrename": "prepareRename", "symbols": "documentSymbol", "format": "formatting",
	}
	if c[0] == "rename" {
		params["newName"] = c[3]
	}
	m := s.ask("textDocument/"+methods[c[0]], params)
	if m.Error != nil {
		return "error: " + m.Error.Message
	}
	return s.showResult(c[0], m.Result)
}

func (s *session) showDiagnostics(p publishParams) string {
	var b strings.Builder
	for _, d := range p.Diagnostics {
		kind := map[int]string{severityError: "error", severityWarning: "warning", severityHint: "hint"}[d.Severity]
		fmt.Fprintf(&b, "%s %s: %s\n", showSpan(d.Range), kind, d.Message)
		for _, r := range d.Related {
			fmt.Fprintf(&b, "   %s %s: %s\n", s.name(r.Location.URI), showSpan(r.Location.Range), r.Message)
		}
	}
	if b.Len() == 0 {
		return "none"
	}
	return b.String()
}

func showSpan(r span) string {
	if r.Start.Line == r.End.Line {
		return fmt.Sprintf("%d:%d-%d", r.Start.Line, r.Start.Character, r.End.Character)
	}
	return fmt.Sprintf("%d:%d-%d:%d", r.Start.Line, r.Start.Character, r.End.Line, r.End.Character)
}

// showResult makes an answer short to read.
func (s *session) showResult(command string, result json.RawMessage) string {
	s.t.Helper()
	into := func(v any) {
		s.t.Helper()
		if err := json.Unmarshal(result, v); err != nil {
			s.t.Fatalf("%v: %s", err, result)
		}
	}
	if string(result) == "null" {
		return "null"
	}
	var lines []string
	switch command {
	case "hover":
		var h hover
		into(&h)
		return showSpan(h.Range) + "\n" + h.Contents.Value
	case "definition":
		var l location
		into(&l)
		return s.name(l.URI) + " " + showSpan(l.Range)
	case "references":
		var list []location
		into(&list)
		for _, l := range list {
			lines = append(lines, s.name(l.URI)+" "+showSpan(l.Range))
		}
	case "complete":
		var list completionList
		into(&list)
		list.Items = slices.DeleteFunc(list.Items, func(it completionItem) bool {
			typed := s.between(s.asked, span{it.TextEdit.Range.Start, it.TextEdit.Range.End})
			return !strings.HasPrefix(strings.ToLower(it.Label), strings.ToLower(typed))
		})
		slices.SortFunc(list.Items, func(a, b completionItem) int { return strings.Compare(a.SortText, b.SortText) })
		for _, it := range list.Items[:min(len(list.Items), 8)] {
			lines = append(lines, fmt.Sprintf("%s %s: %s", showSpan(it.TextEdit.Range), it.TextEdit.NewText, it.Detail))
		}
		lines = append(lines, fmt.Sprintf("%d in all", len(list.Items)))
	case "rename":
		var e workspaceEdit
		into(&e)
		for uri, edits := range e.Changes {
			for _, edit := range edits {
				lines = append(lines, fmt.Sprintf("%s %s %s", s.name(uri), showSpan(edit.Range), edit.NewText))
			}
		}
		slices.Sort(lines)
	default:
		return string(result)
	}
	return strings.Join(lines, "\n")
}
