package store

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
)

// Prefix is the first Bits bits of addresses, which have zeros behind them.
type Prefix struct {
	Address [addressLen]byte
	Bits    int
}

// Flows says which flows are wanted.
type Flows struct {
	// Wanted reports whether packets with this key, of either direction, may be.
	Wanted func(k *Key) bool
	// Of each flow that is wanted an end has an address that begins with one of Ends,
	// if it has addresses at all; nil if nothing is known of them.
	Ends []Prefix
	// Late has chunks be read, too, that have packets of a later time than a wanted chunk
	// behind them: a meter counts what comes late at the time of these.
	Late bool
}

// late adds those of Late to the wanted chunks of a file. What is in other files is not
// known: the last chunk is wanted.
func late(chunks []place, wanted []bool) {
	first := int64(math.MaxInt64) // of the wanted chunks behind
	for i := len(chunks) - 1; i >= 0; i-- {
		if wanted[i] {
			first = min(first, chunks[i].first)
		}
		wanted[i] = wanted[i] || i == len(chunks)-1 || chunks[i].last > first
	}
}

var errDigest = errors.New("no digest, or a damaged one")

// digest is one that is read.
type digest struct {
	r        io.ReaderAt
	at, size int64 // in r, and without checksums
	salt     int64
	pages    map[int64][]byte
	last     []byte // the page that was read last
	number   int64  // of that
	buf      []byte
	counts   [len(addressLengths)]int64
	tables   [len(addressLengths)]int64 // where they begin
	others   [len(addressLengths)]int64
	anything int64 // chunks
	lists    int64 // where they begin
}

// openDigest opens the digest of so many octets at an offset of r, of a file with so many
// chunks.
func openDigest(r io.ReaderAt, at, size, salt int64, chunks int) (*digest, error) {
	n := size - (size+pageLen-1)/pageLen*4
	d := &digest{r: r, at: at, size: n, salt: salt, pages: make(map[int64][]byte)}
	head, err := d.read(0, digestHead)
	if err != nil {
		return nil, err
	}
	if string(head[:8]) != digestMagic {
		return nil, errDigest
	}
	number := func(n int) int64 { return int64(binary.LittleEndian.Uint32(head[8+4*n:])) }
	lists := number(3)
	d.anything = number(4)
	if d.anything > int64(chunks) {
		return nil, errDigest
	}
	end := digestHead + 4*d.anything
	for i, length := range addressLengths {
		d.counts[i], d.tables[i] = number(i), end
		if d.counts[i] > maxFlows {
			return nil, errDigest
		}
		end += d.counts[i] * recordLen(length)
	}
	for i, length := range addressLengths {
		if d.others[i] = end; length > 0 {
			end += 4 * d.counts[i]
		}
	}
	if d.lists = end; end+lists != n {
		return nil, errDigest
	}
	return d, nil
}

// page returns the octets of a page.
func (d *digest) page(number int64) ([]byte, error) {
	if d.last != nil && d.number == number {
		return d.last, nil
	}
	if b := d.pages[number]; b != nil {
		d.last, d.number = b, number
		return b, nil
	}
	n := min(pageBody, d.size-number*pageBody)
	if n <= 0 {
		return nil, errDigest
	}
	b := make([]byte, n+4)
	if _, err := d.r.ReadAt(b, d.at+number*pageLen); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	if binary.LittleEndian.Uint32(b[n:]) != pageSum(b[:n], d.salt, uint64(number)) {
		return nil, errDigest
	}
	d.pages[number] = b[:n]
	d.last, d.number = b[:n], number
	return b[:n], nil
}

// read returns n octets of the digest, fewer than a page has; they are valid until the
// next call.
func (d *digest) read(at, n int64) ([]byte, error) {
	if at < 0 || at+n > d.size {
		return nil, errDigest
	}
	b, err := d.page(at / pageBody)
	if err != nil {
		return nil, err
	}
	if from := at % pageBody; from+n <= int64(len(b)) {
		return b[from : from+n], nil
	}
	d.buf = append(d.buf[:0], b[at%pageBody:]...)
	b, err = d.page(at/pageBody + 1)
	if err != nil {
		return nil, err
	}
	d.buf = append(d.buf, b[:n-int64(len(d.buf))]...)
	return d.buf, nil
}

