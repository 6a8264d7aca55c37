package store

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"rtfm/traces"
)

// keyed makes packets of so many flows of a key that their first octets are; every 50th
// has none.
func keyed(r *rand.Rand, n, flows int) []traces.Packet {
	packets := random(r, n)
	for i := range packets {
		p := &packets[i]
		p.Data = append(make([]byte, 8), p.Data[:min(len(p.Data), 100)]...)
		p.Wire = uint32(len(p.Data))
		if r.IntN(50) > 0 {
			copy(p.Data, "key")
			// Flows come and go.
			binary.BigEndian.PutUint32(p.Data[4:], uint32(i*flows/n+r.IntN(1+flows/20)))
		}
	}
	return packets
}

// keyOf sets the key of such a packet.
func keyOf(k *Key, p *traces.Packet) bool {
	if string(p.Data[:3]) != "key" {
		k.Set(0, 0, 0, 0)
		return true
	}
	n := binary.BigEndian.Uint32(p.Data[4:])
	length := addressLengths[1+n%2]
	k.Set(uint8(1+n%2), uint8(n), uint16(n/2%2), length) // every other of IPv4 is a tuple
	from, to := int(p.Time&1), int(^p.Time&1)            // either direction
	binary.BigEndian.PutUint32(k.Address(from)[:], 10<<24+n)
	binary.BigEndian.PutUint16(k.Address(to)[:], uint16(n*40503))
	k.Port(from)[0] = byte(n)
	return true
}

// tupleOf returns the tuples of some of these packets.
func tupleOf(p *traces.Packet) (t Tuple, ok bool) {
	var k Key
	if p.Time&6 == 0 || !keyOf(&k, p) {
		return t, false
	}
	return k.tuple()
}

// TestTuples: a tuple is its key, and that of packets the other way is the same.
func TestTuples(t *testing.T) {
	r := rand.New(rand.NewPCG(21, 22))
	known := 0
	for range 10_000 {
		n, time := r.Uint32(), int64(r.Uint32N(2))
		p := traces.Packet{Time: time, Data: binary.BigEndian.AppendUint32([]byte("key "), n)}
		var there, back, got Key
		keyOf(&there, &p)
		p.Time ^= 1
		keyOf(&back, &p)
		a, ok := there.tuple()
		b, _ := back.tuple()
		if want := n%4 == 0; ok != want {
			t.Fatalf("%d: a tuple is %v", n, ok)
		} else if !ok {
			continue
		}
		known++
		if a.Key(&got); got != there {
			t.Fatalf("%x, want %x", got, there)
		}
		if a == b || a.ordered() != b.ordered() || a.ordered() != a && a.ordered() != b {
			t.Fatalf("%x and %x", a, b)
		}
		if other := (Tuple{a.Addresses, a.Ports ^ 1<<r.IntN(tupleBits)}); other.ordered() == a.ordered() {
			t.Fatalf("%x is as %x", other, a)
		}
	}
	if known == 0 {
		t.Error("no tuples")
	}
}

// TestOnce: a flow is in the list once, however its packets tell its key.
func TestOnce(t *testing.T) {
	f := newFlows(&Config{Key: keyOf, Tuple: tupleOf})
	f.fits = true
	want := make(map[Key]bool)
	for _, p := range keyed(rand.New(rand.NewPCG(25, 26)), 60_000, 20_000) {
		f.note(&p)
		var k Key
		keyOf(&k, &p)
		k.order()
		want[k] = true
	}
	f.pair()
	f.pairTuples()
	got := make(map[Key]bool)
	for _, k := range f.list {
		got[k] = true
	}
	if len(f.list) != len(want) || len(f.pairs) != len(want) || !maps.Equal(got, want) {
		t.Errorf("%d flows and %d pairs, want %d", len(f.list), len(f.pairs), len(want))
	}
}

// wantedPackets returns the texts of those that have a wanted flow.
func wantedPackets(packets []traces.Packet, q *Flows) (want []string) {
	for i := range packets {
		var k Key
		keyOf(&k, &packets[i])
		k.order()
		if q.Wanted(&k) {
			want = append(want, text(&packets[i]))
		}
	}
	return want
}

