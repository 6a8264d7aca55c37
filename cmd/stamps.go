package cmd

import (
	"fmt"
	"io"

	"rtfm/reader/flowfile"
	"rtfm/traces"
)

// stampNumbers returns how many packets of each interface that is captured were
// stamped since before by which clock, of those that have stamped any, and whether
// the system's clock is kept right.
func stampNumbers(now, before *traces.Stats) (numbers []flowfile.Number) {
	for n, at := range now.Stamps {
		for by, packets := range at.By {
			if packets == 0 {
				continue
			}
			if n < len(before.Stamps) { // interfaces stay where they are
				packets -= before.Stamps[n].By[by]
			}
			numbers = append(numbers, flowfile.Number{Name: fmt.Sprintf("stamped-%v-%s", traces.StampSource(by), at.Name), Value: packets})
		}
	}
	if now.SystemClock != traces.ClockUnknown {
		numbers = append(numbers, flowfile.Number{Name: "clock-synchronised"})
		if now.SystemClock == traces.ClockSynchronised {
			numbers[len(numbers)-1].Value = 1
		}
	}
	return numbers
}

// stampClocks says where a packet's time comes from.
var stampClocks = [traces.StampSources]string{
	traces.StampKernel:  "the kernel",
	traces.StampCard:    "the card's clock",
	traces.StampAdapter: "the card, in the system's time",
}

// printStamps tells of the clocks that have stamped packets.
func printStamps(w io.Writer, s *traces.Stats) {
	for _, at := range s.Stamps {
		for by, packets := range at.By {
			if packets > 0 {
				fmt.Fprintf(w, "%d packets at %s have their times from %s\n", packets, at.Name, stampClocks[by])
			}
		}
	}
}
