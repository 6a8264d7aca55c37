//go:build linux

package acceptance

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"

	"rtfm/mib"
	"rtfm/mib/client"
	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// stub is a Handler that answers constants: each variable has the value of the
// first of its kind that a Handler answers. Only the indexes of flows, which
// readers look at, are the right ones.
type stub struct {
	smi.Handler
	mu    sync.Mutex
	last  uint32 // flow
	kinds []*stubKind
	at    int // of the kind that was asked for last
}

// stubKind is what stands for the variables whose names begin alike.
type stubKind struct {
	prefix  smi.OID // up to the TimeMark
	block   bool    // a name ends in two indexes
	value   smi.Value
	indexes []int // places of flow indexes, of four octets, in the value
}

// kind returns what a name begins with, nil if there is nothing.
func (s *stub) kind(name smi.OID) *stubKind {
	for i := range s.kinds {
		at := (s.at + i) % len(s.kinds)
		if k := s.kinds[at]; name.HasPrefix(k.prefix) {
			s.at = at
			return k
		}
	}
	return s.learn(name)
}

// learn makes a kind of what the Handler answers to a name.
func (s *stub) learn(name smi.OID) *stubKind {
	flowMIB, extension := mib.Subtrees()[0], mib.Subtrees()[1]
	n, column, index := len(flowMIB)+4, false, false
	k := new(stubKind)
	if k.block = name.HasPrefix(extension); k.block {
		n = len(extension) + 4
	} else {
		column = name[len(flowMIB)+1] == 1
	}
	if !column { // a selector
		index = name[n+1] == uint32(attr.FlowIndex)
		n += 1 + int(name[n])
	}
	k.prefix = slices.Clone(name[:n+2])
	var first [1]smi.VarBind
	s.Handler.Next([]smi.Range{{Start: k.prefix}}, first[:])
	if !first[0].Name.HasPrefix(k.prefix) {
		return nil
	}
	k.value.Set(&first[0].Value)
	switch octets := k.value.Octets; {
	case k.block:
		flows := int(binary.BigEndian.Uint16(octets))
		for i := range flows {
			k.indexes = append(k.indexes, 2+i*(len(octets)-2)/flows)
		}
	case index: // it is given four octets
		d := smi.NewDecoder(octets)
		d, _ = d.Expect(smi.TagSequence)
		d.Next()
		rest := octets[len(octets)-d.Len():]
		k.value.Octets = append([]byte{smi.TagSequence, byte(6 + len(rest)), byte(smi.Integer32), 4, 0, 0, 0, 0}, rest...)
		k.indexes = []int{4}
	}
	s.kinds = append(s.kinds, k)
	return k
}

func (s *stub) next(start smi.OID, out *smi.VarBind) {
	k := s.kind(start)
	if k == nil || len(start) > len(k.prefix) && start[len(start)-1] >= s.last {
		out.SetName(start)
		out.Value.SetNone(smi.EndOfMibView)
		return
	}
	row := uint32(0)
	if len(start) > len(k.prefix) {
		row = start[len(start)-1]
	}
	out.Name = append(out.Name[:0], k.prefix...)
	if k.block {
		out.Name = append(out.Name, row)
	}
	out.Value.Set(&k.value)
	for _, at := range k.indexes {
		row++
		binary.BigEndian.PutUint32(out.Value.Octets[at:], row)
	}
	if len(k.indexes) == 0 {
		row++
	}
	out.Name = append(out.Name, row)
}

// Next implements smi.Handler.
func (s *stub) Next(ranges []smi.Range, out []smi.VarBind) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range ranges {
		s.next(ranges[i].Start, &out[i])
	}
	return nil
}

// Bulk implements smi.Handler.
func (s *stub) Bulk(b *smi.Bulk, out []smi.VarBind) ([]smi.VarBind, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return b.FillRuns(func(ranges []smi.Range, out []smi.VarBind) error {
		for i := range ranges {
			start := ranges[i].Start
			for at := i; at < len(out); at += len(ranges) {
				s.next(start, &out[at])
				start = out[at].Name
			}
		}
		return nil
	}, out)
}

// readingFronts are where a reader may ask.
var readingFronts = []string{"embedded", "snmpd"}

// beside has flows read by each front end from a meter, and in turn from a stub
// in its place; "of-stub" is the share of the stub's rate.
func beside(b *testing.B, front string, flows uint64, read func(address string) time.Duration) {
	c, _ := flowMeter(b, flows, 0)
	h := mib.New(c)
	ours, constants := serveBy(b, front, h), serveBy(b, front, &stub{Handler: h, last: uint32(flows)})
	var took, stubTook time.Duration
	b.ResetTimer()
	for range b.N {
		took += read(ours)
		stubTook += read(constants)
	}
	b.ReportMetric(float64(flows)*float64(b.N)/took.Seconds(), "flows/s")
	b.ReportMetric(float64(flows)*float64(b.N)/stubTook.Seconds(), "stub-flows/s")
	b.ReportMetric(stubTook.Seconds()/took.Seconds(), "of-stub")
}

