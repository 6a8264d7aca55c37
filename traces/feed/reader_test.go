package feed

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"

	"rtfm/traces/ipfix"
)

// journal is a Handler that keeps what it is given, as text.
type journal []string

func (j *journal) add(format string, args ...any) { *j = append(*j, fmt.Sprintf(format, args...)) }

func (j *journal) Begin(before uint32)    { j.add("begin %d", before) }
func (j *journal) Missing(records uint32) { j.add("missing %d", records) }
func (j *journal) Shape(s *Shape)         { j.add("shape %s", text(s)) }
func (j *journal) New(n *New)             { j.add("new %s", textNew(n)) }
func (j *journal) Packet(p *Packet)       { j.add("packet %+v", *p) }
func (j *journal) Stats(s *Stats)         { j.add("stats %+v", *s) }
func (j *journal) End(e *End) {
	j.add("end %s %d %d %d %v %v %d", textNew(&e.New), e.Reason, e.Begun, e.Last, e.PDUs, e.Octets, e.Told)
}

func text(s *Shape) string { return fmt.Sprintf("%d %q %v", s.RuleSet, s.Name, s.Saved) }

func textNew(n *New) string {
	return fmt.Sprintf("%#x %s %d %d %d %x", n.Flow, text(n.Shape), n.First, n.Index, n.Collisions, n.Key)
}

// message is one that was written, with so many records; wrote is what they are.
type message struct {
	b     []byte
	n     int
	wrote journal
}

// write has random records written in a form, with messages of so many octets at most.
func write(r *rand.Rand, form Form, mtu, records int) (messages []message) {
	var wrote journal
	now := int64(1_700_000_000_000_000_000)
	w := Writer{Form: form, Domain: 7, MTU: mtu}
	w.Send = func(b []byte, n int) []byte {
		messages = append(messages, message{bytes.Clone(b), n, slices.Clone(wrote[:n])})
		wrote = wrote[n:]
		return b
	}
	w.Templates(now)
	var shapes []*Shape
	for range records {
		now += r.Int64N(30_000_000)
		switch n := r.IntN(100); {
		case n < 3 || len(shapes) == 0:
			s := randomShape(r)
			shapes = append(shapes, s)
			wrote.Shape(s)
			w.Shape(s, now)
		case n < 15:
			e := randomEnd(r, shapes, form)
			wrote.New(&e.New)
			w.New(&e.New, now)
		case n < 25:
			e := randomEnd(r, shapes, form)
			wrote.End(&e)
			w.End(&e, now)
		case n < 27:
			s := Stats{now, r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64(), r.Uint64(), r.Uint32(), r.Uint32()}
			wrote.Stats(&s)
			w.Stats(&s, now)
		case n < 28:
			w.Flush()
		default:
			p := Packet{flowID(r, form), now - r.Int64N(1e9), r.Uint32() >> r.IntN(32), uint8(r.Uint32()), r.IntN(2) == 0, 0}
			if form.Digest {
				p.Digest = r.Uint32()
			}
			wrote.Packet(&p)
			w.Packet(&p, now)
		}
	}
	w.Flush()
	return messages
}

func flowID(r *rand.Rand, form Form) uint64 {
	if form.Narrow {
		return uint64(r.Uint32())
	}
	return r.Uint64()
}

func randomShape(r *rand.Rand) *Shape {
	s := &Shape{RuleSet: uint8(r.Uint32()), Name: string(make([]byte, r.IntN(255)))}
	s.ICMP = []uint16{0, ipfix.ICMPTypeCodeIPv4, ipfix.ICMPTypeCodeIPv6}[r.IntN(3)]
	for range r.IntN(12) {
		v := Saved{Attribute: uint16(r.IntN(1200)), Mask: make([]byte, 1+r.IntN(20))}
		for i := range v.Mask {
			v.Mask[i] = uint8(r.Uint32())
		}
		if r.IntN(2) == 0 {
			v.Field.Element = uint16(1 + r.IntN(1<<15-1))
		}
		s.Saved = append(s.Saved, v)
	}
	return s
}

func randomEnd(r *rand.Rand, shapes []*Shape, form Form) End {
	e := End{
		New:    New{flowID(r, form), shapes[r.IntN(len(shapes))], r.Int64N(4e18), r.Uint32(), uint16(r.Uint32()), nil},
		Reason: Reason(r.Uint32()), Begun: r.Int64N(4e18), Last: r.Int64N(4e18),
		PDUs: [2]uint64{r.Uint64(), r.Uint64()}, Octets: [2]uint64{r.Uint64(), r.Uint64()}, Told: r.Uint64(),
	}
	for range e.Shape.KeyLen() {
		e.Key = append(e.Key, uint8(r.Uint32()))
	}
	return e
}

