package flowfile

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"rtfm/reader/record"
	"rtfm/ruleset/match"
)

// Info is a record.Sink that tells what flow data holds. What is not known is left
// out.
type Info struct {
	File        string        `json:"file"`
	Form        string        `json:"form"`
	Meters      []string      `json:"meters"`
	Collections uint64        `json:"collections"`
	Empty       uint64        `json:"empty"`   // collections without flows
	Skipped     uint64        `json:"skipped"` // of which the file tells only how many there were
	Flows       uint64        `json:"flows"`   // flow records
	FromNs      int64         `json:"fromNs"`  // when the first interval began, and the last ended
	ToNs        int64         `json:"toNs"`
	RuleSets    []RuleSetInfo `json:"rulesets"`
	// Differences tells whether records say what intervals added.
	Differences bool `json:"differences"`
	// Metered collections tell how many packets and octets were metered, and Told ones
	// how many were lost: the sums are of these.
	Metered   uint64 `json:"metered"`
	Packets   uint64 `json:"packets"`
	Octets    uint64 `json:"octets"`
	Told      uint64 `json:"told"`
	Lost      uint64 `json:"lost"`
	Uncounted uint64 `json:"uncounted"`
	Damage    string `json:"damage,omitempty"`

	c     *record.Collection
	shape *match.Shape
	set   int      // the place in RuleSets of the last flow's
	flows []uint64 // of the present collection, by place in RuleSets
	wraps bool     // a sum is beyond 64 bits
}

// RuleSetInfo is what is told of a ruleset.
type RuleSetInfo struct {
	Number int      `json:"number"`
	Name   string   `json:"name,omitempty"`
	Hash   string   `json:"hash,omitempty"`
	Flows  uint64   `json:"flows"`
	Saves  []string `json:"saves"` // attributes that its flows have saved
}

// Begin implements record.Sink.
func (i *Info) Begin(c *record.Collection) error {
	i.c, i.shape = c, nil
	clear(i.flows)
	if !slices.Contains(i.Meters, c.Meter) {
		i.Meters = append(i.Meters, c.Meter)
	}
	if i.Collections == 0 {
		i.FromNs, i.ToNs = c.From, c.To
	}
	i.FromNs, i.ToNs = min(i.FromNs, c.From), max(i.ToNs, c.To)
	i.Skipped += uint64(c.Skipped)
	return nil
}

// Flow implements record.Sink.
func (i *Info) Flow(f *match.Flow, counted *record.Counters) error {
	if i.shape != f.Shape {
		i.shape = f.Shape
		i.set = i.ruleSet(i.c.RuleSet(f.Shape.RuleSet))
		rs := &i.RuleSets[i.set]
		save := func(name string) {
			if !slices.Contains(rs.Saves, name) {
				rs.Saves = append(rs.Saves, name)
			}
		}
		for _, s := range f.Shape.Saved {
			save(s.Attr.String())
		}
		for _, d := range f.Shape.Measures {
			save(d.Attr.String())
		}
	}
	i.flows[i.set]++
	i.Differences = i.Differences || counted != nil
	return nil
}

// ruleSet returns the place of a ruleset.
func (i *Info) ruleSet(of record.RuleSet) int {
	at := slices.IndexFunc(i.RuleSets, func(r RuleSetInfo) bool { return r.Number == of.Number && r.Hash == of.Hash && r.Name == of.Name })
	if at < 0 {
		at = len(i.RuleSets)
		i.RuleSets = append(i.RuleSets, RuleSetInfo{Number: of.Number, Name: of.Name, Hash: of.Hash})
		i.flows = append(i.flows, 0)
	}
	return at
}

// End implements record.Sink.
func (i *Info) End(s *record.Summary) error {
	i.Collections++
	i.Flows += s.Flows
	for at, n := range i.flows {
		i.RuleSets[at].Flows += n
	}
	if s.Flows == 0 {
		i.Empty++
	}
	add := func(to *uint64, n uint64) {
		if *to+n < n {
			i.wraps = true
		}
		*to += n
	}
	if s.Known != record.KnownFlows {
		i.Told++
		add(&i.Lost, s.Lost)
		add(&i.Uncounted, s.Uncounted)
	}
	if s.Known == record.KnownAll {
		i.Metered++
		add(&i.Packets, s.Packets)
		add(&i.Octets, s.Octets)
	}
	if i.wraps {
		return fmt.Errorf("the packets or octets of all collections are more than 64 bits can count")
	}
	return nil
}

// WriteJSON writes it as an object on a line.
func (i *Info) WriteJSON(w io.Writer) error {
	line, err := json.Marshal(i)
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// of tells of how many collections numbers are, if not of all.
func (i *Info) of(n uint64) string {
	if n == i.Collections {
		return ""
	}
	return fmt.Sprintf(", in %d collections that tell", n)
}

// WriteText writes it for people.
func (i *Info) WriteText(w io.Writer) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) { fmt.Fprintf(tw, name+"\t"+format+"\n", args...) }
	fmt.Fprintf(w, "%s\n", i.File)
	if i.Form != "" {
		line("  form", "%s", i.Form)
		line("  meters", "%s", strings.Join(i.Meters, ", "))
	}
	more := ""
	if i.Skipped > 0 {
		more = fmt.Sprintf(", %d more passed over", i.Skipped)
	}
	line("  collections", "%d, %d without flows%s", i.Collections, i.Empty, more)
	if i.Collections == 0 {
		return tw.Flush()
	}
	line("  time", "%s to %s", appendTime(nil, i.FromNs), appendTime(nil, i.ToNs))
	line("  flow records", "%d%s", i.Flows, map[bool]string{true: ", with what intervals added"}[i.Differences])
	if i.Metered > 0 {
		line("  metered", "%d packets, %d octets%s", i.Packets, i.Octets, i.of(i.Metered))
	}
	if i.Told > 0 {
		line("  missing", "%d packets lost, %d uncounted%s", i.Lost, i.Uncounted, i.of(i.Told))
	}
	for _, r := range i.RuleSets {
		line(fmt.Sprintf("  ruleset %d", r.Number), "%s", cmp.Or(strings.Join(strings.Fields(r.Name+" "+r.Hash), " "), "of a name that is not told"))
		line("    flow records", "%d", r.Flows)
		line("    saved", "%s", strings.Join(r.Saves, " "))
	}
	return tw.Flush()
}
