package flowfile

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"rtfm/reader/record"
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
	const longest = 1 << 24
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 1<<16), longest)
	for n := 0; lines.Scan(); n++ {
		line := lines.Bytes()
		if start, ok := startOf(line); ok {
			to = start.To
			continue
		}
		if n == 0 || !bytes.HasPrefix(line, []byte(jsonFlow)) {
			continue // a first line may not be whole
		}
		f, err := recall(line)
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

// recall reads a flow record. No text in it has quotation marks or brackets.
func recall(line []byte) (*Recalled, error) {
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
	for rest := line; err == nil; {
		before, behind, ok := bytes.Cut(rest, []byte(`"counters":[`))
		if !ok {
			break
		}
		list, behind, _ := bytes.Cut(behind, []byte("]"))
		rest = behind
		if bytes.HasSuffix(before, []byte(`"delta":{`)) {
			continue
		}
		var counters []uint64
		err = json.Unmarshal(append(append([]byte{'['}, list...), ']'), &counters)
		f.Measures = append(f.Measures, counters...)
	}
	return f, err
}
