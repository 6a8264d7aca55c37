// Package flowfile writes and reads flow data files: the text form of NeMaC,
// NeTraMet's manager and meter reader, and the same records as JSON lines.
// FORMAT.md beside this file describes both.
package flowfile

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"rtfm/ruleset/match"
)

// Header is what the first line of a flow data file tells.
type Header struct {
	// Version is what stands after `v`, as `3.2`; see Release.
	Version string
	// Parameters are the options that the collection was started with.
	Parameters string
	Meter      string   // name of the meter, without blanks
	Interfaces []string // names of interfaces or trace files, without blanks
	MaxFlows   int      // size of the flow table
	// Start is when the collection began. Its location is used for all times
	// of day in the file.
	Start time.Time
}

// Release returns the Version of files that release v of this program writes.
// It begins as the last release of NeTraMet would, for the sake of programs
// that look at it.
func Release(v string) string { return "5.3 (rtfm " + v + ")" }

// Collection is one reading of a meter.
type Collection struct {
	Time     time.Time // when it was made; from a file, in whole seconds
	Meter    string
	From, To uint64 // meter uptimes in centiseconds between which flows were active
}

// Counters are what a flow counted, in one interval or altogether.
type Counters struct {
	ToPDUs, FromPDUs, ToOctets, FromOctets uint64
	// Distributions are the counters of all distributions, one after the other.
	Distributions []uint64
}

// CountersOf returns what a flow counted altogether.
func CountersOf(f *match.Flow) Counters {
	return Counters{
		ToPDUs: f.ToPDUs, FromPDUs: f.FromPDUs, ToOctets: f.ToOctets, FromOctets: f.FromOctets,
		Distributions: slices.Concat(f.Counters...),
	}
}

// Since returns what a flow counted between before and c.
func (c *Counters) Since(before *Counters) Counters {
	d := Counters{
		ToPDUs: c.ToPDUs - before.ToPDUs, FromPDUs: c.FromPDUs - before.FromPDUs,
		ToOctets: c.ToOctets - before.ToOctets, FromOctets: c.FromOctets - before.FromOctets,
		Distributions: slices.Clone(c.Distributions),
	}
	for i := range min(len(d.Distributions), len(before.Distributions)) {
		d.Distributions[i] -= before.Distributions[i]
	}
	return d
}

// Summary is what is known of the packets of one interval beside the flows.
type Summary struct {
	Flows     uint64 // records written; counted by the Writer
	Lost      uint64 // packets that were not captured
	Uncounted uint64 // packets of flows for which the flow table had no room
	Sampling  uint64 // one of so many packets was metered; 0 means all
	Packets   uint64 // packets metered
	Octets    uint64
	Ignored   uint64 // packets that rules said to ignore
	Unmatched uint64 // packets that no rules matched
	Stopped   uint64 // packets that hit a limit of the Packet Matching Engine
	Active    uint64 // flows in the flow table
	// RuleSets are those whose flows the collection has.
	RuleSets []RuleSetSummary
	// More are written after these, in #Stats: those of StreamNumbers,
	// "duplicates", "outliers", "clamped", "sampled-out", packets lost at an interface as "lost-" with
	// its name, those stamped by a clock as "stamped-kernel-" and the like, and
	// "clock-synchronised".
	More []Number
}

// RuleSetSummary is what became of the packets of one interval that a ruleset
// has seen.
type RuleSetSummary struct {
	RuleSet uint64 // its number
	// Packets is the sum of what follows: packets that are in a flow, those left
	// out by rules that said so, those that no rules matched, that hit a limit of
	// the engine, and those of flows for which the flow table had no room.
	Packets, Counted, Ignored, Unmatched, Stopped, Uncounted uint64
	// Collected is what the collection's flow records have counted in the
	// interval, if that is known; see Writer.Collected. JSON only. A meter that
	// counts on while it is read has flow records that know more than Counted
	// does; the next ones then add less.
	Collected *uint64
}

// Sum is the number of packets of which it is known what became of them.
func (s *RuleSetSummary) Sum() uint64 {
	return s.Counted + s.Ignored + s.Unmatched + s.Stopped + s.Uncounted
}

// AddRuleSets sets Ignored, Unmatched, Stopped and Uncounted to the sums over
// RuleSets.
func (s *Summary) AddRuleSets() {
	s.Ignored, s.Unmatched, s.Stopped, s.Uncounted = 0, 0, 0, 0
	for i := range s.RuleSets {
		r := &s.RuleSets[i]
		s.Ignored += r.Ignored
		s.Unmatched += r.Unmatched
		s.Stopped += r.Stopped
		s.Uncounted += r.Uncounted
	}
}