// wantsOne returns a query for one flow.
func wantsOne(n uint32, narrow bool) *Flows {
	p := traces.Packet{Data: binary.BigEndian.AppendUint32([]byte("key "), n)}
	var want Key
	keyOf(&want, &p)
	want.order()
	q := &Flows{Wanted: func(k *Key) bool { return *k == want }}
	if narrow {
		q.Ends = []Prefix{{Bits: 32}}
		binary.BigEndian.PutUint32(q.Ends[0].Address[:], 10<<24+n)
	}
	return q
}

// contains fails unless all of want are in got, in their order.
func contains(t *testing.T, got, want []string) {
	t.Helper()
	for _, s := range got {
		if len(want) > 0 && s == want[0] {
			want = want[1:]
		}
	}
	if len(want) > 0 {
		t.Fatalf("%d packets are missing, such as %.40q", len(want), want[0])
	}
}

// TestFlows finds packets of flows: all are there, and few chunks are read. An index
// whose digest is damaged, cut, of an older version or away leaves nothing out.
func TestFlows(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	const flows = 20_000
	packets := keyed(r, 150_000, flows)
	dir := t.TempDir()
	store(t, Config{Dir: dir, Buffer: 64 << 20, FileSize: 8 << 20, Key: keyOf, Tuple: tupleOf}, &list{packets: packets})
	files, err := Files(dir)
	if err != nil || len(files) < 2 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	get := func(q *Flows) Covered {
		got, src := read(t, dir, Query{To: forever, Flows: q})
		contains(t, got, wantedPackets(packets, q))
		return src.Covered()
	}
	all := get(&Flows{Wanted: func(*Key) bool { return true }})
	for i := range 16 {
		q := wantsOne(r.Uint32N(flows), i%2 == 0)
		if c := get(q); c.Chunks > all.Chunks/4 || c.Chunks+c.Passed != all.Chunks {
			t.Errorf("%d chunks are read and %d passed, of %d", c.Chunks, c.Passed, all.Chunks)
		}
	}
	if c := get(&Flows{Wanted: func(k *Key) bool { return k.PeerType() == 7 }, Ends: []Prefix{}}); c.Chunks != 0 {
		t.Errorf("%d chunks are read for no flow", c.Chunks)
	}
	largest := slices.MaxFunc(files, func(a, b File) int { return cmp.Compare(a.Size, b.Size) })
	path := filepath.Join(dir, indexName(largest.Name))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 24 {
		broken := bytes.Clone(whole)
		switch i % 4 {
		case 0, 1:
			broken[r.IntN(len(broken))] ^= 1 << r.IntN(8)
		case 2:
			broken = broken[:r.IntN(len(broken))]
		case 3: // two pages changed over
			at := bytes.Index(broken, []byte(digestMagic))
			first := bytes.Clone(broken[at : at+pageLen])
			copy(broken[at:], broken[at+pageLen:at+2*pageLen])
			copy(broken[at+pageLen:], first)
		}
		os.WriteFile(path, broken, 0o640)
		get(wantsOne(r.Uint32N(flows), i%2 == 0))
	}
	os.Remove(path)
	if c := get(wantsOne(flows/2, true)); c.Chunks < all.Chunks/5 {
		t.Errorf("%d chunks are read without an index", c.Chunks)
	}
	// What ends without an index gets one when a writer goes on.
	last := files[len(files)-1]
	os.Remove(filepath.Join(dir, indexName(last.Name)))
	store(t, Config{Dir: dir, Key: keyOf, Tuple: tupleOf}, &list{})
	os.WriteFile(path, whole, 0o640)
	if c := get(wantsOne(3, true)); c.Chunks > 2 {
		t.Errorf("%d chunks are read after recovery", c.Chunks)
	}
}

