package snmp

import (
	"slices"
	"time"

	"rtfm/mib/smi"
)

// System is what the system group says (RFC 3418 section 2).
type System struct {
	// Descr is sysDescr, Name sysName; Contact and Location are sysContact and
	// sysLocation. All have at most 255 octets.
	Descr, Name, Contact, Location string
	// ObjectID is sysObjectID; 0.0 when it is empty.
	ObjectID smi.OID
	// Services is sysServices.
	Services int32
	// Capabilities are the rows of sysORTable, there since the agent's start.
	Capabilities []smi.Capability
	// Uptime returns how long the agent runs, for sysUpTime. It is called
	// from Serve's goroutine.
	Uptime func() time.Duration
}

// systemGroup is the OID of the system group.
var systemGroup = smi.OID{1, 3, 6, 1, 2, 1, 1}

// system holds the variables of the system group, in order.
type system struct {
	vars   []smi.VarBind
	uptime *smi.Value // of sysUpTime.0
	now    func() time.Duration
}

func newSystem(c System) *system {
	s := &system{now: c.Uptime}
	add := func(object ...uint32) *smi.Value {
		s.vars = append(s.vars, smi.VarBind{Name: slices.Concat(systemGroup, object)})
		return &s.vars[len(s.vars)-1].Value
	}
	text := func(t string, object ...uint32) { add(object...).SetOctets(smi.OctetString, []byte(t)) }
	if len(c.ObjectID) == 0 {
		c.ObjectID = smi.OID{0, 0}
	}
	text(c.Descr, 1, 0)
	add(2, 0).SetOID(c.ObjectID)
	add(3, 0)
	text(c.Contact, 4, 0)
	text(c.Name, 5, 0)
	text(c.Location, 6, 0)
	add(7, 0).SetInt(c.Services)
	add(8, 0).SetUint(smi.TimeTicks, 0) // sysORLastChange
	for i, capability := range c.Capabilities {
		add(9, 1, 2, uint32(i+1)).SetOID(capability.ID)
	}
	for i, capability := range c.Capabilities {
		text(capability.Descr, 9, 1, 3, uint32(i+1))
	}
	for i := range c.Capabilities {
		add(9, 1, 4, uint32(i+1)).SetUint(smi.TimeTicks, 0)
	}
	s.uptime = &s.vars[2].Value
	return s
}

// refresh sets sysUpTime, for all of the request that is to be answered.
func (s *system) refresh() {
	var up time.Duration
	if s.now != nil {
		up = s.now()
	}
	s.uptime.SetUint(smi.TimeTicks, uint64(up/(10*time.Millisecond)))
}

// get sets out to the variable called name, which is in the group.
func (s *system) get(name smi.OID, out *smi.VarBind) {
	out.SetName(name)
	out.Value.SetNone(smi.NoSuchObject)
	for i := range s.vars {
		v := &s.vars[i]
		if name.Compare(v.Name) == 0 {
			out.Value.Set(&v.Value)
		} else if name.HasPrefix(v.Name[:len(v.Name)-1]) {
			out.Value.SetNone(smi.NoSuchInstance)
		}
	}
}

// next sets out to the first variable in r if it comes before the one that out
// has.
func (s *system) next(r *smi.Range, out *smi.VarBind) {
	for i := range s.vars {
		if v := &s.vars[i]; r.Contains(v.Name) {
			if out.Value.Type == smi.EndOfMibView || v.Name.Compare(out.Name) < 0 {
				out.Set(v)
			}
			return
		}
	}
}

// handler is a Handler with the system group beside it.
type handler struct {
	smi.Handler
	system *system
}

func (h *handler) Get(names []smi.OID, out []smi.VarBind) error {
	if err := h.Handler.Get(names, out); err != nil {
		return err
	}
	for i, name := range names {
		if name.HasPrefix(systemGroup) {
			h.system.get(name, &out[i])
		}
	}
	return nil
}

func (h *handler) Next(ranges []smi.Range, out []smi.VarBind) error {
	if err := h.Handler.Next(ranges, out); err != nil {
		return err
	}
	for i := range ranges {
		h.system.next(&ranges[i], &out[i])
	}
	return nil
}

// Bulk leaves all to the Handler, which answers from one instant, unless a
// repeater may come to a variable of the system group.
func (h *handler) Bulk(b *smi.Bulk, out []smi.VarBind) ([]smi.VarBind, error) {
	single := min(max(b.NonRepeaters, 0), len(b.Ranges))
	last := h.system.vars[len(h.system.vars)-1].Name
	for i := range b.Ranges[single:] {
		if b.Ranges[single+i].Start.Compare(last) < 0 {
			return b.Fill(h.Next, out)
		}
	}
	out, err := h.Handler.Bulk(b, out)
	if err != nil {
		return nil, err
	}
	for i := range out[:min(single, len(out))] {
		h.system.next(&b.Ranges[i], &out[i])
	}
	return out, nil
}
