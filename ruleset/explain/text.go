package explain

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"rtfm/ruleset/pme"
)

// WriteText writes the explanation for people.
func (ex *Explanation) WriteText(w io.Writer) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "packet %d, %s UTC\n", ex.Packet, time.Unix(0, ex.Time).UTC().Format("2006-01-02 15:04:05.000000"))
	for _, v := range ex.has {
		fmt.Fprintf(b, "  %-18s %s\n", v.Attr, v.Value)
	}
	for i := range ex.Tries {
		t := &ex.Tries[i]
		if t.ChangedOver {
			b.WriteString("\nwith source and destination changed over:\n")
		} else {
			b.WriteString("\nas it comes:\n")
		}
		t.write(b)
	}
	fmt.Fprintf(b, "\n%s", ex.Verdict)
	if ex.Verdict == verdicts[2] {
		way := "forward"
		if ex.Back {
			way = "back"
		}
		began := fmt.Sprintf("which began with packet %d", ex.Began)
		if ex.Began == ex.Packet {
			began = "which begins with this packet"
		}
		fmt.Fprintf(b, ", %s in the flow, %s:\n", way, began)
		for _, v := range ex.Flow {
			fmt.Fprintf(b, "  %-18s %s\n", v.Attr, v.Value)
		}
	} else {
		b.WriteString("\n")
	}
	return b.Flush()
}

// write writes the steps, each line of the program before those of it that follow
// each other.
func (t *Try) write(b *bufio.Writer) {
	line, file := -1, ""
	for i := range t.Steps {
		s := &t.Steps[i]
		if s.Line != line || s.File != file {
			line, file = s.Line, s.File
			place := strings.Repeat(" ", 4)
			if line > 0 {
				place = fmt.Sprintf("%4d", line)
			}
			if file != "" {
				place = fmt.Sprintf("  %s:%d", file, line)
			}
			fmt.Fprintf(b, "%s  %s\n", place, s.Text)
		}
		fmt.Fprintf(b, "        %s\n", s)
	}
}

// String tells of a step in a sentence.
func (s *Step) String() string {
	text := ""
	if s.Tested {
		value := s.Value
		if value == "" {
			value = "not there"
		}
		is := "is not"
		if s.Held {
			is = "is"
		}
		text = fmt.Sprintf("%s is %s", s.Attr, value)
		if strings.ContainsAny(s.Against, "/&") {
			is += " in"
		}
		if s.Against != value || !s.Held {
			text += fmt.Sprintf(", which %s %s", is, s.Against)
		}
	}
	switch {
	case s.Does == "":
		return text
	case text == "" && s.Value != "" && !strings.Contains(s.Does, " = "):
		return s.Does + ": " + s.Value
	case text == "":
		return s.Does
	}
	return text + ": " + s.Does
}

func itoa(n int) string { return strconv.Itoa(n) }

// WriteText writes the change for people: what became of packets with the first
// ruleset, and with the second.
func (ch *Change) WriteText(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s; the first is packet %d of %s, %s\n- %s\n+ %s\n",
		amount(ch.Packets, ch.Octets), ch.Example, ch.File, ch.example(), &ch.Old, &ch.New)
	return err
}

func amount(packets, octets uint64) string {
	if packets == 1 {
		return fmt.Sprintf("1 packet, %d octets", octets)
	}
	return fmt.Sprintf("%d packets, %d octets", packets, octets)
}

// example returns what the first packet is, in the words of tests of programs.
func (ch *Change) example() string {
	has := map[string]string{}
	for _, v := range ch.Has {
		has[v.Attr] = v.Value
	}
	source, dest := has["SourcePeerAddress"], has["DestPeerAddress"]
	if source == "" {
		return "no IP packet"
	}
	protocol, kind := has["SourceTransType"], ""
	switch protocol {
	case "icmp", "icmpv6":
		kind = " " + has["SourceTransAddress"]
	default:
		if has["SourceTransAddress"] != "" {
			source = net.JoinHostPort(source, has["SourceTransAddress"])
			dest = net.JoinHostPort(dest, has["DestTransAddress"])
		}
	}
	return protocol + " " + source + " > " + dest + kind
}

// String returns the outcome in a line.
func (o *Outcome) String() string {
	if o.Verdict != verdicts[pme.Success] {
		return o.Verdict
	}
	text := "counted forward"
	if o.Back {
		text = "counted back"
	}
	for i, v := range o.Flow {
		sep := ", "
		if i == 0 {
			sep = " in "
		}
		text += sep + v.Attr + " " + v.Value
	}
	return text
}

// WriteSummary writes how many packets changed.
func (c *Comparison) WriteSummary(w io.Writer) error {
	if c.ChangedPackets == 0 {
		_, err := fmt.Fprintf(w, "%s: no change\n", amount(c.Packets, c.Octets))
		return err
	}
	_, err := fmt.Fprintf(w, "%s: %s in other flows or other ways\n", amount(c.Packets, c.Octets), amount(c.ChangedPackets, c.ChangedOctets))
	return err
}
