package query

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"rtfm/reader/record"
	"rtfm/ruleset/match"
)

// manyFlows is a collection of flows whose memory is used again, of which the last
// fails.
type manyFlows struct {
	n     int
	fails error
	read  int
}

func (m *manyFlows) Collection() *record.Collection { return new(record.Collection) }
func (m *manyFlows) Summary(func(int) *uint64) (*record.Summary, error) {
	return new(record.Summary), nil
}

func (m *manyFlows) Flows(put func(*match.Flow, *record.Counters) error) error {
	var f match.Flow
	counters := []uint64{0}
	f.Counters = [][]uint64{counters}
	for i := range m.n {
		m.read++
		f.Index, counters[0] = uint32(i), uint64(i)
		counted := &record.Counters{ToPDUs: uint64(i), Distributions: counters}
		if i%3 == 0 {
			counted = nil
		}
		if err := put(&f, counted); err != nil {
			return err
		}
	}
	return m.fails
}

// TestAhead reads flows ahead: they are the same, in order; what fails on either side
// ends it.
func TestAhead(t *testing.T) {
	broken, full := errors.New("broken"), errors.New("full")
	for _, n := range []int{0, 1, batchLen, batchLen + 1, 10 * batchLen} {
		from, at := &manyFlows{n: n, fails: broken}, 0
		err := Ahead(from).Flows(func(f *match.Flow, counted *record.Counters) error {
			want := fmt.Sprint(at, at%3 != 0)
			if got := fmt.Sprint(f.Index, counted != nil); got != want || f.Counters[0][0] != uint64(at) {
				t.Fatalf("flow %s of %d is %s", want, n, got)
			}
			if counted != nil && !slices.Equal(counted.Distributions, []uint64{uint64(at)}) {
				t.Fatalf("flow %d has counted %v", at, counted.Distributions)
			}
			at++
			return nil
		})
		if err != broken || at != n {
			t.Errorf("%d of %d flows, %v", at, n, err)
		}
	}
	from := &manyFlows{n: 1 << 20}
	if err := Ahead(from).Flows(func(f *match.Flow, _ *record.Counters) error {
		if f.Index == 1000 {
			return full
		}
		return nil
	}); err != full || from.read > 1000+(batches+2)*batchLen {
		t.Errorf("%v, %d flows were read", err, from.read)
	}
}
