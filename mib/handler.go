package mib

import (
	"slices"
	"sort"
	"sync"

	"rtfm/mib/block"
	"rtfm/mib/module"
	"rtfm/mib/smi"
)

// Handler answers for a meter. It implements smi.Handler and is safe for use
// by several front ends at once.
type Handler struct {
	meter   Meter
	objects []object // in order of OID; none lies below another
	// What follows belongs to the function that Meter.Do runs.
	recent int // place of the object that was found last
	flow   block.View
	loaded []uint32 // indexes of the flows that this request has loaded
	open   int      // transactions committed and not yet cleaned up
	work   int      // operations that Meter.Spend was not yet told of

	// The distributions of all rulesets, and Rows.puts of these when they were
	// looked at; none are then.
	distributions, distributionsAt uint64

	sets    sync.Mutex // is held while a Set is planned or carried out
	readers *controlTable[Reader]
}

// Operations, as Meter.Spend counts them, of what takes longer than one.
const (
	workSearch    = 8  // to find an object and a row by name
	octetsWorked  = 32 // octets of a value that are one operation
	wordsWorked   = 32 // words of a bitmap
	workCounts    = 64 // to ask the meter for all its counts
	workRuleSet   = 1  // to pass a ruleset
	workStatement = 4  // to carry out a change of a Set
)

// spend tells the meter what was done, and whether it has been with others since.
func (h *Handler) spend() (letGo bool) {
	letGo = h.meter.Spend(h.work)
	h.work = 0
	return letGo
}

// object is a scalar or a column.
type object struct {
	oid   smi.OID
	table table
	// follow, unless it is nil, moves on from the row that table found last to
	// the next one, whose index it makes the end of name, which was that of the
	// former. False if table.next has to look for it.
	follow func(name smi.OID) bool
	// get sets v to the value in the row that table found last, false if it
	// has none.
	get func(v *smi.Value) bool
	// check and plan are set for what can be written. check looks at a value
	// by itself; plan takes it into a Set.
	check func(v *smi.Value) smi.Status
	plan  func(p *plan, at int, index smi.OID, v *smi.Value) smi.Status
}

// table is a conceptual table, or the scalars.
type table interface {
	// find looks for the row with this index.
	find(index smi.OID) bool
	// next looks for the first row after index, or of it if include is set,
	// and appends that row's index to name.
	next(index smi.OID, include bool, name smi.OID) (smi.OID, bool)
}

// New returns a Handler for a meter.
func New(m Meter) *Handler {
	h := &Handler{meter: m}
	h.objects = slices.Concat(
		h.ruleSetObjects(), h.interfaceObjects(), h.readerObjects(), h.managerObjects(), h.scalarObjects(),
		h.flowObjects(), h.activityObjects(), h.packageObjects(), h.ruleObjects(), h.extensionObjects(),
	)
	slices.SortFunc(h.objects, func(a, b object) int { return a.oid.Compare(b.oid) })
	return h
}

// Subtrees returns the subtrees of the OID tree that a Handler answers for.
func Subtrees() []smi.OID {
	return []smi.OID{slices.Clone(module.FlowMIB), slices.Clone(module.Extension)}
}

// Capabilities returns what a Handler has, as agents tell it in sysORTable: what
// FLOW-METER-MIB and RTFM-EXTENSION-MIB require of a meter.
func Capabilities() []smi.Capability {
	return []smi.Capability{
		{ID: below(module.FlowMIB, 4, 1, 1), Descr: "The Meter MIB of RFC 2720"},
		{ID: below(module.Extension, 2, 1, 1), Descr: "rtfm's extension of the Meter MIB"},
	}
}

// below returns the OID that has these sub-identifiers after o's.
func below(o smi.OID, subids ...uint32) smi.OID { return slices.Concat(o, subids) }

// Get implements smi.Handler.
func (h *Handler) Get(names []smi.OID, out []smi.VarBind) error {
	h.meter.Do(func() {
		h.work = 0
		for i, name := range names {
			h.get(name, &out[i])
			h.worked(&out[i].Value)
			h.spend()
		}
	})
	return nil
}

// worked notes what it took to find a variable by name and copy its value.
func (h *Handler) worked(v *smi.Value) { h.work += workSearch + len(v.Octets)/octetsWorked }

func (h *Handler) get(name smi.OID, out *smi.VarBind) {
	out.SetName(name)
	o, index := h.object(name)
	switch {
	case o == nil:
		out.Value.SetNone(smi.NoSuchObject)
	case !o.table.find(index) || !o.get(&out.Value):
		out.Value.SetNone(smi.NoSuchInstance)
	}
}

// from returns the place of the first object at or after which name lies, or
// that comes after name.
func (h *Handler) from(name smi.OID) int {
	if name.HasPrefix(h.objects[h.recent].oid) {
		return h.recent
	}
	return h.search(name)
}

// search is from without a look at what was found last.
func (h *Handler) search(name smi.OID) int {
	return sort.Search(len(h.objects), func(i int) bool {
		o := h.objects[i].oid
		return o.Compare(name) > 0 || name.HasPrefix(o)
	})
}

