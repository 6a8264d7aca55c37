package smi

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// MaxOID is the largest number of sub-identifiers that an object identifier
// has in SNMP (RFC 3416 section 4.1).
const MaxOID = 128

// OID is an object identifier, one element for each sub-identifier. The empty
// OID stands for none at all.
type OID []uint32

// ParseOID reads an object identifier in dotted decimal, with or without a
// dot before it.
func ParseOID(s string) (OID, error) {
	rest := strings.TrimPrefix(s, ".")
	subids := strings.Count(rest, ".") + 1
	if subids > MaxOID {
		return nil, fmt.Errorf("object identifier of %d sub-identifiers: at most %d are allowed", subids, MaxOID)
	}
	o := make(OID, subids)
	for i := range o {
		var p string
		p, rest, _ = strings.Cut(rest, ".")
		n, err := strconv.ParseUint(p, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("object identifier %q: sub-identifier %d: %q is no number from 0 to 4294967295", s, i+1, p)
		}
		o[i] = uint32(n)
	}
	return o, nil
}

// Compare orders object identifiers lexicographically, as GetNext walks them:
// it returns -1, 0 or 1 when o comes before, is, or comes after p.
func (o OID) Compare(p OID) int {
	n := min(len(o), len(p))
	for i, a := range o[:n] {
		if b := p[i]; a != b {
			if a < b {
				return -1
			}
			return 1
		}
	}
	switch {
	case len(o) < len(p):
		return -1
	case len(o) > len(p):
		return 1
	}
	return 0
}

// HasPrefix reports whether o is p or lies below it.
func (o OID) HasPrefix(p OID) bool {
	return len(o) >= len(p) && slices.Equal(o[:len(p)], p)
}

// String returns the object identifier in dotted decimal, without a dot
// before it.
func (o OID) String() string {
	b := make([]byte, 0, 11*len(o))
	for i, n := range o {
		if i > 0 {
			b = append(b, '.')
		}
		b = strconv.AppendUint(b, uint64(n), 10)
	}
	return string(b)
}
