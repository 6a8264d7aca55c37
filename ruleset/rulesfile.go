package ruleset

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"

	"rtfm/ruleset/attr"

	"rtfm/ruleset/spell"
)

// ParseRules reads a rule file: rules of the form
//
//	label: attribute & mask = value: opcode, target;
//
// and the statements SET, RULES, FORMAT and STATISTICS. White space, line
// ends and the case of letters mean nothing, comments go from # to the end of
// the line. A target is a label, Next, or the number of a rule.
//
// Published rule files leave out a colon, comma or semicolon here and there;
// where the meaning is plain, that is only a warning. Other warnings are for
// rules that a meter accepts but that hardly do what was wanted. When there are
// errors, err is a Diagnostics that holds all of them, and rs is nil.
func ParseRules(file string, text []byte) (rs *RuleSet, warnings Diagnostics, err error) {
	p := rulesParser{
		file:   file,
		text:   strings.TrimPrefix(string(text), "\ufeff"),
		rs:     &RuleSet{Name: NameOf(file), File: file},
		labels: map[string]label{},
	}
	for p.skip() && len(p.errs) < maxErrors {
		p.statement()
	}
	if p.skip() {
		p.errorf(p.pos, "too many errors")
	}
	p.link()
	for _, pr := range p.rs.problems(len(p.errs) == 0) {
		if len(p.errs) > maxErrors {
			break
		}
		if pr.rule == 0 {
			p.report(0, pr.warning, pr.msg)
		} else if m := p.marks[pr.rule-1]; !m.bad {
			p.report(m.at, pr.warning, pr.msg)
		}
	}
	p.errs.Sort()
	p.warnings.Sort()
	if len(p.errs) > 0 {
		return nil, p.warnings, p.errs
	}
	return p.rs, p.warnings, nil
}

// maxErrors is after how many errors a text is not worth reading on, and
// after how many warnings no others are noted.
const maxErrors = 1000

// NameOf returns the name of the ruleset in a file: the file's, without
// directory and extension.
func NameOf(file string) string {
	file = file[strings.LastIndexByte(file, '/')+1:]
	if i := strings.LastIndexByte(file, '.'); i > 0 {
		file = file[:i]
	}
	return file
}

type rulesParser struct {
	file string
	text string
	pos  int
	rs   *RuleSet

	labels map[string]label // by lower-case name
	refs   []reference
	marks  []mark // of every rule
	seen   struct{ set, rules, format, statistics bool }
	// namedAt is where the present rule has an attribute's name for its
	// value, negative when it has not.
	namedAt int

	errs, warnings Diagnostics
	lines          []int // where lines begin, once a place is asked for
}

// label is where a label stands in the text, and the number of the rule
// after it.
type label struct{ at, rule int }

// reference is a use of a label in the rule of that number.
type reference struct {
	name     string
	at, rule int
}

// mark is where a rule stands in the text, and whether it has been found wrong.
type mark struct {
	at  int
	bad bool
}

// place returns the place of an offset in the text.
func (p *rulesParser) place(at int) Place {
	if p.lines == nil {
		p.lines = []int{0}
		for i := range len(p.text) {
			if p.text[i] == '\n' {
				p.lines = append(p.lines, i+1)
			}
		}
	}
	line := sort.SearchInts(p.lines, at+1)
	return Place{Line: int32(line), Col: int32(at - p.lines[line-1] + 1)}
}

func (p *rulesParser) report(at int, warning bool, msg string) {
	d := p.place(at).Diagnose(p.file, msg)
	d.Warning = warning
	if warning {
		if len(p.warnings) == maxErrors {
			d.Msg = "too many warnings"
		}
		if len(p.warnings) <= maxErrors {
			p.warnings = append(p.warnings, d)
		}
	} else {
		p.errs = append(p.errs, d)
	}
}

func (p *rulesParser) errorf(at int, format string, args ...any) {
	p.report(at, false, fmt.Sprintf(format, args...))
}

func (p *rulesParser) warnf(at int, format string, args ...any) {
	p.report(at, true, fmt.Sprintf(format, args...))
}

// skip goes on to the next token; false at the end of the text.
func (p *rulesParser) skip() bool {
	p.pos = skipBlanks(p.text, p.pos)
	return p.pos < len(p.text)
}

// peek goes on to the next token and returns its first octet, 0 at the end.
func (p *rulesParser) peek() byte {
	if p.skip() {
		return p.text[p.pos]
	}
	return 0
}

// take goes over the next token if it is c.
func (p *rulesParser) take(c byte) bool {
	if p.peek() != c {
		return false
	}
	p.pos++
	return true
}

// have describes the next token for a message.
func (p *rulesParser) have() string {
	if !p.skip() {
		return "the end of the file"
	}
	rest := p.text[p.pos:]
	if n := spell.WordLen(rest); n > 0 {
		return strconv.Quote(rest[:min(n, 64)])
	}
	return strconv.Quote(firstRune(rest))
}

