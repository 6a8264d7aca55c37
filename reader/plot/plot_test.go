package plot

import (
	"bytes"
	"encoding/xml"
	"flag"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"rtfm/meter/series"
)

var update = flag.Bool("update", false, "write the golden files anew")

// start is 2026-11-21 09:14:25 UTC.
const start = 1795252465e9

// intervals returns n of them, each of so many nanoseconds.
func intervals(n int, each int64) (all []Interval) {
	for i := range int64(n) {
		all = append(all, Interval{From: start + i*each, To: start + (i+1)*each})
	}
	return all
}

// sampleRates has a gap, losses, a name that is too long, and more than are shown.
func sampleRates() *Rates {
	r := &Rates{Title: "Rates by DestPeerAddress", Intervals: intervals(48, 300e9)}
	r.Intervals[20].Lost, r.Intervals[21].Lost, r.Intervals[21].Uncounted = 34, 1200, 5
	var all []Series
	for i, name := range []string{"198.51.100.80", "2001:db8:2::80", "198.51.100.53", "2001:db8:1234:5678:9abc:def0:1234:5678", "203.0.113.9", "192.0.2.1", "192.0.2.2", "<192.0.2.3>", "10.0.0.1"} {
		s := Series{Name: name}
		for k := range r.Intervals {
			if k <= 30 || k >= 34 {
				s.Add(k, math.Floor(1e8/float64(i+1)*(1.2+float64((k*7+i*11)%13)/13)))
			}
		}
		all = append(all, s)
	}
	r.Series = Top(all, 7)
	return r
}

// sampleScatter has symbols, shapes, others, and flows of one moment.
func sampleScatter() *Scatter {
	s := &Scatter{Title: "Duration and rate of flows by FlowKind", Intervals: intervals(3, 60e9)}
	random := rand.New(rand.NewPCG(1, 2))
	var all []Group
	for i, name := range []string{"tcp", "udp", "icmp", "sctp", "gre"} {
		g := Group{Name: name}
		if i < 2 {
			g.Symbol = rune("TU"[i])
		}
		for range 60 {
			g.Add(int64(1e6*(1+float64(random.IntN(1<<20))/float64(1+random.IntN(100)))), uint64(40+random.IntN(1<<20)>>(2*i)))
		}
		g.Add(0, 40)
		all = append(all, g)
	}
	s.Groups = topGroups(all, 3)
	return s
}

// samplePercentiles has a linear plot and a logarithmic one, with values above all
// buckets.
func samplePercentiles() *Percentiles {
	s := &Percentiles{Title: "Distributions", Intervals: intervals(24, 3600e9)}
	sizes := Panel{Name: "ToPacketSize", Unit: "octets", Limits: []uint64{100, 300, 500, 700, 900, 1100, 1300, 1500}}
	times := Panel{Name: "ToTurnaroundTime", Unit: "µs", Limits: []uint64{1, 10, 100, 1000, 10000, 100000, 1000000, 10000000}}
	for k := range s.Intervals {
		sizes.Add(k, []uint64{40, 10, 20, uint64(k), 10, 5, uint64(24 - k), 60, 0})
		if k != 7 {
			times.Add(k, []uint64{0, 0, 5, 20, uint64(30 + k), 20, 10, 3, uint64(k % 3)})
		}
	}
	s.Panels = []Panel{sizes, times}
	return s
}

// sampleSeconds has a gap, losses, packets in no flow, and two rulesets, of which the
// first is drawn.
func sampleSeconds() *Seconds {
	var p Seconds
	for k := range int64(90) {
		i := &series.Interval{From: start + k*1e9, To: start + (k+1)*1e9}
		if k < 40 || k >= 55 {
			n := uint64(20 + k*7%13)
			i.Rows = []series.Row{
				{RuleSet: 2, Name: "@services", PDUs: n, Octets: n * 800, ActiveFlows: n / 3, NewFlows: n / 9},
				{RuleSet: 3, Name: "@all", PDUs: 1000, Octets: 1 << 40, ActiveFlows: 1000, NewFlows: 1000, Uncounted: 1000},
				{Interface: 1, PDUs: n, Octets: n * 800},
			}
			i.Rows[0].Uncounted = 3 * uint64(k/70) // from the 70th on
		}
		switch k {
		case 10:
			i.Rows[2].Lost = 34
		case 40:
			i.To = start + 55e9
		}
		if k <= 40 || k >= 55 {
			p.Add(i)
		}
	}
	return &p
}

