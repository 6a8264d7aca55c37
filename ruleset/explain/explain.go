// Package explain tells what a ruleset does with a packet: which tests it makes and
// what the packet has there, what is saved, and which flow comes of it, in the lines
// of the program's own text. It watches the engine at work (pme.Program.Watch), so
// that nothing is explained otherwise than it is done.
package explain

import (
	"bytes"
	"fmt"
	"strings"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/ruleset/pme"
)

// Explainer runs a ruleset over the packets of a trace, all of them in order: which
// direction of a flow a packet is of depends on those before it. It is not safe for
// concurrent use.
type Explainer struct {
	rs      *ruleset.RuleSet
	program *pme.Program
	shapes  match.Shapes
	source  func(file string) []byte
	lines   map[string][][]byte // by file, once they are needed
	flows   map[match.FlowKey]int
	packets int
}

// Explanation is what became of a packet.
type Explanation struct {
	Packet int `json:"packet"` // its number, from 1
	// Time is in nanoseconds since 1970-01-01 00:00:00 UTC.
	Time    int64  `json:"time"`
	Tries   []Try  `json:"tries"`
	Verdict string `json:"verdict"` // counted, ignored, unmatched or stopped
	// Of packets that are counted: what their flow saves, the packet with which it
	// began, and whether this one goes back, from the flow's destination to its source.
	Flow  []Value `json:"flow,omitempty"`
	Began int     `json:"began,omitempty"`
	Back  bool    `json:"back,omitempty"`

	has []Value // what the packet is
}

// Try is one run of the rules: the second has source and destination changed over.
type Try struct {
	ChangedOver bool   `json:"changedOver"`
	Steps       []Step `json:"steps"`
	Verdict     string `json:"verdict"`
}

// Step is what was done for a part of a statement.
type Step struct {
	File string `json:"file,omitempty"` // empty for the program's own
	Line int    `json:"line,omitempty"`
	Text string `json:"text,omitempty"` // of the line
	// Attr is what was tested or saved, Value what the packet has there, and Against
	// what it was compared with: one value, or how many. Held says whether it is one
	// of these.
	Attr    string `json:"attribute,omitempty"`
	Value   string `json:"value,omitempty"`
	Tested  bool   `json:"tested,omitempty"`
	Against string `json:"against,omitempty"`
	Held    bool   `json:"held,omitempty"`
	// Does is what follows: saves, counts, ...
	Does string `json:"does,omitempty"`

	values int // that it was compared with
}

// Value is an attribute and what people call its value.
type Value struct {
	Attr  string `json:"attribute"`
	Value string `json:"value"`
}

// New prepares a ruleset. source returns the text of a file that its rules' places
// are in, nil if there is none.
func New(rs *ruleset.RuleSet, source func(file string) []byte) (*Explainer, error) {
	e := &Explainer{rs: rs, source: source, lines: map[string][][]byte{}, flows: map[match.FlowKey]int{}}
	var err error
	e.program, err = pme.Compile(rs, 1, &e.shapes)
	return e, err
}

// Next goes on with the next packet of the trace, which is explained if that is
// wanted; else the result is nil.
func (e *Explainer) Next(p *match.Packet, wanted bool) *Explanation {
	e.packets++
	var ex *Explanation
	if wanted {
		ex = &Explanation{Packet: e.packets, Time: p.Time, has: values(p, &p.Key, ends)}
	}
	v, flow, began, back := e.count(p, ex)
	if ex != nil {
		ex.Verdict = verdicts[v]
	}
	if ex != nil && v == pme.Success {
		ex.Began, ex.Back, ex.Flow = began, back, flowValues(&flow)
	}
	return ex
}

// count does with a packet what a meter does, with steps noted in ex unless that is
// nil. The flow is as it began, which back says that the packet goes back in.
func (e *Explainer) count(p *match.Packet, ex *Explanation) (v pme.Verdict, flow match.FlowKey, began int, back bool) {
	key := p.Key
	v = e.match(p, &key, false, &flow, ex)
	if back = v == pme.NoMatch; back {
		key = p.Key.Reverse()
		v = e.match(p, &key, true, &flow, ex)
	}
	if v != pme.Success {
		return v, flow, 0, false
	}
	began, isBack := e.place(flow, back)
	if isBack != back {
		flow = flow.Reverse()
	}
	return v, flow, began, isBack
}

// verdicts are the meter's words for those of the engine.
var verdicts = [...]string{pme.NoMatch: "unmatched", pme.Ignore: "ignored", pme.Success: "counted", pme.Stopped: "stopped"}

