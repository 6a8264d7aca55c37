package acceptance

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"rtfm/traces/format"

	"github.com/klauspost/compress/zstd"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// conversation is traffic of all kinds that every format can hold: IPv4 with
// TCP, UDP and ICMP, in both directions.
func conversation() []traces.Packet {
	a := tracetest.Eth("02:00:00:00:00:0a", "02:00:00:00:00:0b").IPv4("10.0.0.1", "10.0.0.2")
	b := tracetest.Eth("02:00:00:00:00:0b", "02:00:00:00:00:0a").IPv4("10.0.0.2", "10.0.0.1")
	var frames []tracetest.Frame
	for i := range 50 {
		frames = append(frames,
			a.TCP(1000+i%7, 80, tracetest.ACK).Payload(20*i), b.TCP(80, 1000+i%7, tracetest.ACK).Payload(30*i),
			a.UDP(53, 2000+i%5).Payload(40+i), b.UDP(2000+i%5, 53).Payload(100),
			a.ICMP(8, 0).Payload(56), b.ICMP(0, 0).Payload(56))
	}
	return tracetest.Packets(frames...)
}

// erfCells returns an ERF file of the cells of AAL5 packets.
func erfCells(packets []traces.Packet) (b []byte) {
	for _, p := range packets {
		for _, cell := range tracetest.Cells(50, p) {
			b = append(b, tracetest.Record{Time: p.Time, Type: 3, Wire: 52, Body: cell}.Bytes()...)
		}
	}
	return b
}

