package query

import (
	"testing"
	"time"

	"rtfm/reader/record"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// flowOf returns a flow with these values.
func flowOf(t *testing.T, values map[attr.Attr]string) *match.Flow {
	t.Helper()
	var (
		shapes match.Shapes
		saved  []match.Saved
		f      match.Flow
		peer   int
	)
	for a, text := range values {
		in := a.Info()
		size := in.Size
		if in.Variable {
			size = 0
		}
		v, err := attr.ParseValue(text, size)
		if err != nil {
			t.Fatal(err)
		}
		if a.IsPeer() {
			peer = v.Len()
		}
		copy(f.Key[in.Offset:], v.Append(nil))
		saved = append(saved, match.Saved{Attr: a, Mask: attr.Ones(v.Len())})
	}
	f.Shape = shapes.Intern(2, uint8(peer), 6, saved)
	return &f
}

// epoch is when the meter of the test's flows was started.
var epoch = time.Date(2026, 11, 21, 9, 13, 25, 0, time.UTC).UnixNano()

// rowOf returns a record of a web flow in an interval of 100 s.
func rowOf(t *testing.T) *Row {
	f := flowOf(t, map[attr.Attr]string{
		attr.SourcePeerType: "1", attr.SourcePeerAddress: "192.0.2.9", attr.DestPeerAddress: "198.51.100.80",
		attr.SourceTransType: "6", attr.SourceTransAddress: "50000", attr.DestTransAddress: "443",
		attr.SourceAdjacentAddress: "00-80-48-81-0E-7C", attr.DSCodePoint: "46",
	})
	f.Index, f.FirstTime, f.LastTime = 7, epoch+14_110_000_000, epoch+90_000_000_000
	f.ToPDUs, f.FromPDUs, f.ToOctets, f.FromOctets = 1000, 1000, 1e6, 1e6
	r := &Row{Flow: f, Counted: &record.Counters{ToPDUs: 3, FromPDUs: 4, ToOctets: 300, FromOctets: 100_000}}
	r.begin(&record.Collection{Meter: "lab.example", Epoch: epoch, From: epoch, To: epoch + 100e9}, false)
	return r
}

// TestMatch has a record pass and fail tests.
func TestMatch(t *testing.T) {
	r := rowOf(t)
	for text, want := range map[string]bool{
		"SourcePeerAddress == 192.0.2/24":                     true,
		"SourcePeerAddress == 192.0.2.9":                      true,
		"SourcePeerAddress != 192.0.2.9":                      false,
		"SourcePeerAddress == 192.0.2.0..192.0.2.9":           true,
		"SourcePeerAddress == 192.0.2.10..192.0.3.9":          false,
		"SourcePeerAddress == (10/8, 192.0.2.8/31)":           true,
		"SourcePeerAddress == 0":                              false,
		"SourcePeerAddress == 0/0":                            true,
		"SourcePeerAddress == ::/0":                           false, // of the other kind
		"SourcePeerAddress == c000:200::/24":                  false, // likewise, with the same bits
		"SourcePeerAddress < 192.0.2.10":                      true,
		"SourcePeerAddress >= 192.0.2.10":                     false,
		"Host == 198.51.100.80 && Host == 192.0.2.9":          true,
		"Host != 198.51.100.80":                               false,
		"Host != 198.51.100.81":                               true,
		"Port == https":                                       true,
		"DestTransAddress == (www, https)":                    true,
		"DestTransAddress == 443 && SourceTransType == tcp":   true,
		"SourceTransAddress >= 1024 && DestTransAddress<1024": true,
		"DestTransAddress == 0/6":                             true,
		"DestTransAddress != 440..450":                        false,
		"DestTransAddress == 1&0.1":                           true,
		"SourceAdjacentAddress == 00-80-48/24":                true,
		"DSCodePoint == 46":                                   true,
		"ECNCodeBits == 0":                                    true,
		"! (SourceTransType == udp)":                          true,
		"not SourceTransType == tcp or FlowIndex == 7":        true,
		"Octets > 100k && Octets < 101k && Octets == 100300":  true,
		"Octets == 100.3k":                                    true,
		"Octets >= 98Ki":                                      false,
		"Octets < 98KiB":                                      true,
		"ToOctets == 300 && DeltaToOctets == 300":             true,
		"PDUs == 7":          true,
		"PDUs == 1..6":       false,
		"Rate == 8024":       true,
		"Rate > 8k":          true,
		"Rate > 8.024kbit/s": false,
		"Rate < 0.008025Mbit/s && ToRate == 24bps":             true,
		"Duration > 1m15s && Duration < 76s":                   true,
		"Duration == 75.89":                                    true,
		"Duration > 2h":                                        false,
		"FirstTime == 1411":                                    true,
		"FirstTime < 15s":                                      true,
		"FirstTime >= 2026-11-21T09:13:39.11Z":                 true,
		"FirstTime > 2026-11-21T09:13:39.11Z":                  false,
		"LastActiveTime == 2026-11-21T10:14+01:00..2026-11-22": true,
		"LastActiveTime >= 2026-11-21T09:15:00":                false,
		"IntervalStart == \"2026-11-21T09:13:25Z\"":            true,
		"IntervalEndNs > 1":                                    true,
		"Meter == 'lab.example'":                               true,
		"Meter != \"lab.example\"":                             false,
		"FlowRuleSet == 2":                                     true,
	} {
		e, err := Parse("filter", text)
		if err != nil {
			t.Error(err)
			continue
		}
		if got := e.Match(r); got != want {
			t.Errorf("%s: %t", text, got)
		}
		if n := testing.AllocsPerRun(10, func() { e.Match(r) }); n > 0 {
			t.Errorf("%s: %v allocations", text, n)
		}
	}
}

// TestParseFaults holds messages to what they must say.
func TestParseFaults(t *testing.T) {
	for text, want := range map[string]string{
		"DestTransAdress == www":             "filter:1:1: there is no attribute DestTransAdress; did you mean DestTransAddress?",
		"":                                   "filter:1:1: expected an attribute or (, found the end of the expression",
		"Octets > 10m":                       `filter:1:10: Octets: "10m" is not a number of octets, such as 1500, 100k, 10MB or 1GiB; did you mean 10M?`,
		"Octets > 99999999999T":              `filter:1:10: Octets: "99999999999" comes to more than 64 bits hold`,
		"Octets == 1..x":                     `filter:1:14: Octets: "x" is not a number of octets, such as 1500, 100k, 10MB or 1GiB`,
		"Octets == 5..4":                     "filter:1:11: this range ends before it begins",
		"Octets == 5/3":                      "filter:1:13: Octets is a number without masks: write a range, as 1..10",
		"Rate > 5%":                          `filter:1:9: "%" is no part of SRL`,
		"Duration > 5x":                      `filter:1:12: Duration: "5x" is no length of time, such as 90, 1.5s, 5m or 1h30m`,
		"FirstTime > 2026-13-21T09:13Z":      `filter:1:13: FirstTimeNs: "2026-13-21T09:13Z" is no time, such as 2026-11-21T09:14:25Z`,
		"SourcePeerAddress == 10":            "filter:1:22: 10 is the one address 10.0.0.0; a network has a width, as 10/8",
		"SourcePeerAddress == 10.0.0.5/24":   "filter:1:22: this can never match: the value has bits outside of its mask",
		"SourcePeerAddress == 10.0.0.0/33":   "filter:1:31: /33 is wider than the 32 bits of 10.0.0.0",
		"DestTransAddress == 20-22":          "filter:1:21: 20-22 is no range: write 20..22",
		"DestTransAddress == httpz":          `filter:1:21: no value of DestTransAddress "httpz"; did you mean http?`,
		"DSCodePoint == 64":                  "filter:1:16: 64 is more than the 6 bits of DSCodePoint hold: its greatest value is 63",
		"ToPacketSize == 64":                 "filter:1:1: ToPacketSize is a distribution, which has no single value to be compared",
		"SourcePeerMask == 64":               "filter:1:1: SourcePeerMask is not part of flow records",
		"Meter < x":                          "filter:1:1: names of meters have no order: write == or !=",
		"Host == 300.1.1.1 && Octets == 1,2": "filter:1:33: expected &&, || or the end of the expression, found \",\"",
	} {
		_, err := Parse("filter", text)
		if err == nil {
			t.Errorf("%s passes", text)
		} else if got := err.Error(); got != want {
			t.Errorf("%s:\n%s, want\n%s", text, got, want)
		}
	}
}
