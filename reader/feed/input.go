package feed

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"sync/atomic"
	"time"

	"rtfm/traces/feed"
)

// input is where messages are received: a socket, or a file.
type input struct {
	name     string
	number   int // from 0
	file     io.Reader
	closer   io.Closer
	datagram *net.UDPConn
	listener net.Listener
	messages *feed.File // of the file, to be looked at when isRead is set
	isRead   atomic.Bool
	dropped  atomic.Uint64 // datagrams for which the socket had no room
	buffer   int           // octets that the socket keeps
}

// Input is what is known of a socket at which datagrams come.
type Input struct {
	Name    string
	Dropped uint64 // datagrams for which the socket had no room, if that is known
	Buffer  int    // octets that it keeps, 0 if that is not known
}

// Inputs returns the sockets at which datagrams come. It is called before Close.
func (r *Receiver) Inputs() (all []Input) {
	for _, in := range r.inputs {
		if in.datagram != nil {
			if n, ok := droppedBy(in.datagram); ok {
				in.dropped.Store(max(n, in.dropped.Load()))
			}
			all = append(all, Input{in.name, in.dropped.Load(), in.buffer})
		}
	}
	return all
}

// Damage is what was passed over in a file.
type Damage struct {
	Name string
	// Octets in so many Places were passed over, from octet First on.
	Octets, First int64
	Places        int
}

// Damages returns what was passed over in files that have been read to their ends, since it
// is of no message. It is called behind Run.
func (r *Receiver) Damages() (all []Damage) {
	for _, in := range r.inputs {
		if m := in.messages; in.isRead.Load() && m.Places > 0 {
			all = append(all, Damage{in.name, m.Skipped, m.First, m.Places})
		}
	}
	return all
}

// listens reports whether the input has no end of its own.
func (in *input) listens() bool { return in.datagram != nil || in.listener != nil }

// Open adds a place where feeds come from. stdin is the file "-".
func (r *Receiver) Open(u feed.URL, stdin io.Reader) error {
	in := &input{name: u.String(), number: len(r.inputs)}
	switch u.Network {
	case "file":
		in.name = u.Address
		if u.Address == "-" {
			in.name, in.file = "standard input", stdin
			break
		}
		f, err := os.Open(u.Address)
		if err != nil {
			return err
		}
		in.file, in.closer = f, f
	case "udp":
		addr, err := net.ResolveUDPAddr("udp", u.Address)
		if err != nil {
			return err
		}
		if in.datagram, err = net.ListenUDP("udp", addr); err != nil {
			return err
		}
		in.closer = in.datagram
		in.buffer = prepare(in.datagram, r.Limits.Buffer)
	default:
		if u.Network == "unix" {
			if err := removeStale(u.Address); err != nil {
				return err
			}
		}
		l, err := net.Listen(u.Network, u.Address)
		if err != nil {
			return err
		}
		in.listener, in.closer = l, l
	}
	r.inputs = append(r.inputs, in)
	return nil
}

// Close closes what was opened.
func (r *Receiver) Close() error {
	for _, in := range r.inputs {
		if in.closer != nil {
			in.closer.Close()
		}
	}
	return nil
}

// removeStale removes a local socket at which nobody listens any longer. The error says
// why there can be none at this path.
func removeStale(path string) error {
	st, err := os.Stat(path)
	if err != nil {
		return nil // listening says what is wrong, if anything is
	}
	if st.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s: is there, and is no socket", path)
	}
	c, err := net.DialTimeout("unix", path, time.Second)
	if err == nil {
		c.Close()
		return fmt.Errorf("%s: somebody else listens there", path)
	}
	os.Remove(path)
	return nil
}

// drain is how long is received what has come when the end is asked for.
const drain = 100 * time.Millisecond

// read has the messages of an input wait in the queue, to its end or until ctx is done.
func (r *Receiver) read(ctx context.Context, in *input) {
	defer r.readers.Done()
	switch {
	case in.datagram != nil:
		defer context.AfterFunc(ctx, func() { in.datagram.SetReadDeadline(time.Now().Add(drain)) })()
		r.readDatagrams(in)
	case in.listener != nil:
		// Whoever is asked to end a connection makes another one, and not with this
		// receiver.
		closed, closing := context.WithCancel(context.Background())
		defer context.AfterFunc(ctx, func() {
			in.listener.Close()
			closing()
		})()
		r.accept(ctx, closed, in)
	default:
		over := make(chan struct{})
		go func() {
			defer close(over)
			r.readFile(ctx, in)
		}()
		select {
		case <-over:
		case <-ctx.Done(): // a pipe may have nothing for a long time
		}
	}
}

