package export

import (
	"bytes"
	"math/rand/v2"
	"net"
	"slices"
	"syscall"
	"testing"

	"rtfm/traces/feed"
)

// TestSegments sends batches of messages of all lengths: each one comes as a datagram of
// its own and in order, also where the kernel refuses to cut.
func TestSegments(t *testing.T) {
	socket, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	r := rand.New(rand.NewPCG(1, 1))
	room := make([]byte, 1<<16)
	for _, refuses := range []bool{false, true} {
		e := &Exporter{cfg: Config{To: feed.URL{Network: "udp", Address: socket.LocalAddr().String()}}, free: make(chan []byte, mostBatch)}
		d := &datagrams{e: e}
		d.open()
		defer d.close()
		if refuses { // without checksums it does
			raw, err := d.conn.SyscallConn()
			if err != nil {
				t.Fatal(err)
			}
			raw.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_NO_CHECK, 1) })
			if err != nil {
				t.Fatal(err)
			}
		}
		for _, lengths := range [][]int{
			{1472}, {1472, 1472}, {1472, 1472, 900}, {1472, 900, 1472}, {900, 1472, 1472}, {900, 900, 20, 900}, slices.Repeat([]int{1472}, mostBatch),
			slices.Repeat([]int{1280, 1280, 1279, 1281}, mostBatch/4), slices.Repeat([]int{20}, mostBatch),
		} {
			var want [][]byte
			for _, n := range lengths {
				b := make([]byte, n)
				for i := range b {
					b[i] = byte(r.Uint32())
				}
				want = append(want, b)
				e.batch = append(e.batch, message{bytes.Clone(b), 1})
			}
			if err := d.deliver(); err != nil || len(e.batch) > 0 || d.failed {
				t.Fatalf("%v: %v, %d left", lengths, err, len(e.batch))
			}
			for i := range want {
				n, err := socket.Read(room)
				if err != nil {
					t.Fatal(err)
				}
				if !bytes.Equal(room[:n], want[i]) {
					t.Fatalf("%v: datagram %d has %d octets, want %d, or others", lengths, i, n, len(want[i]))
				}
				<-e.free
			}
		}
		if d.single != refuses {
			t.Errorf("the kernel refuses: %v; datagrams go one by one: %v", refuses, d.single)
		}
		if n := e.Counts(); n.DroppedMessages != 0 || n.Records != n.Messages {
			t.Errorf("%+v", n)
		}
	}
}