// found are the chunks of a file that flows are in.
type found struct {
	chunks []bool // by number
	left   int    // those that are not found
}

func (f *found) add(n uint32) error {
	if n >= uint32(len(f.chunks)) {
		return errDigest
	}
	if !f.chunks[n] {
		f.chunks[n] = true
		f.left--
	}
	return nil
}

// find returns the chunks, of so many, that may have packets of flows.
func (d *digest) find(q *Flows, chunks int) ([]bool, error) {
	f := &found{make([]bool, chunks), chunks}
	for i := range d.anything {
		b, err := d.read(digestHead+4*i, 4)
		if err != nil {
			return nil, err
		}
		if err := f.add(binary.LittleEndian.Uint32(b)); err != nil {
			return nil, err
		}
	}
	for table, length := range addressLengths {
		if q.Ends == nil || length == 0 {
			for i := int64(0); i < d.counts[table] && f.left > 0; i++ {
				if err := d.ask(q, table, i, f); err != nil {
					return nil, err
				}
			}
			continue
		}
		for i := range q.Ends {
			for end := range 2 {
				if err := d.askRange(q, table, end, &q.Ends[i], f); err != nil {
					return nil, err
				}
			}
		}
	}
	return f.chunks, nil
}

// record sets k to the key of flow i of a table, and returns where its list is.
func (d *digest) record(k *Key, table int, i int64) (list int64, err error) {
	n := recordLen(addressLengths[table])
	b, err := d.read(d.tables[table]+i*n, n)
	if err != nil {
		return 0, err
	}
	k.setShort(b, addressLengths[table])
	return int64(binary.LittleEndian.Uint32(b[n-4:])), nil
}

// place returns the place in a table of the flow that is number i by its lower end 0 or
// higher end 1.
func (d *digest) place(table, end int, i int64) (int64, error) {
	if end == 0 {
		return i, nil
	}
	b, err := d.read(d.others[table]+4*i, 4)
	if err != nil {
		return 0, err
	}
	place := int64(binary.LittleEndian.Uint32(b))
	if place >= d.counts[table] {
		return 0, errDigest
	}
	return place, nil
}

// ask adds the chunks that flow i of a table is in, if it is wanted.
func (d *digest) ask(q *Flows, table int, i int64, f *found) error {
	var k Key
	list, err := d.record(&k, table, i)
	if err != nil || !q.Wanted(&k) {
		return err
	}
	at := d.lists + list
	next := func() (uint32, error) {
		var v uint64
		for shift := 0; shift < 35; shift += 7 {
			b, err := d.read(at, 1)
			if err != nil {
				return 0, err
			}
			at++
			v |= uint64(b[0]&0x7f) << shift
			if b[0] < 0x80 {
				return uint32(v), nil
			}
		}
		return 0, errDigest
	}
	n, err := next()
	if n > uint32(len(f.chunks)) {
		return errDigest
	}
	chunk := uint32(0)
	for ; n > 0 && err == nil; n-- {
		var more uint32
		if more, err = next(); err == nil {
			chunk += more
			err = f.add(chunk)
		}
	}
	return err
}

// askRange asks the flows of a table of which an end begins with a prefix.
func (d *digest) askRange(q *Flows, table, end int, p *Prefix, f *found) error {
	first, last := p.Address, p.Address
	for bit := p.Bits; bit < 8*addressLen; bit++ {
		last[bit/8] |= 0x80 >> (bit % 8)
	}
	var k Key
	from, to := int64(0), d.counts[table]
	for from < to {
		mid := (from + to) / 2
		place, err := d.place(table, end, mid)
		if err == nil {
			_, err = d.record(&k, table, place)
		}
		if err != nil {
			return err
		}
		if bytes.Compare(k.Address(end)[:], first[:]) < 0 {
			from = mid + 1
		} else {
			to = mid
		}
	}
	for ; from < d.counts[table] && f.left > 0; from++ {
		place, err := d.place(table, end, from)
		if err == nil {
			_, err = d.record(&k, table, place)
		}
		if err != nil || bytes.Compare(k.Address(end)[:], last[:]) > 0 {
			return err
		}
		if err := d.ask(q, table, place, f); err != nil {
			return err
		}
	}
	return nil
}