// mostDatagram is the most octets of a datagram.
const mostDatagram = 1 << 16

func (r *Receiver) readDatagrams(in *input) {
	b, control := make([]byte, mostDatagram), make([]byte, 128)
	for {
		n, c, _, from, err := in.datagram.ReadMsgUDPAddrPort(b, control)
		var timeout net.Error
		switch {
		case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, net.ErrClosed):
			return
		case err != nil: // of a datagram that was sent, or nothing that lasts
			continue
		}
		if dropped, ok := droppedIn(control[:c]); ok {
			in.dropped.Store(uint64(dropped))
		}
		if !r.queue.put(event{in: in, from: from, n: n}, b[:n]) {
			return
		}
	}
}

// accept accepts connections until ctx is done, and has them end when closed is.
func (r *Receiver) accept(ctx, closed context.Context, in *input) {
	number := 0
	for {
		c, err := in.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil { // too many files are open, perhaps
			select {
			case <-ctx.Done():
				return
			case <-time.After(tick):
				continue
			}
		}
		number++
		name := fmt.Sprintf("%s#%d", in.name, number) // local sockets have no addresses
		if tcp, ok := c.RemoteAddr().(*net.TCPAddr); ok {
			at := tcp.AddrPort()
			name = netip.AddrPortFrom(at.Addr().Unmap(), at.Port()).String()
		}
		if r.conns.Add(1) > int64(r.Limits.Meters) {
			r.conns.Add(-1)
			r.refusedConns.Add(1)
			c.Close()
			continue
		}
		r.readers.Add(1)
		go func() {
			defer r.readers.Done()
			defer r.conns.Add(-1)
			defer c.Close()
			defer context.AfterFunc(closed, func() { takeLeave(c) })()
			r.readStream(ctx, &origin{name: name, input: in.number, ordered: true}, c)
		}()
	}
}

// farewell is how long a meter has to end a connection when it is asked to.
const farewell = 2 * time.Second

// takeLeave asks who sends over a connection to end it, so that what it has sent until
// then is received, and nothing behind it is sent in vain.
func takeLeave(c net.Conn) {
	if w, ok := c.(interface{ CloseWrite() error }); ok {
		w.CloseWrite()
	}
	c.SetReadDeadline(time.Now().Add(farewell))
}

// readFile has the messages of a file wait in the queue, and its end.
func (r *Receiver) readFile(ctx context.Context, in *input) {
	o := &origin{name: in.name, input: in.number, ordered: true, isFile: true}
	in.messages = feed.NewFile(in.file, !isRegular(in.file))
	defer in.isRead.Store(true)
	r.readMessages(ctx, o, false, in.messages.Next)
}

// isRegular reports whether a file is one of a disk.
func isRegular(r io.Reader) bool {
	f, ok := r.(interface{ Stat() (fs.FileInfo, error) })
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode().IsRegular()
}

// readStream has the messages of a stream wait in the queue, and its end.
func (r *Receiver) readStream(ctx context.Context, o *origin, from net.Conn) {
	buffered := bufio.NewReaderSize(from, mostDatagram)
	room := make([]byte, mostDatagram)
	r.readMessages(ctx, o, true, func() ([]byte, error) { return feed.ReadMessage(buffered, room) })
}

// readMessages has messages wait in the queue, and that there are no more.
func (r *Receiver) readMessages(ctx context.Context, o *origin, live bool, next func() ([]byte, error)) {
	for {
		b, err := next()
		if err != nil {
			if ctx.Err() != nil {
				return // nobody has ended it
			}
			if err == io.EOF {
				err = nil
			}
			r.queue.put(event{conn: o, n: -1, err: err}, nil)
			return
		}
		if !r.queue.put(event{conn: o, n: len(b)}, b) || !live && ctx.Err() != nil {
			return
		}
	}
}
