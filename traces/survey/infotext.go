package survey

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"rtfm/traces"
)

// WriteText writes what the trace of this name holds, for people to read.
func (info *Info) WriteText(w io.Writer, name string) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	line := func(what, format string, args ...any) {
		fmt.Fprintf(tw, "  %s\t%s\n", what, fmt.Sprintf(format, args...))
	}
	fmt.Fprintln(tw, name)
	format := info.Format
	if format == "" { // it could not be opened
		line("damage", "%v", info.Damage)
		return tw.Flush()
	}
	if info.Detail != "" {
		format += ", " + info.Detail
	}
	if info.Guessed {
		format += ", guessed from its records"
	}
	if info.Compression != "" {
		format += ", compressed by " + info.Compression
	}
	line("format", "%s", format)
	for _, text := range info.Comments {
		line("comment", "%q", text)
	}
	line("file", "%d octets, %d records", info.Bytes, info.Records)
	line("packets", "%d, %d of them cut short", info.Packets, info.Cut)
	fcs := ""
	if info.FCS > 0 {
		fcs = fmt.Sprintf(" without %d of frame check sequences", info.FCS)
	}
	line("octets", "%d on the wire%s, %d captured, of a packet %d at most", info.Octets, fcs, info.Captured, info.Longest)
	line("lost", "%d packets, as the trace tells", info.Lost)
	if info.Skipped > 0 {
		line("skipped", "%d records that hold no packet", info.Skipped)
	}
	if info.Packets > 0 {
		line("first", "%s", traces.TimeText(info.First))
		line("last", "%s", traces.TimeText(info.Last))
		line("duration", "%s%s", seconds(time.Duration(info.Last-info.First)), info.rate())
		if info.Early == 0 {
			line("order", "no packet is earlier than one before it")
		} else {
			line("order", "%d packets are earlier than one before them, by %s at most", info.Early, seconds(info.EarlyMost))
		}
		if info.Clamped > 0 {
			line("clamped", "%d packets, whose times are before 1970 or after 2262", info.Clamped)
		}
		line("gaps", "%d; the longest is %s, from %s", info.Gaps, seconds(info.LongestGap), traces.TimeText(info.GapAt))
	}
	for i := range info.Traffic {
		line("interface", "%s", &info.Traffic[i])
	}
	if info.Exports != nil {
		info.Exports.Lines(line)
	}
	if info.Damage != nil {
		line("damage", "%v", info.Damage)
	}
	return tw.Flush()
}

// rate returns how fast packets and bits came, as far as that can be told.
func (info *Info) rate() string {
	s := time.Duration(info.Last - info.First).Seconds()
	if s <= 0 {
		return ""
	}
	return fmt.Sprintf(", on average %.6g packets/s and %.6g bit/s", float64(info.Packets)/s, 8*float64(info.Octets)/s)
}

// String describes an interface in one line.
func (t *Traffic) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "%d", t.Number)
	if t.Name != "" {
		fmt.Fprintf(&s, " %q", t.Name)
	}
	fmt.Fprintf(&s, ": %v, %d packets, %d octets, %d captured", t.Link, t.Packets, t.Octets, t.Captured)
	if t.Snap > 0 {
		fmt.Fprintf(&s, ", snap length %d", t.Snap)
	}
	if t.Unit != "" {
		fmt.Fprintf(&s, ", time in units of %s", t.Unit)
	}
	return s.String()
}

// seconds returns a length of time as text.
func seconds(d time.Duration) string {
	return fmt.Sprintf("%d.%09d s", d/time.Second, d%time.Second)
}

// WriteJSON writes what the trace of this name holds as a JSON object on a line:
// the fields of Info, and the message of Damage if there is any.
func (info *Info) WriteJSON(w io.Writer, name string) error {
	o := struct {
		File string `json:"file"`
		*Info
		Damage string `json:"damage,omitempty"`
	}{File: name, Info: info}
	if info.Damage != nil {
		o.Damage = info.Damage.Error()
	}
	return json.NewEncoder(w).Encode(&o)
}
