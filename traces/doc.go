// Package traces reads packet traces, plain or compressed by gzip, bzip2, xz or
// zstd. A file's format shows in its content, or a name such as "tsh:FILE"
// gives it. It also describes traces (NewInfo) and writes them (Create,
// Convert). The formats, and how each is recognised, are
//
//	pcap             magic number; one link type, FCS, ns or µs, five versions, Kuznetzov's
//	pcapng           magic number; interfaces with link type, clock, FCS, drop counters
//	snoop            magic number; one link type, µs, drop counter (RFC 1761)
//	erf              1 to 4 sound records; ports, link types, FCS, 2^-32 s, loss counters
//	tsh              4 plausible records; interfaces, µs, 36 octets of IPv4 without options
//	hpcap            4 plausible records; Ethernet, ns, any byte order, padding
//	legacy-ethernet  4 plausible records; FCS, 2^-32 s, 54 octets
//	legacy-pos       4 plausible records; 2^-32 s, 48 octets
//	legacy-atm       4 plausible records; 2^-32 s, cells
//
// ATM cells, in ERF and legacy-atm, that begin a packet count as packets, with
// the part of it that they hold; others are records without one. Their wire
// length is that of the cell; IP tells the packet's own length.
//
// Open gives a Source, and a Source fills batches of packets:
//
//	src, err := traces.Open("trace.pcap.gz")
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
//
// Decompression lies below the formats, and a format is three functions: one
// that knows its first octets and one that reads a header (formats.go), and a
// scan that turns a window of the stream into packets, without copying or
// allocating. Everything else, buffer, damage and positions, belongs to one
// reader that serves all formats. For writing, a format is a function that
// turns packets into records.
package traces
