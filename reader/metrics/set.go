// Package metrics tells Prometheus, and what else reads its text, what is counted.
//
// Nothing that meters or collects waits for who reads: a Set is made of numbers that
// were put aside, for each answer anew. Counters only grow as long as the program runs.
package metrics

import (
	"math"
	"strconv"
	"strings"
)

// A Label tells samples of one name from each other.
type Label struct{ Name, Value string }

// Set is samples, which Append writes. The zero value is empty.
type Set struct {
	families []*family
	named    map[string]*family
}

// family is the samples of one name.
type family struct {
	name, help, kind string
	samples          []byte
}

// Counter adds a number that only grows. Its name ends in _total.
func (s *Set) Counter(name, help string, value uint64, labels ...Label) {
	f := s.family(name, help, "counter")
	f.begin(labels)
	f.samples = append(strconv.AppendUint(f.samples, value, 10), '\n')
}

// Gauge adds a number that goes up and down.
func (s *Set) Gauge(name, help string, value float64, labels ...Label) {
	f := s.family(name, help, "gauge")
	f.begin(labels)
	if whole := math.Trunc(value); whole == value && math.Abs(value) < 1<<53 {
		f.samples = append(strconv.AppendInt(f.samples, int64(whole), 10), '\n')
		return
	}
	f.samples = append(strconv.AppendFloat(f.samples, value, 'g', -1, 64), '\n')
}

// family returns the one of this name.
func (s *Set) family(name, help, kind string) *family {
	if f := s.named[name]; f != nil {
		return f
	}
	f := &family{name: name, help: help, kind: kind}
	if s.named == nil {
		s.named = make(map[string]*family)
	}
	s.named[name] = f
	s.families = append(s.families, f)
	return f
}

// escapes are those of label values.
var escapes = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

// begin begins a sample.
func (f *family) begin(labels []Label) {
	f.samples = append(f.samples, f.name...)
	for i, l := range labels {
		sep := byte(',')
		if i == 0 {
			sep = '{'
		}
		f.samples = append(append(append(f.samples, sep), l.Name...), `="`...)
		f.samples = append(append(f.samples, escapes.Replace(strings.ToValidUTF8(l.Value, "\uFFFD"))...), '"')
	}
	if len(labels) > 0 {
		f.samples = append(f.samples, '}')
	}
	f.samples = append(f.samples, ' ')
}

// contentType is that of what Append writes.
const contentType = "text/plain; version=0.0.4; charset=utf-8"

// Append appends the samples in Prometheus's text form, 0.0.4.
func (s *Set) Append(b []byte) []byte {
	for _, f := range s.families {
		b = append(append(append(append(append(b, "# HELP "...), f.name...), ' '), f.help...), '\n')
		b = append(append(append(append(append(b, "# TYPE "...), f.name...), ' '), f.kind...), '\n')
		b = append(b, f.samples...)
	}
	return b
}
