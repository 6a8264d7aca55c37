// Package traces reads packet traces: pcap, pcapng and ERF files, plain or
// compressed by gzip, bzip2, xz or zstd. What a file is shows in its content,
// never in its name. It also tells what they hold (NewInfo) and writes them
// (Create, Convert).
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
// Decompression lies below the formats, and a format is two functions: one
// that knows its first octets (open.go), and a scan that turns a window of the
// stream into packets, without copying or allocating. Everything else, buffer,
// damage, positions, is one reader's that serves all formats. To be written, a
// format is a function that turns packets into records.
package traces
