package ipfixsink

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"

	"rtfm/traces/ipfix"
)

// contents are what is in a file that was written by a file carrier.
type contents struct {
	session     *session
	collections map[interval]bool
	end         int64 // of the last whole collection
	sizes       map[sizeKey]int
}

// sizeKey is a template, of whose records the length is to be known.
type sizeKey struct {
	domain uint32
	id     uint16
}

var errForeign = errors.New("it is no IPFIX that rtfm has written; name another file")

// readContents reads as many octets of a file, less than 0 for all. A message that is not
// whole ends it.
func readContents(from io.Reader, octets int64) (*contents, error) {
	c := &contents{session: newSession(), collections: make(map[interval]bool), sizes: make(map[sizeKey]int)}
	if octets >= 0 {
		from = io.LimitReader(from, octets)
	}
	r := bufio.NewReaderSize(from, 1<<16)
	var message []byte
	for at := int64(0); ; at += int64(len(message)) {
		header, err := r.Peek(ipfix.HeaderLen)
		if len(header) >= 2 && binary.BigEndian.Uint16(header) != ipfix.Version {
			return nil, fmt.Errorf("offset %d: %w", at, errForeign)
		}
		if err == io.EOF {
			return c, nil
		}
		if err != nil {
			return nil, err
		}
		n := int(binary.BigEndian.Uint16(header[2:]))
		if n < ipfix.HeaderLen {
			return nil, fmt.Errorf("offset %d: a message of %d octets is shorter than its header: %w", at, n, errForeign)
		}
		message = append(message[:0], make([]byte, n)...)
		switch _, err := io.ReadFull(r, message); {
		case err == io.ErrUnexpectedEOF:
			return c, nil
		case err != nil:
			return nil, err
		}
		last, err := c.message(message)
		if err != nil {
			return nil, fmt.Errorf("offset %d: %w", at, err)
		}
		if last {
			c.end = at + int64(n)
		}
	}
}

// message takes a message, and reports whether it ends a collection.
func (c *contents) message(m []byte) (last bool, err error) {
	d := c.session.domain(binary.BigEndian.Uint32(m[12:]))
	d.sequence = binary.BigEndian.Uint32(m[8:])
	for b := m[ipfix.HeaderLen:]; len(b) > 0; {
		if len(b) < ipfix.SetHeaderLen {
			return false, errForeign
		}
		id, n := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
		if n <= ipfix.SetHeaderLen || n > len(b) {
			return false, errForeign
		}
		set := b[:n]
		b = b[n:]
		if id < ipfix.FirstDataSet {
			if err := c.template(d, set); err != nil {
				return false, err
			}
			continue
		}
		size := c.sizes[sizeKey{d.id, id}]
		if size == 0 || (n-ipfix.SetHeaderLen)%size != 0 {
			return false, errForeign
		}
		d.sequence += uint32((n - ipfix.SetHeaderLen) / size)
		if d.id == processDomain {
			if size != processSize {
				return false, errForeign
			}
			record := set[ipfix.SetHeaderLen:]
			// The first fields are of processOptions: 4, 8, 8, 8 octets.
			c.collections[interval{binary.BigEndian.Uint64(record[4:]), binary.BigEndian.Uint64(record[20:])}] = true
			last = true
		}
	}
	return last, nil
}

// processSize is how long a record of processOptions is.
var processSize = func() (n int) {
	for _, o := range new(pass).processOptions(0, 0) {
		n += int(o.length)
	}
	return n
}()

// template takes a set of one template.
func (c *contents) template(d *domain, set []byte) error {
	b := set[ipfix.SetHeaderLen:]
	if len(b) < 4 {
		return errForeign
	}
	id, fields := binary.BigEndian.Uint16(b), int(binary.BigEndian.Uint16(b[2:]))
	b = b[4:]
	if binary.BigEndian.Uint16(set) == ipfix.OptionsTemplateSet {
		if len(b) < 2 {
			return errForeign
		}
		b = b[2:]
	}
	size := 0
	for range fields {
		if len(b) < 4 {
			return errForeign
		}
		private := b[0]&0x80 != 0
		length := int(binary.BigEndian.Uint16(b[2:]))
		if length == ipfix.Variable {
			return errForeign
		}
		size += length
		b = b[4:]
		if private {
			if len(b) < 4 {
				return errForeign
			}
			b = b[4:]
		}
	}
	if len(b) > 0 || id < ipfix.FirstDataSet || size == 0 {
		return errForeign
	}
	key := append([]byte(nil), set...)
	key[4], key[5] = 0, 0
	d.templates[string(key)] = &template{id, time.Unix(0, 1)}
	c.sizes[sizeKey{d.id, id}] = size
	c.session.next = max(c.session.next, int(id)-ipfix.FirstDataSet+1)
	return nil
}