// TestGolden compares pictures with those in testdata, which were looked at.
func TestGolden(t *testing.T) {
	for name, draw := range map[string]func(io.Writer) error{
		"rate": sampleRates().WriteSVG, "scatter": sampleScatter().WriteSVG, "percentiles": samplePercentiles().WriteSVG,
		"seconds": sampleSeconds().WriteSVG,
	} {
		var b bytes.Buffer
		if err := draw(&b); err != nil {
			t.Fatal(err)
		}
		checkPicture(t, b.Bytes())
		golden := filepath.Join("testdata", name+".svg")
		if *update {
			if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(b.Bytes(), want) {
			t.Errorf("%s: not the picture in testdata; look at it, and write it with -update", name)
		}
	}
}

var coordinate = regexp.MustCompile(`-?[0-9.]+`)

// checkPicture fails unless svg is XML with a title and a description, and all of it
// is where it can be seen.
func checkPicture(t *testing.T, svg []byte) {
	t.Helper()
	texts := map[string]string{}
	d := xml.NewDecoder(bytes.NewReader(svg))
	for element := ""; ; {
		token, err := d.Token()
		if err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			element = token.Name.Local
			for _, a := range token.Attr {
				if a.Name.Local == "x" || a.Name.Local == "y" || a.Name.Local == "transform" {
					for _, n := range coordinate.FindAllString(a.Value, -1) {
						if v, err := strconv.ParseFloat(n, 64); err != nil || v < 0 || v > 3000 {
							t.Fatalf("%s at %s", element, a.Value)
						}
					}
				}
			}
		case xml.CharData:
			if texts[element] == "" {
				texts[element] = string(token)
			}
		}
	}
	if len(texts["title"]) < 3 || len(texts["desc"]) < 20 {
		t.Errorf("title %q, description %q", texts["title"], texts["desc"])
	}
	if bytes.Contains(svg, []byte("NaN")) || bytes.Contains(svg, []byte("Inf")) {
		t.Error("there is a place that is no number")
	}
}

// TestExtremes draws what data may be at their worst.
func TestExtremes(t *testing.T) {
	for name, r := range map[string]*Rates{
		"one interval":    {Title: "one", Intervals: intervals(1, 1), Series: []Series{{Name: "a", Amounts: []Amount{{0, 5}}}}},
		"nothing in it":   {Title: "none", Intervals: intervals(3, 60e9)},
		"most":            {Title: "most", Intervals: intervals(2, 1), Series: []Series{{Name: "a", Amounts: []Amount{{1, math.MaxUint64}}}}},
		"names":           {Title: "a\x00\xff]]>&\u202e", Intervals: intervals(2, 1), Series: []Series{{Name: "\x01<script>", Amounts: []Amount{{1, 3}}}}},
		"centuries":       {Title: "time", Intervals: []Interval{{From: 1, To: math.MaxInt64}}, Series: []Series{{Name: "a", Amounts: []Amount{{0, 1e9}}}}},
		"months":          {Title: "time", Intervals: intervals(200, 86400e9), Zone: time.FixedZone("X", 3600)},
		"before 1970":     {Title: "time", Intervals: []Interval{{From: -5e18, To: -1e18}}},
		"lost everything": {Title: "lost", Intervals: []Interval{{From: 0, To: 1, Lost: math.MaxUint64}}},
	} {
		t.Run(name, func(t *testing.T) {
			var b bytes.Buffer
			if err := r.WriteSVG(&b); err != nil {
				t.Fatal(err)
			}
			checkPicture(t, b.Bytes())
		})
	}
	for name, in := range map[string][]Interval{
		"none": nil, "of no time": {{From: 1, To: 1}}, "back": {{From: 5, To: 6}, {From: 1, To: 2}}, "too far apart": {{From: math.MinInt64, To: math.MaxInt64}},
	} {
		if err := (&Rates{Intervals: in}).WriteSVG(io.Discard); err == nil {
			t.Errorf("intervals %s: no error", name)
		}
	}
}

