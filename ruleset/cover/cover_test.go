package cover

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"rtfm/meter/packet"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/compile"
	"rtfm/ruleset/explain"
	"rtfm/ruleset/match"
	"rtfm/ruleset/rulesettest"
	"rtfm/ruleset/srl"
	"rtfm/traces"
	"rtfm/traces/format"
)

const sample = "../../traces/testdata/sample.pcap"

// counter compiles a program and returns its Counter and text.
func counter(t *testing.T, file string, text []byte) *Counter {
	t.Helper()
	p, err := srl.Parse(file, text, srl.Options{Open: compile.Open, Plain: true})
	if err != nil {
		t.Fatal(err)
	}
	rs, _, err := compile.Compile(p)
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(rs, p)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// each has fn called for each packet of the sample, decoded.
func each(t *testing.T, fn func(p *match.Packet)) {
	t.Helper()
	src, err := format.Open(sample)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for b := new(traces.Batch); src.ReadBatch(b) == nil; {
		for i := range b.Packets {
			var p match.Packet
			packet.Decode(&p, b.Packets[i].Link, b.Packets[i].Data, b.Packets[i].Wire)
			p.Time = b.Packets[i].Time
			fn(&p)
		}
	}
}

func examples(t *testing.T) []string {
	files, err := filepath.Glob("../examples/*.srl")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	return files
}

// endsAgree holds how often COUNTs and IGNOREs ran against what became of the packets.
func endsAgree(t *testing.T, name string, c *Counter) {
	t.Helper()
	c.sum()
	var counts, ignores uint64
	for at, s := range c.ends.stmts {
		switch s.(type) {
		case *srl.Count:
			counts += c.runs[at]
		case *srl.Ignore:
			ignores += c.runs[at]
		}
	}
	if counts != c.Counted+c.Back || ignores != c.Ignored {
		t.Errorf("%s: COUNTs ran %d times, IGNOREs %d times; %d and %d packets were counted, %d ignored", name, counts, ignores, c.Counted, c.Back, c.Ignored)
	}
}

// TestExamples has each COUNT and IGNORE run as often as packets are counted and ignored,
// the same whether packets that are alike are remembered or not, and lines run of which
// package explain tells, and no others.
func TestExamples(t *testing.T) {
	for _, file := range examples(t) {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		c, one := counter(t, file, text), counter(t, file, text)
		e, err := explain.New(c.rs, func(string) []byte { return text })
		if err != nil {
			t.Fatal(err)
		}
		told := map[int]bool{}
		each(t, func(p *match.Packet) {
			c.Add(p)
			for _, try := range e.Next(p, true).Tries {
				for _, s := range try.Steps {
					if s.File == "" && s.Does != "returns" { // of which several are one rule
						told[s.Line] = true
					}
				}
			}
			mostAlike = 1
			one.Add(p)
			mostAlike = 50_000
		})
		endsAgree(t, file, c)
		source := func(string) []byte { return text }
		r := c.Report(source)
		if again := one.Report(source); !reflect.DeepEqual(r, again) {
			t.Errorf("%s: %+v, without memory %+v", file, r, again)
		}
		for _, l := range r.Files[0].Lines {
			if told[l.Line] && l.Runs == 0 {
				t.Errorf("%s:%d: %s: never ran, but is explained", file, l.Line, l.Text)
			}
		}
	}
}

// TestRandom has random packets go through random programs.
func TestRandom(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 4))
		text := []byte(rulesettest.Extended(r))
		c := counter(t, "x.srl", text)
		for range 50 {
			p := &match.Packet{PeerLen: 4, AdjacentLen: 6}
			p.Key.SetPeerType(1)
			p.Key.SetTransType([]uint8{1, 6, 17}[r.IntN(3)])
			for end := range 2 {
				*p.Key.Peer(end) = [attr.MaxAddress]byte{10, byte(r.IntN(3)), byte(r.IntN(2)), byte(r.IntN(3))}
				p.Key.Trans(end)[1] = byte(r.IntN(5))
			}
			c.Add(p)
		}
		if endsAgree(t, fmt.Sprintf("seed %d", seed), c); t.Failed() {
			t.Fatalf("%s", text)
		}
	}
}

// program is one with much of what lines may have.
const program = `define ours = (192.0.2/24, 10/8);
if SourcePeerType != ipv4 ignore;
if SourceTransType == tcp && DestTransAddress == (80,
   443) save, {
   save DestPeerAddress; count;
}
else if VLANid == 7 nomatch;
if SourceTransAddress < 1024 nomatch;
kind;
if FlowKind == 1 count;
save SourceTransType;
ignore;
subroutine kind ()
   if Host == ours { store FlowKind := 1; return; }
   store FlowKind := 2;
endsub;
`

// TestGolden writes a report in all forms.
func TestGolden(t *testing.T) {
	c := counter(t, "test.srl", []byte(program))
	each(t, c.Add)
	endsAgree(t, "test.srl", c)
	r := c.Report(func(string) []byte { return []byte(program) })
	var text, page bytes.Buffer
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/report.txt", text.Bytes())
	golden(t, "testdata/report.html", page.Bytes())
	out, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/report.json", append(out, '\n'))
	for _, needs := range []string{"http:", "https:", "src=", "href=", "url(", "@import"} {
		if strings.Contains(page.String(), needs) {
			t.Errorf("the page has %s: it needs something else", needs)
		}
	}
	d := xml.NewDecoder(&page)
	d.Strict = false
	d.AutoClose = xml.HTMLAutoClose
	for {
		if _, err := d.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if os.Getenv("RTFM_UPDATE") != "" {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is\n%s", file, got)
	}
}