// StreamNumbers are those of a meter that keeps streams: how many there are, how
// many were begun and have ended in the interval, and how many packets are in
// none because there were too many.
func StreamNumbers(active, created, ended, unstreamed uint64) []Number {
	return []Number{{"streams", active}, {"streams-created", created}, {"streams-ended", ended}, {"unstreamed", unstreamed}}
}

// Number is one that only some meters have.
type Number struct {
	Name  string `json:"name"`
	Value uint64 `json:"value"`
}

// The `#` records.
const (
	markHead    = "##NeTraMet v"
	markFormat  = "#Format:"
	markTime    = "#Time:"
	markStats   = "#Stats:"
	markRuleSet = "#RuleSet:"
	markEnd     = "#EndData"
)

// appendTo appends h as the first line of a file.
func (h *Header) appendTo(b []byte) []byte {
	b = append(b, markHead...)
	b = append(b, words(h.Version)...)
	b = append(b, ".  "...)
	if p := words(h.Parameters); p != "" {
		b = append(b, p...)
		b = append(b, "  "...)
	}
	b = append(b, name(h.Meter)...)
	for _, i := range h.Interfaces {
		b = append(b, " -i "...)
		b = append(b, name(i)...)
	}
	b = append(b, "  "...)
	b = strconv.AppendInt(b, int64(h.MaxFlows), 10)
	b = append(b, " flows  starting at "...)
	b = h.Start.AppendFormat(b, "15:04:05 Mon 2 Jan 2006")
	return append(b, '\n')
}

// appendTo appends c as a #Time line.
func (c *Collection) appendTo(b []byte) []byte {
	b = append(b, markTime+" "...)
	b = c.Time.AppendFormat(b, "15:04:05 Mon _2 Jan 2006 ")
	b = append(b, name(c.Meter)...)
	b = append(b, " Flows from "...)
	b = strconv.AppendUint(b, c.From, 10)
	b = append(b, " to "...)
	b = strconv.AppendUint(b, c.To, 10)
	return append(b, '\n')
}

// numbers calls yield for each number of s with its name, those of the
// #EndData record first.
func (s *Summary) numbers(yield func(name string, n *uint64)) {
	s.endNumbers(yield)
	s.statsNumbers(yield)
}

func (s *Summary) endNumbers(yield func(name string, n *uint64)) {
	yield("flows", &s.Flows)
	yield("lost", &s.Lost)
	yield("uncounted", &s.Uncounted)
	yield("sampling", &s.Sampling)
}

func (s *Summary) statsNumbers(yield func(name string, n *uint64)) {
	yield("packets", &s.Packets)
	yield("octets", &s.Octets)
	yield("ignored", &s.Ignored)
	yield("unmatched", &s.Unmatched)
	yield("stopped", &s.Stopped)
	yield("active", &s.Active)
	for i := range s.More {
		yield(name(s.More[i].Name), &s.More[i].Value)
	}
}

func (s *RuleSetSummary) numbers(yield func(name string, n *uint64)) {
	yield("ruleset", &s.RuleSet)
	yield("packets", &s.Packets)
	yield("counted", &s.Counted)
	yield("ignored", &s.Ignored)
	yield("unmatched", &s.Unmatched)
	yield("stopped", &s.Stopped)
	yield("uncounted", &s.Uncounted)
}

// appendNumbers appends ` name=number` for each.
func appendNumbers(b []byte, numbers func(func(string, *uint64))) []byte {
	numbers(func(name string, n *uint64) {
		b = append(b, ' ')
		b = append(b, escape.Replace(name)...)
		b = append(b, '=')
		b = strconv.AppendUint(b, *n, 10)
	})
	return b
}

// escape and unescape are for the names of numbers, which may have an interface's
// in them, and that any character: only the last = of a word stands before a
// number, and only one that programs which know no escapes take for one.
var (
	escape   = strings.NewReplacer("=", "%3D", "%", "%25")
	unescape = strings.NewReplacer("%3D", "=", "%25", "%")
)

// name makes s one word.
func name(s string) string {
	if s = strings.Join(strings.FieldsFunc(s, blankOrControl), "_"); s == "" {
		return "-"
	}
	return s
}

// words leaves one blank between the words of s.
func words(s string) string { return strings.Join(strings.FieldsFunc(s, blankOrControl), " ") }

func blankOrControl(r rune) bool { return r <= ' ' || r == 0x7f || r == 0x85 || r == 0xa0 }