// BenchmarkReading has a reader, the one of rtfm reader, read ten attributes of
// 100,000 flows in each way that there is.
func BenchmarkReading(b *testing.B) {
	for _, front := range readingFronts {
		for _, way := range []struct {
			name   string
			method client.Method
			flows  uint64
		}{
			{"blocks", client.Blocks, 100_000},
			{"packages", client.Packages, 100_000},
			{"columns", client.Columns, 10_000}, // the rate is that of more
		} {
			b.Run(front+"/"+way.name, func(b *testing.B) {
				beside(b, front, way.flows, func(address string) time.Duration {
					cl, err := client.Dial(b.Context(), client.Config{Address: address, Community: "writer"})
					if err != nil {
						b.Fatal(err)
					}
					defer cl.Close()
					q := client.FlowQuery{
						RuleSet: 2, Uptime: 1e5, Method: way.method, MaxFlows: int(way.flows) * 5 / 4,
						// What is read of each flow, and the address's mask, make ten.
						Attrs: []attr.Attr{attr.SourcePeerType, attr.SourcePeerAddress},
					}
					n := uint64(0)
					began := time.Now()
					if err := cl.Flows(b.Context(), &q, func(*match.Flow) error { n++; return nil }); err != nil {
						b.Fatal(err)
					}
					took := time.Since(began)
					if n < way.flows || n > way.flows+way.flows/50 {
						b.Errorf("%d flows were read of %d", n, way.flows)
					}
					return took
				})
			})
		}
	}
}

// BenchmarkReadingBare has four readers that do nothing with the flows but find
// where their values are, so that the meter's share is as large as can be.
func BenchmarkReadingBare(b *testing.B) {
	const flows = 100_000
	for _, front := range readingFronts {
		for _, w := range ways() {
			b.Run(front+"/"+w.name, func(b *testing.B) {
				beside(b, front, flows, func(address string) time.Duration { return collectAll(b, address, &w, w.rep[front], flows) })
			})
		}
	}
}

// BenchmarkReadingLatency asks for single variables of a million flows through
// snmpd, while half a million packets a second are metered.
func BenchmarkReadingLatency(b *testing.B) {
	const flows = 1_000_000
	c, src := flowMeter(b, flows, 500_000)
	m := newManager(b, serveBy(b, "snmpd", mib.New(c)))
	var took []time.Duration
	prefix := module.FlowDataEntry.At(uint32(attr.ToPDUs), 2, 0)
	b.ResetTimer()
	for range b.N {
		name := append(slices.Clone(prefix), 1+rand.Uint32N(flows))
		for _, tag := range []byte{0xa0, 0xa1} { // get, get next
			began := time.Now()
			if _, err := m.ask(tag, 0, []smi.OID{name}); err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(began))
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "ms-median")
	b.ReportMetric(float64(took[len(took)*999/1000].Microseconds())/1000, "ms-99.9%")
	b.ReportMetric(float64(src.lost.Load()), "lost")
}

// BenchmarkReadingCost measures what the metering goroutine takes for a packet,
// at half a million a second, alone and while four managers read packages as
// fast as they can through snmpd. What the source of packets takes, which sleeps
// most of the time, is not counted.
func BenchmarkReadingCost(b *testing.B) {
	const flows = 100_000
	w := ways()[0]
	c, src := flowMeter(b, flows, 500_000)
	address := serveBy(b, "snmpd", mib.New(c))
	perPacket := func(d time.Duration) float64 {
		used, given := src.metering.Load(), src.given.Load()
		time.Sleep(d)
		return float64(src.metering.Load()-used) / float64(src.given.Load()-given)
	}
	var alone, read float64
	b.ResetTimer()
	for range b.N {
		alone += perPacket(3 * time.Second)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				m := newManager(b, address)
				defer m.conn.Close()
				for {
					select {
					case <-stop:
						return
					default:
					}
					from := 1 + rand.Uint32N(flows-5000)
					if _, err := m.collect(&w, w.rep["snmpd"], from, from+4999); err != nil {
						b.Error(err)
						return
					}
				}
			})
		}
		read += perPacket(3 * time.Second)
		close(stop)
		wg.Wait()
	}
	b.ReportMetric(alone/float64(b.N), "ns/packet-alone")
	b.ReportMetric(read/float64(b.N), "ns/packet-read")
	b.ReportMetric(100*(read/alone-1), "%-more")
	b.ReportMetric(float64(src.lost.Load()), "lost")
}
