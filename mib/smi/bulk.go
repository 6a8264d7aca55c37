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
	// BER; the variable that reaches or passes the limit is the last one.
	MaxOctets int

	ranges []Range // of the repetitions at hand
}

// Limits of how many variables are asked for before FillRuns and InParts look at
// how many octets they take: in one repetition, and in several.
const (
	bulkStep = 64
	bulkRun  = 512
)

// Fill answers the request by asking next for the variables of one repetition
// after the other. It uses the memory of out, from its first element on, and
// returns as many variables as the answer has. It ends after MaxRepetitions,
// after a repetition of nothing but EndOfMibView, or at MaxOctets. The Index
// of an error is that of the range at fault.
func (b *Bulk) Fill(next func(ranges []Range, out []VarBind) error, out []VarBind) ([]VarBind, error) {
	return b.FillRuns(func(ranges []Range, out []VarBind) error {
		for n := len(ranges); ; out = out[n:] {
			if err := next(ranges, out[:n]); err != nil || len(out) == n {
				return err
			}
			follow(ranges, out[:n])
		}
	}, out)
}

// follow makes ranges begin after vbs.
func follow(ranges []Range, vbs []VarBind) {
	for i := range ranges {
		ranges[i].Start, ranges[i].Include = vbs[i].Name, false
	}
}

// FillRuns is Fill for those who find variables that follow each other at less
// cost than one by one: out has room for one repetition or several, and runs
// fills it with one after the other. It may change ranges.
func (b *Bulk) FillRuns(runs func(ranges []Range, out []VarBind) error, out []VarBind) ([]VarBind, error) {
	single := min(max(b.NonRepeaters, 0), len(b.Ranges))
	b.ranges = append(b.ranges[:0], b.Ranges...)
	out, octets, err := b.step(runs, b.ranges[:single], 1, out[:0], 0)
	if err != nil {
		return nil, err
	}
	ranges := b.ranges[single:]
	n, run := len(ranges), 1
	for left := b.MaxRepetitions; left > 0 && n > 0 && octets < b.MaxOctets; {
		first, before := len(out), octets
		run = min(run, left)
		left -= run
		if out, octets, err = b.step(runs, ranges, run, out, octets); err != nil {
			return nil, moved(err, single)
		}
		for ; first+n <= len(out); first += n {
			last := out[first : first+n]
			if allEnded(last) {
				return out[:first+n], nil
			}
			if first+2*n > len(out) {
				follow(ranges, last)
			}
		}
		// As many as seem to fit.
		run = max(1, min((b.MaxOctets-octets)*run/(octets-before)+1, bulkRun/n))
	}
	return out, nil
}

// step appends so many repetitions of ranges to out, fewer variables when
// MaxOctets is reached, and returns how many octets the answer then has.
func (b *Bulk) step(runs func([]Range, []VarBind) error, ranges []Range, run int, out []VarBind, octets int) ([]VarBind, int, error) {
	size := bulkStep
	if run > 1 {
		size = len(ranges)
	}
	for i := 0; i < len(ranges); i += size {
		part := ranges[i:min(i+size, len(ranges))]
		at := len(out)
		out = Resize(out, at+run*len(part))
		if err := runs(part, out[at:]); err != nil {
			return nil, 0, moved(err, i)
		}
		for ; at < len(out); at++ {
			if octets += out[at].BERSize(); octets >= b.MaxOctets {
				return out[:at+1], octets, nil
			}
		}
	}
	return out, octets, nil
}

func allEnded(vbs []VarBind) bool {
	for i := range vbs {
		if vbs[i].Value.Type != EndOfMibView {
			return false
		}
	}
	return true
}

// InParts answers a request for len(out) variables: it has part fill out[from:to],
// some of them at a time, until their values take more than maxOctets in BER. It
// returns how many were filled. The Index of an error is that in out, from 1.
func InParts(out []VarBind, maxOctets int, part func(from, to int) error) (filled int, err error) {
	octets := 0
	for filled < len(out) && octets <= maxOctets {
		from := filled
		filled = min(from+bulkStep, len(out))
		if err := part(from, filled); err != nil {
			return from, moved(err, from)
		}
		for i := range out[from:filled] {
			octets += out[from+i].BERSize()
		}
	}
	return filled, nil
}
