// Package traces reads packet traces, plain or compressed by gzip, bzip2, xz
// or zstd. What a file is shows in its content; a name such as "tsh:FILE" says
// so itself. It also tells what traces hold (NewInfo) and writes them (Create,
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
// Of ATM cells, in ERF and legacy-atm, those that begin a packet are packets,
// with what they hold of it, and the others are records without one. Their
// wire length is that of the cell: what IP says is the packet's own length.
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
// allocating. Everything else, buffer, damage, positions, is one reader's that
// serves all formats. To be written, a format is a function that turns packets
// into records.
package traces
