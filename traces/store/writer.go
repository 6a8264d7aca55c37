package store

import (
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"time"

	"rtfm/traces"
	"rtfm/traces/format"
)

// Config says where packets are stored, which part of them, and how many.
type Config struct {
	Dir string
	// Format is that of new files, one of Formats; "" is pcapng. Others have one link type
	// (pcap, hpcap) or eight interfaces (erf), and no place for what is missing: that is
	// in files beside them.
	Format string
	// Buffer is how many octets of memory hold packets that wait to be written; with Wait
	// they are 16 MiB at most.
	Buffer int64
	// A file ends when it has FileSize octets or, unless Rotate is 0, packets of so
	// much time.
	FileSize int64
	Rotate   time.Duration
	// The oldest files are removed while there are more than Size octets, all of their
	// packets are by Age older than the newest one, or less than KeepFree octets of the
	// disk are free; 0 is no limit.
	Size, KeepFree int64
	Age            time.Duration
	// Keep, unless it is nil, returns how many octets of a packet are stored.
	Keep func(p *traces.Packet) int
	// Cutoff, unless it is 0, is how many octets of a flow are stored in a file, as long as
	// they were on the wire; of the flow's packets behind them as many octets are as
	// Headers returns. FlowKey says what flow it is, as Key below; packets are whole that
	// have no addresses in it.
	Cutoff  uint64
	FlowKey func(k *Key, p *traces.Packet) bool
	Headers func(p *traces.Packet) int
	// Key, unless it is nil, sets the key of a packet as it is stored, by which the index
	// finds it. It reports false if it cannot tell. Whoever writes to the disk calls it.
	Key func(k *Key, p *traces.Packet) bool
	// Tuple, unless it is nil, returns quickly what Key would set, for the packets that it
	// knows.
	Tuple func(p *traces.Packet) (t Tuple, ok bool)
	// Flush, unless it is 0, is how long packets may be in memory only, by the time of
	// packets: what is captured can be found then.
	Flush time.Duration
	// Wait has whoever reads packets wait for the disk when the buffer is full, rather
	// than leave packets out: those of a trace do not go by meanwhile.
	Wait bool
	// Notify is told of what is worth knowing, in a sentence.
	Notify func(message string)
}

// Totals are the numbers of a Writer: of packets that it was given.
type Totals struct {
	Packets  uint64 // stored, or still in memory
	Unstored uint64 // that there was no room for, or that could not be written
	Unfit    uint64 // that no file can hold: of too many interfaces, or too long
	// Cut of the stored packets are of flows that had Config.Cutoff octets before, and
	// have their headers only. Uncounted ones are whole since there was no room to count
	// the octets of their flow, beyond the MaxFlows of a file.
	Cut, Uncounted uint64
}

// Writer stores packets. It is not safe for concurrent use; a goroutine of its own
// writes to the disk.
type Writer struct {
	cfg     Config
	free    chan *chunk // that were written
	full    chan *chunk
	fresh   []byte        // of the buffer, for chunks that are not needed yet
	done    chan struct{} // closed when all is written
	disk    *disk
	cur     *chunk // nil when the next packet begins one
	section *format.Section
	head    []byte // of the file that is written, which later ones do not change
	begin   bool   // the next chunk begins a file
	filled  int64  // octets of the file so far, about
	since   int64  // the time of the file's first packet
	totals  Totals
	losses  lossList
	before  traces.Stats // when losses were looked at last
	latest  int64        // the latest time that is known
	failed  fails
	cutoff  *cutoff       // nil for none
	short   traces.Packet // see shorten
	warned  bool          // of packets that do not fit
}

// fails are packets that could not be written: all, and those of them that were cut.
type fails struct{ packets, cut atomic.Uint64 }

// chunk is packets in memory.
type chunk struct {
	buf    []byte // chunkSize octets
	head   []byte // of its file
	begins bool   // the file: buf begins with head
	mark   Mark
	losses []Loss
}

const (
	leastChunks = 4
	// mostAhead is how many octets are read ahead of a disk that is waited for: more of
	// them are not in the processor's cache when they are written.
	mostAhead = 16 << 20
	// leastFile is the size of the smallest files.
	leastFile = 4 * chunkSize
)