// object returns the object that name is an instance of, nil if there is
// none, and what of name is after the object's own.
func (h *Handler) object(name smi.OID) (*object, smi.OID) {
	if i := h.from(name); i < len(h.objects) && name.HasPrefix(h.objects[i].oid) {
		h.recent = i
		return &h.objects[i], name[len(h.objects[i].oid):]
	}
	return nil, nil
}

// Next implements smi.Handler.
func (h *Handler) Next(ranges []smi.Range, out []smi.VarBind) (err error) {
	h.meter.Do(func() { err = h.next(ranges, out) })
	return err
}

// Bulk implements smi.Handler.
func (h *Handler) Bulk(b *smi.Bulk, out []smi.VarBind) (filled []smi.VarBind, err error) {
	h.meter.Do(func() { filled, err = b.FillRuns(h.runs, out) })
	return filled, err
}

func (h *Handler) next(ranges []smi.Range, out []smi.VarBind) error {
	h.loaded, h.work = h.loaded[:0], 0
	for i := range ranges {
		h.nextOrEnd(&ranges[i], &out[i])
		if h.spend() {
			h.loaded = h.loaded[:0]
		}
	}
	h.meter.PrefetchNext(h.loaded)
	return nil
}

// nextOrEnd sets out to the first variable in r, or to EndOfMibView. It reports
// whether there is one.
func (h *Handler) nextOrEnd(r *smi.Range, out *smi.VarBind) bool {
	found := h.nextIn(r, out)
	if !found {
		out.SetName(r.Start)
		out.Value.SetNone(smi.EndOfMibView)
	}
	h.worked(&out.Value)
	return found
}

// runs fills out with the variables that follow each other in ranges, those of
// one repetition after those of the other.
func (h *Handler) runs(ranges []smi.Range, out []smi.VarBind) error {
	n := len(ranges)
	if err := h.next(ranges, out[:n]); err != nil || len(out) == n {
		return err
	}
	for i := range ranges {
		r, found := ranges[i], false
		for at := i + n; at < len(out); at += n {
			r.Start, r.Include = out[at-n].Name, false
			if found && h.following(&r, &out[at]) {
				h.work += 1 + len(out[at].Value.Octets)/octetsWorked
			} else {
				found = h.nextOrEnd(&r, &out[at])
			}
			if h.spend() {
				h.loaded, found = h.loaded[:0], false
			}
		}
	}
	return nil
}

// following is nextIn where r begins after the variable that was found last.
func (h *Handler) following(r *smi.Range, out *smi.VarBind) bool {
	o := &h.objects[h.recent]
	if o.follow == nil {
		return false
	}
	out.SetName(r.Start)
	return o.follow(out.Name) && (len(r.End) == 0 || out.Name.Compare(r.End) < 0) && o.get(&out.Value)
}

// nextIn sets out to the first variable in r, false if there is none.
func (h *Handler) nextIn(r *smi.Range, out *smi.VarBind) bool {
	for i := h.from(r.Start); i < len(h.objects); i++ {
		o := &h.objects[i]
		h.work++
		index, include := smi.OID(nil), true
		if r.Start.HasPrefix(o.oid) {
			index, include = r.Start[len(o.oid):], r.Include
		}
		for {
			name, ok := o.table.next(index, include, append(out.Name[:0], o.oid...))
			if !ok {
				break
			}
			out.Name = name
			if len(r.End) > 0 && name.Compare(r.End) >= 0 {
				return false
			}
			if o.get(&out.Value) {
				h.recent = i
				return true
			}
			index, include = slices.Clone(name[len(o.oid):]), false
		}
		if len(r.End) > 0 && o.oid.Compare(r.End) >= 0 {
			return false
		}
	}
	return false
}

// scalars is the table of all scalars: its one row has index 0.
type scalars struct{}

func (scalars) find(index smi.OID) bool { return len(index) == 1 && index[0] == 0 }

func (scalars) next(index smi.OID, include bool, name smi.OID) (smi.OID, bool) {
	if len(index) == 0 || include && scalars.find(scalars{}, index) {
		return append(name, 0), true
	}
	return name, false
}

// scalar returns a read-only scalar.
func scalar(named *module.Object, get func(v *smi.Value)) object {
	return object{oid: named.OID, table: scalars{}, get: func(v *smi.Value) bool { get(v); return true }}
}

// numbered is a table whose index is one number.
type numbered[T any] struct {
	rows    func() *Rows[T]
	current *T
	index   int // of current
}

func (t *numbered[T]) find(index smi.OID) bool {
	if len(index) != 1 {
		return false
	}
	t.index = int(index[0])
	t.current = t.rows().At(t.index)
	return t.current != nil
}

func (t *numbered[T]) next(index smi.OID, include bool, name smi.OID) (smi.OID, bool) {
	from := 0
	if len(index) > 0 {
		from = int(index[0])
		if !include || len(index) > 1 {
			from++
		}
	}
	t.index, t.current = t.rows().From(from)
	if t.current == nil {
		return name, false
	}
	return append(name, uint32(t.index)), true
}