// hpcapFile returns a RAW file.
func hpcapFile(t *testing.T, packets []traces.Packet) []byte {
	var b bytes.Buffer
	w, err := format.NewWriter(&b, "raw", "hpcap", 0)
	if err != nil {
		t.Fatal(err)
	}
	for i := range packets {
		if err := w.Write(&packets[i]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// flowRecords returns the flow records among JSON lines.
func flowRecords(out string) (flows []string) {
	for line := range strings.Lines(out) {
		if strings.HasPrefix(line, `{"record":"flow"`) {
			flows = append(flows, line)
		}
	}
	return flows
}

// TestFormatsGiveTheSameFlows meters the same packets in every format, plain
// and compressed, named and not.
func TestFormatsGiveTheSameFlows(t *testing.T) {
	dir := t.TempDir()
	rules := filepath.Join(dir, "rules.srl")
	if err := os.WriteFile(rules, []byte(allFlows), 0o666); err != nil {
		t.Fatal(err)
	}
	packets := conversation()
	relinked := func(link traces.LinkType) []traces.Packet { return tracetest.Relink(link, packets...) }
	var want string
	for _, c := range []struct {
		format  string
		file    []byte
		guessed bool
	}{
		{"pcap", tracetest.PCAP(tracetest.PCAPOptions{}, packets...), false},
		{"pcap", tracetest.PCAP(tracetest.PCAPOptions{Big: true, Nano: true}, relinked(traces.LinkCiscoHDLC)...), false},
		{"pcap", tracetest.PCAP(tracetest.PCAPOptions{Modified: true}, packets...), false},
		{"pcapng", tracetest.PCAPNG(true, packets...), false},
		{"snoop", tracetest.Snoop(packets...), false},
		{"snoop", tracetest.Snoop(relinked(traces.LinkPPPHDLC)...), false},
		{"erf", tracetest.ERF(packets...), true},
		{"erf", tracetest.ERF(relinked(traces.LinkATM)...), true},
		{"tsh", tracetest.TSH(relinked(traces.LinkIPv4)...), true},
		{"hpcap", hpcapFile(t, packets), true},
		{"legacy-ethernet", tracetest.LegacyEthernet(packets...), true},
		{"legacy-pos", tracetest.LegacyPOS(relinked(traces.LinkCiscoHDLC)...), true},
		{"legacy-atm", tracetest.LegacyATM(true, relinked(traces.LinkATM)...), true},
		{"legacy-atm", tracetest.LegacyATM(false, relinked(traces.LinkIPv4)...), true},
		{"erf", erfCells(relinked(traces.LinkATM)), true},
	} {
		var gz bytes.Buffer
		z := gzip.NewWriter(&gz)
		z.Write(c.file)
		z.Close()
		zw, err := zstd.NewWriter(nil)
		if err != nil {
			t.Fatal(err)
		}
		for kind, b := range map[string][]byte{"plain": c.file, "gzip": gz.Bytes(), "zstd": zw.EncodeAll(c.file, nil)} {
			path := filepath.Join(dir, "trace")
			if err := os.WriteFile(path, b, 0o666); err != nil {
				t.Fatal(err)
			}
			for _, name := range []string{path, c.format + ":" + path} {
				var out, errs bytes.Buffer
				if status := runMain([]string{"run", "--json", "--octets", "ip", "-r", rules, name}, strings.NewReader(""), &out, &errs); status != 0 {
					t.Fatalf("%s, %s: status %d\n%s", name, kind, status, &errs)
				}
				got := strings.Join(flowRecords(out.String()), "")
				if want == "" {
					want = got
				}
				if got != want || got == "" {
					t.Errorf("%s, %s: flows\n%swant\n%s", name, kind, got, want)
				}
				note := "rtfm: " + path + ": taken for " + c.format + " by the look of its records; the name " + c.format + ":" + path + " makes sure\n"
				if told := strings.Contains(errs.String(), note); told != (c.guessed && name == path) {
					t.Errorf("%s, %s: told that it was guessed: %v\n%s", name, kind, told, &errs)
				}
			}
		}
	}
}

// protocolNote matches how many packets of a protocol a note tells of.
var protocolNote = regexp.MustCompile(`(tcp|udp|icmp) ([0-9]+)`)

// TestTruthProtocols compares the packets of each protocol in traces of old
// formats with what the truth's notes tell of them.
func TestTruthProtocols(t *testing.T) {
	collection := tracetest.Require(t, "traces")
	file, err := os.Open(filepath.Join(collection, "truth", "TRUTH.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rules := filepath.Join(t.TempDir(), "protocols.srl")
	if err := os.WriteFile(rules, []byte("save SourceTransType; count;\n"), 0o666); err != nil {
		t.Fatal(err)
	}
	compared := 0
	err = readTable(file, func(field func(string) string) error {
		format, _, _ := strings.Cut(field("filetype"), " ")
		want := map[string]string{}
		for _, m := range protocolNote.FindAllStringSubmatch(field("note"), -1) {
			want[map[string]string{"tcp": "6", "udp": "17", "icmp": "1"}[m[1]]] = m[2]
		}
		if len(want) == 0 || format == "erf" {
			return nil
		}
		compared++
		got := map[string]string{}
		out, _ := meterInTime(t, "run", "-q", "--json", "-r", rules, filepath.Join(collection, "traces", field("path")))
		for _, flow := range flowRecords(out) {
			var f struct {
				SourceTransType, ToPDUs int
			}
			if err := json.Unmarshal([]byte(flow), &f); err != nil {
				return err
			}
			got[strconv.Itoa(f.SourceTransType)] = strconv.Itoa(f.ToPDUs)
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: packets by protocol %v, want %v", field("path"), got, want)
		}
		return nil
	})
	if err != nil || compared != 4 {
		t.Errorf("%d traces compared; %v", compared, err)
	}
}

// TestDirectionsOfALink meters two traces, of one direction each and in formats
// of different kinds, as one.
func TestDirectionsOfALink(t *testing.T) {
	var there, back []traces.Packet
	packets := conversation()
	for _, p := range packets {
		if p.Data[5] == 0x0b {
			there = append(there, p)
		} else {
			back = append(back, p)
		}
	}
	dir := t.TempDir()
	file := func(name string, b []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, b, 0o666); err != nil {
			t.Fatal(err)
		}
		return path
	}
	rules := file("rules.srl", []byte(allFlows))
	whole := file("whole", tracetest.ERF(packets...))
	first, second := file("there", tracetest.ERF(there...)), file("back", tracetest.LegacyEthernet(back...))
	flows := func(args ...string) string {
		var out, errs bytes.Buffer
		if status := runMain(append([]string{"run", "-q", "--json", "--name", "link", "-r", rules}, args...), strings.NewReader(""), &out, &errs); status != 0 || errs.Len() > 0 {
			t.Fatalf("%q: status %d\n%s", args, status, &errs)
		}
		return strings.Join(flowRecords(out.String()), "")
	}
	want := flows(whole)
	for _, args := range [][]string{{"-C", first, "-C", second}, {"-S" + second, "--trace", first}} {
		if got := flows(args...); got != want || got == "" {
			t.Errorf("%q: flows\n%swant\n%s", args, got, want)
		}
	}
	m := startMeter(t, nil, "-C", first, "-C", second)
	for i, ps := range [][]traces.Packet{there, back} {
		m.waitFor(fmt.Sprintf("%s.1.4.1.1.%d", extensionMIB, i+1), fmt.Sprintf("Counter64: %d", len(ps)))
	}
	if log := m.printed(); !strings.Contains(log, "taken for legacy-ethernet by the look of its records") {
		t.Errorf("the log does not tell that a format was guessed:\n%s", log)
	}
}