// NewWriter makes the folder if there is none, mends what a Writer has left that was
// killed, and begins to write. Nobody else may write to it meanwhile.
func NewWriter(cfg Config) (*Writer, error) {
	if cfg.Notify == nil {
		cfg.Notify = func(string) {}
	}
	cfg.FileSize = max(cfg.FileSize, leastFile)
	if cfg.Format == "" {
		cfg.Format = "pcapng"
	}
	section, err := format.NewSection(cfg.Format)
	if err != nil {
		return nil, err
	}
	d, err := openDisk(&cfg)
	if err != nil {
		return nil, err
	}
	if cfg.Wait {
		cfg.Buffer = min(cfg.Buffer, mostAhead)
	}
	n := max(int(cfg.Buffer/chunkSize), leastChunks)
	memory, err := alignedMemory((n + 1) * chunkSize)
	if err != nil {
		d.close()
		return nil, fmt.Errorf("--store-buffer: %d MiB of memory: %w", n, err)
	}
	d.scratch = memory[n*chunkSize:]
	w := &Writer{
		cfg: cfg, free: make(chan *chunk, n), full: make(chan *chunk, n), fresh: memory[:n*chunkSize],
		done: make(chan struct{}), disk: d, begin: true, section: section,
	}
	d.failed = &w.failed
	if cfg.Cutoff > 0 {
		w.cutoff = newCutoff(&cfg)
	}
	go w.write()
	return w, nil
}

// write writes chunks until there are no more.
func (w *Writer) write() {
	defer close(w.done)
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case c, more := <-w.full:
			if !more {
				w.disk.end()
				return
			}
			w.disk.write(c)
			w.free <- c
		case <-tick.C:
			w.disk.tick()
		}
	}
}

// put stores a packet, or counts it.
func (w *Writer) put(whole *traces.Packet) {
	p := whole
	if w.cfg.Keep != nil {
		p = w.shorten(whole, min(max(w.cfg.Keep(whole), 0), len(whole.Data)))
	}
	w.latest = max(w.latest, p.Time)
	size := w.section.PacketSize(p)
	if c := w.cur; c == nil || int(c.mark.End)+size > roomForPackets || w.turns(p) {
		if !w.turn(p, size) {
			return
		}
	}
	c := w.cur
	m := &c.mark
	cut := 0
	if w.cutoff != nil {
		if n := w.cutoff.keep(whole, &w.totals); n < len(p.Data) {
			p = w.shorten(p, n)
			cut = 1
		}
	}
	b, err := w.section.AppendPacket(c.buf[:m.End], p)
	if err != nil {
		w.unfit(err.Error())
		return
	}
	m.End = uint32(len(b))
	m.count(p)
	w.totals.Packets++
	m.Cut += uint32(cut)
	w.totals.Cut += uint64(cut)
}

// shorten returns a packet of which n octets are kept. It is valid until the next one.
func (w *Writer) shorten(p *traces.Packet, n int) *traces.Packet {
	w.short = *p
	w.short.Data = p.Data[:n]
	return &w.short
}

// turns reports whether a packet has to be in another file, or another chunk.
func (w *Writer) turns(p *traces.Packet) bool {
	return !w.section.Has(p) ||
		w.cfg.Rotate > 0 && p.Time-w.since >= int64(w.cfg.Rotate) ||
		w.cfg.Flush > 0 && p.Time-w.cur.mark.First >= int64(w.cfg.Flush)
}

// turn begins a chunk that a packet of this size is to be in. It reports false if the
// packet is not stored.
func (w *Writer) turn(p *traces.Packet, size int) bool {
	if !w.section.Has(p) {
		if err := w.section.Add(p); err != nil {
			return w.unfit(err.Error())
		}
		w.begin = true
	}
	if len(w.section.Head())+markLen+size > roomForPackets {
		return w.unfit(fmt.Sprintf("a packet of %d octets, %d of them captured", p.Wire, len(p.Data)))
	}
	w.pass()
	if w.take(w.cfg.Wait); w.cur == nil {
		w.totals.Unstored++
		w.losses.unstored(p.Interface, 1, p.Time, p.Time)
		return false
	}
	w.start(p.Time)
	return true
}

// take makes the chunk at hand one that was written, or a fresh one, so that memory is
// touched only when it is needed. Without any it waits, or leaves none at hand.
func (w *Writer) take(wait bool) {
	select {
	case w.cur = <-w.free:
		return
	default:
	}
	switch {
	case len(w.fresh) > 0:
		w.cur = &chunk{buf: w.fresh[:chunkSize:chunkSize]}
		w.fresh = w.fresh[chunkSize:]
	case wait:
		w.cur = <-w.free
	}
}

// unfit counts a packet that no file can hold.
func (w *Writer) unfit(why string) bool {
	w.totals.Unfit++
	if !w.warned {
		w.warned = true
		w.cfg.Notify("not stored, as all like it: " + why)
	}
	return false
}

// start begins the chunk at hand, and a file if it is time for one.
func (w *Writer) start(now int64) {
	c := w.cur
	if w.filled+chunkSize > w.cfg.FileSize || w.cfg.Rotate > 0 && now-w.since >= int64(w.cfg.Rotate) {
		w.begin = true
	}
	c.begins, c.mark, c.losses = w.begin, Mark{First: now, Last: now}, nil
	if w.begin {
		w.begin, w.since, w.filled = false, now, 0
		if w.cutoff != nil {
			clear(w.cutoff.flows)
		}
		w.head = append([]byte(nil), w.section.Head()...)
		c.mark.at = uint32(copy(c.buf, w.head))
	}
	c.head = w.head
	c.mark.End = c.mark.at
	if marked(w.cfg.Format) {
		c.mark.End += markLen
	}
}

