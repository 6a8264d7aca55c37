// Package traces has packets as a meter is given them, in batches that a Source
// fills, and what stands between a source and a meter: leaving out duplicates,
// finding packets of wild times, taking a link type for another. Package format
// reads sources from files, package live from interfaces, package netflow makes
// them of the flow records of routers, and package survey tells what they hold.
//
// A Source fills batches of packets:
//
//	src, err := format.Open("trace.pcap.gz")
//	...
//	defer src.Close()
//	b := traces.NewBatch(256)
//	for {
//		if err := src.ReadBatch(b); err != nil {
//			break // io.EOF at the orderly end
//		}
//		for i := range b.Packets {
//			p := &b.Packets[i]
//			...
//		}
//	}
package traces
