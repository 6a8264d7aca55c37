// Package format reads and writes packet traces in files, plain or compressed by
// gzip, bzip2, xz or zstd: one (Open), several after another (OpenSequence), and
// several at the same time (OpenMerged). A file's format shows in its content, or a
// name such as "tsh:FILE" gives it. The formats, and how each is recognised, are
//
//	pcap             magic number; one link type, FCS, ns or µs, five versions, Kuznetzov's
//	pcapng           magic number; interfaces with link type, clock, FCS, drop counters
//	snoop            magic number; one link type, µs, drop counter (RFC 1761)
//	ipfix            1 to 4 messages of whole sets; seconds (RFC 5655)
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
// Decompression lies below the formats, and a format is three functions: one
// that knows its first octets and one that reads a header (formats.go), and a
// scan that turns a window of the stream into packets, without copying or
// allocating. Everything else, buffer, damage and positions, belongs to one
// reader that serves all formats. For writing, a format is a function that
// turns packets into records.
package format
