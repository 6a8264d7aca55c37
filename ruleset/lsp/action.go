package lsp

import (
	"errors"
	"regexp"
	"strings"

	"rtfm/ruleset"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/lint"
	"rtfm/ruleset/srl"
)

// suggestion matches what a message says was probably meant.
var suggestion = regexp.MustCompile(`did you mean ([A-Za-z][\w-]*)\?`)

// actions offers mends for what is wrong at a range.
func (s *server) actions(d *document, p *documentParams) (any, error) {
	list := []codeAction{}
	for _, fault := range s.shown[d.path] {
		if !overlap(fault.Range, p.Range) || len(fault.Related) > 0 {
			continue
		}
		m := suggestion.FindStringSubmatch(fault.Message)
		if m == nil || fault.Range.Start == fault.Range.End {
			continue
		}
		list = append(list, codeAction{
			Title: "Change to " + m[1], Kind: "quickfix", Diagnostics: []diagnostic{fault},
			Edit: &workspaceEdit{map[string][]textEdit{d.uri: {{fault.Range, m[1]}}}},
		})
	}
	if c := s.mends[d.path]; c != nil && c.texts[d.path] == d.all {
		list = append(list, mends(d, c.found, p.Range)...)
	}
	return list, nil
}

// mends offers the fixes of what package lint has found at a range of a document,
// whose text is the one that was looked at.
func mends(d *document, found []lint.Finding, at span) (list []codeAction) {
	for _, f := range found {
		from := d.place(f.Line, f.Col)
		if len(f.Fix) == 0 || f.File != d.path || !overlap(d.span(from, d.wordEnd(from)), at) {
			continue
		}
		edits := make([]textEdit, len(f.Fix))
		for i, e := range f.Fix {
			edits[i] = textEdit{d.span(e.Begin, e.End), e.Text}
		}
		list = append(list, codeAction{Title: "Mend: " + f.Msg, Kind: "quickfix", Edit: &workspaceEdit{map[string][]textEdit{d.uri: edits}}})
	}
	return list
}

// overlap reports whether two spans have a position in common.
func overlap(a, b span) bool { return !a.End.before(b.Start) && !b.End.before(a.Start) }

func (p position) before(q position) bool {
	return p.Line < q.Line || p.Line == q.Line && p.Character < q.Character
}

// format lays a document out. Lines at its beginning and end that stay are left
// alone, so that cursors stay where they are.
func (s *server) format(d *document, _ *documentParams) (any, error) {
	c := s.newCheck(d, true)
	formatted, err := compile.Format(d.path, []byte(d.all), srl.Options{Strict: c.strict, Open: c.open})
	if faults, ok := err.(ruleset.Diagnostics); ok && len(faults) > 0 {
		return nil, errors.New("a faulty program is left alone: " + faults[0].Error())
	} else if err != nil {
		return nil, err
	}
	before, after := d.all, string(formatted)
	from := 0
	for from < min(len(before), len(after)) && before[from] == after[from] {
		from++
	}
	from = strings.LastIndexByte(before[:from], '\n') + 1
	before, after = before[from:], after[from:]
	same := 0
	for same < min(len(before), len(after)) && before[len(before)-1-same] == after[len(after)-1-same] {
		same++
	}
	if n := strings.IndexByte(before[len(before)-same:], '\n'); n < 0 {
		same = 0
	} else {
		same -= n + 1
	}
	if before == after {
		return []textEdit{}, nil
	}
	return []textEdit{{d.span(from, from+len(before)-same), after[:len(after)-same]}}, nil
}
