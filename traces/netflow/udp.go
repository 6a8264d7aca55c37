package netflow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"time"

	"rtfm/traces"
)

// network returns the network of an address to receive at: one of IPv4, 0.0.0.0 too,
// is open to IPv4 only, [::] and no address are to both.
func network(address string) string {
	if a, err := netip.ParseAddrPort(address); err == nil && a.Addr().Unmap().Is4() {
		return "udp4"
	}
	return "udp"
}

// Listen returns a source of the records that exporters send to a UDP address,
// such as ":2055", each at the time of its arrival. It ends, with io.EOF, when
// ctx is done. It sets Batch.Until, and its ReadBatch returns an empty batch
// when nothing comes for a second.
//
// c.Notify is told what could not be read: of each kind the first time, and how
// often at the end.
func Listen(ctx context.Context, address string, c Config) (traces.Source, error) {
	conn, err := net.ListenPacket(network(address), address)
	if err != nil {
		return nil, fmt.Errorf("receive flow records: %w", err)
	}
	u := conn.(*net.UDPConn)
	s := &listener{conn: u, ctx: ctx, file: "netflow://" + u.LocalAddr().String(), decoder: Decoder{Config: c}}
	s.buffer = prepare(u)
	s.stop = context.AfterFunc(ctx, func() { u.SetReadDeadline(time.Unix(1, 0)) })
	return s, nil
}

const (
	socketBuffer = 8 << 20
	maxDatagram  = 1 << 16
	idle         = time.Second
)

type listener struct {
	conn    *net.UDPConn
	ctx     context.Context
	stop    func() bool
	file    string
	decoder Decoder
	buf     [maxDatagram]byte
	oob     [64]byte // what the kernel says of a datagram
	buffer  int      // octets of the socket's buffer; 0 if that is not known
	dropped uint64   // datagrams for which there was no room in it
	drops   uint32   // the kernel's count of these
	stats   traces.Stats
	ended   bool // by an error
}

// ReadBatch implements traces.Source.
func (s *listener) ReadBatch(b *traces.Batch) error {
	if cap(b.Packets) == 0 {
		*b = *traces.NewBatch(batchLen)
	}
	b.Packets, b.Records, b.File, b.Until = b.Packets[:0], b.Records[:0], s.file, 0
	for s.decoder.Left() == 0 {
		s.conn.SetReadDeadline(time.Now().Add(idle))
		if s.ended || s.ctx.Err() != nil { // after the deadline was set: it may have replaced that of stop
			s.decoder.sum()
			if s.dropped > 0 {
				s.decoder.tell("%d datagrams found no room in the socket's buffer", s.dropped)
			}
			return io.EOF
		}
		n, told, _, exporter, err := s.conn.ReadMsgUDPAddrPort(s.buf[:], s.oob[:])
		now := time.Now().UnixNano()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			if s.ctx.Err() == nil {
				b.Until = now
				return nil
			}
			continue
		case err != nil:
			s.ended = true
			return fmt.Errorf("receive flow records: %w", err)
		}
		s.drop(s.oob[:told])
		s.stats.Records++
		s.stats.Bytes += uint64(n)
		if !s.decoder.Decode(exporter, now, s.buf[:n]) {
			s.stats.Skipped++
		}
	}
	s.decoder.Take(b)
	return nil
}

// Stats implements traces.Source.
func (s *listener) Stats() traces.Stats {
	st := s.stats
	s.decoder.lost(&st)
	if s.dropped > 0 {
		st.PerInterface = append(st.PerInterface, traces.InterfaceStats{Number: source1 + 1, Name: "socket", Lost: s.dropped})
	}
	return st
}

// drop notes what the kernel tells, with a datagram, of those that it had to drop
// before.
func (s *listener) drop(oob []byte) {
	drops, ok := droppedBefore(oob)
	if !ok || drops == s.drops {
		return
	}
	if s.dropped == 0 {
		s.decoder.tell("datagrams find no room in the socket's buffer of %d octets: net.core.rmem_max bounds it", s.buffer)
	}
	s.dropped += uint64(drops - s.drops) // the kernel's count goes around
	s.drops = drops
}

// Close implements traces.Source.
func (s *listener) Close() error {
	s.stop()
	return s.conn.Close()
}
