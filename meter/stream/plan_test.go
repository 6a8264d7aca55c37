package stream

import (
	"fmt"
	"testing"

	"rtfm/ruleset/attr"
)

// TestRates counts rates in intervals of 2 s: those that are over, idle ones
// too, whenever they are read.
func TestRates(t *testing.T) {
	h := newHarness(t, Config{}, "ToBitRate = 3.2 & 1.2.0!8", "ToPDURate = 3.2 & 1.0.0!2", "FromPDURate = 3.2 & 1.0.0!2")
	at := func(ms int64, octets uint64, bits, pdus, back []uint64) {
		t.Helper()
		if octets > 0 {
			h.Packet(1, 0, udp(false, 1, 2), octets, ms*millisecond)
		}
		h.want("rates", ms*millisecond, map[attr.Attr][]uint64{
			attr.ToBitRate: bits, attr.ToPDURate: pdus, attr.FromPDURate: back,
		})
	}
	none := []uint64{0, 0, 0, 0}
	at(0, 50, none, none, none)
	at(1999, 50, none, none, none)
	at(2000, 101, []uint64{0, 1, 0, 0}, []uint64{0, 1, 0, 0}, []uint64{1, 0, 0, 0}) // 100 octets in 2 s are 400 bit/s
	at(4000, 0, []uint64{0, 1, 1, 0}, []uint64{1, 1, 0, 0}, []uint64{2, 0, 0, 0})   // 404 bit/s; half a PDU a second is 0
	at(4001, 0, []uint64{0, 1, 1, 0}, []uint64{1, 1, 0, 0}, []uint64{2, 0, 0, 0})
	at(7000, 300, []uint64{1, 1, 1, 0}, []uint64{2, 1, 0, 0}, []uint64{3, 0, 0, 0})        // one idle interval
	at(14000, 1, []uint64{1 + 3, 1, 1, 1}, []uint64{5 + 1, 1, 0, 0}, []uint64{7, 0, 0, 0}) // 1200 bit/s, then three
	at(2_000_000, 0, []uint64{4 + 992, 2, 1, 1}, []uint64{6 + 993, 1, 0, 0}, []uint64{1000, 0, 0, 0})
}

// TestRateOfOneIdleInterval reads nothing between two packets.
func TestRateOfOneIdleInterval(t *testing.T) {
	for n := range int64(5) {
		h := newHarness(t, Config{}, "ToPDURate = 2.1 & 1.0.0!1")
		h.feed([]at{{0, false, udp(false, 1, 2)}, {1500 + n*1000, false, udp(false, 1, 2)}})
		h.want("idle", (1500+n*1000)*millisecond, map[attr.Attr][]uint64{attr.ToPDURate: {uint64(n), 1, 0}})
	}
}

// TestSizesAndGaps counts sizes, and times between packets in one direction.
func TestSizesAndGaps(t *testing.T) {
	h := newHarness(t, Config{}, "FromPacketSize = 3 & 1.0.100!300", "ToInterarrivalTime = 3 & 1.0.10!30", "FromInterarrivalTime = 3 & 1.0.10!30")
	for _, p := range []struct {
		direction int
		octets    uint64
		us        int64
	}{{0, 1, 0}, {1, 100, 5}, {0, 1, 20}, {1, 101, 15_005}, {1, 300, 15_005}, {1, 301, 15_016}} {
		h.Packet(1, p.direction, udp(p.direction == 1, 1, 2), p.octets, p.us*1000+999)
	}
	h.want("sizes and gaps", 0, map[attr.Attr][]uint64{
		attr.FromPacketSize: {1, 1, 1, 1}, attr.ToInterarrivalTime: {0, 1, 0, 0}, attr.FromInterarrivalTime: {1, 1, 0, 1},
	})
}

// TestFormsOfKinds wants the forms for each kind of packet pairs that the flows of a
// ruleset have, whichever comes last.
func TestFormsOfKinds(t *testing.T) {
	for text, first := range map[string]attr.PairKind{"ToTurnaroundStats = 0.%d & 0": attr.PairPlain, "ToLostPDUs = 3.%d & 1.0.1!3": attr.PairEcho} {
		of := func(kind attr.PairKind) attr.Measure {
			return shapeOf(t, fmt.Sprintf(text, kind)).Measures[0]
		}
		for one := first; one.Valid(); one++ {
			for other := first; other.Valid(); other++ {
				want := FormsOf([]attr.Measure{of(one)}) | FormsOf([]attr.Measure{of(other)})
				if got := FormsOf([]attr.Measure{of(one), of(other)}); got != want {
					t.Errorf("%s, of %v and %v: forms %b, want %b", text, one, other, got, want)
				}
			}
		}
	}
}
