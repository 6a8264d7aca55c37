package cmd

import (
	"fmt"
	"io"

	"rtfm/traces"
)

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