// word reads a word, empty when there is none.
func (p *rulesParser) word() string {
	p.skip()
	n := spell.WordLen(p.text[p.pos:])
	p.pos += n
	return p.text[p.pos-n : p.pos]
}

// recover goes on after the next semicolon.
func (p *rulesParser) recover() {
	for p.skip() {
		p.pos++
		if p.text[p.pos-1] == ';' {
			return
		}
	}
}

func (p *rulesParser) statement() {
	if p.take(';') {
		return
	}
	at := p.pos
	word := p.word()
	switch {
	case word == "":
		p.errorf(at, "want a rule, a label or SET, RULES, FORMAT, STATISTICS, have %s", p.have())
		p.recover()
		return
	case p.take(':'):
		p.label(word, at)
		return
	case p.peek() == '&':
		p.rule(word, at)
		return
	}
	switch strings.ToLower(word) {
	case "set":
		p.once("SET", at, &p.seen.set)
		p.setNumber()
		p.take(';')
	case "rules":
		p.once("RULES", at, &p.seen.rules)
		p.take(';')
	case "format":
		p.once("FORMAT", at, &p.seen.format)
		start := p.pos
		f, n := parseFormat(p.text[start:], func(i int, msg string) { p.errorf(start+i, "%s", msg) })
		p.rs.Format = f
		p.pos += n
		if !p.take(';') {
			p.warnf(p.pos, "`;` is missing behind FORMAT")
		}
	case "statistics":
		p.once("STATISTICS", at, &p.seen.statistics)
		p.rs.Statistics = true
		p.take(';')
	default:
		p.oddWord(word, at)
	}
}

// once complains about a second statement of its kind.
func (p *rulesParser) once(name string, at int, seen *bool) {
	if *seen {
		p.errorf(at, "a second %s statement", name)
	}
	*seen = true
}

func (p *rulesParser) setNumber() {
	p.skip()
	at := p.pos
	digits := p.digits()
	n, err := strconv.Atoi(digits)
	switch {
	case digits == "":
		p.errorf(at, "want the ruleset's number behind SET, have %s", p.have())
	case err != nil || n < 1 || n > MaxRuleSets:
		p.errorf(at, "ruleset number %.20s is not from 1 to %d", digits, MaxRuleSets)
	default:
		p.rs.Number = n
	}
}

func (p *rulesParser) digits() string {
	p.skip()
	start := p.pos
	for p.pos < len(p.text) && p.text[p.pos] >= '0' && p.text[p.pos] <= '9' {
		p.pos++
	}
	return p.text[start:p.pos]
}

// oddWord deals with a word that begins neither statement, label nor rule: it
// is a label whose colon is missing if a rule or another label follows.
func (p *rulesParser) oddWord(word string, at int) {
	if _, isAttr := attr.ByName(word); isAttr {
		p.errorf(p.pos, "want `& mask` behind attribute %s, have %s", word, p.have())
		p.recover()
		return
	}
	end := p.pos
	next := p.word()
	if c := p.peek(); next != "" && (c == '&' || c == ':') {
		p.pos = end
		p.warnf(at, "`:` is missing behind label %s", word)
		p.label(word, at)
		return
	}
	p.pos = end
	msg := "want `:` behind a label or `& mask` behind an attribute, have " + p.have()
	keywords := append(attr.TestableNames(), "SET", "RULES", "FORMAT", "STATISTICS")
	if n, ok := spell.Nearest(word, keywords); ok {
		msg = fmt.Sprintf("%q is no statement or attribute; did you mean %s?", word, n)
	}
	p.errorf(at, "%s", msg)
	p.recover()
}

func (p *rulesParser) label(name string, at int) {
	key := strings.ToLower(name)
	if key == "next" {
		p.errorf(at, "Next is no name for a label")
		return
	}
	if old, ok := p.labels[key]; ok {
		p.errorf(at, "label %s stands before rule %d already", name, old.rule)
		return
	}
	p.labels[key] = label{at, len(p.rs.Rules) + 1}
}

// rule reads a rule after the name of its attribute.
func (p *rulesParser) rule(name string, at int) {
	r := Rule{At: p.place(at)}
	before := len(p.errs)
	p.namedAt = -1
	if !p.test(&r, name, at) || !p.action(&r) {
		p.recover()
	} else if r.Op.Assigns() {
		if of := r.Value.Uint(); of <= 0xffff {
			r.Value = attr.AttrValue(attr.Attr(of))
		}
	} else if p.namedAt >= 0 {
		p.errorf(p.namedAt, "only Assign rules take an attribute as value: what %s stands for is compared with a number or address", r.Attr)
	}
	p.rs.Rules = append(p.rs.Rules, r)
	p.marks = append(p.marks, mark{at, len(p.errs) > before})
	if len(p.rs.Rules) == MaxRules+1 {
		p.errorf(at, "more than %d rules", MaxRules)
	}
}

