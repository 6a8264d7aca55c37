//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"rtfm/meter"
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
	cpu         atomic.Int64 // nanoseconds that the thread has used
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

// ReadBatch implements traces.Source.
func (s *numberedFlows) ReadBatch(b *traces.Batch) error {
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
		var used syscall.Rusage
		if err := syscall.Getrusage(1, &used); err == nil { // RUSAGE_THREAD
			s.cpu.Store(used.Utime.Nano() + used.Stime.Nano())
		}
	} else {
		due = min(due, s.flows-n)
	}
	b.File = "flows"
	b.Packets = b.Packets[:0]
	for i := range min(due, batch) {
		p := s.packet
		p.Data = s.frames[i]
		// Source address and port are behind 14 octets of Ethernet and 12 of IP.
		flow := (n + i) % s.flows
		binary.BigEndian.PutUint32(p.Data[26:], 10<<24+uint32(flow))
		p.Time += int64(n+i) * 1000
		b.Packets = append(b.Packets, p)
	}
	s.given.Add(uint64(len(b.Packets)))
	return s.ctx.Err()
}

// Stats implements traces.Source.
func (s *numberedFlows) Stats() traces.Stats { return traces.Stats{Lost: s.lost.Load()} }

// Close implements traces.Source.
func (s *numberedFlows) Close() error { return nil }

