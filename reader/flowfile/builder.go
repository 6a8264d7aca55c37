package flowfile

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"

	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// builder makes flows of text's records.
type builder struct {
	epoch  int64 // of the Uptime
	shapes match.Shapes
	fl     match.Flow
	saved  []match.Saved
	found  []attr.Distribution
	bits   []byte // SavedAttributes, nil without
	// Lengths of the peer and adjacent addresses, and the ruleset.
	peer, adjacent, ruleSet int
	// exactFirst and exactLast are set once the times are known in nanoseconds.
	exactFirst, exactLast bool
}

// maxShapes is how many shapes are remembered: a file may have any number.
const maxShapes = 1 << 12

// flow returns the flow of a record. It is valid until the next call. An attribute
// that is 0 counts as saved only if there is a column of SavedAttributes, which
// tells; one whose mask has no column was saved whole.
func (b *builder) flow(rec *Record) (*match.Flow, error) {
	*b = builder{epoch: b.epoch, shapes: b.shapes, saved: b.saved[:0], found: b.found[:0]}
	if text, err := rec.column(attr.SavedAttributes); err == nil && text != "0" {
		if b.bits, err = hex.DecodeString(text); err != nil {
			return nil, &SyntaxError{rec.Line, fmt.Sprintf("%s: %v", attr.SavedAttributes, err)}
		}
	}
	for i, c := range rec.Columns {
		var err error
		switch c.Attr.Info().Class {
		case attr.ClassMeasured:
			err = b.measured(c.Attr, rec.Values[i])
		case attr.ClassInteger, attr.ClassComputed, attr.ClassAddress:
			err = b.save(rec, c.Attr, rec.Values[i])
		case attr.ClassDistrib:
			err = b.distribution(c.Attr, rec.Values[i])
		}
		if err != nil {
			return nil, &SyntaxError{rec.Line, fmt.Sprintf("%s: %v", c.Name, err)}
		}
	}
	if b.shapes.Len() > maxShapes {
		b.shapes = match.Shapes{}
	}
	b.fl.Shape = b.shapes.Intern(b.ruleSet, uint8(b.peer), uint8(b.adjacent), b.saved, b.found...)
	return &b.fl, nil
}

// measured sets what a flow has beside its key.
func (b *builder) measured(a attr.Attr, text string) error {
	if a == attr.SavedAttributes {
		return nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return fmt.Errorf("%q is not a number", text)
	}
	switch a {
	case attr.FlowRuleSet:
		if n > ruleset.MaxRuleSets {
			return fmt.Errorf("%d is not a ruleset from 1 to %d", n, ruleset.MaxRuleSets)
		}
		b.ruleSet = int(n)
	case attr.FlowIndex:
		b.fl.Index = uint32(min(n, 1<<32-1))
	case attr.FirstTime:
		if !b.exactFirst {
			b.fl.FirstTime = instant(b.epoch, n)
		}
	case attr.LastActiveTime:
		if !b.exactLast {
			b.fl.LastTime = instant(b.epoch, n)
		}
	case attr.FirstTimeNs:
		b.fl.FirstTime, b.exactFirst = int64(n), true
	case attr.LastActiveTimeNs:
		b.fl.LastTime, b.exactLast = int64(n), true
	case attr.ToPDUs:
		b.fl.ToPDUs = n
	case attr.FromPDUs:
		b.fl.FromPDUs = n
	case attr.ToOctets:
		b.fl.ToOctets = n
	case attr.FromOctets:
		b.fl.FromOctets = n
	}
	return nil
}

// save puts a saved attribute in the flow's key.
func (b *builder) save(rec *Record, a attr.Attr, text string) error {
	if b.bits == nil && text == "0" || b.bits != nil && !match.IsSaved(b.bits, a) {
		return nil
	}
	in := a.Info()
	var value []byte
	if isNumber(a) {
		n, err := strconv.ParseUint(text, 10, 8*in.Size)
		if err != nil {
			return fmt.Errorf("%q is not a number of %d octets", text, in.Size)
		}
		for k := in.Size - 1; k >= 0; k-- {
			value = append(value, byte(n>>(8*k)))
		}
	} else {
		v, err := octets(a, text)
		if err != nil {
			return err
		}
		value = v.Append(nil)
	}
	mask := attr.Ones(len(value))
	if a.Mask() != attr.Null {
		if text, err := rec.column(a.Mask()); err == nil {
			if mask, err = octets(a.Mask(), text); err != nil {
				return err
			}
		}
	}
	of := (*int)(nil)
	switch {
	case a.IsPeer():
		of = &b.peer
	case a.IsAdjacent():
		of = &b.adjacent
	}
	if of != nil && len(value) > 0 {
		if *of != 0 && *of != len(value) {
			return fmt.Errorf("%d octets, the other end's address has %d", len(value), *of)
		}
		*of = len(value)
	}
	copy(b.fl.Key[in.Offset:], value)
	b.saved = append(b.saved, match.Saved{Attr: a, Mask: mask})
	return nil
}

// distribution adds a distribution and its counters, in order of attribute.
func (b *builder) distribution(a attr.Attr, text string) error {
	d, counters, err := parseDistribution(a, text)
	if err != nil || counters == nil {
		return err
	}
	at := 0
	for at < len(b.found) && b.found[at].Attr < a {
		at++
	}
	if at < len(b.found) && b.found[at].Attr == a {
		return nil // one column of several
	}
	b.found = slices.Insert(b.found, at, d)
	b.fl.Counters = slices.Insert(b.fl.Counters, at, counters)
	return nil
}