// test reads `& mask = value:`; false when the action cannot be read for it.
func (p *rulesParser) test(r *Rule, name string, at int) bool {
	a, known := attr.ByName(name)
	if !known {
		p.errorf(at, "%s", spell.Unknown("attribute", name, attr.TestableNames()))
	}
	r.Attr = a
	p.take('&')
	p.skip()
	maskAt := p.pos
	mask, _ := p.valueText()
	if mask == "" || !p.take('=') {
		p.errorf(p.pos, "want a mask and `=`, have %s", p.have())
		return false
	}
	p.skip()
	valueAt := p.pos
	value, colon := p.valueText()
	if value == "" {
		p.pos = valueAt
		p.errorf(valueAt, "want a value, have %s", p.have())
		return false
	}
	if known {
		p.values(r, mask, maskAt, value, valueAt)
	}
	if colon || p.take(':') {
		return true
	}
	end := p.pos
	next := p.word()
	p.pos = end
	if _, ok := opcode(next); !ok {
		p.errorf(p.pos, "want `:` behind the value, have %s", p.have())
		return false
	}
	p.warnf(p.pos, "`:` is missing before %s", next)
	return true
}

// opcodes are the names of the opcodes, and others that NeMaC takes for them.
var opcodes = func() map[string]Opcode {
	m := map[string]Opcode{
		"pushto":    OpPushRuleTo,
		"pushtoact": OpPushRuleToAct,
		"retry":     OpNoMatch,
		"fail":      OpNoMatch,
	}
	for op := OpIgnore; op.Valid(); op++ {
		m[strings.ToLower(op.String())] = op
	}
	return m
}()

func opcode(name string) (Opcode, bool) {
	op, ok := opcodes[strings.ToLower(name)]
	return op, ok
}

// action reads `opcode, target;`; false when the rule's end was not found.
func (p *rulesParser) action(r *Rule) bool {
	p.skip()
	at := p.pos
	name := p.word()
	op, ok := opcode(name)
	if !ok {
		if name == "" {
			p.errorf(at, "want an opcode, have %s", p.have())
		} else {
			names := make([]string, 0, len(opcodes))
			for op := OpIgnore; op.Valid(); op++ {
				names = append(names, op.String())
			}
			p.errorf(at, "%s", spell.Unknown("opcode", name, names))
		}
		return false
	}
	r.Op = op
	if !p.target(r) {
		return false
	}
	end := p.pos
	if p.take(';') {
		return true
	}
	if c := p.peek(); c != 0 && spell.WordLen(p.text[p.pos:]) == 0 {
		p.errorf(p.pos, "want `;` behind the rule, have %s", p.have())
		return false
	}
	p.warnf(end, "`;` is missing behind the rule")
	return true
}

// target reads what stands after an opcode: `, label`, `, Next`, `, number`.
func (p *rulesParser) target(r *Rule) bool {
	comma := p.take(',')
	p.skip()
	at := p.pos
	needed := r.Op.HasTarget() || r.Op == OpReturn
	digits := p.digits()
	word := ""
	if digits == "" && (comma || r.Op.HasTarget()) {
		word = p.word()
	}
	if digits == "" && word == "" {
		if !comma && !needed {
			p.warnf(at, "`, 0` is missing behind %s", r.Op)
			return true
		}
		want := "a label, Next or the number of a rule"
		if r.Op == OpReturn {
			want = "the number of rules to go on behind the Gosub"
		} else if !needed {
			want = "0"
		}
		p.errorf(at, "want %s behind %s, have %s", want, r.Op, p.have())
		return false
	}
	if !comma {
		p.warnf(at, "`,` is missing behind %s", r.Op)
	}
	switch n, err := strconv.Atoi(digits); {
	case !needed:
		if word != "" || err != nil || n != 0 {
			p.warnf(at, "%s ends the match: what follows it is not used, write 0", r.Op)
		}
	case digits != "" && (err != nil || n > MaxRules+1):
		p.errorf(at, "rule number %.20s is greater than the most a ruleset has, %d", digits, MaxRules)
	case digits != "":
		r.Param = n
	case r.Op == OpReturn:
		p.errorf(at, "Return takes the number of rules to go on behind the Gosub, not a name")
	case strings.EqualFold(word, "next"):
		r.Param = len(p.rs.Rules) + 2
	default:
		p.refs = append(p.refs, reference{word, at, len(p.rs.Rules)})
	}
	return true
}

// link puts rule numbers where the labels were.
func (p *rulesParser) link() {
	// Names are only compared for the first few errors: a long list of unknown
	// labels would take the square of its length.
	const compared = 50
	missing := 0
	for _, ref := range p.refs {
		if len(p.errs) > maxErrors {
			break
		}
		l, ok := p.labels[strings.ToLower(ref.name)]
		if !ok {
			var known []string
			if missing++; missing <= compared {
				known = slices.AppendSeq([]string{"Next"}, maps.Keys(p.labels))
			}
			p.errorf(ref.at, "%s", spell.Unknown("label", ref.name, known))
			p.marks[ref.rule].bad = true
			continue
		}
		p.rs.Rules[ref.rule].Param = l.rule
	}
}
