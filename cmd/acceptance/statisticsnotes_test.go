package acceptance

import (
	"fmt"
	"strings"
)

// notes are those of tshark's remarks that are compared with verdicts, as a table
// shows them.
var notes = []struct{ field, name string }{
	{"spurious_retransmission", "spurious"}, {"fast_retransmission", "fast"}, {"retransmission", "retransmission"},
	{"out_of_order", "out of order"}, {"lost_segment", "lost"}, {"keep_alive", "keep-alive"}, {"zero_window_probe", "probe"},
}

// String names a verdict.
func (v verdict) String() string {
	var words []string
	for _, w := range []struct {
		is   bool
		name string
	}{{v.old, "retransmitted"}, {v.fills, "out of order"}, {v.gap, "gap"}} {
		if w.is {
			words = append(words, w.name)
		}
	}
	return strings.Join(words, ", ")
}

// remarks names what tshark remarks of a segment. Of those sent again it says
// whether that was fast, or in vain, besides.
func (p *sharkPacket) remarks() string {
	var words []string
	for _, n := range notes {
		if p.noted[n.field] && (n.field != "retransmission" || len(words) == 0) {
			words = append(words, n.name)
		}
	}
	return strings.Join(words, ", ")
}

// difference says by which rule tshark's remark of a segment is another one than the
// verdict; "" if they are the same, differsOtherwise if no rule tells.
func (p *sharkPacket) difference() string {
	v, noted, s := p.verdict, p.noted, p.segment
	again, early := noted["retransmission"], noted["out_of_order"]
	switch {
	case v.old == again && v.fills == early && v.gap == noted["lost_segment"] && !noted["keep_alive"] && !noted["zero_window_probe"]:
		return ""
	case noted["keep_alive"] && s.octets <= 1:
		return differsKeepAlive
	case noted["zero_window_probe"] && s.octets == 1:
		return differsProbe
	case s.octets == 0 && (again || early):
		return differsNoOctets
	case s.octets == 0 && noted["lost_segment"]:
		return differsACKAhead
	case s.flags&rst != 0:
		return differsRST
	case v.began:
		return differsBegins
	case v.told && !v.old && !v.fills:
		return differsTold
	case v.old && early:
		return differsSoon
	case v.fills && again:
		return differsLate
	}
	return differsOtherwise
}

// The rules of difference, as docs/STATISTICS.md explains them.
const (
	differsKeepAlive = "a keep-alive"
	differsProbe     = "a zero window probe"
	differsNoOctets  = "SYN or FIN without octets, again"
	differsACKAhead  = "an ACK ahead"
	differsRST       = "RST"
	differsBegins    = "the first of a stream"
	differsTold      = "behind an ACK ahead"
	differsSoon      = "again, too soon for tshark"
	differsLate      = "out of order, too late for tshark"
	differsOtherwise = "otherwise"
)

// compareRemarks counts what tshark remarks of segments beside what is counted of
// them, and by which rule that differs. Streams are left out of which some segments
// are in tunnels, as is what tshark says of zero windows: that must be the same.
func compareRemarks(packets []sharkPacket, otherwise func(p *sharkPacket)) map[string]int {
	tunnelled := map[string]bool{}
	for i := range packets {
		if p := &packets[i]; p.segment == nil || !p.alone {
			tunnelled[p.stream] = true
		}
	}
	counts := map[string]int{}
	for i := range packets {
		p := &packets[i]
		if p.segment == nil || tunnelled[p.stream] {
			continue
		}
		d := p.difference()
		counts[fmt.Sprintf("%s | %s | %s", p.verdict, p.remarks(), d)]++
		if d == differsOtherwise {
			otherwise(p)
		}
		if zero := p.segment.window == 0 && p.segment.flags&(fin|syn|rst) == 0; zero != p.noted["zero_window"] {
			counts["zero windows differ"]++
		}
	}
	return counts
}
