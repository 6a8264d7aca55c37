package compile

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"

	"rtfm/ruleset/match"

	"rtfm/ruleset/attr"

	"rtfm/ruleset/pme"
	"rtfm/ruleset/srl"
)

// machine executes a program's syntax tree over one packet, as RFC 2723
// tells it: what compiled programs are compared with. It shares no code with
// the compiler.
type machine struct {
	prog     *srl.Program
	key      attr.Key // its Class and Kind are the variables
	reversed bool
	saved    []saved
	params   map[string]attr.Attr
	steps    int
}

type saved struct {
	attr        attr.Attr
	mask, value [attr.MaxAddress]byte
}

// outcome is how a statement ended.
type outcome struct {
	kind  outcomeKind
	label string // of exits
	n     int    // of returns
	of    pme.Verdict
}

type outcomeKind int

const (
	falls outcomeKind = iota // goes on to the next statement
	exits
	returns
	done
)

// run executes the program and returns the verdict; for Success, saved holds
// what was saved.
func run(p *srl.Program, pkt *match.Packet, reversed bool) (pme.Verdict, []saved) {
	m := &machine{prog: p, key: pkt.Key, reversed: reversed}
	for a := attr.SourceClass; a <= attr.FlowKind; a++ {
		m.key[a.Info().Offset] = 0
	}
	if o := m.stmts(p.Stmts); o.kind == done {
		return o.of, m.saved
	}
	return pme.NoMatch, nil
}

func (m *machine) stmts(list []srl.Stmt) outcome {
	for _, s := range list {
		if o := m.stmt(s); o.kind != falls {
			return o
		}
	}
	return outcome{}
}

func (m *machine) stmt(s srl.Stmt) outcome {
	if m.steps++; m.steps > 1e6 {
		panic("the program does not end")
	}
	switch s := s.(type) {
	case nil, *srl.Empty:
	case *srl.If:
		for _, a := range s.Arms {
			if ok, matched := m.eval(a.Cond, false); ok {
				if a.Save {
					m.saved = append(m.saved, matched...)
				}
				return m.stmt(a.Then)
			}
		}
		return m.stmt(s.Else)
	case *srl.Compound:
		o := m.stmts(s.Stmts)
		if o.kind == exits && strings.EqualFold(o.label, s.Label.Text) {
			return outcome{}
		}
		return o
	case *srl.Save:
		m.save(s)
	case *srl.SaveList:
		for _, one := range s.List {
			m.save(one)
		}
	case *srl.Store:
		a := m.attr(s.Variable.Text)
		v := octetsOf(a, s.Value.Text)
		m.key[a.Info().Offset] = v[0]
		m.saved = append(m.saved, saved{a, [20]byte{255}, v})
	case *srl.Call:
		return m.call(s)
	case *srl.Leave:
		return outcome{kind: exits, label: s.Label.Text}
	case *srl.Back:
		if !s.Labelled {
			return outcome{kind: returns, n: -1}
		}
		return outcome{kind: returns, n: s.N}
	case *srl.Count:
		return outcome{kind: done, of: pme.Success}
	case *srl.Ignore:
		return outcome{kind: done, of: pme.Ignore}
	case *srl.NoMatch:
		return outcome{kind: done, of: pme.NoMatch}
	default:
		panic(fmt.Sprintf("%T", s))
	}
	return outcome{}
}

func (m *machine) save(s *srl.Save) {
	a := m.attr(s.Attr.Text)
	mask := maskOf(a, s.Operand)
	value := m.packet(a)
	if s.Assign {
		value = octetsOf(a, s.Operand.Value.Text)
	}
	value = and(value, mask)
	m.saved = append(m.saved, saved{a, mask, value})
	if s.Assign && a.Info().Class == attr.ClassComputed {
		m.key[a.Info().Offset] = value[0]
	}
}

func (m *machine) call(s *srl.Call) outcome {
	var sub *srl.Subroutine
	for _, d := range m.prog.Subs {
		if strings.EqualFold(d.Name.Text, s.Sub.Text) {
			sub = d
		}
	}
	params := map[string]attr.Attr{}
	for i, p := range sub.Params {
		params[strings.ToLower(p.Name.Text)] = m.attr(s.Args[i].Text)
	}
	outer := m.params
	m.params = params
	o := m.stmts(sub.Stmts)
	m.params = outer
	if o.kind == done {
		return o
	}
	for _, r := range s.Returns {
		for _, l := range r.Labels {
			if o.kind == returns && l.N == o.n {
				return m.stmt(r.Stmt)
			}
		}
	}
	return outcome{}
}