// pass passes the chunk at hand on to be written.
func (w *Writer) pass() {
	c := w.cur
	if c == nil {
		return
	}
	w.cur = nil
	c.losses = w.losses.take()
	w.filled += int64(filled(c.mark.End, len(c.losses)))
	w.full <- c // has room for all chunks that there are
}

// until passes the chunk at hand on if its packets have been in memory for long
// enough at this time.
func (w *Writer) until(now int64) {
	w.latest = max(w.latest, now)
	if c := w.cur; c != nil && w.cfg.Flush > 0 && now-c.mark.First >= int64(w.cfg.Flush) {
		w.pass()
	}
}

// lose notes what the source has lost since this was called before.
func (w *Writer) lose(now traces.Stats) {
	if now.Lost == w.before.Lost {
		return
	}
	for i := range now.PerInterface {
		f := &now.PerInterface[i]
		lost := f.Lost
		for j := range w.before.PerInterface {
			if b := &w.before.PerInterface[j]; b.Number == f.Number {
				lost -= b.Lost
				break
			}
		}
		w.losses.lost(f.Number, lost)
	}
	w.before = now.Snapshot()
}

// Totals returns what was done so far.
func (w *Writer) Totals() Totals {
	t := w.totals
	failed := w.failed.packets.Load()
	t.Packets -= failed
	t.Unstored += failed
	t.Cut -= w.failed.cut.Load()
	return t
}

// Close writes what is left, and waits for that. The error is what could not be
// written last.
func (w *Writer) Close() error {
	w.pass()
	if len(w.losses.list) > 0 { // since the last packet that was stored
		w.take(true)
		w.start(w.latest)
		w.pass()
	}
	for _, n := range w.section.Notes() {
		w.cfg.Notify(n)
	}
	close(w.full)
	<-w.done
	return w.disk.close()
}

// Tee returns a Source whose packets, and what was lost of them, are stored as they
// are read. Closing it closes src, and not the Writer.
func (w *Writer) Tee(src traces.Source) traces.Source { return &tee{Source: src, w: w} }

type tee struct {
	traces.Source
	w     *Writer
	names int
}

// ReadBatch implements traces.Source.
func (t *tee) ReadBatch(b *traces.Batch) error {
	err := t.Source.ReadBatch(b)
	if err != nil && !errors.Is(err, io.EOF) {
		t.w.lose(t.Source.Stats())
		return err
	}
	t.name()
	t.w.lose(t.Source.Stats())
	if err != nil {
		return err
	}
	store := func() {
		for i := range b.Packets {
			t.w.put(&b.Packets[i])
		}
	}
	if b.Mapping != nil {
		err = b.Mapping.Guard(store)
	} else {
		store()
	}
	if b.Until > 0 {
		t.w.until(b.Until)
	}
	return err
}

// name tells the writer the names of interfaces.
func (t *tee) name() {
	if d, ok := t.Source.(traces.Describer); ok {
		interfaces := d.Describe().Interfaces
		for ; t.names < len(interfaces); t.names++ {
			t.w.section.Name(interfaces[t.names].Number, interfaces[t.names].Name)
		}
		return
	}
	interfaces := t.Source.Stats().PerInterface
	for ; t.names < len(interfaces); t.names++ {
		t.w.section.Name(interfaces[t.names].Number, interfaces[t.names].Name)
	}
}

// Describe implements traces.Describer.
func (t *tee) Describe() traces.Description {
	if d, ok := t.Source.(traces.Describer); ok {
		return d.Describe()
	}
	return traces.Description{}
}

// lossList is what happened to packets that are not stored, by interface.
type lossList struct{ list []Loss }

func (l *lossList) of(number uint32) *Loss {
	for i := range l.list {
		if l.list[i].Interface == number {
			return &l.list[i]
		}
	}
	if len(l.list) == maxLosses {
		l.list[maxLosses-1].Interface = 0
		return &l.list[maxLosses-1]
	}
	l.list = append(l.list, Loss{Interface: number})
	return &l.list[len(l.list)-1]
}

func (l *lossList) lost(number uint32, n uint64) {
	if n > 0 {
		l.of(number).Lost += n
	}
}

func (l *lossList) unstored(number uint32, n uint64, from, until int64) {
	f := l.of(number)
	if f.Unstored == 0 {
		f.From, f.Until = from, until
	}
	f.Unstored += n
	f.From, f.Until = min(f.From, from), max(f.Until, until)
}

// take returns the list and empties it.
func (l *lossList) take() []Loss {
	list := l.list
	l.list = nil
	return list
}