// TestSize draws many intervals and flows: a picture grows with what can be seen.
func TestSize(t *testing.T) {
	const n, most = 50000, 1 << 20
	r := &Rates{Title: "many", Intervals: intervals(n, 1e9)}
	p := &Percentiles{Title: "many", Intervals: r.Intervals, Panels: []Panel{{Name: "ToPacketSize", Unit: "octets", Limits: []uint64{1, 2}}}}
	s := &Scatter{Title: "many", Groups: []Group{{Name: "a"}}}
	r.Series = []Series{{Name: "a"}, {Name: "b"}}
	for i := range n {
		r.Series[0].Add(i, float64(i%7+1))
		r.Series[1].Add(i, float64(i%11+1))
		p.Panels[0].Add(i, []uint64{1, uint64(i % 3), 2})
		s.Groups[0].Add(int64(i%1000+1)*1e6, uint64(i))
	}
	for name, draw := range map[string]func(io.Writer) error{"rate": r.WriteSVG, "percentiles": p.WriteSVG, "scatter": s.WriteSVG} {
		var b bytes.Buffer
		if err := draw(&b); err != nil {
			t.Fatal(err)
		}
		if b.Len() > most {
			t.Errorf("%s: %d octets", name, b.Len())
		}
	}
}

// TestTop adds up what is shown and what is not.
func TestTop(t *testing.T) {
	all := []Series{{Name: "c", Amounts: []Amount{{0, 1}, {2, 2}}}, {Name: "b", Amounts: []Amount{{1, 7}}}, {Name: "a", Amounts: []Amount{{0, 3}}}, {Name: "d", Amounts: []Amount{{2, 2}, {3, 1}}}}
	got := Top(all, 2)
	if len(got) != 3 || got[0].Name != "b" || got[1].Name != "a" || got[2].Name != "2 others" || !got[2].Others {
		t.Fatalf("%+v", got)
	}
	if o := got[2].Amounts; len(o) != 3 || o[0] != (Amount{0, 1}) || o[1] != (Amount{2, 4}) || o[2] != (Amount{3, 1}) {
		t.Errorf("%+v", o)
	}
	if got := Top(all, 4); len(got) != 4 || got[3].Others {
		t.Errorf("%+v", got)
	}
}

// TestBars keeps the sum of what is drawn, whatever is put together.
func TestBars(t *testing.T) {
	in := intervals(5000, 1e9)
	in[7].Lost = 3
	bars, err := newBars(in)
	if err != nil {
		t.Fatal(err)
	}
	var lost uint64
	for i, b := range bars {
		lost += b.Lost
		if barOf(bars, b.first) != i {
			t.Errorf("interval %d is in bar %d, not %d", b.first, barOf(bars, b.first), i)
		}
	}
	if len(bars) > 2*(right-left) || lost != 3 || bars[len(bars)-1].To != in[4999].To {
		t.Errorf("%d bars, %d lost", len(bars), lost)
	}
}

func TestQuantiles(t *testing.T) {
	p := Panel{Limits: []uint64{10, 20, 30}}
	p.Add(0, []uint64{1, 2, 3, 0})
	p.Add(0, []uint64{0, 2, 1, 1}) // 1, 4, 4, 1
	bars, _ := newBars(intervals(2, 1e9))
	got := p.quantiles(bars)
	if want := [6]float64{10, 20, 20, 30, 30, math.Inf(1)}; got[0].count != 10 || got[0].values != want || got[1].count != 0 {
		t.Errorf("%+v", got)
	}
}

func labels(a *axis) string {
	var all []string
	for _, k := range a.ticks {
		all = append(all, strings.TrimSpace(k.label+" "+k.below))
	}
	return strings.Join(all, ", ")
}

