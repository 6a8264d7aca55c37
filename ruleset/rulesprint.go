package ruleset

import (
	"io"
	"net/netip"
	"strconv"

	"rtfm/ruleset/attr"
)

// String returns the rule as rule files have it, its target as a number and
// without semicolon: `SourcePeerType & 255 = 1: PushRuleTo, 7`.
func (r Rule) String() string {
	b := r.appendAction(r.appendTest(nil))
	return string(strconv.AppendInt(b, int64(r.Param), 10))
}

// appendTest appends `attribute & mask = value: `.
func (r *Rule) appendTest(b []byte) []byte {
	b = append(b, r.Attr.String()...)
	b = append(b, " & "...)
	b = appendRuleValue(b, r.Attr, r.Mask, true)
	b = append(b, " = "...)
	switch v := r.Value; {
	case r.Op.Assigns():
		b = append(b, attr.Attr(v.Uint()).String()...)
	case v.Zero():
		b = append(b, '0')
	default:
		b = appendRuleValue(b, r.Attr, v, false)
	}
	return append(b, ": "...)
}

// appendAction appends `opcode, `.
func (r *Rule) appendAction(b []byte) []byte {
	b = append(b, r.Op.String()...)
	return append(b, ", "...)
}

// appendRuleValue appends a mask or value in the notation that suits the
// attribute.
func appendRuleValue(b []byte, a attr.Attr, v attr.Value, mask bool) []byte {
	in := a.Info()
	octets := v.Append(nil)
	switch {
	case !in.Variable:
		v, _ = v.Fit(a)
		if mask || v.Len() > 8 {
			return attr.AppendDotted(b, v.Append(nil))
		}
		return strconv.AppendUint(b, v.Uint(), 10)
	case in.Attr.IsMeasure():
		return attr.AppendParameters(b, v)
	case v.Len() == 0:
		return append(b, '0')
	case a.IsAdjacent():
		b = attr.AppendHex(b, octets)
	case v.Len() == 16:
		b = netip.AddrFrom16([16]byte(octets)).AppendTo(b)
	default:
		b = attr.AppendDotted(b, octets)
		if v.Len() == 1 {
			b = append(b, '.')
		}
	}
	return b
}

// WriteTo writes rs as a rule file: numbers instead of names for values, Next
// for a target that is the next rule, and a label r7 before rule 7 when
// another rule jumps to it.
func (rs *RuleSet) WriteTo(w io.Writer) (int64, error) {
	return rs.write(w, func(b []byte, _ *Rule) []byte { return b })
}

// write is WriteTo, with what before appends in front of a rule.
func (rs *RuleSet) write(w io.Writer, before func(b []byte, r *Rule) []byte) (int64, error) {
	var b []byte
	if rs.Number != 0 {
		b = append(b, "SET "...)
		b = strconv.AppendInt(b, int64(rs.Number), 10)
		b = append(b, '\n')
	}
	b = append(b, "RULES\n"...)
	jumped := make([]bool, len(rs.Rules)+2)
	for i := range rs.Rules {
		if r := &rs.Rules[i]; r.Op.HasTarget() && r.Param != i+2 && r.Param > 0 && r.Param < len(jumped) {
			jumped[r.Param] = true
		}
	}
	var written int64
	for i := range len(rs.Rules) + 1 {
		if jumped[i+1] {
			b = appendLabel(b, i+1)
			b = append(b, ":\n"...)
		}
		if i == len(rs.Rules) {
			break
		}
		r := &rs.Rules[i]
		b = append(before(b, r), "  "...)
		b = r.appendAction(r.appendTest(b))
		switch {
		case r.Op.HasTarget() && r.Param == i+2:
			b = append(b, "Next"...)
		case r.Op.HasTarget() && r.Param > 0 && r.Param < len(jumped):
			b = appendLabel(b, r.Param)
		case r.Op.HasTarget() || r.Op == OpReturn:
			b = strconv.AppendInt(b, int64(r.Param), 10)
		default:
			b = append(b, '0')
		}
		b = append(b, ";\n"...)
		if len(b) > 1<<16 {
			n, err := w.Write(b)
			if written += int64(n); err != nil {
				return written, err
			}
			b = b[:0]
		}
	}
	if rs.Format != nil {
		b = append(b, "FORMAT "...)
		b = append(b, rs.Format.String()...)
		b = append(b, ";\n"...)
	}
	if rs.Statistics {
		b = append(b, "STATISTICS\n"...)
	}
	n, err := w.Write(b)
	return written + int64(n), err
}

func appendLabel(b []byte, rule int) []byte {
	return strconv.AppendInt(append(b, 'r'), int64(rule), 10)
}
