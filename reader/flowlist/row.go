package flowlist

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"rtfm/meter/flowset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// Row is a row of a table: a flow, or what flows were added up by, with what people
// call the values (attr.Show). The zero value is empty.
type Row struct {
	values []rowValue
	period flowset.Period
	timed  [2]bool
	begin  int64 // of the time in which it has counted; what came before is not of the row
	counts bool  // it says in which directions
}

type rowValue struct {
	name string
	ends []attr.Attr // one, or the source and dest that the name stands for
	text string
}

// Set sets what stands in a column. Columns of other things than what flows are, when
// they were and in which direction they counted change nothing; nor does "", nothing.
func (r *Row) Set(column, text string) {
	if text == "" {
		return
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch column {
	case "FirstTimeNs":
		r.period.First, r.timed[0] = n, err == nil
		return
	case "LastActiveTimeNs":
		r.period.Last, r.timed[1] = n, err == nil
		return
	case "IntervalStartNs":
		r.begin = n
		return
	case "ToPDUs", "SentPDUs", "FromPDUs", "ReceivedPDUs":
		r.counts = true
		switch {
		case text == "0":
		case column[0] == 'T' || column[0] == 'S':
			r.period.Directions |= flowset.Forward
		default:
			r.period.Directions |= flowset.Backward
		}
		return
	}
	if a, ok := attr.ByName(column); ok {
		switch a.Info().Class {
		case attr.ClassInteger, attr.ClassAddress, attr.ClassComputed:
			r.values = append(r.values, rowValue{column, []attr.Attr{a}, text})
		}
	} else if ends := attr.ByWord(column); len(ends) > 0 {
		r.values = append(r.values, rowValue{column, ends, text})
	}
}

// Period returns when packets of the row came.
func (r *Row) Period() flowset.Period {
	p := flowset.Always
	if r.timed[0] {
		p.First = max(r.period.First, r.begin)
	}
	if r.timed[1] {
		p.Last = r.period.Last
	}
	if r.counts {
		p.Directions = r.period.Directions
	}
	return p
}

// Add adds the flows that a row is. Shapes keeps the shapes of all rows.
func (w *Flows) Add(shapes *match.Shapes, r *Row) error {
	p := r.Period()
	for end := range r.ends() {
		k, err := r.key(end, shapes)
		if err != nil {
			return err
		}
		if err := w.add(&k, p); err != nil {
			return err
		}
		p.Directions = p.Directions>>1 | p.Directions<<1&flowset.Both
	}
	w.Count++
	return nil
}

// ends returns 2 if the row stands for flows of two kinds: those whose source has what
// is of either end, and those whose dest has. If nothing else has a direction the ones
// are the others' reverse.
func (r *Row) ends() int {
	either, directed := false, false
	for i := range r.values {
		ends := r.values[i].ends
		either = either || len(ends) == 2
		directed = directed || len(ends) == 1 && ends[0].Reverse() != ends[0]
	}
	if either && directed {
		return 2
	}
	return 1
}

// key returns what flows have saved of which an end has what is of either.
func (r *Row) key(end int, shapes *match.Shapes) (k match.FlowKey, err error) {
	var lengths match.Lengths
	var saved []match.Saved
	for i := range r.values {
		v := &r.values[i]
		a := v.ends[min(end, len(v.ends)-1)]
		value, mask, err := parse(a, v.text)
		if err != nil {
			return k, fmt.Errorf("%s: %w", v.name, err)
		}
		if l := lengths.Of(a); l != nil {
			if *l != 0 && int(*l) != value.Len() {
				return k, fmt.Errorf("%s: %q is of another family than the other address", v.name, v.text)
			}
			*l = uint8(value.Len())
		}
		value.And(mask).Append(k.Key[a.Info().Offset:][:0])
		saved = append(saved, match.Saved{Attr: a, Mask: mask})
	}
	k.Shape = shapes.InternLengths(1, lengths, saved)
	return k, nil
}

// parse reads what attr.Show has made of a value.
func parse(a attr.Attr, text string) (value, mask attr.Value, err error) {
	text, width, isPrefix := strings.Cut(text, "/")
	bits, masked := "", false
	if !isPrefix {
		text, bits, masked = strings.Cut(text, "&")
	}
	if value, err = parseValue(a, text); err != nil {
		return value, mask, err
	}
	mask = attr.Ones(value.Len())
	switch {
	case isPrefix:
		n, err := strconv.Atoi(width)
		if err != nil || n < 0 || n > 8*value.Len() {
			return value, mask, fmt.Errorf("%q is no width of an address of %d bits", width, 8*value.Len())
		}
		mask = attr.WidthMask(n, value.Len())
	case masked:
		mask, err = parseValue(a, bits)
	}
	return value, mask.Resize(value.Len()), err
}

// parseValue reads a value, or the name of one.
func parseValue(a attr.Attr, text string) (attr.Value, error) {
	size := a.Info().Size
	if a.Info().Variable {
		size = 0
	}
	if a.IsPeer() {
		if ip, err := netip.ParseAddr(text); err == nil && ip.Zone() == "" {
			return attr.MakeValue(ip.AsSlice()...), nil
		}
	}
	if v, ok := attr.ValueName(a, text); ok {
		v, _ = v.Fit(a)
		return v, nil
	}
	v, err := attr.ParseValue(text, size)
	if err == nil && size > 0 && v.Len() != size {
		v, _ = v.Fit(a)
	}
	if err != nil {
		return v, fmt.Errorf("%q is no value, nor a name that all know: --numeric prints numbers", text)
	}
	return v, nil
}
