// Package live captures packets at network interfaces, as a traces.Source. It
// needs Linux.
//
// Each interface has a packet socket with a ring of blocks (TPACKET_V3) that
// the kernel fills and the source empties. Packets are metered in place:
// nothing is copied, and a block goes back to the kernel when its last packets'
// batch is no longer valid. While a ring is full, the kernel drops packets and
// counts them; nothing else waits for the meter.
//
// A block is handed over when it is full or some time has passed, so several
// rings have to be merged by time: a packet is given when each other ring has a
// later one, or has had none for some time. The kernel shows how many packets a
// block has that is not handed over yet.
//
// Several rings of one interface share its packets by a hash that is the same
// for both directions of a flow (PACKET_FANOUT_HASH). That helps where several
// processors receive packets and would wait for each other at one ring; what is
// metered does not depend on it.
package live
