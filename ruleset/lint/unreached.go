package lint

import (
	"slices"

	"rtfm/ruleset/compile"
	"rtfm/ruleset/srl"
)

// unreached tells of statements that no packet comes to, each with no more than what
// it is that none comes to: what a test that never holds keeps packets from is said at
// the test.
func (l *linter) unreached() {
	u := &unreached{l: l, reached: map[spot]bool{}, known: map[spot]bool{}}
	for i := range l.rs.Rules {
		at := spotOf(l.rs.Rules[i].At)
		u.known[at] = true
		u.reached[at] = u.reached[at] || l.a.rules[i].reached
	}
	u.stmts(l.prog.Stmts)
	for _, s := range l.prog.Subs {
		u.stmts(s.Stmts)
	}
}

type unreached struct {
	l              *linter
	reached, known map[spot]bool
}

// none reports whether no rule of a statement is reached, though it has rules.
func (u *unreached) none(s srl.Stmt) bool {
	any, reached := false, false
	see := func(at srl.Place) {
		any = any || u.known[spotOf(at)]
		reached = reached || u.reached[spotOf(at)]
	}
	var walk func(s srl.Stmt)
	walk = func(s srl.Stmt) {
		if s == nil {
			return
		}
		see(s.At())
		switch s := s.(type) {
		case *srl.Save: // the rules of a table have the places of its rows
			reached = reached || s.Table != nil
		case *srl.SaveList:
			reached = reached || slices.ContainsFunc(s.List, func(s *srl.Save) bool { return s.Table != nil })
		case *srl.If:
			for i := range s.Arms {
				for _, t := range testsOf(s.Arms[i].Cond, nil) {
					see(t.Place)
					for j := range t.Operands {
						see(t.Operands[j].Value.Place)
					}
				}
				walk(s.Arms[i].Then)
			}
			walk(s.Else)
		case *srl.Compound:
			for _, s := range s.Stmts {
				walk(s)
			}
		case *srl.Call:
			for _, r := range s.Returns {
				walk(r.Stmt)
			}
		}
	}
	walk(s)
	return any && !reached
}

// stmt tells of a statement; skip is set if what keeps packets from it has been told.
func (u *unreached) stmt(s srl.Stmt, skip bool) {
	if s == nil {
		return
	}
	if u.none(s) {
		if !skip {
			u.l.say(s.At(), compile.Unreached, "this is never reached: no packet comes here")
		}
		return
	}
	switch s := s.(type) {
	case *srl.If:
		never := false
		for i := range s.Arms {
			never = slices.ContainsFunc(testsOf(s.Arms[i].Cond, nil), u.told)
			u.stmt(s.Arms[i].Then, never)
		}
		u.stmt(s.Else, false)
	case *srl.Compound:
		u.stmts(s.Stmts)
	case *srl.Call:
		for _, r := range s.Returns {
			u.stmt(r.Stmt, slices.ContainsFunc(r.Labels, func(label srl.Label) bool {
				return u.said(compile.NoReturn, label.Place)
			}))
		}
	}
}

// said reports whether something is said of a place.
func (u *unreached) said(number int, at srl.Place) bool {
	return slices.ContainsFunc(u.l.found, func(f Finding) bool {
		return f.Number == number && f.Line == int(at.Line) && f.Col == int(at.Col)
	})
}

// stmts tells of the first statement of a sequence that no packet comes to.
func (u *unreached) stmts(list []srl.Stmt) {
	for _, s := range list {
		none := u.none(s)
		u.stmt(s, false)
		if none {
			return
		}
	}
}

// told reports whether it has been told that a test never holds.
func (u *unreached) told(t *srl.Test) bool {
	if u.l.dead[t] {
		return true
	}
	if u.said(compile.NeverInOrder, t.Place) {
		return true
	}
	return slices.ContainsFunc(t.Operands, func(o srl.Operand) bool { return u.said(compile.OutsideMask, o.Value.Place) })
}
