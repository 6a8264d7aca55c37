package netflow

import (
	"fmt"
	"strconv"
	"strings"
)

// Exports describes the export datagrams that a trace holds.
type Exports struct {
	// Others is the number of the trace's packets that hold no export datagram.
	// Info covers the remaining ones only.
	Others uint64 `json:"others"`
	// Exporters are the sequences of datagrams, in the order of their first.
	Exporters []Exporter `json:"exporters"`
}

// Exporter counts what came from an exporter in one version of NetFlow or
// IPFIX, from one of its engines (NetFlow 5), sources (9) or observation
// domains (IPFIX).
type Exporter struct {
	Address string `json:"address"` // with the port, of IPFIX
	Version uint16 `json:"version"` // 5, 9 or, for IPFIX, 10
	Domain  uint32 `json:"domain"`  // the number of the engine, source or domain
	ExportCounts
	// Missing are the templates of the unread sets, the first 16 in order of
	// appearance.
	Missing []uint16 `json:"missing,omitempty"`
}

// ExportCounts counts what export datagrams bring.
type ExportCounts struct {
	Datagrams uint64 `json:"datagrams"`
	Records   uint64 `json:"records"`   // of flows
	Uncounted uint64 `json:"uncounted"` // those of them that count no packets
	PDUs      uint64 `json:"pdus"`      // that the records count
	Octets    uint64 `json:"octets"`
	// Lost is what is missing by the sequence numbers: records of NetFlow 5 and
	// IPFIX, datagrams of NetFlow 9; Gaps is how often.
	Lost      uint64 `json:"lost"`
	Gaps      uint64 `json:"gaps"`
	Unread    uint64 `json:"unread"`    // sets of records whose template had not come
	Malformed uint64 `json:"malformed"` // datagrams
}

// Add adds o's counts to c.
func (c *ExportCounts) Add(o ExportCounts) {
	c.Datagrams += o.Datagrams
	c.Records += o.Records
	c.Uncounted += o.Uncounted
	c.PDUs += o.PDUs
	c.Octets += o.Octets
	c.Lost += o.Lost
	c.Gaps += o.Gaps
	c.Unread += o.Unread
	c.Malformed += o.Malformed
}

// exportVersions are the versions by name and what their sequence numbers count.
var exportVersions = [...]struct {
	version              uint16
	name, domain, counts string
}{
	{5, "NetFlow 5", "engine", "records"},
	{9, "NetFlow 9", "source", "datagrams"},
	{10, "IPFIX", "domain", "records"},
}

// Lines implements survey.Exports.
func (e *Exports) Lines(line func(what, format string, args ...any)) {
	for _, v := range exportVersions {
		var sum ExportCounts
		for i := range e.Exporters {
			if e.Exporters[i].Version == v.version {
				sum.Add(e.Exporters[i].ExportCounts)
			}
		}
		if sum.Datagrams > 0 {
			line("exports", "%s: %s", v.name, sum.text(v.counts))
		}
	}
	if e.Others > 0 {
		line("others", "%d packets hold no export datagram", e.Others)
	}
	for i := range e.Exporters {
		x := &e.Exporters[i]
		for _, v := range exportVersions {
			if x.Version == v.version {
				line("exporter", "%s, %s %s %d: %s%s", x.Address, v.name, v.domain, x.Domain, x.text(v.counts), x.missing())
			}
		}
	}
}

// text returns the counts in one line; what is wrong only if there is any.
func (c *ExportCounts) text(numbered string) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%d datagrams, %d records of %d packets and %d octets", c.Datagrams, c.Records, c.PDUs, c.Octets)
	if c.Uncounted > 0 {
		fmt.Fprintf(&s, ", %d records of no packets", c.Uncounted)
	}
	if c.Gaps > 0 {
		fmt.Fprintf(&s, ", %d %s lost (gaps of the sequence numbers: %d)", c.Lost, numbered, c.Gaps)
	}
	if c.Malformed > 0 {
		fmt.Fprintf(&s, ", %d datagrams malformed", c.Malformed)
	}
	if c.Unread > 0 {
		fmt.Fprintf(&s, ", %d sets of records before their templates", c.Unread)
	}
	return s.String()
}

// missing returns which templates were missing, as the end of a line.
func (x *Exporter) missing() string {
	if len(x.Missing) == 0 {
		return ""
	}
	ids := make([]string, len(x.Missing))
	for i, id := range x.Missing {
		ids[i] = strconv.Itoa(int(id))
	}
	return ": " + strings.Join(ids, ", ")
}