// TestOldIndex: an index as programs wrote it before there were digests is read.
func TestOldIndex(t *testing.T) {
	packets := keyed(rand.New(rand.NewPCG(15, 16)), 30_000, 100)
	dir := t.TempDir()
	store(t, Config{Dir: dir}, &list{packets: packets})
	files, _ := Files(dir)
	path := filepath.Join(dir, indexName(files[0].Name))
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[8] = 1
	binary.LittleEndian.PutUint32(b[len(b)-4:], crc32.Checksum(b[:len(b)-4], castagnoli))
	os.WriteFile(path, b, 0o640)
	ix, wanted, err := readIndex(path, files[0].Size, wantsOne(1, true))
	if err != nil || len(ix.chunks) == 0 || wanted != nil {
		t.Errorf("%d chunks, %v: %v", len(ix.chunks), wanted, err)
	}
	read(t, dir, Query{To: forever, Flows: wantsOne(1, true)})
}

// TestFlood stores packets each of which is a flow of its own: the digest stays small, and
// tells which chunks it does not know.
func TestFlood(t *testing.T) {
	const flows = 400_000
	r := rand.New(rand.NewPCG(17, 18))
	packets := make([]traces.Packet, flows)
	for i := range packets {
		packets[i] = traces.Packet{Time: int64(i), Data: binary.BigEndian.AppendUint32([]byte("key "), uint32(i)), Wire: 60, Link: traces.LinkEthernet, Interface: 1}
	}
	dir := t.TempDir()
	store(t, Config{Dir: dir, FileSize: 1 << 30, Key: keyOf, Tuple: tupleOf, Wait: true}, &list{packets: slices.Clone(packets)})
	files, _ := Files(dir)
	st, err := os.Stat(filepath.Join(dir, indexName(files[0].Name)))
	if err != nil || st.Size() > startDigest+files[0].Size/16+1<<20 {
		t.Errorf("an index of %d octets for a file of %d: %v", st.Size(), files[0].Size, err)
	}
	for range 2 {
		q := wantsOne(r.Uint32N(flows), true)
		got, _ := read(t, dir, Query{To: forever, Flows: q})
		contains(t, got, wantedPackets(packets, q))
	}
}

func FuzzDigest(f *testing.F) {
	fl := newFlows(&Config{Key: keyOf, Tuple: tupleOf})
	packets := keyed(rand.New(rand.NewPCG(1, 2)), 300, 40)
	for i := range packets {
		fl.fits = true
		fl.note(&packets[i])
		fl.pair()
		fl.pairTuples()
		if i%50 == 0 {
			fl.chunks = append(fl.chunks, chunkFlows{uint32(len(fl.pairs)), i == 200})
		}
	}
	var b bytes.Buffer
	fl.write(&b, 0)
	n := len(fl.chunks)
	f.Add(b.Bytes()[:b.Len()-4])
	f.Fuzz(func(t *testing.T, body []byte) {
		// The checksum is right, so that what it protects is looked at.
		var b bytes.Buffer
		p := &pages{w: &b, buf: make([]byte, 0, pageLen)}
		p.add(body)
		p.end()
		d, err := openDigest(bytes.NewReader(b.Bytes()), 0, int64(b.Len()), 0, n)
		if err != nil {
			return
		}
		for _, q := range []*Flows{wantsOne(7, true), wantsOne(8, false), {Wanted: func(*Key) bool { return true }}} {
			if got, err := d.find(q, n); err == nil && len(got) != n {
				t.Error(len(got))
			}
		}
	})
}

// fullDisk takes no more than so many octets.
type fullDisk int

func (d *fullDisk) Write(b []byte) (int, error) {
	if len(b) > int(*d) {
		return 0, syscall.ENOSPC
	}
	*d -= fullDisk(len(b))
	return len(b), nil
}

// TestDigestFull has no room for all of a digest: that is an error, after which what is
// added goes nowhere.
func TestDigestFull(t *testing.T) {
	disk := fullDisk(3 * pageLen)
	p := pages{w: &disk}
	for range 10 {
		p.add(make([]byte, pageLen))
	}
	if err := p.end(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("%v", err)
	}
}
