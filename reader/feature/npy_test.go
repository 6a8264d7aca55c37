package feature

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rtfm/reader/feed"
	"rtfm/ruleset/attr"
	records "rtfm/traces/feed"
)

// array is an NPY file as numpy.load reads it: where its fields are, and its rows.
type array struct {
	fields map[string]int // offsets
	rows   [][]byte
}

// loadNPY reads a file by what NumPy's format says (NEP 1), and what follows the rows
// that its header tells of is passed over, as NumPy does.
func loadNPY(t *testing.T, b []byte) array {
	t.Helper()
	if string(b[:8]) != "\x93NUMPY\x01\x00" {
		t.Fatalf("begins with %q", b[:8])
	}
	n := 10 + int(binary.LittleEndian.Uint16(b[8:]))
	head := string(b[10:n])
	if n%64 != 0 || !strings.HasSuffix(head, "\n") {
		t.Errorf("the header has %d octets and ends with %q", n, head[len(head)-1:])
	}
	a, at := array{fields: map[string]int{}}, 0
	for _, f := range regexp.MustCompile(`\('(\w+)', '[<|]\w(\d+)'(?:, \((\d+),\))?\)`).FindAllStringSubmatch(head, -1) {
		a.fields[f[1]] = at
		size, _ := strconv.Atoi(f[2])
		times, err := strconv.Atoi(f[3])
		if err != nil {
			times = 1
		}
		at += size * times
	}
	shape := regexp.MustCompile(`'fortran_order': False, 'shape': \((\d+),\), }`).FindStringSubmatch(head)
	if shape == nil {
		t.Fatalf("header %s", head)
	}
	rows, _ := strconv.Atoi(shape[1])
	for b = b[n:]; len(a.rows) < rows; b = b[at:] {
		a.rows = append(a.rows, b[:at])
	}
	return a
}

func (a *array) number(row int, field string) uint64 {
	return binary.LittleEndian.Uint64(a.rows[row][a.fields[field]:])
}

// TestNPY: a file can be read after each flush, whatever was written since.
func TestNPY(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	npy, err := OpenNPY(file, 3)
	if err != nil {
		t.Fatal(err)
	}
	read := func() array {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return loadNPY(t, b)
	}
	if a := read(); len(a.rows) != 0 || len(a.fields) < 50 {
		t.Errorf("%d rows of %d fields at first", len(a.rows), len(a.fields))
	}
	table, m := New(Config{First: 3, MaxFlows: 1e6, Rows: []Rows{npy}}), &feed.Meter{Domain: 7}
	id := uint64(0)
	ended := func(flows int) {
		for range flows {
			id++
			at := int64(5e9 + 1e4*id)
			table.New(m, newFlow(id))
			table.Packet(m, &records.Packet{Flow: id, Time: at, Octets: 60, TCPFlags: 2})
			table.Packet(m, &records.Packet{Flow: id, Time: at + 2500, Octets: 70000, TCPFlags: 18, Backward: true})
			table.End(m, &records.End{New: *newFlow(id), Begun: at, Last: at + 2500, PDUs: [2]uint64{1, 1}, Octets: [2]uint64{60, 70000}})
		}
	}
	ended(9)
	table.Flush()
	ended(3)
	if a := read(); len(a.rows) != 9 || a.number(8, "FlowID") != 9 {
		t.Errorf("%d rows after the first flush", len(a.rows))
	}
	// As if the writer was killed while it wrote a row, before it has counted another.
	row := make([]byte, rowLen(npy.cols))
	if _, err := file.WriteAt(append(row, "part of a row"...), npy.end); err != nil {
		t.Fatal(err)
	}
	if a := read(); len(a.rows) != 9 {
		t.Errorf("%d rows after it was killed", len(a.rows))
	}
	if npy, err = OpenNPY(file, 3); err != nil {
		t.Fatal(err)
	}
	if a := read(); len(a.rows) != 10 {
		t.Errorf("%d rows when another begins", len(a.rows))
	}
	table.cfg.Rows[0] = npy
	ended(2000)
	if err := table.Close(); err != nil {
		t.Fatal(err)
	}
	a := read()
	if len(a.rows) != 2010 || a.number(2009, "FlowID") != 2012 {
		t.Fatalf("%d rows at the end", len(a.rows))
	}
	last := string(a.rows[2009])
	for field, want := range map[string]string{
		"Why": "\x03", "Protocol": "\x06", "Listed": "\x02", "RuleSet": "\x02", "Domain": "\x07\x00\x00\x00",
		"SourcePeerAddress": "10.1.7.220\x00", "DestPeerAddress": "192.0.2.1\x00", "SourceTransAddress": "\x00\x04", "DestTransAddress": "\x50\x00",
		"CommunityID": "1:", "FirstOctets": "\x3c\x00\xff\xff\x00\x00", "FirstDirections": "\x01\xff\x00", "FirstFlags": "\x02\x12\x00",
		"FirstGaps": "\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00", "Duration": "\xc4\x09\x00\x00\x00\x00\x00\x00",
	} {
		if got := last[a.fields[field]:]; !strings.HasPrefix(got, want) {
			t.Errorf("%s is %q, want %q", field, got[:len(want)], want)
		}
	}
	if n := a.number(2009, "FromSizeMean"); math.Float64frombits(n) != 70000 {
		t.Errorf("FromSizeMean is %v", math.Float64frombits(n))
	}
	if n := a.number(2009, "ToSizeSD"); !math.IsNaN(math.Float64frombits(n)) {
		t.Errorf("ToSizeSD of one packet is %v", math.Float64frombits(n))
	}
}

