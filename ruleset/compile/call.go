package compile

import (
	"fmt"
	"slices"
	"strings"

	"rtfm/ruleset/attr"

	"rtfm/ruleset"
	"rtfm/ruleset/srl"
)

// subroutine is what is known of a subroutine before it is called.
type subroutine struct {
	decl *srl.Subroutine
	// labels are the return labels that any CALL of it has, in order. A
	// RETURN to the first goes to the rule after the Gosub, and so on; one
	// with no label, or one that no CALL has, goes to the rule after theirs.
	labels []int
	backs  map[int]bool         // what its RETURNs have
	copies map[string]*instance // by parameters
	busy   bool                 // being compiled
}

// instance is a copy of a subroutine for certain parameters.
type instance struct {
	sub     *subroutine
	entry   *node
	returns []*node // by parameter of Return, nil where there is none
	depth   int     // how deep calls nest in it, itself included
}

// declare notes all subroutines and the return labels of their calls.
func (c *compiler) declare() {
	for _, d := range c.prog.Subs {
		key := strings.ToLower(d.Name.Text)
		c.subs[key] = &subroutine{decl: d, copies: map[string]*instance{}, backs: map[int]bool{}}
		c.reserved(d.Name)
		for _, p := range d.Params {
			c.reserved(p.Name)
		}
	}
	for _, d := range c.prog.Defines {
		c.reserved(srl.Word{Place: d.NamePlace, Text: d.Name})
	}
	c.labels(nil, c.prog.Stmts)
	for _, d := range c.prog.Subs {
		c.labels(c.subs[strings.ToLower(d.Name.Text)], d.Stmts)
	}
	for _, s := range c.subs {
		slices.Sort(s.labels)
		s.labels = slices.Compact(s.labels)
	}
}

// reserved reports a name that RFC 2723 appendix C keeps for an attribute.
func (c *compiler) reserved(name srl.Word) {
	if a, ok := attr.ByName(name.Text); ok && (standard(a) || counter(a)) && strings.EqualFold(name.Text, a.String()) {
		c.errorf(name.Place, "%s is an attribute: nothing else can have its name", name.Text)
	}
}

// labels notes the return labels of all calls and RETURNs in the statements of
// a subroutine, or of the main program if it is nil.
func (c *compiler) labels(in *subroutine, list []srl.Stmt) {
	for _, s := range list {
		switch s := s.(type) {
		case *srl.If:
			for _, a := range s.Arms {
				c.labels(in, []srl.Stmt{a.Then})
			}
			c.labels(in, []srl.Stmt{s.Else})
		case *srl.Compound:
			c.reserved(s.Label)
			c.labels(in, s.Stmts)
		case *srl.Back:
			if s.Labelled {
				in.backs[s.N] = true
			}
		case *srl.Call:
			sub := c.subs[strings.ToLower(s.Sub.Text)]
			for _, r := range s.Returns {
				c.labels(in, []srl.Stmt{r.Stmt})
				for _, l := range r.Labels {
					if sub != nil {
						sub.labels = append(sub.labels, l.N)
					}
				}
			}
		}
	}
}

func (c *compiler) call(sc *scope, s *srl.Call, next *node) *node {
	sub := c.subs[strings.ToLower(s.Sub.Text)]
	// What follows the returns is looked at even if the call is wrong.
	after := map[int]*node{}
	for _, r := range s.Returns {
		first := next
		if r.Stmt != nil {
			first = c.stmt(sc, r.Stmt, next)
		}
		for _, l := range r.Labels {
			after[l.N] = first
			if sub != nil && !sub.backs[l.N] {
				c.warnf(l.Place, NoReturn, "%s has no RETURN %d", sub.decl.Name.Text, l.N)
			}
		}
	}
	if sub == nil {
		c.noSubroutine(s)
		return next
	}
	refs, ok := c.args(sc, s, sub)
	if !ok {
		return next
	}
	copied := c.instance(sub, refs, s)
	if copied == nil {
		return next
	}
	n := node{op: ruleset.OpGosub, succ: copied.entry, at: s.Place}
	if c.pads += len(copied.returns); c.pads > c.maxNodes {
		c.tooLong("takes more than %d rules, most of them behind its CALLs", c.maxNodes)
		return next
	}
	for i := 1; i < len(copied.returns); i++ {
		pad := next
		if i <= len(sub.labels) && after[sub.labels[i-1]] != nil {
			pad = after[sub.labels[i-1]]
		}
		n.pads = append(n.pads, pad)
	}
	return c.action(n)
}

func (c *compiler) noSubroutine(s *srl.Call) {
	known := func() (names []string) {
		for _, d := range c.prog.Subs {
			names = append(names, d.Name.Text)
		}
		if s.Bare {
			names = append(names, "COUNT", "IGNORE", "NOMATCH", "RETURN")
		}
		return names
	}
	if s.Bare && strings.EqualFold(s.Sub.Text, "end") {
		c.errorf(s.Sub.Place, "no statement or subroutine %q; did you mean ENDSUB?", s.Sub.Text)
		return
	}
	what := "subroutine"
	if s.Bare {
		what = "statement or subroutine"
	}
	c.unknown(s.Sub, what, known)
}