// forms are all there are.
func forms() (all []Form) {
	for i := range 8 {
		all = append(all, Form{i&1 != 0, i&2 != 0, i&4 != 0})
	}
	return all
}

// wrote returns what the messages tell.
func wrote(messages []message) (all journal) {
	for _, m := range messages {
		all = append(all, m.wrote...)
	}
	return all
}

// equal fails the test unless got is want.
func equal(t *testing.T, got, want journal) {
	t.Helper()
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("record %d of %d is\n%s\nnot\n%s", i, len(want), got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Fatalf("%d records are read, not %d", len(got), len(want))
	}
}

// TestRoundTrip: what was written is read again, out of a file.
func TestRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, form := range forms() {
		messages := write(r, form, LeastMTU+r.IntN(2000), 3000)
		var file bytes.Buffer
		for _, m := range messages {
			file.Write(m.b)
		}
		x := Reader{Ordered: true}
		var got journal
		var room []byte
		for {
			b, err := ReadMessage(&file, room)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := x.Message(b, &got); err != nil {
				t.Fatal(err)
			}
			room = b
		}
		equal(t, got, append(journal{"begin 0"}, wrote(messages)...))
		if x.Form() != form || x.Counts.Messages != uint64(len(messages)) || x.Counts.Records != uint64(len(got)-1) {
			t.Fatalf("%+v was read in form %+v, not of %d messages in %+v", x.Counts, x.Form(), len(messages), form)
		}
	}
}

// TestDisorder: messages that overtake others and come twice are read in order and once,
// and the records of those that are lost are missing.
func TestDisorder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for round := range 24 {
		messages := write(r, forms()[round%8], LeastMTU, 1500)
		lost := make([]bool, len(messages))
		type arrival struct {
			number int
			at     float64
		}
		var order []arrival
		for i := range messages {
			if lost[i] = round%2 == 1 && i > 3 && r.IntN(30) == 0; lost[i] {
				continue
			}
			order = append(order, arrival{i, float64(i) + 8*r.Float64()})
			if r.IntN(10) == 0 {
				order = append(order, arrival{i, float64(i) + 12*r.Float64()})
			}
		}
		slices.SortFunc(order, func(a, b arrival) int { return int(1000 * (a.at - b.at)) })
		var got journal
		var x Reader
		for _, a := range order {
			if err := x.Message(messages[a.number].b, &got); err != nil {
				t.Fatal(err)
			}
		}
		if err := x.Flush(&got); err != nil {
			t.Fatal(err)
		}
		// Of losses only the number is compared: a shape that is lost takes others along.
		n, missing, total, lastLost := 0, 0, 0, false
		for _, line := range got {
			if _, err := fmt.Sscanf(line, "missing %d", &n); err == nil {
				missing += n
			}
		}
		for i, m := range messages {
			total += m.n
			lastLost = lost[i]
		}
		// What the last message has, nobody can know if it is lost or its templates are.
		sum := int(x.Counts.Records) + int(x.Counts.Unknown) + missing
		if sum > total || sum < total && !lastLost && !x.unsure {
			t.Fatalf("round %d: %+v, %d missing: of %d records", round, x.Counts, missing, total)
		}
		if round%2 == 0 {
			equal(t, got, append(journal{"begin 0"}, wrote(messages)...))
		}
	}
}

// TestRestart: a meter that begins anew under the same address is read from there on.
func TestRestart(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, ordered := range []bool{false, true} {
		first, second := write(r, Form{}, LeastMTU, 500), write(r, Form{}, LeastMTU, 500)
		for i := range second { // an hour later
			ipfix.PutHeader(second[i].b, 1_700_003_600, sequence(second[i].b), 7)
		}
		var got journal
		x := Reader{Ordered: ordered}
		for _, m := range slices.Concat(first, second) {
			if err := x.Message(m.b, &got); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, got, slices.Concat(journal{"begin 0"}, wrote(first), journal{"begin 0"}, wrote(second)))
	}
}

func sequence(b []byte) uint32 {
	return uint32(b[8])<<24 | uint32(b[9])<<16 | uint32(b[10])<<8 | uint32(b[11])
}

