package live

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"rtfm/traces"
)

const (
	// leastBlock is the size of the smallest blocks in octets. While few packets
	// come a block is handed over after retireAfter, however full it is, so the
	// number of blocks says how long nobody may read without a loss.
	leastBlock  = 256 << 10
	leastBlocks = 4
	// retireAfter is how long the kernel keeps a block at least that has
	// packets but is not full, in milliseconds. It looks at its blocks at such
	// intervals, and hands over one that it finds for the second time.
	retireAfter = 10
)

// ring is a packet socket with its ring. Blocks are read in order from head on.
type ring struct {
	fd     int
	mem    []byte
	size   int         // of a block in octets
	head   int         // the block to be read next, or being read
	cur    block       // what is left of it
	ready  int         // blocks from head on that the kernel has handed over
	seen   []time.Time // by block: when it was found ready
	done   int         // blocks before head that batches may still refer to
	budget int         // blocks that may still be read; negative: all
	all    bool        // of all interfaces
}

// openRing returns a ring that gets no packets yet, for the device.
func openRing(c *Config, d *device) (r *ring, err error) {
	kind := unix.SOCK_RAW
	if d.link == traces.LinkLinuxSLL {
		kind = unix.SOCK_DGRAM
	}
	fd, err := unix.Socket(unix.AF_PACKET, kind|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("packet socket (needs CAP_NET_RAW): %w", err)
	}
	r = &ring{fd: fd, budget: -1, all: d.all != nil}
	if err := r.setUp(c, d); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

func (r *ring) setUp(c *Config, d *device) error {
	set := func(what string, option, value int) error {
		if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, option, value); err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		return nil
	}
	if err := set("TPACKET_V3", unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return err
	}
	if err := set("head room", unix.PACKET_RESERVE, headroom); err != nil {
		return err
	}
	if c.CardStamps {
		if err := set("time stamps", unix.PACKET_TIMESTAMP, unix.SOF_TIMESTAMPING_RAW_HARDWARE); err != nil {
			return err
		}
	}
	if d.loopback {
		// Each packet goes out and comes in again.
		if err := set("only incoming", unix.PACKET_IGNORE_OUTGOING, 1); err != nil {
			return err
		}
	}
	if err := r.accept(0); err != nil {
		return err
	}
	for r.size = leastBlock; r.size < 2*c.SnapLen; r.size *= 2 {
	}
	blocks := max((c.RingSize+r.size-1)/r.size, leastBlocks)
	size := blocks * r.size
	request := unix.TpacketReq3{
		Block_size: uint32(r.size), Block_nr: uint32(blocks), Retire_blk_tov: retireAfter,
		Frame_size: uint32(unix.Getpagesize()), Frame_nr: uint32(size / unix.Getpagesize()),
	}
	if err := unix.SetsockoptTpacketReq3(r.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &request); err != nil {
		return fmt.Errorf("ring of %d octets: %w", size, err)
	}
	var err error
	r.mem, err = unix.Mmap(r.fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("ring of %d octets: %w", size, err)
	}
	r.seen = make([]time.Time, blocks)
	return nil
}

// accept makes the ring take n octets of each packet, none at all for 0.
func (r *ring) accept(n int) error {
	filter := []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: uint32(n)}}
	if r.all && n > 0 {
		filter = append(incomingAtLoopback(), filter...)
	}
	if err := unix.SetsockoptSockFprog(r.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}); err != nil {
		return fmt.Errorf("snap length: %w", err)
	}
	return nil
}

