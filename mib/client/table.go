package client

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// bulkVariables is how many variables a GetBulk request asks for: snmpd
// answers with no more than 100 by default.
const bulkVariables = 100

// values are variables of which one kind is wanted: an error is kept, and
// what is asked for afterwards is zero.
type values struct {
	err error
}

// of reads the variable's value if it has type t.
func (r *values) of(vb *smi.VarBind, t smi.Type) bool {
	switch {
	case r.err != nil:
	case absent(vb):
		r.err = fmt.Errorf("%w: %s", ErrNoObject, module.InstanceName(vb.Name))
	case vb.Value.Type != t:
		r.err = nonsense(vb.Name, "the type is %v, not %v", vb.Value.Type, t)
	default:
		return true
	}
	return false
}

// int returns an INTEGER that is in a range.
func (r *values) int(vb *smi.VarBind, low, high int) int {
	if !r.of(vb, smi.Integer32) {
		return 0
	}
	n := int(vb.Value.Int)
	if n < low || n > high {
		r.err = nonsense(vb.Name, "%d is not in the range from %d to %d", n, low, high)
		return 0
	}
	return n
}

// truth returns a TruthValue (RFC 2579).
func (r *values) truth(vb *smi.VarBind) bool { return r.int(vb, smi.True, smi.False) == smi.True }

// uint returns a number without a sign.
func (r *values) uint(vb *smi.VarBind, t smi.Type) uint64 {
	if !r.of(vb, t) {
		return 0
	}
	return vb.Value.Uint
}

// count returns a Counter64 that can be a signed number.
func (r *values) count(vb *smi.VarBind) int64 {
	n := r.uint(vb, smi.Counter64)
	if n > math.MaxInt64 {
		r.err = nonsense(vb.Name, "%d is more than there can be", n)
		return 0
	}
	return int64(n)
}

// absent reports whether the meter has no such object, as an older one may.
func absent(vb *smi.VarBind) bool {
	return vb.Value.Type == smi.NoSuchObject || vb.Value.Type == smi.NoSuchInstance
}

// later returns a Counter64 that older meters have not got, 0 from one of those.
func (r *values) later(vb *smi.VarBind) uint64 {
	if absent(vb) {
		return 0
	}
	return r.uint(vb, smi.Counter64)
}

// time returns an RtfmExactTime, or from an older meter the Counter64 that was in
// its place.
func (r *values) time(exact, counter *smi.VarBind) int64 {
	if absent(exact) {
		return r.count(counter)
	}
	b := r.octets(exact, 8)
	if r.err == nil && (len(b) < 8 || b[0] > math.MaxInt8) {
		r.err = nonsense(exact.Name, "%x is no time", b)
	}
	if r.err != nil {
		return 0
	}
	return int64(binary.BigEndian.Uint64(b))
}

// octets returns an OCTET STRING, of no more than longest octets.
func (r *values) octets(vb *smi.VarBind, longest int) []byte {
	if !r.of(vb, smi.OctetString) {
		return nil
	}
	if n := len(vb.Value.Octets); n > longest {
		r.err = nonsense(vb.Name, "%d octets, where %d are the most", n, longest)
		return nil
	}
	return vb.Value.Octets
}

// longestText is the size of owners and names (RFC 2720, UTF8OwnerString).
const longestText = 127

func (r *values) text(vb *smi.VarBind) string { return string(r.octets(vb, longestText)) }

// rows reads columns of a table whose index is one number, from 1, and calls
// f for every row with the variables in the order of columns. A row is passed
// over while another manager makes or destroys it, when it lacks some.
func (c *Client) rows(ctx context.Context, most int, columns []*module.Object, f func(index int, row []smi.VarBind) error) error {
	rows := make(map[uint32][]smi.VarBind)
	var order []uint32
	for i, column := range columns {
		err := c.walk(ctx, column.OID, most, func(name smi.OID, v *smi.VarBind) error {
			index := name[len(column.OID):]
			if len(index) != 1 || index[0] == 0 || index[0] > math.MaxInt32 {
				return c.wrap(nonsense(name, "the index is not a number from 1 to %d", math.MaxInt32))
			}
			if n := len(v.Value.Octets); n > longestText {
				return c.wrap(nonsense(name, "%d octets, where %d are the most", n, longestText))
			}
			row := rows[index[0]]
			if i == 0 {
				order = append(order, index[0])
			}
			if len(row) == i {
				rows[index[0]] = append(row, *v)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, index := range order {
		if row := rows[index]; len(row) == len(columns) {
			if err := f(int(index), row); err != nil {
				return c.wrap(err)
			}
		}
	}
	return nil
}

// walk calls f for all variables below root, most at most.
func (c *Client) walk(ctx context.Context, root smi.OID, most int, f func(name smi.OID, v *smi.VarBind) error) error {
	from := root
	for n := 0; ; {
		vars, err := c.bulk(ctx, []smi.OID{from}, walkStep)
		if err != nil {
			return err
		}
		for i := range vars {
			v := &vars[i]
			if v.Value.Type == smi.EndOfMibView || !v.Name.HasPrefix(root) {
				return nil
			}
			if v.Name.Compare(from) <= 0 {
				return c.wrap(nonsense(v.Name, "the walk goes back"))
			}
			if n++; n > most {
				return c.wrap(nonsense(root, "there are more than %d rows", most))
			}
			if err := f(v.Name, v); err != nil {
				return err
			}
			from = v.Name
		}
	}
}

// walkStep is how many variables walk asks for at once.
const walkStep = 40
