// Package cover tells how often each line of a program ran with the packets of traces,
// which of its tests held, and what the packets were that it did not count. It watches
// the engine at work (pme.Program.Watch); packets that are alike to the program are
// watched once.
package cover

import (
	"slices"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/lint"
	"rtfm/ruleset/match"
	"rtfm/ruleset/pme"
	"rtfm/ruleset/srl"
)

// mostAlike is of how many kinds of packets it is remembered what the rules do. Tests set
// it.
var mostAlike = 50_000

// Counter runs a ruleset over packets. It is not safe for concurrent use.
type Counter struct {
	rs      *ruleset.RuleSet
	program *pme.Program
	shapes  match.Shapes
	visible attr.Key
	alike   map[alike]*way
	runs    map[place]uint64
	ends    *endings
	at      []ruleset.Place // of each rule, see endings.at
	not     []bool          // of each rule, whether it holds where the program's test does not
	tests   map[spot]*Test
	kinds   map[kind]*Left

	// Packets is how many there were, Counted and Back how many were counted as they
	// came and with source and destination changed over, the others why they were not.
	Packets, Counted, Back, Ignored, Unmatched, Stopped uint64
}

// alike is what of a packet the rules can see.
type alike struct {
	key            attr.Key
	peer, adjacent uint8
}

// way is what the rules do with packets that are alike.
type way struct {
	steps   []step
	verdict pme.Verdict
	back    bool
	times   uint64
}

// step is a rule that was come to.
type step struct {
	rule         int32
	tested, held bool
	attr         attr.Attr
}

// spot is a line of the program and an attribute that it tests.
type spot struct {
	file string
	line int
	attr attr.Attr
}

// Test is how often a line's test of an attribute held.
type Test struct {
	Attr   string `json:"attribute"`
	Held   uint64 `json:"held"`
	Failed uint64 `json:"failed"`
}

// Left is a kind of packets that were not counted.
type Left struct {
	Verdict  string `json:"verdict"` // ignored, unmatched or stopped
	Family   string `json:"family"`  // IPv4, IPv6 or another type of peer address
	Protocol string `json:"protocol"`
	Port     string `json:"port,omitempty"` // the lower of both, or the type of ICMP
	Packets  uint64 `json:"packets"`
	Octets   uint64 `json:"octets"`
}

// New prepares a ruleset; p is the program that it was compiled from, with
// srl.Options.Plain, nil for a rule file.
func New(rs *ruleset.RuleSet, p *srl.Program) (*Counter, error) {
	c := &Counter{rs: rs, alike: map[alike]*way{}, runs: map[place]uint64{}, tests: map[spot]*Test{}, kinds: map[kind]*Left{}}
	c.ends = endingsOf(p)
	for i := range rs.Rules {
		r := &rs.Rules[i]
		c.at = append(c.at, c.ends.at(r))
		o := c.ends.tests[placeOf(r.At)]
		c.not = append(c.not, o.test != nil && r.Attr != attr.Null && lint.Excludes(o.test, o.of, r))
	}
	var err error
	if c.program, err = pme.Compile(rs, 1, &c.shapes); err != nil {
		return nil, err
	}
	c.visible = c.program.Visible()
	return c, nil
}

// Add runs the rules over a packet.
func (c *Counter) Add(p *match.Packet) {
	like := alike{key: p.Key, peer: p.PeerLen, adjacent: p.AdjacentLen}
	for i, v := range c.visible {
		like.key[i] &= v
	}
	w := c.alike[like]
	if w == nil {
		if len(c.alike) >= mostAlike {
			c.sum()
		}
		w = c.watch(p)
		c.alike[like] = w
	}
	w.times++
	if w.verdict != pme.Success {
		c.leave(p, w.verdict)
	}
}

// watch notes what the rules do with a packet.
func (c *Counter) watch(p *match.Packet) *way {
	w := &way{}
	var k match.FlowKey
	c.program.Watch(func(s *pme.Step) {
		w.steps = append(w.steps, step{int32(s.Rule - 1), s.Tested, s.Held, s.Attr})
	})
	key := p.Key
	if w.verdict = c.program.Match(p, &key, false, &k); w.verdict == pme.NoMatch {
		w.steps = append(w.steps, step{rule: -1}) // between the two tries
		key = p.Key.Reverse()
		w.verdict, w.back = c.program.Match(p, &key, true, &k), true
	}
	return w
}

// sum adds up what was noted, and forgets it.
func (c *Counter) sum() {
	for _, w := range c.alike {
		c.Packets += w.times
		switch {
		case w.verdict == pme.Success && w.back:
			c.Back += w.times
		case w.verdict == pme.Success:
			c.Counted += w.times
		case w.verdict == pme.Ignore:
			c.Ignored += w.times
		case w.verdict == pme.NoMatch:
			c.Unmatched += w.times
		default:
			c.Stopped += w.times
		}
		for i := range w.steps {
			c.step(w, i)
		}
	}
	clear(c.alike)
}