// TestOpenNPY: a file of other rows, or of none, is not written to.
func TestOpenNPY(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.npy")
	for _, text := range []string{"\x93NUMPY", "not of NumPy", string(headerOf(columns(4), 0))} {
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := OpenNPY(f, 3); err == nil || !strings.Contains(err.Error(), "has other fields") {
			t.Errorf("%.20q: error %v", text, err)
		}
		if b, _ := os.ReadFile(path); string(b) != text {
			t.Errorf("%.20q was written to", text)
		}
		f.Close()
	}
}

// TestStats compares sums of any values with those of big numbers.
func TestStats(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	var s stats
	sum := new(big.Int)
	for range 1000 {
		v := r.Uint64() >> r.IntN(64)
		s.add(v)
		b := new(big.Int).SetUint64(v)
		sum.Add(sum, b.Mul(b, b))
	}
	sum.And(sum, new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(1)))
	if got := attr.SumOfSquares(s[:]); got.Cmp(sum) != 0 {
		t.Errorf("sum of squares %v, want %v", got, sum)
	}
}

// TestBucket compares each bucket with its limits, which include the value.
func TestBucket(t *testing.T) {
	limits := []uint64{16, 32, 64, 128, 256, 512, 1024}
	for v := range uint64(3000) {
		want := 0
		for want < len(limits) && v > limits[want] {
			want++
		}
		if got := bucket(v); got != want {
			t.Fatalf("%d is in bucket %d, want %d", v, got, want)
		}
	}
}

// TestNetwork: a row has the addresses that flows save, with their masks.
func TestNetwork(t *testing.T) {
	shape := &records.Shape{RuleSet: 1, Saved: []records.Saved{{Attribute: uint16(attr.SourcePeerAddress), Mask: []byte{255, 255, 0, 0}}}}
	f := &Flow{New: records.New{Shape: shape, Key: []byte{10, 2, 0, 0}}}
	var id identity
	if id.read(new(feed.Shapes), f); id.text(attr.SourcePeerAddress) != "10.2.0.0/16" || id.text(attr.DestPeerAddress) != "" || id.named || id.protocol() != 0 {
		t.Errorf("a network is %q", id.text(attr.SourcePeerAddress))
	}
}
