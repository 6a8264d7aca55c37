package meter

import (
	"context"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"rtfm/meter/series"
	"rtfm/ruleset"
	"rtfm/ruleset/match"
	"rtfm/ruleset/rulesettest"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// pausing is a source of packets that pauses before some of them, and a sink that
// keeps what flows have counted, by ruleset.
type pausing struct {
	discard
	t       *testing.T
	m       *Meter
	r       *rand.Rand
	packets []traces.Packet
	given   int
	pause   bool // the next batch is one
	counted map[int]map[uint32]uint64
}

func (p *pausing) Stats() traces.Stats { return traces.Stats{} }
func (p *pausing) Close() error        { return nil }
func (p *pausing) ReadBatch(b *traces.Batch) error {
	b.Packets = b.Packets[:0]
	switch {
	case p.pause:
		p.pause = false
		return ErrPause
	case p.given == len(p.packets):
		return io.EOF
	}
	n := min(1+p.r.IntN(80), len(p.packets)-p.given)
	b.Packets = append(b.Packets, p.packets[p.given:p.given+n]...)
	p.given += n
	p.pause = p.r.IntN(10) == 0
	return nil
}

// Collect implements Sink.
func (p *pausing) Collect(Collection) error {
	p.m.Flows(func(f *match.Flow) error {
		of := p.counted[f.Shape.RuleSet]
		if of == nil {
			of = map[uint32]uint64{}
			p.counted[f.Shape.RuleSet] = of
		}
		of[f.Index] = f.ToPDUs + f.FromPDUs
		return nil
	})
	return nil
}

// TestReplace replaces rulesets at any time, with intervals and without: each packet is
// in a flow of the ruleset that ran when it came, and the flows of others are collected.
func TestReplace(t *testing.T) {
	for _, processors := range []int{1, 2} {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		for seed := range uint64(6) {
			r := rand.New(rand.NewPCG(seed, 2722))
			sets := []*ruleset.RuleSet{rulesettest.Random(r), finest()}
			seconds := map[int]series.Row{} // sums, by ruleset
			m, err := New(Config{
				RuleSets: sets[1:], Interval: time.Duration(seed%3) * 20 * time.Millisecond, InactivityTimeout: time.Hour, MaxFlows: 1 << 16,
				Series: SeriesConfig{5 * time.Millisecond, func(i *series.Interval) error {
					for _, row := range i.Rows {
						sum := seconds[row.RuleSet]
						sum.Add(&row)
						seconds[row.RuleSet] = sum
					}
					return nil
				}},
			})
			if err != nil {
				t.Fatal(err)
			}
			p := &pausing{t: t, m: m, r: r, packets: tracetest.Mix(4000), counted: map[int]map[uint32]uint64{}}
			number, from := m.Stats().Tasks[0].RuleSet, 0
			wanted := map[int]uint64{} // packets, by ruleset
			pauses := 0
			for {
				err := m.Run(context.Background(), p, p)
				wanted[number] += uint64(p.given - from)
				if from = p.given; err == nil {
					break
				} else if err != ErrPause {
					t.Fatal(err)
				}
				prepared, err := Prepare(sets[pauses%2])
				if err != nil {
					t.Fatal(err)
				}
				if number, err = m.Replace(number, prepared, "next"); err != nil {
					t.Fatal(err)
				}
				pauses++
			}
			if from != len(p.packets) || pauses < 3 {
				t.Fatalf("%d packets, %d pauses", from, pauses)
			}
			for _, s := range m.Stats().Tasks {
				sum := uint64(0)
				for _, n := range p.counted[s.RuleSet] {
					sum += n
				}
				if in := seconds[s.RuleSet]; in.PDUs != s.Packets || in.Ignored != s.Ignored || in.Unmatched != s.Unmatched {
					t.Errorf("seed %d: ruleset %d: the series has %+v of %+v", seed, s.RuleSet, in, s)
				}
				if s.Packets != wanted[s.RuleSet] || sum != s.Counted || s.Packets != s.Counted+s.Ignored+s.Unmatched+s.Stopped+s.Uncounted {
					t.Errorf("seed %d: ruleset %d has flows of %d packets, of %d, and %+v", seed, s.RuleSet, sum, wanted[s.RuleSet], s)
				}
			}
			if n := len(m.Stats().Tasks); n < pauses/2 {
				t.Errorf("seed %d: of %d rulesets %d are known", seed, pauses+1, n)
			}
		}
	}
}

// TestReplaceForgets replaces a ruleset more often than there are numbers.
func TestReplaceForgets(t *testing.T) {
	rs := ruleset.Default()
	prepared, err := Prepare(rs)
	if err != nil {
		t.Fatal(err)
	}
	run := func(interval time.Duration) (replaced int, err error) {
		m, err := New(Config{RuleSets: []*ruleset.RuleSet{rs}, Interval: interval, InactivityTimeout: time.Second, MaxFlows: 100})
		if err != nil {
			t.Fatal(err)
		}
		number := m.Stats().Tasks[0].RuleSet
		for replaced := range 300 {
			p := &pausing{t: t, m: m, r: rand.New(rand.NewPCG(1, 1)), packets: at(int64(10*replaced), int64(10*replaced+9)), counted: map[int]map[uint32]uint64{}}
			for p.given < len(p.packets) {
				if err := m.Run(context.Background(), pauser{p}, p); err != ErrPause {
					return replaced, err
				}
			}
			if number, err = m.Replace(number, prepared, rs.Name); err != nil {
				return replaced, err
			}
		}
		return 300, nil
	}
	if n, err := run(5 * time.Second); n != 300 {
		t.Errorf("with intervals: %d times: %v", n, err)
	}
	if n, err := run(0); n != 254 || err == nil {
		t.Errorf("without: %d times: %v", n, err)
	}
}

// pauser pauses where pausing ends.
type pauser struct{ *pausing }

func (p pauser) ReadBatch(b *traces.Batch) error {
	err := p.pausing.ReadBatch(b)
	if err == io.EOF {
		err = ErrPause
	}
	return err
}