// step adds a step of a way. Tests of one attribute in a line that follow each other
// are one test, of a list: the last of them tells whether it held.
func (c *Counter) step(w *way, i int) {
	s := w.steps[i]
	if s.rule < 0 {
		return
	}
	r := &c.rs.Rules[s.rule]
	at := c.at[s.rule]
	var before *ruleset.Rule
	again := false // of one statement or operand
	if i > 0 && w.steps[i-1].rule >= 0 {
		before = &c.rs.Rules[w.steps[i-1].rule]
		again = c.at[w.steps[i-1].rule] == at
	}
	if isReturn := r.Op == ruleset.OpReturn && r.Attr == attr.Null; !isReturn && !again {
		c.runs[placeOf(at)] += w.times
	}
	if end := c.ends.of(r, before); s.held && end != nil {
		c.runs[placeOf(end.At())] += w.times
	}
	if !s.tested || s.attr == attr.Null {
		return
	}
	in := c.spot(s)
	if !s.held && i+1 < len(w.steps) {
		if next := w.steps[i+1]; next.rule == s.rule+1 && next.tested && c.spot(next) == in {
			return
		}
	}
	t := c.tests[in]
	if t == nil {
		t = &Test{Attr: s.attr.String()}
		c.tests[in] = t
	}
	if s.held != c.not[s.rule] {
		t.Held += w.times
	} else {
		t.Failed += w.times
	}
}

// spot returns where the test of a step stands.
func (c *Counter) spot(s step) spot {
	at := c.at[s.rule]
	if o := c.ends.tests[placeOf(at)]; o.test != nil {
		at = o.test.Place
	}
	file, line := fileOf(at)
	return spot{file, line, s.attr}
}

// fileOf returns the file and line of a place, the file empty for the program's own.
func fileOf(at ruleset.Place) (file string, line int) {
	if at.Def != nil {
		file = at.Def.File
	}
	return file, int(at.Line)
}

// kind is what packets that are not counted are told apart by.
type kind struct {
	verdict     pme.Verdict
	peer, trans uint8
	port        uint16
}

// mostKinds bounds them: what more there are is told as of no protocol.
const mostKinds = 100_000

// leave notes a packet that is not counted.
func (c *Counter) leave(p *match.Packet, v pme.Verdict) {
	k := kind{verdict: v, peer: p.Key.PeerType(), trans: p.Key.TransType()}
	source, dest := port(p, attr.Source), port(p, attr.Dest)
	if k.port = min(source, dest); k.trans == icmp || k.trans == icmp6 {
		k.port = source // the type
	}
	l := c.kinds[k]
	if l == nil && len(c.kinds) >= mostKinds {
		k = kind{verdict: v}
		l = c.kinds[k]
	}
	if l == nil {
		l = &Left{Verdict: verdicts[v]}
		l.Family, l.Protocol, l.Port = k.names()
		c.kinds[k] = l
	}
	l.Packets++
	l.Octets += uint64(p.FrameOctets)
}

const icmp, icmp6 = 1, 58 // protocols

func port(p *match.Packet, end int) uint16 {
	t := p.Key.Trans(end)
	return uint16(t[0])<<8 | uint16(t[1])
}

// names returns what people call the address family, the protocol and the port.
func (k *kind) names() (family, protocol, port string) {
	family = attr.NameOf(attr.SourcePeerType, uint64(k.peer), 0)
	if k.peer != 1 && k.peer != 2 {
		return family, "", ""
	}
	all := attr.Ones(2)
	b := attr.Beside{PeerType: k.peer, TransType: k.trans, HasTrans: true}
	protocol = attr.Show(attr.SourceTransType, []byte{k.trans}, attr.Ones(1), b, false)
	if attr.HasPorts(k.trans) {
		port = attr.Show(attr.SourceTransAddress, []byte{byte(k.port >> 8), byte(k.port)}, all, b, false)
	}
	return family, protocol, port
}

// verdicts are the meter's words for those of the engine.
var verdicts = [...]string{pme.NoMatch: "unmatched", pme.Ignore: "ignored", pme.Success: "counted", pme.Stopped: "stopped"}

// left returns the kinds of packets that were not counted, the most packets first.
func (c *Counter) left() []Left {
	all := make([]Left, 0, len(c.kinds))
	for _, l := range c.kinds {
		all = append(all, *l)
	}
	slices.SortFunc(all, func(a, b Left) int {
		switch {
		case a.Packets != b.Packets && a.Packets > b.Packets:
			return -1
		case a.Packets != b.Packets:
			return 1
		case a.Verdict+a.Family+a.Protocol+a.Port < b.Verdict+b.Family+b.Protocol+b.Port:
			return -1
		}
		return 1
	})
	return all
}
