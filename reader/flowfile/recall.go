package flowfile

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"rtfm/reader/record"
	"rtfm/ruleset/attr"
)

// Recalled is what a flow record of JSON lines tells of a flow and of what it
// had counted altogether.
type Recalled struct {
	RuleSet   int
	Index     uint32
	FirstTime int64 // nanoseconds since 1970
	record.Counters
}

// Recall reads what a Writer has written as JSON lines, from the beginning of a
// record or in the middle of one, which it passes over then. It calls put for
// each flow, as long as that returns true; the flow is put's. It returns the
// uptime at which the last collection ended, 0 if there is none from its
// beginning on.
func Recall(r io.Reader, put func(*Recalled) bool) (to uint64, err error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 1<<16), maxJSONLine)
	src := newFlowSource()
	for n := 0; lines.Scan(); n++ {
		line := lines.Bytes()
		if start, ok := startOf(line); ok {
			to = start.To
			continue
		}
		if n == 0 || !bytes.HasPrefix(line, []byte(jsonFlow)) {
			continue // a first line may not be whole
		}
		f, err := recall(line, src)
		if err != nil {
			return to, fmt.Errorf("flow data file: record %d: %w", n+1, err)
		}
		if !put(f) {
			return 0, nil
		}
	}
	return to, lines.Err()
}

const jsonFlow = `{"record":"flow",`

// recall reads a flow record, of which src reads what it measures.
func recall(line []byte, src *jsonSource) (*Recalled, error) {
	var err error
	number := func(name string) (n uint64) {
		_, rest, ok := bytes.Cut(line, []byte(`,"`+name+`":`))
		digits := rest[:len(rest)-len(bytes.TrimLeft(rest, "0123456789"))]
		n, parseErr := strconv.ParseUint(string(digits), 10, 64)
		if !ok || parseErr != nil {
			err = errors.Join(err, fmt.Errorf("no number %s", name))
		}
		return n
	}
	f := &Recalled{
		RuleSet: int(number("FlowRuleSet")), Index: uint32(number("FlowIndex")), FirstTime: int64(number("FirstTimeNs")),
		Counters: record.Counters{
			ToPDUs: number("ToPDUs"), FromPDUs: number("FromPDUs"), ToOctets: number("ToOctets"), FromOctets: number("FromOctets"),
		},
	}
	if err == nil && measures(line) {
		f.Measures, err = src.measured(line)
	}
	return f, err
}

// measures reports whether a record's flow has distributions or statistics: they stand
// just before what it has counted.
func measures(line []byte) bool {
	before, _, _ := bytes.Cut(line, []byte(`,"ToPDUs":`))
	if bytes.HasSuffix(before, []byte{'}'}) {
		return true
	}
	_, last, _ := bytes.Cut(before[max(bytes.LastIndex(before, []byte(`,"`)), 0):], []byte{'"'})
	name, _, _ := bytes.Cut(last, []byte{'"'})
	a, ok := attr.ByName(strings.TrimPrefix(string(name), deltaName))
	return ok && a.IsMeasure()
}

// measured returns the numbers of all that a record's flow measures.
func (s *jsonSource) measured(line []byte) ([]uint64, error) {
	if err := s.flow(line); err != nil {
		return nil, err
	}
	f, _, err := s.b.flow()
	if err != nil {
		return nil, err
	}
	return slices.Concat(f.Counters...), nil
}