// place finds the flow of a packet as RFC 2722 section 4.3 has it, and makes it if
// there is none; back says that the packet has matched changed over.
func (e *Explainer) place(k match.FlowKey, back bool) (began int, isBack bool) {
	if n := e.flows[k]; n != 0 {
		return n, back
	}
	if n := e.flows[k.Reverse()]; n != 0 && !back {
		return n, true
	}
	e.flows[k] = e.packets
	return e.packets, back
}

// match runs the rules, with steps noted in ex unless that is nil.
func (e *Explainer) match(p *match.Packet, key *attr.Key, reversed bool, k *match.FlowKey, ex *Explanation) pme.Verdict {
	if ex == nil {
		e.program.Watch(nil)
		return e.program.Match(p, key, reversed, k)
	}
	try := Try{ChangedOver: reversed}
	e.program.Watch(func(s *pme.Step) { try.add(e.step(s, p, key)) })
	v := e.program.Match(p, key, reversed, k)
	try.Verdict = verdicts[v]
	ex.Tries = append(ex.Tries, try)
	return v
}

// add appends a step. Tests of one attribute in one line are one step, up to the one
// that held: they are a list.
func (t *Try) add(s Step) {
	if s.Does == "" && !s.Tested {
		return // a jump
	}
	if n := len(t.Steps) - 1; n >= 0 {
		last := &t.Steps[n]
		if last.Tested && !last.Held && s.Tested && last.Line == s.Line && last.File == s.File && last.Attr == s.Attr {
			s.values = last.values + 1
			if !s.Held {
				s.Against = fmt.Sprintf("any of %d values", s.values)
			}
			*last = s
			return
		}
	}
	t.Steps = append(t.Steps, s)
}

// step tells of a rule that was come to.
func (e *Explainer) step(s *pme.Step, p *match.Packet, key *attr.Key) Step {
	r := &e.rs.Rules[s.Rule-1]
	step := Step{Held: s.Held, values: 1}
	e.locate(&step, s.Rule)
	if s.Attr != attr.Null && (s.Tested || r.Op.Pushes()) {
		step.Attr = s.Attr.String()
		step.Value = valueOf(s.Attr, p, key)
		step.Tested = s.Tested
		if s.Attr == attr.MatchingStoD {
			step.Value = map[bool]string{false: "1", true: "0"}[s.Reversed]
		}
	}
	if step.Tested {
		step.Against = show(s.Attr, r, key)
	}
	if s.Held {
		step.Does = does(s.Attr, r, key)
		if it := "saves " + s.Attr.String() + " = " + step.Value; step.Tested && strings.HasPrefix(step.Does, it) {
			step.Does = "saves it" + strings.TrimPrefix(step.Does, it)
		}
	}
	return step
}

// locate finds the line of a rule.
func (e *Explainer) locate(step *Step, rule int) {
	at := e.rs.Rules[rule-1].At
	file := e.rs.File
	if at.Def != nil && at.Def.File != "" {
		file, step.File = at.Def.File, at.Def.File
	}
	if r := &e.rs.Rules[rule-1]; !at.Known() || r.IsEnd() {
		step.Text = "(the end of the program)"
		return
	}
	lines, known := e.lines[file]
	if !known {
		lines = bytes.Split(e.source(file), []byte("\n"))
		e.lines[file] = lines
	}
	step.Line = int(at.Line)
	if step.Line <= len(lines) {
		step.Text = strings.TrimSpace(string(lines[step.Line-1]))
	}
}

// does says what a rule does when its test has held.
func does(a attr.Attr, r *ruleset.Rule, key *attr.Key) string {
	switch r.Op {
	case ruleset.OpIgnore:
		return "ignores the packet"
	case ruleset.OpNoMatch:
		return "does not match"
	case ruleset.OpCount, ruleset.OpCountPkt:
		if a == attr.Null {
			return "counts"
		}
		return "saves " + saved(a, r, key) + " and counts"
	case ruleset.OpPushRuleTo, ruleset.OpPushRuleToAct, ruleset.OpPushPktTo, ruleset.OpPushPktToAct:
		return "saves " + saved(a, r, key)
	case ruleset.OpPopTo, ruleset.OpPopToAct:
		return "takes back the last save"
	case ruleset.OpGosub, ruleset.OpGosubAct:
		return "calls the subroutine"
	case ruleset.OpReturn:
		return "returns"
	case ruleset.OpAssign, ruleset.OpAssignAct:
		return fmt.Sprintf("%v stands for %v", r.Attr, attr.Attr(r.Value.Uint()))
	}
	return ""
}
