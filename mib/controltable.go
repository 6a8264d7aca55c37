package mib

import (
	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// controlTable is a table whose rows managers create by its RowStatus.
type controlTable[T any] struct {
	numbered[T]
	highest int // index that a row may have
	changes func(p *plan) *changes[T]
	row     func(*T) *Row
	// ready reports whether a row could be active.
	ready func(*T) bool
	// finish works out what depends on several columns of a row.
	finish func(p *plan, c *change[T])
	// locked tells which rows cannot be changed.
	locked func(index int) bool
	// refusal is why a column cannot be set while the row is active.
	refusal smi.Status
	status  *module.Object // the RowStatus column
	columns []controlColumn[T]
}

// controlColumn is a column of a controlTable other than its RowStatus. Only
// those with a check can be written.
type controlColumn[T any] struct {
	named *module.Object
	get   func(row *T, v *smi.Value)
	check func(v *smi.Value) smi.Status
	// set puts the value into new, given the row as it was before the Set;
	// old is nil if there was none.
	set         func(p *plan, old, new *T, v *smi.Value)
	whileActive bool // it may be set in active rows
}

// intColumn is a column with an INTEGER from low to high, which is in a row's
// field.
func intColumn[T any](named *module.Object, low, high int32, whileActive bool, field func(*T) *int) controlColumn[T] {
	return controlColumn[T]{
		named: named, check: integer(low, high), whileActive: whileActive,
		get: func(r *T, v *smi.Value) { v.SetInt(int32(*field(r))) },
		set: func(p *plan, old, r *T, v *smi.Value) { *field(r) = int(v.Int) },
	}
}

// ownerColumn is the column with the rows' owners.
func (t *controlTable[T]) ownerColumn(named *module.Object) controlColumn[T] {
	return controlColumn[T]{
		named: named, check: owner,
		get: func(r *T, v *smi.Value) { v.SetOctets(smi.OctetString, []byte(t.row(r).Owner)) },
		set: func(p *plan, old, r *T, v *smi.Value) { t.row(r).Owner = string(v.Octets) },
	}
}

func (t *controlTable[T]) objects() []object {
	objects := []object{{
		oid: t.status.OID, table: t,
		get: func(v *smi.Value) bool {
			switch {
			case t.row(t.current).Active:
				v.SetInt(int32(smi.RowActive))
			case t.ready(t.current):
				v.SetInt(int32(smi.RowNotInService))
			default:
				v.SetInt(int32(smi.RowNotReady))
			}
			return true
		},
		check: rowStatusValue,
		plan: func(p *plan, at int, index smi.OID, v *smi.Value) smi.Status {
			c := t.change(p, at, index)
			if c == nil {
				return smi.NoCreation
			}
			c.status, c.statusAt = smi.RowStatus(v.Int), at
			return smi.NoError
		},
	}}
	for i := range t.columns {
		col := &t.columns[i]
		o := object{
			oid: col.named.OID, table: t, check: col.check,
			get: func(v *smi.Value) bool { col.get(t.current, v); return true },
		}
		if col.check != nil {
			o.plan = func(p *plan, at int, index smi.OID, v *smi.Value) smi.Status {
				c := t.change(p, at, index)
				if c == nil {
					return smi.NoCreation
				}
				c.columns = append(c.columns, columnSet[T]{col, v, at})
				return smi.NoError
			}
		}
		objects = append(objects, o)
	}
	return objects
}

// change returns the change of the row with this index, nil if there can be
// no such row.
func (t *controlTable[T]) change(p *plan, at int, index smi.OID) *change[T] {
	if len(index) != 1 || index[0] == 0 || index[0] > uint32(t.highest) {
		return nil
	}
	return t.changes(p).at(t, int(index[0]), at)
}
