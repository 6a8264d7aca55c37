// Package flowfile writes and reads flow data files: the text form of NeMaC,
// NeTraMet's manager and meter reader, and the same records as JSON lines and CSV.
// FORMAT.md beside this file describes them.
package flowfile

import (
	"strconv"
	"strings"
	"time"
	"unicode"

	"rtfm/reader/record"
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

// Times is what a #Time record tells of a collection.
type Times struct {
	Time     time.Time // when it was made; from a file, in whole seconds
	Meter    string
	From, To uint64 // meter uptimes in centiseconds between which flows were active
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
func (c *Times) appendTo(b []byte) []byte {
	b = append(b, markTime+" "...)
	b = c.Time.AppendFormat(b, "15:04:05 Mon _2 Jan 2006 ")
	b = append(b, name(c.Meter)...)
	b = append(b, " Flows from "...)
	b = strconv.AppendUint(b, c.From, 10)
	b = append(b, " to "...)
	b = strconv.AppendUint(b, c.To, 10)
	return append(b, '\n')
}

// A numbers calls yield for each number of something with its name.
type numbers func(yield func(name string, n *uint64))

// allNumbers are the numbers of s, those of the #EndData record first.
func allNumbers(s *record.Summary) numbers {
	return func(yield func(name string, n *uint64)) {
		endNumbers(s)(yield)
		statsNumbers(s)(yield)
	}
}

// known are those numbers of s that are known.
func known(s *record.Summary) numbers {
	return func(yield func(name string, n *uint64)) {
		switch s.Known {
		case record.KnownAll:
			allNumbers(s)(yield)
		case record.KnownLoss:
			endNumbers(s)(yield)
			if s.Stopped > 0 {
				yield("stopped", &s.Stopped)
			}
		default:
			yield("flows", &s.Flows)
		}
	}
}

func endNumbers(s *record.Summary) numbers {
	return func(yield func(name string, n *uint64)) {
		yield("flows", &s.Flows)
		yield("lost", &s.Lost)
		yield("uncounted", &s.Uncounted)
		yield("sampling", &s.Sampling)
	}
}

func statsNumbers(s *record.Summary) numbers {
	return func(yield func(name string, n *uint64)) {
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
}

func ruleSetNumbers(s *record.RuleSetSummary) numbers {
	return func(yield func(name string, n *uint64)) {
		yield("ruleset", &s.RuleSet)
		yield("packets", &s.Packets)
		yield("counted", &s.Counted)
		yield("ignored", &s.Ignored)
		yield("unmatched", &s.Unmatched)
		yield("stopped", &s.Stopped)
		yield("uncounted", &s.Uncounted)
	}
}

// appendNumbers appends ` name=number` for each.
func appendNumbers(b []byte, all numbers) []byte {
	all(func(name string, n *uint64) {
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

func blankOrControl(r rune) bool { return r <= ' ' || r == 0x7f || unicode.IsSpace(r) }