// flowMeter meters numbered flows by a ruleset that saves six attributes, ruleset
// 2, until the benchmark ends. It returns when all flows are in the table.
func flowMeter(b *testing.B, flows uint64, rate float64) (*meter.Controlled, *numberedFlows) {
	b.Helper()
	ctx, stop := context.WithCancel(context.Background())
	src := newNumberedFlows(ctx, flows, rate)
	// Far from FloodMark, 95 percent.
	c := meter.NewControlled(meter.ControlConfig{MaxFlows: int(flows) * 5 / 4})
	rs := &mib.RuleSet{Row: mib.Row{Active: true}, ID: 1 << 32, RulesReady: true}
	save := func(a ruleset.Attr, octets int) {
		rs.Rules = append(rs.Rules, ruleset.Rule{Attr: a, Mask: ruleset.Ones(octets), Value: ruleset.MakeValue(0), Op: ruleset.OpPushPktToAct, Param: len(rs.Rules) + 2})
	}
	rs.Rules = append(rs.Rules, ruleset.Rule{Attr: ruleset.Null, Op: ruleset.OpGotoAct, Param: 2})
	save(ruleset.SourcePeerType, 1)
	save(ruleset.SourceTransType, 1)
	save(ruleset.SourcePeerAddress, 4)
	save(ruleset.DestPeerAddress, 4)
	save(ruleset.SourceTransAddress, 2)
	save(ruleset.DestTransAddress, 2)
	rs.Rules = append(rs.Rules, ruleset.Rule{Attr: ruleset.Null, Op: ruleset.OpCount})
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

// way is a way of reading flows.
type way struct {
	name    string
	prefix  smi.OID        // of the variables, up to the TimeMark
	cursors int            // ranges of flow indexes in one GetBulk
	rep     map[string]int // repetitions, by front end
	// decode appends the values in a variable, and returns of how many flows.
	decode func(octets []byte, values *[]uint64) int
	many   bool // a variable has many flows, and the index of the flow before them
}

// The ten attributes that are read.
var attributes = []ruleset.Attr{
	ruleset.SourcePeerType, ruleset.SourcePeerAddress, ruleset.SourceTransType, ruleset.SourceTransAddress,
	ruleset.DestPeerAddress, ruleset.DestTransAddress,
	ruleset.ToOctets, ruleset.ToPDUs, ruleset.FromOctets, ruleset.LastActiveTime,
}

func ways() []way {
	subtrees := mib.Subtrees()
	packages := append(slices.Clone(subtrees[0]), 2, 3, 1, 5, uint32(len(attributes)))
	for _, a := range attributes {
		packages = append(packages, uint32(a))
	}
	block := append(slices.Clone(subtrees[1]), 1, 6, 1, 6, 2*uint32(len(attributes)+1), 0, uint32(ruleset.FlowIndex))
	for _, a := range attributes {
		block = append(block, uint32(a)>>8, uint32(a)&255)
	}
	return []way{
		{"packages", append(packages, 2, 0), 25, map[string]int{"snmpd": 4, "embedded": 20}, decodePackage, false},
		{"blocks", append(block, 2, 0), 8, map[string]int{"snmpd": 1, "embedded": 1}, decodeBlock, true},
	}
}

// decodePackage decodes the values of a package.
func decodePackage(octets []byte, values *[]uint64) (flows int) {
	d := smi.NewDecoder(octets)
	d, err := d.Expect(smi.TagSequence)
	for err == nil && d.Len() > 0 {
		var content smi.Decoder
		if _, content, err = d.Next(); err == nil {
			*values = append(*values, uint64(content.Len()))
		}
	}
	return 1
}

// decodeBlock decodes the values of a block.
func decodeBlock(octets []byte, values *[]uint64) (flows int) {
	flows, b := int(binary.BigEndian.Uint16(octets)), octets[2:]
	number := func(n int) {
		v := uint64(0)
		for _, octet := range b[:n] {
			v = v<<8 | uint64(octet)
		}
		b, *values = b[n:], append(*values, v)
	}
	for range flows {
		number(4) // FlowIndex
		for _, a := range attributes {
			if in := a.Info(); in.Class == ruleset.ClassAddress {
				n := int(b[0])
				b = b[1:]
				number(n)
			} else {
				number(in.Size)
			}
		}
	}
	return flows
}

// stub is a Handler that answers constants: as many variables as there would be,
// each with the value of the first.
type stub struct {
	smi.Handler
	way   *way
	value smi.Value
	each  uint32 // flows in a variable
	last  uint32
}

func newStub(w *way, flows uint64, h smi.Handler) *stub {
	s := &stub{way: w, last: uint32(flows)}
	var first [1]smi.VarBind
	h.Next([]smi.Range{{Start: append(slices.Clone(w.prefix), 0)}}, first[:])
	s.value.Set(&first[0].Value)
	s.each = uint32(w.decode(s.value.Octets, new([]uint64)))
	return s
}

func (s *stub) next(start smi.OID, out *smi.VarBind) {
	if !start.HasPrefix(s.way.prefix) || len(start) == len(s.way.prefix) || start[len(start)-1] >= s.last {
		out.SetName(start)
		out.Value.SetNone(smi.EndOfMibView)
		return
	}
	row := start[len(start)-1]
	out.Name = append(out.Name[:0], s.way.prefix...)
	if s.way.many {
		out.Name = append(out.Name, row)
	}
	out.Name = append(out.Name, row+s.each)
	out.Value.Set(&s.value)
}

func (s *stub) Next(ranges []smi.Range, out []smi.VarBind) *smi.Error {
	for i := range ranges {
		s.next(ranges[i].Start, &out[i])
	}
	return nil
}

func (s *stub) Bulk(b *smi.Bulk, out []smi.VarBind) ([]smi.VarBind, *smi.Error) {
	return b.FillRuns(func(ranges []smi.Range, out []smi.VarBind) *smi.Error {
		n := len(ranges)
		for i := range ranges {
			start := ranges[i].Start
			for at := i; at < len(out); at += n {
				s.next(start, &out[at])
				start = out[at].Name
			}
		}
		return nil
	}, out)
}

// snmpManager reads over one socket, one request after the other.
type snmpManager struct {
	b    testing.TB
	conn net.Conn
	out  []byte
	in   []byte
	list []byte
	vars []smi.VarBind

	values []uint64 // in a variable
}

func newManager(b testing.TB, address string) *snmpManager {
	conn, err := net.Dial("udp", address)
	if err != nil {
		b.Fatal(err)
	}
	return &snmpManager{b: b, conn: conn, in: make([]byte, 65536)}
}

// ask sends a request for variables called names, whose PDU has this tag, and
// returns those of the answer, valid until the next call.
func (m *snmpManager) ask(tag byte, repetitions int, names []smi.OID) ([]smi.VarBind, error) {
	m.list = m.list[:0]
	for _, name := range names {
		vb := smi.VarBind{Name: name, Value: smi.Value{Type: smi.Null}}
		m.list = vb.AppendBER(m.list)
	}
	numbers := smi.AppendBERInt(smi.AppendBERInt(smi.AppendBERInt(nil, 1), 0), int64(repetitions))
	n := len(numbers) + smi.BERHeaderSize(len(m.list)) + len(m.list)
	head := append([]byte{2, 1, 1, 4, 6}, "writer"...)
	m.out = smi.AppendBERHeader(m.out[:0], smi.TagSequence, len(head)+smi.BERHeaderSize(n)+n)
	m.out = append(m.out, head...)
	m.out = smi.AppendBERHeader(m.out, tag, n)
	m.out = append(m.out, numbers...)
	m.out = smi.AppendBERHeader(m.out, smi.TagSequence, len(m.list))
	m.out = append(m.out, m.list...)
	if err := m.conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := m.conn.Write(m.out); err != nil {
		return nil, err
	}
	got, err := m.conn.Read(m.in)
	if err != nil {
		return nil, err
	}
	d := smi.NewDecoder(m.in[:got])
	if d, err = d.Expect(smi.TagSequence); err != nil {
		return nil, err
	}
	if _, err = d.Int(); err != nil {
		return nil, err
	}
	if _, err = d.Octets(); err != nil {
		return nil, err
	}
	if d, err = d.Expect(0xa2); err != nil {
		return nil, err
	}
	for range 3 {
		v, err := d.Int()
		if err != nil || v != 0 && v != 1 {
			return nil, fmt.Errorf("error %d, %v", v, err)
		}
	}
	if d, err = d.Expect(smi.TagSequence); err != nil {
		return nil, err
	}
	vars := m.vars[:0]
	for d.Len() > 0 {
		vars = smi.Resize(vars, len(vars)+1)
		if err := d.VarBind(&vars[len(vars)-1]); err != nil {
			return nil, err
		}
	}
	m.vars = vars
	return vars, nil
}

// collect reads all flows from index first to last, and returns how many came.
func (m *snmpManager) collect(w *way, repetitions int, first, last uint32) (flows uint64, err error) {
	type cursor struct {
		at  smi.OID
		end uint32 // last flow index
	}
	var cursors []cursor
	share := (last-first)/uint32(w.cursors) + 1
	for from := first; from <= last; from += share {
		cursors = append(cursors, cursor{append(slices.Clone(w.prefix), from-1), min(from+share-1, last)})
	}
	var names []smi.OID
	for len(cursors) > 0 {
		names = names[:0]
		for _, c := range cursors {
			names = append(names, c.at)
		}
		vars, err := m.ask(0xa5, repetitions, names)
		if err != nil {
			return flows, err
		}
		asked := len(cursors)
		for i := range vars {
			c, vb := &cursors[i%asked], &vars[i]
			if c.end == 0 {
				continue // past its end
			}
			if vb.Value.Type == smi.EndOfMibView || !vb.Name.HasPrefix(w.prefix) {
				c.end = 0
				continue
			}
			row := vb.Name[len(vb.Name)-1]
			if !w.many && row > c.end {
				c.end = 0
				continue
			}
			m.values = m.values[:0]
			flows += uint64(w.decode(vb.Value.Octets, &m.values))
			c.at = append(c.at[:0], vb.Name...)
			if row >= c.end {
				if w.many { // flows of the next range are in this block
					flows -= uint64(row - c.end)
				}
				c.end = 0
			}
		}
		cursors = slices.DeleteFunc(cursors, func(c cursor) bool { return c.end == 0 })
	}
	return flows, nil
}

// collectAll has four managers read all flows, each a quarter of them.
func collectAll(b testing.TB, address string, w *way, repetitions int, flows uint64) time.Duration {
	const managers = 4
	var wg sync.WaitGroup
	var total atomic.Uint64
	began := time.Now()
	for i := range managers {
		wg.Go(func() {
			m := newManager(b, address)
			defer m.conn.Close()
			n, err := m.collect(w, repetitions, uint32(uint64(i)*flows/managers)+1, uint32(uint64(i+1)*flows/managers))
			if err != nil {
				b.Error(err)
			}
			total.Add(n)
		})
	}
	wg.Wait()
	if n := total.Load(); n < flows || n > flows+flows/50 {
		b.Errorf("%d flows were read of %d", n, flows)
	}
	return time.Since(began)
}

// BenchmarkReading reads 100,000 flows of ten attributes by each front end in
// packages and blocks, in turn with as many constants that a Handler answers in
// the meter's place; "of-stub" is the share of that rate.
func BenchmarkReading(b *testing.B) {
	const flows = 100_000
	for _, front := range []string{"embedded", "snmpd"} {
		for _, w := range ways() {
			b.Run(front+"/"+w.name, func(b *testing.B) {
				c, _ := flowMeter(b, flows, 0)
				ours, constants := serveBy(b, front, mib.New(c)), serveBy(b, front, newStub(&w, flows, mib.New(c)))
				var took, stubTook time.Duration
				b.ResetTimer()
				for range b.N {
					took += collectAll(b, ours, &w, w.rep[front], flows)
					stubTook += collectAll(b, constants, &w, w.rep[front], flows)
				}
				b.ReportMetric(flows*float64(b.N)/took.Seconds(), "flows/s")
				b.ReportMetric(flows*float64(b.N)/stubTook.Seconds(), "stub-flows/s")
				b.ReportMetric(stubTook.Seconds()/took.Seconds(), "of-stub")
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
	prefix := append(mib.Subtrees()[0], 2, 1, 1, uint32(ruleset.ToPDUs), 2, 0)
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
// fast as they can through snmpd.
func BenchmarkReadingCost(b *testing.B) {
	const flows = 100_000
	w := ways()[0]
	c, src := flowMeter(b, flows, 500_000)
	address := serveBy(b, "snmpd", mib.New(c))
	perPacket := func(d time.Duration) float64 {
		cpu, given := src.cpu.Load(), src.given.Load()
		time.Sleep(d)
		return float64(src.cpu.Load()-cpu) / float64(src.given.Load()-given)
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