// args finds the attributes that a call gives to the subroutine's parameters.
func (c *compiler) args(sc *scope, s *srl.Call, sub *subroutine) ([]reference, bool) {
	params := sub.decl.Params
	name := sub.decl.Name.Text
	ok := true
	var refs []reference
	for i, w := range s.Args {
		ref, found := c.attribute(sc, w)
		if !found {
			ok = false
			continue
		}
		if i < len(params) {
			isVariable := ref.class() == attr.ClassComputed
			switch p := params[i]; {
			case p.Variable && !isVariable:
				c.errorf(w.Place, "parameter %s of %s is a VARIABLE, such as FlowKind, not %s", p.Name.Text, name, ref)
				ok = false
			case !p.Variable && isVariable:
				c.errorf(w.Place, "parameter %s of %s is an ADDRESS, such as SourcePeerAddress, not the variable %s", p.Name.Text, name, ref)
				ok = false
			}
		}
		refs = append(refs, ref)
	}
	if len(s.Args) != len(params) {
		c.errorf(s.Sub.Place, "%s takes %d parameters (%s), the CALL has %d",
			name, len(params), sub.decl.Where(), len(s.Args))
		ok = false
	}
	return refs, ok
}

// instance returns the copy of a subroutine for these parameters, nil when
// there cannot be one.
func (c *compiler) instance(sub *subroutine, refs []reference, s *srl.Call) *instance {
	name := sub.decl.Name.Text
	if c.full() {
		return nil
	}
	if sub.busy {
		path, inside := "", false
		for _, inst := range c.calls {
			if inside = inside || inst.sub == sub; inside && len(path) < 200 {
				path += inst.sub.decl.Name.Text + " calls "
			}
		}
		if !sub.decl.Open { // its ENDSUB is missing, which has been reported
			c.errorf(s.Sub.Place, "a subroutine cannot call itself: %s%s", path, name)
		}
		return nil
	}
	var key strings.Builder
	for _, r := range refs {
		fmt.Fprintf(&key, "%d %v,", r.attr, r.any)
	}
	copied := sub.copies[key.String()]
	if copied == nil && len(c.calls) < maxCalls {
		copied = c.newInstance(sub, refs, s)
		sub.copies[key.String()] = copied
	}
	if copied == nil || len(c.calls)+copied.depth > maxCalls {
		c.errorf(s.Sub.Place, "calls nest more than %d deep", maxCalls)
		return nil
	}
	if len(c.calls) > 0 {
		caller := c.calls[len(c.calls)-1]
		caller.depth = max(caller.depth, copied.depth+1)
	}
	return copied
}

// newInstance compiles a subroutine for these parameters of call s.
func (c *compiler) newInstance(sub *subroutine, refs []reference, s *srl.Call) *instance {
	const stepsOfCopy, stepsOfParameter = 4, 16 // by the memory that they take
	c.spend(stepsOfCopy + stepsOfParameter*len(refs) + len(sub.labels))
	copied := &instance{sub: sub, depth: 1}
	sc := &scope{params: map[string]reference{}, exits: map[string]*node{}, copy: copied}
	for i, p := range sub.decl.Params {
		ref := refs[i]
		ref.param = fmt.Sprintf("%s in the call at %s", p.Name.Text, s.Where())
		if ref.any {
			ref.param = p.Name.Text
		}
		sc.params[strings.ToLower(p.Name.Text)] = ref
	}
	sub.busy = true
	caller := c.at
	c.at = sub.decl.Place
	c.calls = append(c.calls, copied)
	copied.entry = c.stmts(sc, sub.decl.Stmts, c.back(sc, noLabel))
	c.calls = c.calls[:len(c.calls)-1]
	sub.busy = false
	c.at = caller
	copied.returns = copied.returns[:copied.lastReturn()+1]
	return copied
}

// lastReturn finds the greatest parameter of the Returns that can be reached.
func (inst *instance) lastReturn() int {
	last := 0
	seen := map[*node]bool{nil: true}
	todo := []*node{inst.entry}
	for len(todo) > 0 {
		n := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[n] {
			continue
		}
		seen[n] = true
		if n.op == ruleset.OpReturn {
			last = max(last, n.ret)
		}
		if n.op == ruleset.OpGosub {
			todo = append(todo, n.pads...)
		} else {
			todo = append(todo, n.succ)
		}
		todo = append(todo, n.fail)
	}
	return last
}

// noLabel is that of a RETURN without number, which no CALL has.
const noLabel = -1

// back returns the node of a RETURN with this label.
func (c *compiler) back(sc *scope, label int) *node {
	inst := sc.copy
	i, ok := slices.BinarySearch(inst.sub.labels, label)
	if !ok {
		i = len(inst.sub.labels)
	}
	for len(inst.returns) <= i+1 {
		inst.returns = append(inst.returns, nil)
	}
	if inst.returns[i+1] == nil {
		inst.returns[i+1] = c.action(node{op: ruleset.OpReturn, ret: i + 1})
	}
	return inst.returns[i+1]
}

// uncalled looks for faults in subroutines that no CALL has reached.
func (c *compiler) uncalled() {
	for _, d := range c.prog.Subs {
		sub := c.subs[strings.ToLower(d.Name.Text)]
		if len(sub.copies) > 0 {
			continue
		}
		c.warnf(d.Name.Place, Uncalled, "subroutine %s is never called", d.Name.Text)
		refs := make([]reference, len(d.Params))
		for i, p := range d.Params {
			refs[i] = reference{attr: attr.V1, any: true}
			if p.Variable {
				refs[i] = reference{attr: attr.FlowKind}
			}
		}
		call := &srl.Call{Place: d.Place, Sub: d.Name}
		c.instance(sub, refs, call)
	}
}
