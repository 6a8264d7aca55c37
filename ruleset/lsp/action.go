package lsp

import "regexp"

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
