package lsp

import (
	"encoding/json"

	"fmt"

	"rtfm/ruleset"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/cover"
	"rtfm/ruleset/srl"
)

// coverCommand is the command by which a client has a program covered: its arguments are
// the document's URI and a trace's name, relative to the document's folder.
const coverCommand = "rtfm.cover"

// A covering is what a program did with a trace.
type covering struct {
	id     json.RawMessage // of the request
	texts  map[string]string
	report *cover.Report
	err    error
}

// execute begins the command that a request asks for, whose answer comes later.
func (s *server) execute(r *request) *responseError {
	var p struct {
		Command   string   `json:"command"`
		Arguments []string `json:"arguments"`
	}
	if err := json.Unmarshal(r.Params, &p); err != nil || p.Command != coverCommand || len(p.Arguments) != 2 {
		return &responseError{invalidParams, "want " + coverCommand + " with a document's URI and a trace's name"}
	}
	d := s.byPath[pathOf(p.Arguments[0])]
	switch {
	case d == nil:
		return &responseError{invalidParams, "not open: " + p.Arguments[0]}
	case s.opts.Cover == nil:
		return &responseError{requestFailed, "there are no traces here"}
	case s.covering:
		return &responseError{requestFailed, "a trace is being read already"}
	}
	s.covering = true
	c, trace := s.newCheck(d, true), resolve(d.path, p.Arguments[1])
	go func() {
		report, err := c.cover(s.opts.Cover, trace)
		s.covered <- covering{r.ID, c.texts, report, err}
	}()
	return nil
}

// CoverFunc runs a program, read and compiled with srl.Options.Plain, over a trace.
type CoverFunc func(rs *ruleset.RuleSet, p *srl.Program, source func(file string) []byte, trace string) (*cover.Report, error)

// cover runs the program over a trace.
func (c *check) cover(over CoverFunc, trace string) (*cover.Report, error) {
	p, err := srl.Parse(c.path, []byte(c.texts[c.path]), srl.Options{Strict: c.strict, Plain: true, Open: c.open})
	if err != nil {
		return nil, err
	}
	rs, _, err := compile.Compile(p)
	if err != nil {
		return nil, err
	}
	return over(rs, p, func(file string) []byte {
		_, text, _ := c.open("", file) // without it no lines are shown
		return text
	}, trace)
}

// lensesOf answers a command, and has the client ask for lenses.
func (s *server) lensesOf(c covering) error {
	s.covering = false
	if c.err != nil {
		return s.refuse(c.id, &responseError{requestFailed, c.err.Error()})
	}
	s.coverage = &c
	if err := s.send(response{"2.0", c.id, c.report.Summary()}); err != nil || !s.refreshes {
		return err
	}
	return s.send(map[string]any{"jsonrpc": "2.0", "id": "lenses", "method": "workspace/codeLens/refresh"})
}

// lenses tells how often the lines of a document ran, as long as it is what it was then.
func (s *server) lenses(d *document, _ *documentParams) (any, error) {
	type lens struct {
		Range   span              `json:"range"`
		Command map[string]string `json:"command"`
	}
	list := []lens{}
	if s.coverage == nil || s.coverage.texts[d.path] != d.all {
		return list, nil
	}
	for _, f := range s.coverage.report.Files {
		if f.Name != d.path {
			continue
		}
		for _, line := range f.Lines {
			if !line.Code {
				continue
			}
			title := "never ran"
			if line.Runs > 0 {
				title = fmt.Sprintf("ran %d times", line.Runs)
			}
			for _, t := range line.Tests {
				title += fmt.Sprintf(" · %s held %d, failed %d", t.Attr, t.Held, t.Failed)
			}
			at := d.place(line.Line, 1)
			list = append(list, lens{d.span(at, at), map[string]string{"title": title, "command": ""}})
		}
	}
	return list, nil
}
