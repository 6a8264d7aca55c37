// Package smitest has a small MIB in memory, for tests of SNMP front ends.
package smitest

import (
	"fmt"
	"slices"
	"sync"

	"rtfm/mib/smi"
)

// OID returns the object identifier that s spells and panics when there is
// none.
func OID(s string) smi.OID {
	o, err := smi.ParseOID(s)
	if err != nil {
		panic(err)
	}
	return o
}

// Int returns an Integer32 variable.
func Int(name string, n int32) smi.VarBind {
	vb := smi.VarBind{Name: OID(name)}
	vb.Value.SetInt(n)
	return vb
}

// Uint returns a variable of one of the unsigned types.
func Uint(name string, t smi.Type, n uint64) smi.VarBind {
	vb := smi.VarBind{Name: OID(name)}
	vb.Value.SetUint(t, n)
	return vb
}

// Octets returns an OCTET STRING, IpAddress or Opaque variable.
func Octets(name string, t smi.Type, s string) smi.VarBind {
	vb := smi.VarBind{Name: OID(name)}
	vb.Value.SetOctets(t, []byte(s))
	return vb
}

// Ref returns an OBJECT IDENTIFIER variable.
func Ref(name, value string) smi.VarBind {
	vb := smi.VarBind{Name: OID(name)}
	vb.Value.SetOID(OID(value))
	return vb
}

// None returns a NULL or exception.
func None(name string, t smi.Type) smi.VarBind {
	return smi.VarBind{Name: OID(name), Value: smi.Value{Type: t}}
}

// Faults are errors that a Table returns in the place of doing its work.
type Faults struct{ Get, Next, Test, Commit, Undo error }

// Table is a Handler over a sorted list of variables, all of which can be set
// to values of their type. The object of a variable is its name without the
// last sub-identifier. Safe for concurrent use.
type Table struct {
	mu     sync.Mutex
	vars   []smi.VarBind
	faults Faults
	calls  []string
	open   int
}

// New returns a Table of these variables.
func New(vars ...smi.VarBind) *Table {
	t := &Table{vars: slices.Clone(vars)}
	slices.SortFunc(t.vars, func(a, b smi.VarBind) int { return a.Name.Compare(b.Name) })
	return t
}

// SetFaults makes the calls that follow fail, those without an error not.
func (t *Table) SetFaults(f Faults) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.faults = f
}

// Calls returns the calls that dealt with Sets since it was last called, such
// as "test 3", "commit", "undo" and "cleanup".
func (t *Table) Calls() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	c := t.calls
	t.calls = nil
	return c
}

// Open returns how many transactions have not been cleaned up.
func (t *Table) Open() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.open
}

// Lookup returns a copy of the variable of this name.
func (t *Table) Lookup(name string) (smi.VarBind, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	var vb smi.VarBind
	i, ok := t.find(OID(name))
	if ok {
		vb.Set(&t.vars[i])
	}
	return vb, ok
}

func (t *Table) find(name smi.OID) (int, bool) {
	return slices.BinarySearchFunc(t.vars, name, func(vb smi.VarBind, o smi.OID) int { return vb.Name.Compare(o) })
}

// Get implements smi.Handler.
func (t *Table) Get(names []smi.OID, out []smi.VarBind) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.faults.Get != nil {
		return t.faults.Get
	}
	for i, name := range names {
		at, ok := t.find(name)
		if ok {
			out[i].Set(&t.vars[at])
			continue
		}
		out[i].SetName(name)
		out[i].Value.SetNone(smi.NoSuchObject)
		if len(name) > 0 {
			object := name[:len(name)-1]
			if at, _ := t.find(object); at < len(t.vars) && t.vars[at].Name.HasPrefix(object) && len(t.vars[at].Name) == len(name) {
				out[i].Value.SetNone(smi.NoSuchInstance)
			}
		}
	}
	return nil
}

// Next implements smi.Handler.
func (t *Table) Next(ranges []smi.Range, out []smi.VarBind) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.next(ranges, out)
}

func (t *Table) next(ranges []smi.Range, out []smi.VarBind) error {
	if t.faults.Next != nil {
		return t.faults.Next
	}
	for i := range ranges {
		r := &ranges[i]
		at, ok := t.find(r.Start)
		if ok && !r.Include {
			at++
		}
		if at < len(t.vars) && r.Contains(t.vars[at].Name) {
			out[i].Set(&t.vars[at])
			continue
		}
		out[i].SetName(r.Start)
		out[i].Value.SetNone(smi.EndOfMibView)
	}
	return nil
}

// Bulk implements smi.Handler.
func (t *Table) Bulk(b *smi.Bulk, out []smi.VarBind) ([]smi.VarBind, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return b.Fill(t.next, out)
}

// Test implements smi.Handler.
func (t *Table) Test(vbs []smi.VarBind) (smi.Transaction, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.calls = append(t.calls, fmt.Sprintf("test %d", len(vbs)))
	if t.faults.Test != nil {
		return nil, t.faults.Test
	}
	x := &transaction{t: t, vbs: vbs, at: make([]int, len(vbs)), old: make([]smi.Value, len(vbs))}
	for i := range vbs {
		at, ok := t.find(vbs[i].Name)
		if !ok {
			return nil, &smi.Error{Status: smi.NoCreation, Index: i + 1}
		}
		if t.vars[at].Value.Type != vbs[i].Value.Type {
			return nil, &smi.Error{Status: smi.WrongType, Index: i + 1}
		}
		x.at[i] = at
	}
	t.open++
	return x, nil
}

type transaction struct {
	t   *Table
	vbs []smi.VarBind
	at  []int
	old []smi.Value
}

func (x *transaction) Commit() error {
	x.t.mu.Lock()
	defer x.t.mu.Unlock()
	x.t.calls = append(x.t.calls, "commit")
	for i, at := range x.at {
		x.old[i].Set(&x.t.vars[at].Value)
		x.t.vars[at].Value.Set(&x.vbs[i].Value)
	}
	return x.t.faults.Commit // with the variables set, so that a missing Undo is seen
}

func (x *transaction) Undo() error {
	x.t.mu.Lock()
	defer x.t.mu.Unlock()
	x.t.calls = append(x.t.calls, "undo")
	for i := len(x.at) - 1; i >= 0; i-- {
		x.t.vars[x.at[i]].Value.Set(&x.old[i])
	}
	return x.t.faults.Undo
}

func (x *transaction) Cleanup() {
	x.t.mu.Lock()
	defer x.t.mu.Unlock()
	x.t.calls = append(x.t.calls, "cleanup")
	x.t.open--
}