// TestSequenceWraps: 2^32 records are no restart.
func TestSequenceWraps(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	messages := write(r, Form{}, LeastMTU, 1000)
	for i := range messages {
		ipfix.PutHeader(messages[i].b, 1_700_000_000, sequence(messages[i].b)-700, 7)
	}
	for _, ordered := range []bool{false, true} {
		var got journal
		x := Reader{Ordered: ordered}
		for _, m := range messages {
			if err := x.Message(m.b, &got); err != nil {
				t.Fatal(err)
			}
		}
		equal(t, got, append(journal{fmt.Sprintf("begin %d", uint32(1<<32-700))}, wrote(messages)...))
	}
}

// FuzzReader: messages of anybody are read without panic, and what is read is no more
// than was there.
func FuzzReader(f *testing.F) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, form := range forms() {
		messages := write(r, form, LeastMTU, 40)
		for _, m := range messages {
			f.Add(messages[0].b, m.b)
		}
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		for _, ordered := range []bool{false, true} {
			x := Reader{Ordered: ordered}
			var got journal
			_ = x.Message(a, &got)
			_ = x.Message(b, &got)
			_ = x.Flush(&got)
			if x.Counts.Records+x.Counts.Unknown > uint64(len(a)+len(b)) {
				t.Fatalf("%+v from %d octets", x.Counts, len(a)+len(b))
			}
			size := 0
			for _, of := range x.templates {
				size += of.size()
			}
			if size != x.size {
				t.Fatalf("templates have %d octets, not %d", size, x.size)
			}
		}
	})
}

// FuzzReadMessage: a stream of anybody is read to its end.
func FuzzReadMessage(f *testing.F) {
	r := rand.New(rand.NewPCG(11, 12))
	for _, form := range forms() {
		var b []byte
		for _, m := range write(r, form, LeastMTU, 100) {
			b = append(b, m.b...)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		from, n := bytes.NewReader(b), 0
		for {
			m, err := ReadMessage(from, make([]byte, 0, 64))
			if err != nil {
				return
			}
			if !bytes.Equal(m, b[n:n+len(m)]) {
				t.Fatalf("message at %d is %x", n, m)
			}
			n += len(m)
		}
	})
}

// TestManyShapes: shapes whose templates have numbers of which others had the same are
// told again when it is their turn.
func TestManyShapes(t *testing.T) {
	var got, want journal
	x := Reader{Ordered: true}
	w := Writer{MTU: LeastMTU, Send: func(b []byte, n int) []byte {
		if err := x.Message(b, &got); err != nil {
			t.Fatal(err)
		}
		return b
	}}
	r := rand.New(rand.NewPCG(13, 14))
	w.Templates(0)
	var shapes []*Shape
	for i := range maxShapes + 2 {
		shapes = append(shapes, randomShape(r))
		w.Shape(shapes[i], 0)
	}
	for range 5 {
		for _, i := range []int{0, 1, 2, maxShapes, maxShapes + 1} {
			e := randomEnd(r, shapes[i:i+1], Form{})
			w.New(&e.New, 0)
			w.End(&e, 0)
			want.New(&e.New)
			want.End(&e)
		}
	}
	w.Flush()
	equal(t, slices.DeleteFunc(got, func(s string) bool { return s[0] == 's' || s[0] == 'b' }), want)
}

// counter is a Handler that only counts.
type counter struct{ packets int }

func (c *counter) Begin(uint32)   {}
func (c *counter) Missing(uint32) {}
func (c *counter) Shape(*Shape)   {}
func (c *counter) New(*New)       {}
func (c *counter) Packet(*Packet) { c.packets++ }
func (c *counter) End(*End)       {}
func (c *counter) Stats(*Stats)   {}

// BenchmarkReader reads messages full of PACKETs.
func BenchmarkReader(b *testing.B) {
	var messages [][]byte
	w := Writer{MTU: 1472, Send: func(m []byte, _ int) []byte {
		messages = append(messages, bytes.Clone(m))
		return m
	}}
	w.Templates(0)
	for i := range 100_000 {
		w.Packet(&Packet{Flow: uint64(i), Time: int64(i), Octets: 1000}, 0)
	}
	w.Flush()
	b.ReportAllocs()
	c := new(counter)
	for b.Loop() {
		x := Reader{Ordered: true}
		for _, m := range messages {
			if err := x.Message(m, c); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(c.packets), "ns/packet")
}
