//go:build linux

package acceptance

import (
	"context"
	"encoding/binary"
	"io"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"rtfm/ruleset/attr"

	"golang.org/x/sys/unix"

	"rtfm/meter"
	"rtfm/meter/control"
	"rtfm/mib"
	"rtfm/mib/agentx"
	"rtfm/mib/smi"
	"rtfm/mib/snmp"
	"rtfm/mib/snmp/snmptest"
	"rtfm/ruleset"
	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// numberedFlows is a Source of packets of so many flows, again and again, as an
// interface would give them: at a fixed rate, and with a ring for those that the
// meter has not taken yet. Without a rate it gives each flow a packet and then
// waits.
type numberedFlows struct {
	ctx    context.Context
	flows  uint64
	rate   float64 // packets a second
	made   chan struct{}
	frames [batch][]byte
	packet traces.Packet

	began       time.Time
	given, lost atomic.Uint64
	returned    int64        // CPU time of the thread when the latest batch was given
	metering    atomic.Int64 // nanoseconds of CPU time that the thread has used between batches
}

const (
	batch = 256
	ring  = 1 << 16 // packets
)

func newNumberedFlows(ctx context.Context, flows uint64, rate float64) *numberedFlows {
	s := &numberedFlows{ctx: ctx, flows: flows, rate: rate, made: make(chan struct{})}
	s.packet = tracetest.Packets(tracetest.Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4("10.0.0.0", "192.0.2.1").UDP(1234, 53).Payload(100))[0]
	for i := range s.frames {
		s.frames[i] = slices.Clone(s.packet.Data)
	}
	return s
}

// threadTime returns the CPU time that the thread has used, in nanoseconds.
func threadTime() int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t); err != nil {
		return 0
	}
	return t.Nano()
}

// ReadBatch implements traces.Source.
func (s *numberedFlows) ReadBatch(b *traces.Batch) error {
	s.metering.Add(threadTime() - s.returned)
	defer func() { s.returned = threadTime() }()
	n := s.given.Load()
	if n == s.flows {
		close(s.made)
		s.began = time.Now()
	}
	due := uint64(batch)
	if n >= s.flows {
		if s.rate == 0 {
			<-s.ctx.Done()
		}
		for {
			passed := uint64(s.rate * time.Since(s.began).Seconds())
			if due = s.flows + passed - n - s.lost.Load(); due > ring {
				s.lost.Add(due - ring)
			}
			if due >= batch || s.ctx.Err() != nil {
				break
			}
			time.Sleep(100 * time.Microsecond)
		}
	} else {
		due = min(due, s.flows-n)
	}
	b.File = "flows"
	b.Packets = b.Packets[:0]
	for i := range min(due, batch) {
		p := s.packet
		p.Data = s.frames[i]
		// Source address and port are after 14 octets of Ethernet and 12 of IP.
		flow := (n + i) % s.flows
		binary.BigEndian.PutUint32(p.Data[26:], 10<<24+uint32(flow))
		p.Time += int64(n+i) * 1000
		b.Packets = append(b.Packets, p)
	}
	if s.ctx.Err() != nil {
		b.Packets = b.Packets[:0]
		return io.EOF
	}
	s.given.Add(uint64(len(b.Packets)))
	return nil
}

// Stats implements traces.Source.
func (s *numberedFlows) Stats() traces.Stats { return traces.Stats{Lost: s.lost.Load()} }

// Close implements traces.Source.
func (s *numberedFlows) Close() error { return nil }

// flowMeter meters numbered flows by a ruleset that saves six attributes, ruleset
// 2, until the benchmark ends. It returns when all flows are in the table.
func flowMeter(b *testing.B, flows uint64, rate float64) (*control.Meter, *numberedFlows) {
	b.Helper()
	ctx, stop := context.WithCancel(context.Background())
	src := newNumberedFlows(ctx, flows, rate)
	// Far from FloodMark, 95 percent.
	c := control.New(control.Config{Config: meter.Config{MaxFlows: int(flows) * 5 / 4}})
	rs := &mib.RuleSet{Row: mib.Row{Active: true}, ID: 1 << 32, RulesReady: true}
	save := func(a attr.Attr, octets int) {
		rs.Rules = append(rs.Rules, ruleset.Rule{Attr: a, Mask: attr.Ones(octets), Value: attr.MakeValue(0), Op: ruleset.OpPushPktToAct, Param: len(rs.Rules) + 2})
	}
	rs.Rules = append(rs.Rules, ruleset.Rule{Attr: attr.Null, Op: ruleset.OpGotoAct, Param: 2})
	save(attr.SourcePeerType, 1)
	save(attr.SourceTransType, 1)
	save(attr.SourcePeerAddress, 4)
	save(attr.DestPeerAddress, 4)
	save(attr.SourceTransAddress, 2)
	save(attr.DestTransAddress, 2)
	rs.Rules = append(rs.Rules, ruleset.Rule{Attr: attr.Null, Op: ruleset.OpCount})
	c.Do(func() {
		c.Control().RuleSets.Put(2, rs)
		c.Control().Managers.Put(1, &mib.Manager{Row: mib.Row{Active: true}, CurrentRuleSet: 2})
		c.Changed()
		c.Settle()
	})
	var wg sync.WaitGroup
	wg.Go(func() {
		runtime.LockOSThread()
		c.Run(ctx, src, func(err error) {
			if ctx.Err() == nil {
				b.Error(err)
			}
		})
	})
	b.Cleanup(wg.Wait)
	b.Cleanup(stop)
	<-src.made
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		n := 0
		c.Do(func() { n = c.Flows(2) })
		if n == int(flows) {
			break
		}
		if time.Now().After(deadline) {
			b.Fatalf("%d flows are there of %d", n, flows)
		}
	}
	return c, src
}

// serveBy has a Handler answer at an address, through snmpd or by itself.
func serveBy(b *testing.B, front string, h smi.Handler) (address string) {
	b.Helper()
	ctx, stop := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	if front == "snmpd" {
		m := newMaster(b)
		ready := make(chan struct{}, 100)
		a, err := agentx.New(agentx.Config{Address: m.socket, Subtrees: mib.Subtrees(), Changed: func(err error) {
			if err == nil {
				ready <- struct{}{}
			}
		}}, h)
		if err != nil {
			b.Fatal(err)
		}
		wg.Go(func() { a.Run(ctx) })
		<-ready
		address = m.address
	} else {
		address = snmptest.Serve(b, snmp.Config{ReadCommunity: "writer"}, h)
	}
	b.Cleanup(wg.Wait)
	b.Cleanup(stop)
	return address
}