// eval evaluates an expression, or its negation, and tells what it would save.
func (m *machine) eval(e srl.Expr, not bool) (bool, []saved) {
	switch e := e.(type) {
	case *srl.Or:
		return m.evalList(e.Terms, not, not)
	case *srl.And:
		return m.evalList(e.Factors, !not, not)
	case *srl.Not:
		return m.eval(e.X, !not)
	}
	t := e.(*srl.Test)
	switch strings.ToLower(t.Attr.Text) {
	case "host":
		return m.either(t, "SourcePeerAddress", "DestPeerAddress", not)
	case "port":
		return m.either(t, "SourceTransAddress", "DestTransAddress", not)
	}
	a := m.attr(t.Attr.Text)
	value := func() []saved {
		v := m.packet(a)
		return []saved{{a, maskOf(a, srl.Operand{}), v}}
	}
	op := t.Op
	if not {
		op = [...]srl.Op{srl.NotEqual, srl.Equal, srl.GreaterEqual, srl.Greater, srl.LessEqual, srl.Less}[op]
	}
	if op == srl.Equal {
		return m.equals(a, t.Operands, value)
	}
	if op == srl.NotEqual {
		if is, _ := m.equals(a, t.Operands, value); is {
			return false, nil
		}
		return true, value()
	}
	v, limit := m.packet(a), octetsOf(a, t.Operands[0].Value.Text)
	if order := bytes.Compare(v[:], limit[:]); order < 0 && op == srl.Less || order <= 0 && op == srl.LessEqual ||
		order > 0 && op == srl.Greater || order >= 0 && op == srl.GreaterEqual {
		return true, value()
	}
	return false, nil
}

// either evaluates a test of either end: != is the contrary of ==.
func (m *machine) either(t *srl.Test, source, dest string, not bool) (bool, []saved) {
	a, b := *t, *t
	a.Attr.Text, b.Attr.Text = source, dest
	if t.Op == srl.NotEqual {
		return m.eval(&srl.And{Factors: []srl.Expr{&a, &b}}, not)
	}
	return m.eval(&srl.Or{Terms: []srl.Expr{&a, &b}}, not)
}

// evalList evaluates expressions, or their negations, all of which must be true
// or one of them.
func (m *machine) evalList(list []srl.Expr, all, not bool) (bool, []saved) {
	var every []saved
	for _, x := range list {
		ok, s := m.eval(x, not)
		switch {
		case ok && !all:
			return true, s
		case !ok && all:
			return false, nil
		}
		every = append(every, s...)
	}
	return all, every
}

// equals compares with operands; value gives what a range saves.
func (m *machine) equals(a attr.Attr, operands []srl.Operand, value func() []saved) (bool, []saved) {
	for _, o := range operands {
		if o.To.Text != "" {
			first, last, v := octetsOf(a, o.Value.Text), octetsOf(a, o.To.Text), m.packet(a)
			n := a.Info().Size
			if a.IsPeer() {
				n = 4
				if strings.Contains(o.To.Text, ":") {
					n = 16
				}
			}
			if bytes.Compare(first[:n], v[:n]) <= 0 && bytes.Compare(v[:n], last[:n]) <= 0 {
				return true, value()
			}
			continue
		}

		mask, value := maskOf(a, o), octetsOf(a, o.Value.Text)
		if a == attr.MatchingStoD {
			is := func(b byte) bool { return b&mask[0] == value[0] }
			if !m.reversed && is(1) || m.reversed && (is(0) || is(2)) {
				return true, nil
			}
		} else if and(m.packet(a), mask) == value {
			return true, []saved{{a, mask, value}}
		}
	}
	return false, nil
}

func (m *machine) attr(name string) attr.Attr {
	if a, ok := m.params[strings.ToLower(name)]; ok {
		return a
	}
	a, ok := attr.ByName(name)
	if !ok {
		a, ok = map[string]attr.Attr{"src port": attr.SourceTransAddress, "dst": attr.DestPeerAddress}[name]
	}
	if !ok {
		panic(name)
	}
	return a
}

// packet returns the attribute's value, filled with zeros.
func (m *machine) packet(a attr.Attr) (v [20]byte) {
	in := a.Info()
	copy(v[:], m.key[in.Offset:in.Offset+in.Size])
	return v
}

func octetsOf(a attr.Attr, text string) [20]byte {
	v, ok := attr.ValueName(a, text)
	if !ok {
		size := a.Info().Size
		if a.Info().Variable {
			size = 0
		}
		var err error
		if v, err = attr.ParseValue(text, size); err != nil {
			panic(err)
		}
	}
	v, _ = v.Fit(a)
	return v.Padded()
}

func maskOf(a attr.Attr, o srl.Operand) (m [20]byte) {
	bits := 8 * a.Info().Size
	switch {
	case o.Width:
		bits, _ = strconv.Atoi(o.Mask.Text)
	case o.Mask.Text != "":
		return octetsOf(a, o.Mask.Text)
	}
	for i := range bits {
		m[i/8] |= 0x80 >> (i % 8)
	}
	return m
}

func and(a, b [20]byte) [20]byte {
	for i := range a {
		a[i] &= b[i]
	}
	return a
}
