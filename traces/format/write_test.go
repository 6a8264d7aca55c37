package format_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"rtfm/traces/format"

	"rtfm/traces/survey"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// written returns the trace of a format that a Writer makes of packets.
func written(t testing.TB, form string, packets ...traces.Packet) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := format.NewWriter(&out, "out", form, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(packets) > 0 && packets[0].Link == traces.LinkEthernet {
		var interfaces []traces.Interface
		for n := range slices.MaxFunc(packets, func(a, b traces.Packet) int { return int(a.Interface) - int(b.Interface) }).Interface {
			interfaces = append(interfaces, traces.Interface{Number: n + 1, Link: traces.LinkEthernet})
		}
		w.Describe(interfaces)
	}
	for i := range packets {
		if err := w.Write(&packets[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestWrite compares what is written with what the builder of test traces
// makes, and reads it again.
func TestWrite(t *testing.T) {
	ethernet := tracetest.Mix(500)
	ethernet[1].Time, ethernet[2].Time = 0, math.MaxUint32*1e9+999_999_999
	ethernet[3].Data = ethernet[3].Data[:20]
	ethernet[4].Data, ethernet[4].Wire = nil, 0
	several := slices.Clone(ethernet)
	for i := range several {
		several[i].Interface = uint32(i%8) + 1
	}
	head := func(link traces.LinkType, octets ...byte) traces.Packet {
		return traces.Packet{Time: 1_234_567_890_123_456_789, Data: octets, Wire: 70, Link: link, Interface: 3}
	}
	links := []traces.Packet{
		head(traces.LinkPPPHDLC, 0xff, 3, 0, 0x21), head(traces.LinkCiscoHDLC, 0x0f, 0, 8, 0),
		head(traces.LinkATM, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0), head(traces.LinkIPv4, 0x45), head(traces.LinkIPv6, 0x60),
	}
	for _, tt := range []struct {
		name, form string
		packets    []traces.Packet
		want       []byte
	}{
		{"pcap", "pcap", ethernet, tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, ethernet...)},
		{"empty pcap", "pcap", nil, tracetest.PCAP(tracetest.PCAPOptions{Nano: true})},
		{"pcapng", "pcapng", several, tracetest.PCAPNG(false, several...)},
		{"empty pcapng", "pcapng", nil, tracetest.PCAPNG(false)},
		{"erf", "erf", several[:4], tracetest.ERF(several[:4]...)},
		{"links of pcapng", "pcapng", links, nil},
		{"links of erf", "erf", links, nil},
		{"erf in pcap", "pcap", []traces.Packet{head(traces.LinkERF, tracetest.ERF(ethernet[0])...)}, nil},
	} {
		got := written(t, tt.form, tt.packets...)
		if tt.want != nil && !bytes.Equal(got, tt.want) {
			t.Errorf("%s: %d octets written are not the %d wanted", tt.name, len(got), len(tt.want))
		}
		packets, err := readAll(t, bytes.NewReader(got))
		if err != io.EOF {
			t.Errorf("%s: %v", tt.name, err)
		}
		want := slices.Clone(tt.packets)
		if tt.name == "links of pcapng" { // an interface has one
			for i, id := range []uint32{3, 4, 5, 6, 7} {
				want[i].Interface = id
			}
		}
		if tt.name == "erf in pcap" {
			want[0].Interface = 1
		}
		tracetest.Same(t, tt.name, packets, want)
	}
}

// TestUnfit writes what formats cannot hold.
func TestUnfit(t *testing.T) {
	ok := traces.Packet{Time: 1, Data: []byte{1, 2, 3}, Wire: 3, Link: traces.LinkEthernet, Interface: 1}
	with := func(change func(p *traces.Packet)) []traces.Packet {
		p := ok
		change(&p)
		return []traces.Packet{ok, p}
	}
	link := func(l traces.LinkType, octets ...byte) []traces.Packet {
		return with(func(p *traces.Packet) { p.Link, p.Data, p.Wire = l, octets, uint32(len(octets)) })
	}
	for _, tt := range []struct {
		form    string
		packets []traces.Packet
		want    string
	}{
		{"pcap", link(traces.LinkIPv4, 1), "out: pcap: packet 2: does not fit the format: link type IPV4, where all before are ETHERNET; pcapng holds several"},
		{"pcap", with(func(p *traces.Packet) { p.Time = (math.MaxUint32 + 1) * 1e9 }), "beyond the year 2106"},
		{"pcapng", with(func(p *traces.Packet) { p.Interface = 1<<16 + 1 }), "interface 65537"},
		{"erf", link(105, 1), "link type IEEE802_11 has no ERF record"},
		{"erf", link(traces.LinkRaw, 0x50), "link type RAW has no"},
		{"erf", link(traces.LinkPPPHDLC, 0x0f, 0), "would not be taken for PPP_HDLC"},
		{"erf", link(traces.LinkATM, 0xaa, 0xaa, 3), "ERF counts 4 octets more"},
		{"erf", link(traces.LinkERF, 1, 2), "an ERF record that does not hold"},
		{"erf", with(func(p *traces.Packet) { p.Interface = 9 }), "interface 9 of 8"},
		{"erf", with(func(p *traces.Packet) { p.Wire = 65532 }), "65532 octets, of which 3 were captured; 65535"},
		{"erf", with(func(p *traces.Packet) { p.Data, p.Wire = make([]byte, 65520), 65520 }), "65520 octets, of which 65520"},
		{"erf", with(func(p *traces.Packet) { p.Time = (math.MaxUint32 + 1) * 1e9 }), "beyond the year 2106"},
	} {
		w, err := format.NewWriter(io.Discard, "out", tt.form, 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := w.Write(&tt.packets[0]); err != nil {
			t.Fatal(err)
		}
		if err := w.Write(&tt.packets[1]); !errors.Is(err, format.ErrUnfit) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v, want %s", tt.form, err, tt.want)
		}
	}
	if _, err := format.NewWriter(io.Discard, "out", "snoop", 0); err == nil {
		t.Error("a format that cannot be written")
	}
}

// TestConvertLosses carries losses over.
func TestConvertLosses(t *testing.T) {
	packets := tracetest.Mix(300)
	for i := range packets {
		packets[i].Interface = 1
	}
	ng := new(tracetest.NG).Section(false).Interface(traces.LinkEthernet, 0).Interface(traces.LinkEthernet, 0)
	ng.Packet(0, 1, packets[0].Data, packets[0].Wire).Dropped(1, 70_000)
	ng.Packet(0, 2, packets[1].Data, packets[1].Wire).Packet(0, 2, packets[2].Data, packets[2].Wire).Dropped(0, 3)
	for _, tt := range []struct {
		form, note string
		lost       uint64
	}{{"pcapng", "", 70_003}, {"erf", "", 70_003}, {"pcap", "70003 packets were lost", 0}} {
		src, err := format.NewReader(bytes.NewReader(ng.Bytes()), "in")
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		w, err := format.NewWriter(&out, "out", tt.form, 0)
		if err != nil {
			t.Fatal(err)
		}
		if done, err := format.Convert(context.Background(), w, src, format.Conversion{}); err != nil || done.Packets != 3 || done.Damage != nil {
			t.Fatalf("%s: %+v, %v", tt.form, done, err)
		}
		if notes := strings.Join(w.Notes(), " "); (notes == "") != (tt.note == "") || !strings.Contains(notes, tt.note) {
			t.Errorf("%s: notes %q, want %q", tt.form, notes, tt.note)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		again, err := format.NewReader(&out, "out")
		if err != nil {
			t.Fatal(err)
		}
		info := survey.NewInfo(context.Background(), again, 0)
		if info.Lost != tt.lost || info.Packets != 3 {
			t.Errorf("%s: %d packets lost, want %d", tt.form, info.Lost, tt.lost)
		}
		if tt.form == "pcapng" && !slices.Equal(info.PerInterface, []traces.InterfaceStats{{Number: 1, Lost: 3}, {Number: 2, Lost: 70_000}}) {
			t.Errorf("lost by interface: %+v", info.PerInterface)
		}
	}
}

// TestConversion leaves out packets and octets.
func TestConversion(t *testing.T) {
	in := tracetest.PCAP(tracetest.PCAPOptions{Nano: true}, tracetest.Mix(100)...)
	packets, _ := readAll(t, bytes.NewReader(in))
	limit := func(s string) format.Limit {
		l, err := format.ParseLimit(s)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	at := func(i int) string {
		return strings.Replace(string(timeOf(packets[i].Time)), " ", ".", 1)
	}
	for _, tt := range []struct {
		name string
		c    format.Conversion
		want func(i int, p *traces.Packet) bool
	}{
		{"all", format.Conversion{}, func(int, *traces.Packet) bool { return true }},
		{"from and to", format.Conversion{From: limit(at(10)), To: limit(at(20))}, func(i int, _ *traces.Packet) bool { return i >= 10 && i < 20 }},
		{"relative", format.Conversion{From: limit("+0"), To: limit("+0.00002")},
			func(_ int, p *traces.Packet) bool { return p.Time < packets[0].Time+20_000 }},
		{"cut", format.Conversion{Snap: 50, Keep: func(p *traces.Packet) int { return len(p.Data) - 14 }},
			func(_ int, p *traces.Packet) bool { p.Data = p.Data[:min(50, len(p.Data)-14)]; return true }},
	} {
		var want []traces.Packet
		for i, p := range packets {
			if tt.want(i, &p) {
				want = append(want, p)
			}
		}
		src, err := format.NewReader(bytes.NewReader(in), "in")
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		w, err := format.NewWriter(&out, "out", "erf", 0)
		if err != nil {
			t.Fatal(err)
		}
		done, err := format.Convert(context.Background(), w, src, tt.c)
		if err != nil || done.Packets != uint64(len(want)) || done.Outside != uint64(100-len(want)) {
			t.Errorf("%s: %+v, %v; want %d packets", tt.name, done, err, len(want))
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, _ := readAll(t, &out)
		tracetest.Same(t, tt.name, got, want)
	}
}

// timeOf returns a time as seconds and nine digits.
func timeOf(ns int64) []byte {
	digits := []byte("0000000000000000000")
	for i := len(digits) - 1; i >= 0; i-- {
		digits[i] += byte(ns % 10)
		ns /= 10
	}
	return slices.Insert(digits, 10, ' ')
}

func TestParseLimit(t *testing.T) {
	for _, s := range []string{"", "+", "x", "-1", "1.", "+1.0000000001", "1.x", "99999999999999", "2026-11-21", "2500-01-01T00:00:00Z", "+-1", "1 ", "+-1m", "++1m", "1m"} {
		if l, err := format.ParseLimit(s); err == nil && s != "1." {
			t.Errorf("%q is %+v", s, l)
		}
	}
	same := func(a, b string) {
		x, err := format.ParseLimit(a)
		y, err2 := format.ParseLimit(b)
		if x != y || err != nil || err2 != nil {
			t.Errorf("%s is %+v, %v; %s is %+v, %v", a, x, err, b, y, err2)
		}
	}
	same("2026-11-21T09:13:25.227917Z", "1795252405.227917")
	same("2026-11-21T10:13:25+01:00", "1795252405")
	same("+1.5", "+1.500000000")
	same("+1m30s", "+90")
}

// TestCreate writes files of several names, compressed or not, and leaves
// nothing behind when that fails.
func TestCreate(t *testing.T) {
	dir := t.TempDir()
	packets := tracetest.Mix(50)
	for _, name := range []string{"a.pcap", "a.pcapng.gz", "a.erf.zst", "b.raw.gz", "a.pcap.xz", "erf:a.dat", "pcapng:b.dat.gz", "a.pcap"} {
		prefix, base, ok := strings.Cut(name, ":")
		if !ok {
			prefix, base = "", name
		}
		path := filepath.Join(dir, base)
		as := path
		if ok {
			as = prefix + ":" + path
		}
		f, err := format.Create(as, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i := range packets {
			if err := f.Write(&packets[i]); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.Commit(); err != nil {
			t.Fatal(err)
		}
		f.Abort()
		src, err := format.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tracetest.ReadAll(t, src)
		if err != io.EOF {
			t.Error(err)
		}
		src.Close()
		tracetest.Same(t, name, got, packets)
		if suffix := filepath.Ext(base); slices.Contains([]string{".gz", ".zst", ".xz"}, suffix) != (src.(traces.Describer).Describe().Compression != "") {
			t.Errorf("%s: %+v", name, src.(traces.Describer).Describe())
		}
	}
	before, err := os.ReadFile(filepath.Join(dir, "a.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	f, err := format.Create(filepath.Join(dir, "a.pcap"), 0)
	if err != nil {
		t.Fatal(err)
	}
	f.Write(&packets[0])
	f.Abort()
	if after, err := os.ReadFile(filepath.Join(dir, "a.pcap")); err != nil || !bytes.Equal(before, after) {
		t.Errorf("an aborted file is there: %v", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 7 {
		t.Errorf("%d files, %v", len(entries), err)
	}
	for _, name := range []string{"a.txt", "a.gz", "snoop:a", "a", "nosuch/a.pcap"} {
		if f, err := format.Create(filepath.Join(dir, name), 0); err == nil {
			f.Abort()
			t.Errorf("%s was made", name)
		}
	}
}

// reread writes packets in a format and compares what is read of that under the name
// again; false when they do not fit it.
func reread(t testing.TB, name, form, again string, packets []traces.Packet) bool {
	var out bytes.Buffer
	w, err := format.NewWriter(&out, "out", form, 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range packets {
		if err := w.Write(&packets[i]); errors.Is(err, format.ErrUnfit) {
			return false
		} else if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	src, err := format.NewReader(&out, again)
	var got []traces.Packet
	if err == nil {
		got, err = tracetest.ReadAll(t, src)
	}
	if err != io.EOF && len(packets) > 0 {
		t.Errorf("%s as %s: %v", name, form, err)
	}
	want := slices.Clone(packets)
	for i := range want {
		p := &want[i]
		if len(w.Notes()) > 0 && i < len(got) {
			p.Interface = got[i].Interface
		}
		if form == "hpcap" {
			p.Time = max(p.Time, 1)
			p.Wire = min(p.Wire, math.MaxUint16)
			p.Data = p.Data[:min(len(p.Data), int(p.Wire), 65524)]
		}
		if form == "erf" {
			if p.Link != traces.LinkERF {
				p.Data = p.Data[:min(len(p.Data), int(p.Wire))]
			}
			if p.Link == traces.LinkRaw && i < len(got) {
				p.Link = got[i].Link
			}
			if p.Link == traces.LinkERF && i < len(got) && len(got[i].Data) >= 16 {
				// It tells the record's length, which is less now if it was cut.
				p.Data = slices.Concat(p.Data[:10], got[i].Data[10:12], p.Data[12:])
			}
		}
	}
	tracetest.Same(t, name+" as "+form, got, want)
	return true
}

// TestRewrite writes given traces in all formats that hold them, and reads that.
func TestRewrite(t *testing.T) {
	dir := filepath.Join(tracetest.Require(t, "traces"), "traces")
	fits := map[string]int{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if info, err := d.Info(); err != nil || info.Size() > 200_000 {
			return err
		}
		src, err := format.Open(name)
		if err != nil {
			return nil
		}
		defer src.Close()
		packets, _ := tracetest.ReadAll(t, src)
		for _, form := range []string{"pcap", "pcapng", "erf", "hpcap"} {
			again := "trace"
			if form == "hpcap" {
				again = "hpcap:trace" // times that are far apart do not look like one
			}
			if reread(t, name, form, again, packets) {
				fits[form]++
			}
		}
		return nil
	})
	if err != nil || fits["pcapng"] < 1200 || fits["pcap"] < 1200 || fits["erf"] < 800 || fits["hpcap"] < 800 {
		t.Errorf("%v, %v", fits, err)
	}
}

// TestCapinfos has capinfos read what was written.
func TestCapinfos(t *testing.T) {
	capinfos := tracetest.Require(t, "capinfos")
	packets := tracetest.Mix(200)
	for i := range packets {
		packets[i].Data = packets[i].Data[:min(60, len(packets[i].Data))]
	}
	for _, form := range []string{"pcap", "pcapng", "erf"} {
		b := written(t, form, packets...)
		name := filepath.Join(t.TempDir(), "t")
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		// Type, packets, octets, first and last time of the trace, in a table.
		out, err := exec.Command(capinfos, "-T", "-M", "-r", "-t", "-c", "-d", "-a", "-e", "-S", name).CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		src, err := format.NewReader(bytes.NewReader(b), name)
		if err != nil {
			t.Fatal(err)
		}
		info := survey.NewInfo(context.Background(), src, 0)
		kind := map[string]string{"pcap": "nsecpcap", "pcapng": "pcapng", "erf": "erf"}[form]
		moment := func(ns int64) string { return strings.TrimLeft(strings.Replace(string(timeOf(ns)), " ", ".", 1), "0") }
		octets := info.Octets + info.FCS
		want := strings.Join([]string{name, kind, "200", utoa(octets), moment(info.First), moment(info.Last)}, "\t")
		if got := strings.TrimSpace(string(out)); got != want {
			t.Errorf("capinfos says\n%s\nwant\n%s", got, want)
		}
	}
}

func utoa(n uint64) string {
	return strings.TrimLeft(strings.ReplaceAll(string(timeOf(int64(n))), " ", ""), "0")
}
