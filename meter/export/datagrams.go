package export

import (
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// What the kernel takes as one: so many segments, and octets less than an IP packet has.
const (
	mostSegments = 64
	mostTogether = 65_000
)

// datagrams sends each message by UDP. Those of packets mostly fill a datagram to the same
// octet, so that many of them cost a single way through the kernel.
type datagrams struct {
	e      *Exporter
	conn   *net.UDPConn
	failed bool // the latest one was not sent
	single bool // the kernel cannot cut several
	out    []byte
	// refusedAt is when the receiver's host told last that nobody is there; zero if
	// whoever is there now was told what there is.
	refusedAt time.Time
}

// Who is not refused for so long is heard by somebody, who may have come just now.
const isHeard = 500 * time.Millisecond

func (d *datagrams) open() {
	if err := d.dial(); err != nil {
		d.failed = true
		d.e.warn(fmt.Sprintf("the feed is not sent yet: %v", err))
	}
}

// pause is what passes between two full batches when the meter has ended: the ends of all
// flows, of which there may be a million, would be too much at once for most sockets.
const pause = 2 * time.Millisecond

// deliver implements outlet. What cannot be sent is discarded: a network may be away
// for some time.
func (d *datagrams) deliver() error {
	if len(d.e.batch) == mostBatch {
		select {
		case <-d.e.ending:
			defer time.Sleep(pause)
		default:
		}
	}
	for len(d.e.batch) > 0 {
		n := d.alike()
		err := d.send(n)
		if n > 1 && cannotSegment(err) {
			d.single = true
			continue
		}
		if err != nil {
			if !d.failed {
				d.e.warn(fmt.Sprintf("the feed was not sent: %v", err))
			}
			d.e.discard(n)
		} else {
			d.e.sent(n)
		}
		d.failed = err != nil
		d.e.open.Store(err == nil)
	}
	if !d.refusedAt.IsZero() && time.Since(d.refusedAt) >= isHeard {
		d.refusedAt = time.Time{}
		d.e.anew.Store(true)
	}
	return nil
}

// alike returns how many messages of the batch the kernel can be given as one, which it
// cuts: all of one length, but the last one may be shorter.
func (d *datagrams) alike() int {
	if d.single || !canSegment {
		return 1
	}
	n, size := 1, len(d.e.batch[0].octets)
	for total := size; n < min(len(d.e.batch), mostSegments) && len(d.e.batch[n-1].octets) == size; n++ {
		next := len(d.e.batch[n].octets)
		if total += next; next > size || total > mostTogether {
			break
		}
	}
	return n
}

func (d *datagrams) dial() error {
	conn, err := net.Dial("udp", d.e.cfg.To.Address)
	if err == nil {
		d.conn = conn.(*net.UDPConn)
		d.e.connections.Add(1)
		d.e.open.Store(true)
	}
	return err
}

// send sends the first n messages of the batch.
func (d *datagrams) send(n int) (err error) {
	if d.conn == nil {
		if err := d.dial(); err != nil {
			return err
		}
	}
	b, control := d.e.batch[0].octets, []byte(nil)
	if n > 1 {
		control = segments(len(b))
		d.out = d.out[:0]
		for _, m := range d.e.batch[:n] {
			d.out = append(d.out, m.octets...)
		}
		b = d.out
	}
	// An answer to one of those before is told instead of sending this one.
	for range 3 {
		if _, _, err = d.conn.WriteMsgUDP(b, control, nil); !errors.Is(err, syscall.ECONNREFUSED) {
			return err
		}
		d.refusedAt = time.Now()
		if d.e.refused.Add(1) == 1 {
			d.e.warn(fmt.Sprintf("nobody receives the feed at %s", d.e.cfg.To))
		}
	}
	return err
}

func (d *datagrams) close() {
	if d.conn != nil {
		d.conn.Close()
	}
}
