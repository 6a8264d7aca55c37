package traces

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// timed is a source of packets at these times, each of which holds its number,
// in batches of random length whose memory is used again.
type timed struct {
	times  []int64
	r      *rand.Rand
	errAt  int // an error comes before this packet, if it is not 0
	given  int
	buffer []byte
}

// errTimed is the error in the middle of a timed source.
var errTimed = errors.New("a.pcap: cut short")

func (s *timed) ReadBatch(b *Batch) error {
	clear(s.buffer) // the packets before are valid no longer
	b.Reset("a.pcap")
	if s.given == s.errAt && s.errAt > 0 {
		s.errAt = 0
		return errTimed
	}
	if s.given == len(s.times) {
		return io.EOF
	}
	s.buffer = make([]byte, 0, 8*cap(b.Packets))
	for n := 1 + s.r.IntN(cap(b.Packets)); n > 0 && s.given < len(s.times) && (s.given != s.errAt || s.errAt == 0); n-- {
		from := len(s.buffer)
		s.buffer = binary.BigEndian.AppendUint64(s.buffer, uint64(s.given))
		b.Packets = b.Packets[:len(b.Packets)+1] // what is not set is as it was
		p := &b.Packets[len(b.Packets)-1]
		p.Time, p.Data, p.Wire = s.times[s.given], s.buffer[from:], 8
		s.given++
	}
	return nil
}

func (s *timed) Stats() Stats { return Stats{Records: uint64(s.given)} }
func (s *timed) Close() error { return nil }

const (
	hour  = int64(3600e9)
	year  = 365 * 24 * hour
	epoch = 1_700_000_000e9
)

// seconds returns n times, a second apart, from one on.
func secondsFrom(from int64, n int) (times []int64) {
	for i := range int64(n) {
		times = append(times, from+i*1e9)
	}
	return times
}

// TestOutliers wants outliers, and only these, to get the time before, whatever
// the batches are, and all packets to come as they are, in order.
func TestOutliers(t *testing.T) {
	join := slices.Concat[[]int64]
	one := func(x int64) []int64 { return []int64{x} }
	before, behind := secondsFrom(epoch, 50), secondsFrom(epoch+50e9, 300)
	for name, tt := range map[string]struct {
		times []int64
		wild  map[int]int64 // by number of the packet, the time that it gets
	}{
		"none":             {join(before, behind), nil},
		"one":              {join(before, one(epoch+10*year), behind), map[int]int64{50: epoch + 49e9}},
		"the last time":    {join(before, one(math.MaxInt64), behind), map[int]int64{50: epoch + 49e9}},
		"just an hour":     {join(before, one(epoch+50e9+hour), behind), nil},
		"a few hours":      {join(before, one(epoch+3*hour), behind), map[int]int64{50: epoch + 49e9}},
		"the first":        {join(one(epoch+10*year), behind), map[int]int64{0: epoch + 50e9}},
		"the first ones":   {join(one(epoch+10*year), one(epoch+20*year), behind), map[int]int64{0: epoch + 50e9, 1: epoch + 50e9}},
		"the first is old": {join(one(0), behind), nil},
		"too few behind":   {join(before, one(epoch+10*year), behind[:OutlierBehind-1]), nil},
		"enough behind":    {join(before, one(epoch+10*year), behind[:OutlierBehind]), map[int]int64{50: epoch + 49e9}},
		"a run": {join(before, secondsFrom(epoch+10*year, OutlierRun), behind), func() map[int]int64 {
			wild := make(map[int]int64)
			for i := range OutlierRun {
				wild[50+i] = epoch + 49e9
			}
			return wild
		}()},
		"too long a run": {join(before, secondsFrom(epoch+10*year, OutlierRun+1), behind), nil},
		"two of different times": {join(before, one(epoch+10*year), behind[:20], one(epoch+5*year), behind[20:40], one(epoch+20*year), behind[40:]),
			map[int]int64{50: epoch + 49e9, 71: epoch + 69e9, 92: epoch + 89e9}},
		"the same time again": {join(before, one(epoch+10*year), behind[:99], one(epoch+10*year), behind[99:]),
			map[int]int64{50: epoch + 49e9, 150: epoch + 148e9}},
		"a clock without battery":  {join(secondsFrom(0, 10), before, behind), nil},
		"one is late behind a gap": {join(secondsFrom(epoch-year, 10), before[:1], one(epoch-year+10e9), before[1:], behind), nil},
		"two clocks": {func() (times []int64) {
			for i := range int64(400) {
				times = append(times, epoch+i*1e9, epoch+10*year+i*1e9)
			}
			return times
		}(), nil},
		"backwards": {func() (times []int64) {
			for i := range int64(400) {
				times = append(times, epoch-i*24*hour)
			}
			return times
		}(), nil},
		"seldom": {func() (times []int64) {
			for i := range int64(400) {
				times = append(times, epoch+i*24*hour)
			}
			return times
		}(), nil},
		"one, seldom": {func() (times []int64) {
			for i := range int64(400) {
				times = append(times, epoch+i*24*hour)
			}
			times[200] = epoch + 100*year
			return times
		}(), map[int]int64{200: epoch + 199*24*hour}},
	} {
		for seed := range uint64(4) {
			for _, size := range []int{1, 7, 256, 1000} {
				src := &timed{times: tt.times, r: rand.New(rand.NewPCG(seed, 1))}
				if seed == 3 {
					src.errAt = 60
				}
				checkOutliers(t, fmt.Sprintf("%s, batches of up to %d, %d", name, size, seed), src, size, tt.wild)
			}
		}
	}
}