// TestTicks looks where ticks stand, and what they say.
func TestTicks(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip(err)
	}
	at := func(text string) int64 {
		v, err := time.Parse(time.DateTime, text)
		if err != nil {
			t.Fatal(err)
		}
		return v.UnixNano()
	}
	for _, tc := range []struct {
		a    *axis
		want string
	}{
		{clock(at("2026-11-21 09:14:25"), at("2026-11-21 13:14:25"), 0, 1, time.UTC), "09:30 2026-11-21, 10:00, 10:30, 11:00, 11:30, 12:00, 12:30, 13:00"},
		{clock(at("2026-11-21 09:14:25"), at("2026-11-21 09:14:26"), 0, 1, time.UTC), "09:14:25.000 2026-11-21, 09:14:25.200, 09:14:25.400, 09:14:25.600, 09:14:25.800, 09:14:26.000"},
		{clock(at("2026-11-21 22:00:00"), at("2026-11-22 05:00:00"), 0, 1, time.UTC), "22:00 2026-11-21, 23:00, 00:00 2026-11-22, 01:00, 02:00, 03:00, 04:00, 05:00"},
		// The clock is put forward, and back.
		{clock(at("2026-03-29 00:00:00"), at("2026-03-29 04:00:00"), 0, 1, berlin), "01:00 2026-03-29, 01:30, 03:00, 03:30, 04:00, 04:30, 05:00, 05:30, 06:00"},
		{clock(at("2026-10-25 00:00:00"), at("2026-10-26 20:00:00"), 0, 1, berlin), "06:00 2026-10-25, 12:00, 18:00, 00:00 2026-10-26, 06:00, 12:00, 18:00"},
		{clock(at("2026-11-16 05:00:00"), at("2026-11-22 05:00:00"), 0, 1, time.UTC), "Nov 17 2026, Nov 18, Nov 19, Nov 20, Nov 21, Nov 22"},
		{clock(at("2026-11-01 00:00:00"), at("2027-01-10 00:00:00"), 0, 1, time.UTC), "Nov 9 2026, Nov 23, Dec 7, Dec 21, Jan 4 2027"},
		{clock(at("2025-11-15 00:00:00"), at("2026-08-10 00:00:00"), 0, 1, time.UTC), "Dec 1 2025, Jan 1 2026, Feb 1, Mar 1, Apr 1, May 1, Jun 1, Jul 1, Aug 1"},
		{linear(10.5e6, 0, 1, scale{1e6, "Mbit/s"}), "0, 5, 10, 15"},
		{linear(0.3, 0, 1, scale{1, "bit/s"}), "0, 0.1, 0.2, 0.3"},
		{linear(0, 0, 1, scale{1, "bit/s"}), "0, 0.2, 0.4, 0.6, 0.8, 1"},
		{decades(3, 12000, 0, 1, round), "1, 10, 100, 1 k, 10 k, 100 k"},
		{decades(1, 1, 0, 1, round), "1, 10"},
		{durations(2e6, 90e9, 0, 1), "1 ms, 10 ms, 100 ms, 1 s, 10 s, 1 min, 10 min"},
		{durations(60e9, 60e9, 0, 1), "1 min, 10 min"},
	} {
		if got := labels(tc.a); got != tc.want {
			t.Errorf("got  %s\nwant %s", got, tc.want)
		}
	}
}

// luminance is that of WCAG 2.2.
func luminance(t *testing.T, colour string) float64 {
	v, err := strconv.ParseUint(colour[1:], 16, 24)
	if err != nil {
		t.Fatal(err)
	}
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		c := float64(v>>(16-8*i)&0xff) / 255
		if c <= 0.04045 {
			c /= 12.92
		} else {
			c = math.Pow((c+0.055)/1.055, 2.4)
		}
		sum += weight * c
	}
	return sum
}

// TestContrast holds colours to WCAG 2.2 level AA: 3:1 for shapes, 4.5:1 for text.
func TestContrast(t *testing.T) {
	contrast := func(a, b string) float64 {
		x, y := luminance(t, a), luminance(t, b)
		return (max(x, y) + 0.05) / (min(x, y) + 0.05)
	}
	for _, back := range []string{lightBack, darkBack} {
		for _, c := range append([]string{othersColour, lossColour}, colours...) {
			if got := contrast(back, c); got < 3 {
				t.Errorf("%s on %s: %.2f", c, back, got)
			}
		}
	}
	for _, c := range [][2]string{{lightText, lightBack}, {lightFaint, lightBack}, {darkText, darkBack}, {darkFaint, darkBack}} {
		if got := contrast(c[0], c[1]); got < 4.5 {
			t.Errorf("%s on %s: %.2f", c[0], c[1], got)
		}
	}
	if len(hatches)%len(colours) == 0 || len(shapes)%len(colours) == 0 {
		t.Error("colours come with the same hatch or shape again")
	}
}