// bind joins the ring to the device.
func (r *ring) bind(c *Config, d *device) error {
	all := binary.NativeEndian.Uint16([]byte{unix.ETH_P_ALL >> 8, unix.ETH_P_ALL})
	if err := unix.Bind(r.fd, &unix.SockaddrLinklayer{Protocol: all, Ifindex: int(d.index)}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	if c.Promiscuous && !r.all { // that would be for each interface, of which more may come
		mreq := unix.PacketMreq{Ifindex: d.index, Type: unix.PACKET_MR_PROMISC}
		if err := unix.SetsockoptPacketMreq(r.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &mreq); err != nil {
			return fmt.Errorf("promiscuous mode: %w", err)
		}
	}
	return nil
}

// isBound reports whether the device that the ring was bound to is still there.
func (r *ring) isBound() bool {
	if r.all {
		return true
	}
	a, err := unix.Getsockname(r.fd)
	if err != nil {
		return false
	}
	ll, ok := a.(*unix.SockaddrLinklayer)
	return ok && ll.Ifindex > 0
}

// newGroup is for the first ring that joins.
const newGroup = -1

// join makes the ring share the packets of its device with those of a group, and
// returns the group's number.
func (r *ring) join(group int) (int, error) {
	option := unix.PACKET_FANOUT_HASH<<16 | group
	if group == newGroup {
		option = (unix.PACKET_FANOUT_HASH | unix.PACKET_FANOUT_FLAG_UNIQUEID) << 16
	}
	if err := unix.SetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_FANOUT, option); err != nil {
		return 0, fmt.Errorf("several rings: %w", err)
	}
	joined, err := unix.GetsockoptInt(r.fd, unix.SOL_PACKET, unix.PACKET_FANOUT)
	if err != nil {
		return 0, fmt.Errorf("several rings: %w", err)
	}
	return joined & 0xffff, nil
}

// dropped returns how many packets the kernel has dropped since the call before
// because the ring was full.
func (r *ring) dropped() (uint64, error) {
	st, err := unix.GetsockoptTpacketStatsV3(r.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0, fmt.Errorf("packet statistics: %w", err)
	}
	return uint64(st.Drops), nil
}

// status is where the kernel tells whose the block is.
func (r *ring) status(block int) *uint32 {
	return (*uint32)(unsafe.Pointer(&r.mem[block*r.size+blockStatus]))
}

// count is where the kernel tells how many packets the block has. It does so
// while it fills the block, too, from 0 on.
func (r *ring) count(block int) *uint32 {
	return (*uint32)(unsafe.Pointer(&r.mem[block*r.size+blockCount]))
}

// look finds blocks that have become ready, and reports whether there is a packet
// to be read.
func (r *ring) look(now time.Time) bool {
	blocks := len(r.seen)
	for r.ready+r.done < blocks {
		i := (r.head + r.ready) % blocks
		if atomic.LoadUint32(r.status(i))&unix.TP_STATUS_USER == 0 {
			break
		}
		r.seen[i] = now
		r.ready++
	}
	for r.cur.left == 0 {
		r.finish()
		if r.ready == 0 || r.budget == 0 {
			return false
		}
		r.budget--
		r.cur = newBlock(r.mem[r.head*r.size:][:r.size:r.size])
	}
	return true
}

// filling reports whether there are packets in the block that the kernel fills,
// which it has not handed over when look was called.
func (r *ring) filling() bool {
	blocks := len(r.seen)
	return r.ready+r.done < blocks && atomic.LoadUint32(r.count((r.head+r.ready)%blocks)) > 0
}

// end makes the ring end after the packets that it has now.
func (r *ring) end(now time.Time) {
	if r.look(now) {
		r.budget = r.ready - 1 // one is being read
	} else {
		r.budget = 0
	}
	if r.filling() {
		r.budget++
	}
}

// finish leaves a block whose packets have all been taken.
func (r *ring) finish() {
	if r.cur.data != nil && r.cur.left == 0 {
		r.cur = block{}
		r.head = (r.head + 1) % len(r.seen)
		r.ready--
		r.done++
	}
}

// take appends packets to b, those up to a time, and returns how many octets of
// them were captured and how many packets were cut.
func (r *ring) take(b *traces.Batch, until int64, from *device) (octets, cut uint64) {
	n := len(b.Packets)
	ps := b.Packets[:cap(b.Packets)]
	for n < len(ps) && r.cur.left > 0 && r.cur.time() <= until {
		p := &ps[n]
		r.cur.take(p, from)
		octets += uint64(len(p.Data))
		if uint32(len(p.Data)) < p.Wire {
			cut++
		}
		n++
	}
	b.Packets = ps[:n]
	return octets, cut
}

// giveBack gives the blocks to the kernel that no batch refers to any more.
func (r *ring) giveBack() {
	r.finish()
	blocks := len(r.seen)
	for ; r.done > 0; r.done-- {
		i := (r.head - r.done + blocks) % blocks
		atomic.StoreUint32(r.count(i), 0) // as long as it waits to be filled
		atomic.StoreUint32(r.status(i), unix.TP_STATUS_KERNEL)
	}
}

func (r *ring) close() {
	if r.mem != nil {
		unix.Munmap(r.mem)
	}
	unix.Close(r.fd)
	r.mem, r.cur = nil, block{}
}