// checkOutliers reads src in batches of up to size packets.
func checkOutliers(t *testing.T, name string, src *timed, size int, wild map[int]int64) {
	t.Helper()
	var told []string
	o := Outliers(src, func(message string) { told = append(told, message) })
	b := NewBatch(size)
	n, errs := 0, 0
	failing := src.errAt > 0 && src.errAt < len(src.times)
	for {
		err := o.ReadBatch(b)
		if err == io.EOF {
			break
		}
		if err != nil {
			errs++
			if n != 60 {
				t.Fatalf("%s: %v behind packet %d", name, err, n)
			}
			continue
		}
		if st := o.Stats(); st.Records != uint64(n+len(b.Packets)) {
			t.Fatalf("%s: packets up to %d were given, but %d are told of", name, n+len(b.Packets), st.Records)
		}
		for i := range b.Packets {
			p := &b.Packets[i]
			want, ok := wild[n]
			if !ok {
				want = src.times[n]
			}
			if p.Outlier != ok {
				t.Fatalf("%s: packet %d is an outlier: %t", name, n, p.Outlier)
			}
			if p.Time != want || binary.BigEndian.Uint64(p.Data) != uint64(n) {
				t.Fatalf("%s: packet %d is %x at %d, want it at %d, was %d", name, n, p.Data, p.Time, want, src.times[n])
			}
			n++
		}
	}
	if n != len(src.times) || errs != 0 != failing {
		t.Fatalf("%s: %d packets of %d, %d errors", name, n, len(src.times), errs)
	}
	if st := o.Stats(); st.Outliers != uint64(len(wild)) || len(told) != min(1, len(wild)) {
		t.Errorf("%s: %d outliers, %q are told of, want %d", name, st.Outliers, told, len(wild))
	}
	if len(told) == 1 && !strings.HasPrefix(told[0], "a.pcap: packet ") {
		t.Errorf("%s: %s", name, told[0])
	}
}

// TestOutliersKeepRecords wants the records of flows to stay with their packets.
func TestOutliersKeepRecords(t *testing.T) {
	src := &recorded{timed{times: append([]int64{epoch + year}, secondsFrom(epoch, 300)...), r: rand.New(rand.NewPCG(1, 1))}}
	o := Outliers(src, nil)
	n := uint64(0)
	for b := NewBatch(16); o.ReadBatch(b) == nil; {
		if len(b.Records) != len(b.Packets) {
			t.Fatalf("%d records of %d packets", len(b.Records), len(b.Packets))
		}
		for i := range b.Records {
			if n++; b.Records[i].PDUs != n || b.Packets[i].Time == epoch+year {
				t.Fatalf("record %d: %+v at %d", n, b.Records[i], b.Packets[i].Time)
			}
		}
	}
	if st := o.Stats(); n != 301 || !reflect.DeepEqual(st, Stats{Records: 301, Outliers: 1}) {
		t.Errorf("%d records, %+v", n, st)
	}
}

// recorded gives each packet a record.
type recorded struct{ timed }

func (s *recorded) ReadBatch(b *Batch) error {
	err := s.timed.ReadBatch(b)
	for i := range b.Packets {
		b.Records = append(b.Records, Record{PDUs: binary.BigEndian.Uint64(b.Packets[i].Data) + 1})
	}
	return err
}

// FuzzOutliers wants no packet to be lost, changed but in its time, or at a later
// time than it had but for a first outlier, and the same whatever the batches are.
func FuzzOutliers(f *testing.F) {
	f.Add([]byte{1, 2, 250, 3, 4})
	f.Fuzz(func(t *testing.T, data []byte) {
		var times []int64
		for _, x := range data {
			at := int64(len(times)) * 1e9
			if x > 240 {
				at += int64(x-240) * hour
			}
			times = append(times, at+int64(x), at+1e9)
		}
		var before []int64
		for seed := range uint64(3) {
			o := Outliers(&timed{times: times, r: rand.New(rand.NewPCG(seed, 1))}, nil)
			var got []int64
			for b := NewBatch(1 + int(seed)*20); o.ReadBatch(b) == nil; {
				for i := range b.Packets {
					if n := binary.BigEndian.Uint64(b.Packets[i].Data); n != uint64(len(got)) {
						t.Fatalf("packet %d is number %d", len(got), n)
					}
					got = append(got, b.Packets[i].Time)
				}
			}
			if len(got) != len(times) || seed > 0 && !slices.Equal(got, before) {
				t.Fatalf("%d times of %d: %d and %d", len(got), len(times), got, before)
			}
			before = got
		}
	})
}
