package explain

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"rtfm/meter"
	"rtfm/meter/packet"
	"rtfm/ruleset"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/match"
	"rtfm/ruleset/srl"
	"rtfm/traces"
	"rtfm/traces/format"
)

const sample = "../../traces/testdata/sample.pcap"

// program is one that tests, in a few lines, much of what there is.
const program = `subroutine ends (address peer)
   if peer == 192.0.2.0/24 { store FlowKind := 7; return 1; }
endsub;
if SourcePeerType != ipv4 ignore;
if VLANid == (1 .. 9, 12) save;
call ends (SourcePeerAddress)
   1: save SourcePeerAddress / 24;
endcall;
if DestPeerAddress == 198.51.100.0/24 && DestTransAddress < 1024 save, save DestTransAddress = 1;
else if SourceTransAddress == 80 nomatch;
count;
`

// load compiles a program: that of this test, or one of the examples.
func load(t *testing.T, name string) (*ruleset.RuleSet, []byte) {
	t.Helper()
	text := []byte(program)
	if name != "test.srl" {
		var err error
		name = filepath.Join("../examples", name)
		if text, err = os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	table := func(_, name string) (string, []byte, error) {
		text, err := os.ReadFile(filepath.Join("../examples", name))
		return name, text, err
	}
	rs, _, err := compile.Source(name, text, srl.Options{Plain: true, Open: table})
	if err != nil {
		t.Fatal(err)
	}
	return rs, text
}

// each has fn called for each packet of the sample, decoded.
func each(t *testing.T, fn func(n int, p *match.Packet)) {
	t.Helper()
	src, err := format.Open(sample)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	n := 0
	for b := new(traces.Batch); src.ReadBatch(b) == nil; {
		for i := range b.Packets {
			var p match.Packet
			packet.Decode(&p, b.Packets[i].Link, b.Packets[i].Data, b.Packets[i].Wire)
			p.Time = b.Packets[i].Time
			p.Key.SetInterface(attr.Source, 1)
			p.Key.SetInterface(attr.Dest, 1)
			n++
			fn(n, &p)
		}
	}
}

// TestGolden explains some packets by some programs.
func TestGolden(t *testing.T) {
	const golden = "testdata/explained.txt"
	var got bytes.Buffer
	for _, tc := range []struct {
		name    string
		packets []int
	}{
		{"services.srl", []int{1, 67, 68, 100}},
		{"all-flows.srl", []int{68, 69}},
		{"networks.srl", []int{67}},
		{"dns-response.srl", []int{65, 67}},
		{"test.srl", []int{1, 67, 68, 70}},
	} {
		rs, text := load(t, tc.name)
		e, err := New(rs, func(string) []byte { return text })
		if err != nil {
			t.Fatal(err)
		}
		got.WriteString("--- " + tc.name + "\n")
		each(t, func(n int, p *match.Packet) {
			wanted := len(tc.packets) > 0 && tc.packets[0] == n
			if ex := e.Next(p, wanted); ex != nil {
				tc.packets = tc.packets[1:]
				ex.WriteText(&got)
				got.WriteString("\n")
			}
		})
	}
	if os.Getenv("RTFM_UPDATE") != "" {
		if err := os.WriteFile(golden, got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		g, w := strings.Split(got.String(), "\n"), strings.Split(string(want), "\n")
		for i := range min(len(g), len(w)) {
			if g[i] != w[i] {
				t.Fatalf("line %d: %s, want %s", i+1, g[i], w[i])
			}
		}
		t.Errorf("%d lines, want %d", len(g), len(w))
	}
}

// flows is a sink that adds up how packets were counted.
type flows struct {
	m        *meter.Meter
	n        int
	to, from uint64
}

func (f *flows) Collect(meter.Collection) error {
	return f.m.Flows(func(fl *match.Flow) error {
		f.n++
		f.to += fl.ToPDUs
		f.from += fl.FromPDUs
		return nil
	})
}
func (*flows) Damage(error)                    {}
func (*flows) BackInTime(string, int64, int64) {}

// TestMeterAgrees explains all packets, and has a meter count them: as many are
// counted each way, in as many flows, and left out for the same reasons. Every other
// packet is only passed, which must make no difference.
func TestMeterAgrees(t *testing.T) {
	examples, err := filepath.Glob("../examples/*.srl")
	if err != nil || len(examples) == 0 {
		t.Fatal(examples, err)
	}
	for _, path := range append(examples, "test.srl") {
		rs, text := load(t, filepath.Base(path))
		all, err1 := New(rs, func(string) []byte { return text })
		half, err2 := New(rs, func(string) []byte { return text })
		m, err3 := meter.New(meter.Config{RuleSets: []*ruleset.RuleSet{rs}, MaxFlows: 10_000})
		if err1 != nil || err2 != nil || err3 != nil {
			t.Fatal(err1, err2, err3)
		}
		said := map[string]uint64{}
		each(t, func(n int, p *match.Packet) {
			ex, again := all.Next(p, true), half.Next(p, n%2 == 0)
			said[ex.Verdict]++
			if ex.Back {
				said["back"]++
			}
			if ex.Began == ex.Packet {
				said["flows"]++
			}
			if again != nil && (again.Verdict != ex.Verdict || again.Back != ex.Back || again.Began != ex.Began) {
				t.Errorf("%s: packet %d: %+v, then %+v", path, n, ex, again)
			}
			if last := ex.Tries[len(ex.Tries)-1]; last.Verdict != ex.Verdict || len(last.Steps) == 0 {
				t.Errorf("%s: packet %d: %+v", path, n, last)
			}
		})
		src, err := format.Open(sample)
		if err != nil {
			t.Fatal(err)
		}
		f := &flows{m: m}
		if err := m.Run(context.Background(), src, f); err != nil {
			t.Fatal(err)
		}
		s := m.Stats().Tasks[0]
		if s.Counted != said["counted"] || s.Ignored != said["ignored"] || s.Unmatched != said["unmatched"] ||
			f.from != said["back"] || uint64(f.n) != said["flows"] {
			t.Errorf("%s: %v; the meter has %+v, %d flows, %d forward, %d back", path, said, s, f.n, f.to, f.from)
		}
	}
}

// TestEnd has a program of which the end is not the last rule: it is in no line.
func TestEnd(t *testing.T) {
	text := []byte("if SourcePeerType == ipv6 { save SourcePeerAddress; count; }\n")
	rs, _, err := compile.Source("end.srl", text, srl.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(rs, func(string) []byte { return text })
	if err != nil {
		t.Fatal(err)
	}
	var p match.Packet
	p.Key.SetPeerType(1)
	steps := e.Next(&p, true).Tries[0].Steps
	if end := steps[len(steps)-1]; end.Line != 0 || end.Text != "(the end of the program)" || end.Does != "does not match" {
		t.Errorf("%+v", steps)
	}
}
