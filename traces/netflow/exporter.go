package netflow

import (
	"container/list"
	"net/netip"
	"slices"
)

// What is kept at most: domains of all exporters and of one, the size of all
// templates together and of those of an exporter, fields of a template, and
// samplers of a domain. So whoever can send datagrams from one address has only the
// templates of that address forgotten.
const (
	maxDomains    = 4096
	maxOwnDomains = 256
	maxSize       = 1 << 20
	maxOwnSize    = 1 << 17
	maxFields     = 1000
	maxSamplers   = 256
)

// What a record may count at most, times the sampling interval: as much as a link
// of 1 Tb/s carries in two and a half hours.
const (
	maxPDUs   = 1 << 44
	maxOctets = 1 << 50
)

// router is an address from which templates, or records that need none, came.
type router struct {
	domains []*domain
	size    int // of their templates
	place   *list.Element
}

// domain returns what is known of the datagram's sequence. If that is nothing, the
// domain is not kept: keep does that.
func (d *Decoder) domain(version uint16, number uint32, port bool) *domain {
	id := domainID{d.exporter, version, number}
	if !port {
		id.exporter = netip.AddrPortFrom(d.exporter.Addr(), 0)
	}
	d.id = id
	d.now++
	dm := d.domains[id]
	if dm == nil {
		return &domain{id: id, used: d.now}
	}
	dm.used = d.now
	d.order.MoveToBack(dm.of.place)
	return dm
}

// keep keeps a domain, for which another one may have to go.
func (d *Decoder) keep(dm *domain) {
	if dm.of != nil {
		return
	}
	if d.domains == nil {
		d.domains, d.exporters = make(map[domainID]*domain), make(map[netip.Addr]*router)
	}
	address := dm.id.exporter.Addr()
	x := d.exporters[address]
	if x == nil {
		x = new(router)
		x.place = d.order.PushBack(x)
		d.exporters[address] = x
	}
	d.order.MoveToBack(x.place)
	x.domains = append(x.domains, dm)
	dm.of = x
	d.domains[dm.id] = dm
	switch {
	case len(x.domains) > maxOwnDomains:
		d.forget(x)
	case len(d.domains) > maxDomains:
		d.forget(d.order.Front().Value.(*router))
	}
}

// grow adds to the size of a domain's templates, for which others may have to go.
func (d *Decoder) grow(dm *domain, n int) {
	dm.of.grow(d, n)
	for dm.of.size > maxOwnSize && len(dm.of.domains) > 1 {
		d.forget(dm.of)
	}
	for d.size > maxSize {
		d.forget(d.order.Front().Value.(*router))
	}
}

// grow adds to the size of an exporter's templates.
func (x *router) grow(d *Decoder, n int) {
	x.size += n
	d.size += n
}

// forget forgets the domain of an exporter that was not used for longest.
func (d *Decoder) forget(x *router) {
	oldest := 0
	for i, dm := range x.domains {
		if dm.used < x.domains[oldest].used {
			oldest = i
		}
	}
	dm := x.domains[oldest]
	x.domains = slices.Delete(x.domains, oldest, oldest+1)
	x.grow(d, -dm.size)
	delete(d.domains, dm.id)
	if len(x.domains) == 0 {
		d.order.Remove(x.place)
		delete(d.exporters, dm.id.exporter.Addr())
	}
	if d.stats.Forgotten++; d.stats.Forgotten == 1 {
		d.notify("there are too many exporters or templates: those that were not used for longest are forgotten")
	}
}
