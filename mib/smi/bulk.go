package smi

// Bulk is a GetBulk request (RFC 3416 section 4.2.3, RFC 2741 section
// 7.2.3.3).
type Bulk struct {
	Ranges []Range
	// NonRepeaters is how many ranges, from the first, are asked for one
	// variable only. MaxRepetitions is how many the others are asked for.
	// Numbers below 0 count as 0.
	NonRepeaters, MaxRepetitions int
	// MaxOctets ends the answer once its variables take this many octets in
	// BER; the variables that reach or pass the limit are the last ones.
	MaxOctets int

	ranges []Range // of the present repetition
}

// bulkStep is how many variables Fill asks for before it looks at MaxOctets.
const bulkStep = 64

// Fill answers the request by asking next for the variables of one repetition
// after the other. It uses the memory of out, from its first element on, and
// returns as many variables as the answer has. It ends after MaxRepetitions,
// after a repetition of nothing but EndOfMibView, or at MaxOctets. The Index
// of an error is that of the range at fault.
func (b *Bulk) Fill(next func([]Range, []VarBind) *Error, out []VarBind) ([]VarBind, *Error) {
	single := min(max(b.NonRepeaters, 0), len(b.Ranges))
	octets := 0
	out = out[:0]
	out, err := b.step(next, b.Ranges[:single], 0, out, &octets)
	if err != nil {
		return nil, err
	}
	b.ranges = append(b.ranges[:0], b.Ranges[single:]...)
	for i := 0; i < b.MaxRepetitions && len(b.ranges) > 0 && octets < b.MaxOctets; i++ {
		first := len(out)
		if out, err = b.step(next, b.ranges, single, out, &octets); err != nil {
			return nil, err
		}
		end := true
		for j := range out[first:] {
			vb := &out[first+j]
			b.ranges[j].Start, b.ranges[j].Include = vb.Name, false
			end = end && vb.Value.Type == EndOfMibView
		}
		if end {
			break
		}
	}
	return out, nil
}

// step appends the variables of ranges to out, fewer when MaxOctets is
// reached. The first of ranges is the one at base in the request.
func (b *Bulk) step(next func([]Range, []VarBind) *Error, ranges []Range, base int, out []VarBind, octets *int) ([]VarBind, *Error) {
	for i := 0; i < len(ranges) && *octets < b.MaxOctets; i += bulkStep {
		part := ranges[i:min(i+bulkStep, len(ranges))]
		at := len(out)
		out = Resize(out, at+len(part))
		if err := next(part, out[at:]); err != nil {
			return nil, &Error{err.Status, base + i + err.Index}
		}
		for j := range out[at:] {
			*octets += out[at+j].BERSize()
		}
	}
	return out, nil
}
