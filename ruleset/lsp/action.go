package lsp

import (
	"errors"
	"regexp"
	"strings"

	"rtfm/ruleset"
	"rtfm/ruleset/compile"
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
	return list, nil
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
