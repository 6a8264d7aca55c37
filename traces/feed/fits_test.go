package feed

import (
	"strings"
	"testing"

	"rtfm/ruleset/attr"
)

// TestAnyRecordFits writes records of flows that save all that stands in keys, each at
// its greatest length, into the smallest messages.
func TestAnyRecordFits(t *testing.T) {
	s := &Shape{RuleSet: 2, Name: strings.Repeat("n", 300)}
	for _, a := range attr.All() {
		switch a.Class {
		case attr.ClassInteger, attr.ClassAddress, attr.ClassComputed:
			s.Saved = append(s.Saved, Saved{Attribute: uint16(a.Attr), Mask: make([]byte, a.Size)})
		}
	}
	longest := 0
	w := Writer{Form: Form{Digest: true}, MTU: LeastMTU, Send: func(b []byte, _ int) []byte {
		longest = max(longest, len(b))
		return b
	}}
	w.Templates(0)
	w.Flush()
	w.Shape(s, 0)
	w.Flush()
	e := &End{New: New{Shape: s, Key: make([]byte, s.KeyLen())}}
	w.New(&e.New, 0)
	w.Flush()
	w.End(e, 0)
	w.Flush()
	if longest > LeastMTU || len(s.Saved) < 40 {
		t.Errorf("%d attributes take a message of %d octets, more than %d", len(s.Saved), longest, LeastMTU)
	}
}
