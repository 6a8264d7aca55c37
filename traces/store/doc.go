// Package store keeps packets in a folder, so that those of a time are found at once:
// what `rtfm store` and `--store` write. Its files are pcapng, and any tool opens each
// of them.
//
// # Files
//
// A file's name has the time of its first packet and its number:
// 20261130T214503.123456789Z-00000017.pcapng. It begins with a section and its interfaces,
// the file's head. All else is in chunks of 1 MiB at most, each at a multiple of 4,096
// octets:
//
//	┌──────┬────────────────────────────┬──────┬─────────────────┬──
//	│ head │ mark  packets ...  filling │ mark │ packets ... fil │ ...
//	└──────┴────────────────────────────┴──────┴─────────────────┴──
//	 the first chunk has the head in it     each at a multiple of 4,096
//
// The mark says how long the chunk is, its time, how many packets it has, and how many
// were lost and how many there was no room for before them. It has a checksum of the
// whole chunk. Mark and filling are local-use blocks (draft-ietf-opsawg-pcapng section
// 3.1), which programs that do not know them pass over. With the head before it each
// chunk is a pcapng file.
//
// Files of pcap, ERF or HPCAP's RAW have packets only. Their marks stand in a file beside
// each, NAME.marks, one behind the other: a mark's block, whose length is that of the
// chunk, and a filling with losses. The chunk's checksum is where that of a chunk of
// pcapng is; at octet 48 of the block is one of the block and filling, made with zeros
// there. Packets behind the last mark, which a kill may leave, are found one by one.
//
// # Writing
//
// Whoever reads packets copies them into a chunk in memory (Tee). One goroutine writes
// chunks, around the system's cache where that can be. When all chunks are waiting to be
// written a packet is not stored and counted as such, with its time; no capture ever waits
// for the disk. Traces do, with Config.Wait.
//
// # The law
//
// packets stored + unstored + lost = packets that came.
package store
