package store

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rtfm/traces"
	"rtfm/traces/format"
)

// others are the formats that have no marks.
var others = Formats()[1:]

// plain returns packets that all formats can hold.
func plain(r *rand.Rand, n int) []traces.Packet {
	packets := make([]traces.Packet, n)
	now := int64(1_795_252_441_000_000_000)
	for i := range packets {
		now += int64(r.IntN(1_000_000))
		data := make([]byte, 14+r.IntN(1501))
		for j := range data {
			data[j] = byte(r.Uint32())
		}
		packets[i] = traces.Packet{Time: now, Data: data, Wire: uint32(len(data) + r.IntN(3)), Link: traces.LinkEthernet, Interface: 1}
	}
	return packets
}

// TestFormats stores packets in each format, finds those of times, with and without
// indexes, and has other programs open the files.
func TestFormats(t *testing.T) {
	for _, kind := range others {
		t.Run(kind, func(t *testing.T) {
			r := rand.New(rand.NewPCG(41, 42))
			packets := plain(r, 12_000)
			want := texts(packets)
			all := slices.Clone(packets)
			dir := t.TempDir()
			totals := store(t, Config{Dir: dir, Format: kind, Wait: true, FileSize: leastFile, Flush: 1e9}, &list{packets: packets})
			if totals != (Totals{Packets: uint64(len(all))}) {
				t.Errorf("%+v", totals)
			}
			got, src := read(t, dir, Query{To: forever})
			equal(t, got, want)
			if c := src.Covered(); !c.Complete() {
				t.Errorf("%+v", c)
			}
			files, err := Files(dir)
			if err != nil || len(files) < 2 {
				t.Fatalf("%d files: %v", len(files), err)
			}
			var stored uint64
			for _, f := range files {
				s, err := Look(dir, f)
				if err != nil {
					t.Error(err)
				}
				stored += s.Packets
			}
			if stored != uint64(len(all)) {
				t.Errorf("%d packets are in the files", stored)
			}
			for n, without := range []func(string) string{nil, indexName, marksName} {
				for _, f := range files {
					if without != nil {
						os.Remove(filepath.Join(dir, without(f.Name)))
					}
				}
				for range 10 {
					q := Query{From: all[r.IntN(len(all))].Time, To: all[r.IntN(len(all))].Time}
					var part []string
					for i := range all {
						if p := &all[i]; p.Time >= q.From && p.Time < q.To {
							part = append(part, want[i])
						}
					}
					got, src := read(t, dir, q)
					equal(t, got, part)
					if c := src.Covered(); c.Complete() != (n < 2 || c.Files == 0) {
						t.Errorf("%+v", c)
					}
				}
			}
			if kind == "hpcap" { // which no other program reads
				for _, f := range files {
					src, err := format.Open("hpcap:" + filepath.Join(dir, f.Name))
					if err != nil {
						t.Fatal(err)
					}
					got, faults := readAll(t, src)
					if len(faults) > 0 || f.Size%4096 != 0 || len(got) > len(want) {
						t.Fatal(f.Size, faults)
					}
					equal(t, got, want[:len(got)])
					want = want[len(got):]
				}
			} else if n := opened(t, dir); n != uint64(len(all)) {
				t.Errorf("capinfos and tshark find %d packets", n)
			}
		})
	}
}

