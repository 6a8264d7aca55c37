package live

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"rtfm/traces"
)

// TestCooked reads packets of a device whose link header nobody knows, from a
// block as the kernel would make it: they get the header of a cooked capture.
func TestCooked(t *testing.T) {
	payload := []byte{0x45, 0, 0, 20, 1, 2, 3, 4}
	b := newBlock(makeBlock(2, payload))
	want := append([]byte{0, 4, 3, 10, 0, 4, 10, 0, 0, 1, 0, 0, 0, 0, 8, 0}, payload...)
	for i := range 2 {
		var p traces.Packet
		b.take(&p, &device{link: traces.LinkLinuxSLL})
		if p.Time != 7e9+int64(i) || !bytes.Equal(p.Data, want) || p.Wire != 36 || p.Link != 113 || p.Interface != 12 || p.Direction != traces.Outgoing {
			t.Errorf("packet %d is %+v, want %x", i, p, want)
		}
	}
	if b.left != 0 {
		t.Errorf("%d packets left", b.left)
	}
}

// makeBlock returns a block of n packets, as of a tunnel.
func makeBlock(n int, payload []byte) []byte {
	const each = 256
	data := make([]byte, 48+n*each)
	order := binary.NativeEndian
	order.PutUint32(data[blockCount:], uint32(n))
	order.PutUint32(data[blockFirst:], 48)
	for i := range n {
		h := data[48+i*each:]
		order.PutUint32(h[packetNext:], each)
		order.PutUint32(h[packetSeconds:], 7)
		order.PutUint32(h[packetNanos:], uint32(i))
		order.PutUint32(h[packetCaptured:], uint32(len(payload)))
		order.PutUint32(h[packetWire:], 20)
		order.PutUint32(h[packetStatus:], unix.TP_STATUS_VLAN_VALID) // nothing to put it in
		order.PutUint16(h[packetFrame:], 100)
		order.PutUint16(h[packetNet:], 100)
		copy(h[100:], payload)
		address := h[48:] // struct sockaddr_ll
		order.PutUint16(address, unix.AF_PACKET)
		binary.BigEndian.PutUint16(address[2:], unix.ETH_P_IP)
		order.PutUint32(address[4:], 12)
		order.PutUint16(address[8:], unix.ARPHRD_IPGRE)
		address[10], address[11] = unix.PACKET_OUTGOING, 4
		copy(address[12:], []byte{10, 0, 0, 1})
	}
	return data
}

// BenchmarkBlock reads packets from blocks, as the ring does.
func BenchmarkBlock(b *testing.B) {
	const n = 250
	r := ring{size: 64 << 10, mem: makeBlock(n, make([]byte, 128)), seen: make([]time.Time, 1)}
	batch := traces.NewBatch(n)
	from := &device{link: traces.LinkEthernet}
	for b.Loop() {
		r.cur = newBlock(r.mem)
		batch.Packets = batch.Packets[:0]
		r.take(batch, math.MaxInt64, from)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/packet")
}