// TestFormatsMissing has a slow disk and a source that loses packets: what is missing is
// told as with pcapng.
func TestFormatsMissing(t *testing.T) {
	for _, kind := range others {
		t.Run(kind, func(t *testing.T) {
			packets := plain(rand.New(rand.NewPCG(43, 44)), 20_000)
			seen := uint64(len(packets))
			dir := t.TempDir()
			w, err := NewWriter(Config{Dir: dir, Format: kind, Buffer: 4 << 20})
			if err != nil {
				t.Fatal(err)
			}
			hand(w)
			var held []*chunk
			tee := w.Tee(&list{packets: packets, lose: func(left int, st *traces.Stats) {
				st.Lose(1, uint64(left%7))
				switch n := int(seen) - left; {
				case n > 5000 && n < 9000 && held == nil:
					held = []*chunk{<-w.free, <-w.free, <-w.free}
				case n > 9000:
					for _, c := range held {
						w.free <- c
					}
					held = nil
				}
			}})
			var b traces.Batch
			for err == nil {
				err = tee.ReadBatch(&b)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			totals := w.Totals()
			got, src := read(t, dir, Query{To: forever})
			var lost, unstored uint64
			for _, l := range src.Covered().Losses {
				lost, unstored = lost+l.Lost, unstored+l.Unstored
			}
			if uint64(len(got))+unstored != seen || unstored != totals.Unstored || lost != tee.Stats().Lost || unstored == 0 || src.Stats().Lost != lost+unstored {
				t.Errorf("%d packets, %d unstored, %d lost of %d and %d: %+v", len(got), unstored, lost, seen, tee.Stats().Lost, totals)
			}
		})
	}
}

// TestFormatsRecover cuts the newest file and its marks anywhere: all whole packets before
// the cut are there when a writer goes on, in this format or another.
func TestFormatsRecover(t *testing.T) {
	for _, kind := range others {
		t.Run(kind, func(t *testing.T) {
			r := rand.New(rand.NewPCG(45, 46))
			packets := plain(r, 3_000)
			want := texts(packets)
			for n := range 15 {
				dir := t.TempDir()
				store(t, Config{Dir: dir, Format: kind, Wait: true, Flush: 1e8}, &list{packets: slices.Clone(packets[:2500])})
				files, _ := Files(dir)
				f := files[len(files)-1]
				os.Remove(filepath.Join(dir, indexName(f.Name)))
				size := f.Size
				if n > 0 {
					size = r.Int64N(f.Size + 1)
				}
				if err := os.Truncate(filepath.Join(dir, f.Name), size); err != nil {
					t.Fatal(err)
				}
				if side := filepath.Join(dir, marksName(f.Name)); n%3 == 0 {
					os.Remove(side)
				} else if st, err := os.Stat(side); err != nil {
					t.Fatal(err)
				} else if err := os.Truncate(side, r.Int64N(st.Size()+1)); err != nil {
					t.Fatal(err)
				}
				told := ""
				store(t, Config{Dir: dir, Format: Formats()[n%4], Wait: true, Notify: func(m string) { told += m }}, &list{packets: slices.Clone(packets[2500:])})
				got, src := read(t, dir, Query{To: forever})
				if c := src.Covered(); told == "" || c.Damaged+c.Unmarked > 0 || len(got) < 500 {
					t.Fatalf("%d packets; told %q; %+v", len(got), told, c)
				}
				old := len(got) - 500
				equal(t, got[:old], want[:old])
				equal(t, got[old:], want[2500:])
				var octets int64
				for i := range packets[:old+1] {
					octets += int64(len(packets[i].Data)) + 24 // of the longest header
				}
				if octets < size-64 && old < 2500 {
					t.Errorf("only %d packets of a file that was cut at %d, which have no more than %d", old, size, octets)
				}
			}
		})
	}
}

// TestFormatsUnfit: packets that a format cannot hold are counted, and no more of a file
// is lost by them.
func TestFormatsUnfit(t *testing.T) {
	for kind, unfit := range map[string]traces.Packet{
		"pcap":  {Link: traces.LinkRaw, Interface: 1, Data: []byte{0x45, 19: 0}, Wire: 20},
		"hpcap": {Link: traces.LinkRaw, Interface: 1, Data: []byte{0x45, 19: 0}, Wire: 20},
		"erf":   {Link: traces.LinkEthernet, Interface: 9, Data: make([]byte, 60), Wire: 60},
	} {
		packets := plain(rand.New(rand.NewPCG(47, 48)), 200)
		want := texts(packets)
		var mixed []traces.Packet
		for i := range packets {
			u := unfit
			u.Time = packets[i].Time
			mixed = append(mixed, packets[i], u)
		}
		dir, told := t.TempDir(), ""
		totals := store(t, Config{Dir: dir, Format: kind, Wait: true, Rotate: 1e7, Notify: func(m string) { told += m + "\n" }}, &list{packets: mixed})
		if totals != (Totals{Packets: 200, Unfit: 200}) || !strings.HasPrefix(told, "not stored, as all like it: ") {
			t.Errorf("%s: %+v: %s", kind, totals, told)
		}
		got, _ := read(t, dir, Query{To: forever})
		equal(t, got, want)
	}
	if _, err := NewWriter(Config{Dir: t.TempDir(), Format: "snoop"}); err == nil {
		t.Error("there is a format that nobody writes")
	}
}

func FuzzBeside(f *testing.F) {
	m := besideMark{Mark: Mark{Length: 100, Packets: 1}, losses: []Loss{{1, 2, 3, 4, 5}}}
	b := m.appendTo(nil)
	f.Add(b)
	m.Number, m.losses = 1, nil
	f.Add(m.appendTo(b))
	f.Fuzz(func(t *testing.T, b []byte) {
		marks, used := parseBeside(nil, b, "erf")
		var again []byte
		for i := range marks {
			again = marks[i].appendTo(again)
		}
		if used > len(b) || len(marks) > 0 && len(again) < markLen {
			t.Errorf("%d marks of %d octets", len(marks), used)
		}
	})
}
