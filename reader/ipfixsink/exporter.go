package ipfixsink

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"

	"rtfm/reader/export"
	"rtfm/reader/record"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
	"rtfm/traces/ipfix"
)

// Options of URLs: those of every kind, of UDP, and of TLS.
var (
	FileOptions = []string{"biflow", "counters"}
	UDPOptions  = append(slices.Clone(FileOptions), "mtu", "templates")
	TLSOptions  = append(slices.Clone(FileOptions), "ca")
)

// The values of two options.
const (
	split   = "split"
	rfc5103 = "rfc5103"

	deltas = "delta"
	totals = "total"
)

// exporter is an export.Exporter.
type exporter struct {
	to    carrier
	both  bool // a record of both directions
	total bool // of total counters

	session *session
	totals  statistics
	tell    func(note string) // nil: nobody is to be told
	told    map[string]bool   // notes
}

// carrier takes messages to where they go.
type carrier interface {
	// begin is called before a collection. fresh is set if whoever reads has not seen
	// any template, the sequence numbers being as session tells.
	begin(ctx context.Context) (s *session, fresh bool, err error)
	// has reports whether a collection is there already.
	has(c *record.Collection) bool
	write(message []byte) error
	// end returns nil once all was delivered, as far as that can be known.
	end(ctx context.Context, c *record.Collection) error
	// failed is called if a collection was not sent whole.
	failed()
	close() error
	// check finds whether there is such a place. It writes nothing.
	check(ctx context.Context) error
	// limits returns the most octets of a message, and after how long templates are
	// told again, 0 for never.
	limits() (most int, again time.Duration)
}

// New returns an exporter to a target: ipfix with one host (UDP), ipfix+tcp, ipfix+tls,
// or ipfix with a path only, a file.
func New(t *export.Target) (export.Exporter, error) {
	x := &exporter{told: make(map[string]bool)}
	biflow, err := t.Choice("biflow", split, rfc5103)
	if err != nil {
		return nil, err
	}
	counters, err := t.Choice("counters", deltas, totals)
	if err != nil {
		return nil, err
	}
	x.both, x.total = biflow == rfc5103, counters == totals
	switch {
	case len(t.Hosts) == 0:
		if t.Path == "" || t.Path == "-" {
			return nil, fmt.Errorf("%s: want ipfix:FILE or ipfix://HOST", t)
		}
		if t.Has("mtu") || t.Has("templates") {
			return nil, fmt.Errorf("%s: mtu and templates are for UDP, as ipfix://HOST", t)
		}
		x.to = &file{path: t.Path}
	case len(t.Hosts) > 1 || t.Path != "" || t.User != "":
		return nil, fmt.Errorf("%s: want one host, and nothing behind it but options", t)
	case t.Scheme == "ipfix":
		x.to, err = newDatagrams(t)
	default:
		x.to, err = newStream(t)
	}
	if err != nil {
		return nil, err
	}
	if !x.both && !t.Has("biflow") {
		x.told[splitNote] = false
	}
	return x, nil
}

const splitNote = "two records a flow, one each way; ?biflow=rfc5103 sends one, which pmacct, goflow2 and Akvorado do not read"

// Notes implements export.Noting.
func (x *exporter) Notes(tell func(note string)) {
	x.tell = tell
	if _, due := x.told[splitNote]; due {
		x.note(splitNote)
	}
}

// note tells something once.
func (x *exporter) note(text string) {
	if x.tell != nil && !x.told[text] {
		x.told[text] = true
		x.tell(text)
	}
}

// newDatagrams returns the carrier of a target over UDP.
func newDatagrams(t *export.Target) (*datagrams, error) {
	mtu, err := t.Number("mtu", 1420, 512, 65507)
	if err != nil {
		return nil, err
	}
	again, err := t.Duration("templates", time.Minute)
	if err != nil {
		return nil, err
	}
	return &datagrams{address: t.Hosts[0], mtu: mtu, again: again}, nil
}

// newStream returns the carrier of a target over TCP or TLS.
func newStream(t *export.Target) (*stream, error) {
	s := &stream{address: t.Hosts[0]}
	if t.Scheme != "ipfix+tls" {
		return s, nil
	}
	host, _, err := net.SplitHostPort(s.address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", t, err)
	}
	if s.tls, err = t.TLS(); err != nil {
		return nil, err
	}
	s.tls.ServerName = host
	return s, nil
}

// Send implements export.Exporter.
func (x *exporter) Send(ctx context.Context, c *export.Collection) error {
	// What was sampled must be known before the flows, and stands behind them.
	var known survey
	if _, err := c.Copy(&known); err != nil {
		return export.Refuse(err)
	}
	p, err := x.deliver(ctx, &known, func(p *pass) error {
		_, err := c.Copy(p)
		return err
	})
	if err != nil || p == nil {
		return err
	}
	if p.left = slices.Compact(slices.Sorted(slices.Values(p.left))); len(p.left) > 0 {
		x.note(strings.Join(p.left, ", ") + isOrAre(len(p.left)) + "not in IPFIX")
	}
	if p.unknown > 0 {
		x.note(fmt.Sprintf("%d flows of a collection are not sent: what they counted in its interval is not known (?counters=total sends what they counted altogether)", p.unknown))
	}
	return nil
}

// deliver sends what do sends of a collection, unless that is there already: then there is
// no pass.
func (x *exporter) deliver(ctx context.Context, known *survey, do func(*pass) error) (*pass, error) {
	session, fresh, err := x.to.begin(ctx)
	if err != nil {
		return nil, err
	}
	if x.to.has(&known.collection) {
		return nil, nil
	}
	x.session = session
	if fresh {
		session.forget()
	}
	p := &pass{exporter: x, ctx: ctx, survey: known, totals: x.totals.clone(), layouts: make(map[layoutKey]*layout)}
	p.w = writer{session: session, write: x.to.write}
	p.w.most, p.w.again = x.to.limits()
	if err = do(p); err == nil {
		err = x.to.end(ctx, &known.collection)
	}
	if err != nil {
		x.to.failed()
		session.forget()
		return nil, err
	}
	x.totals = p.totals
	return p, nil
}

// Gap implements export.Exporter: the flows were not sent (RFC 7011 section 4.3).
func (x *exporter) Gap(ctx context.Context, g *export.Gap) error {
	known := survey{collection: record.Collection{Meter: g.Meter, Boot: g.Boot, From: g.IntervalStartNs, To: g.IntervalEndNs}}
	_, err := x.deliver(ctx, &known, func(p *pass) error {
		p.totals.dropped(g)
		return p.End(nil)
	})
	return err
}

// Check implements export.Exporter.
func (x *exporter) Check(ctx context.Context) error { return x.to.check(ctx) }

// Close implements export.Exporter.
func (x *exporter) Close() error { return x.to.close() }

// survey is a record.Sink that finds out what must be known before the flows.
type survey struct {
	collection record.Collection
	summary    record.Summary
	ruleSets   []int
}

func (s *survey) Differences() bool { return true }

func (s *survey) Begin(c *record.Collection) error { s.collection = *c; return nil }

func (s *survey) Flow(f *match.Flow, _ *record.Counters) error {
	s.has(f.Shape.RuleSet)
	return nil
}

func (s *survey) End(sum *record.Summary) error {
	s.summary = *sum
	for i := range sum.RuleSets {
		s.has(int(sum.RuleSets[i].RuleSet))
	}
	slices.Sort(s.ruleSets)
	return nil
}

// has notes that the collection has a ruleset.
func (s *survey) has(ruleSet int) {
	if n := len(s.ruleSets); n > 0 && s.ruleSets[n-1] == ruleSet || slices.Contains(s.ruleSets, ruleSet) {
		return
	}
	s.ruleSets = append(s.ruleSets, ruleSet)
}

// pass is a record.Sink that sends a collection.
type pass struct {
	*exporter
	ctx     context.Context
	survey  *survey
	w       writer
	totals  statistics
	layouts map[layoutKey]*layout
	room    []byte
	left    []string // attributes that are not sent
	unknown uint64   // flows of which the differences are not known
}

// layoutKey tells layouts from each other.
type layoutKey struct {
	shape *match.Shape
	icmp  int
}

func (p *pass) Differences() bool { return true }

// Begin sends what was sampled, in each domain.
func (p *pass) Begin(*record.Collection) error {
	for _, rs := range p.survey.ruleSets {
		if p.survey.summary.Known != record.KnownFlows {
			if err := p.sampling(uint32(rs)); err != nil {
				return err
			}
		}
	}
	return nil
}

// Flow implements record.Sink.
func (p *pass) Flow(f *match.Flow, counted *record.Counters) error {
	if p.ctx.Err() != nil {
		return p.ctx.Err()
	}
	all := record.CountersOf(f)
	start := f.FirstTime
	if !p.total {
		if counted == nil {
			p.unknown++
			p.totals.notSent(&all)
			return nil
		}
		all = *counted
		// In the interval it was not seen before that began.
		start = max(start, min(p.survey.collection.From, f.LastTime))
	}
	r := row{
		key: f.FlowKey, index: f.Index, start: start, end: f.LastTime,
		octets: [2]uint64{all.ToOctets, all.FromOctets}, pdus: [2]uint64{all.ToPDUs, all.FromPDUs},
	}
	switch {
	case r.pdus == [2]uint64{}:
		return nil
	case p.both && (r.pdus[1] == 0 || !typed(&r.key)):
		return p.send(&r)
	}
	back := r
	r.octets[1], r.pdus[1] = 0, 0
	if r.pdus[0] > 0 {
		if err := p.send(&r); err != nil {
			return err
		}
	}
	if back.pdus[1] == 0 {
		return nil
	}
	back.key = back.key.Reverse()
	back.octets, back.pdus = [2]uint64{back.octets[1], 0}, [2]uint64{back.pdus[1], 0}
	return p.send(&back)
}

// typed reports whether a flow has types or codes of ICMP: a record of both directions
// has one of each, and packets back have others. RFC 5103 has an element for that, which
// nfdump takes for the first direction's.
func typed(k *match.FlowKey) bool {
	_, source := k.Shape.Mask(attr.SourceTransAddress)
	_, dest := k.Shape.Mask(attr.DestTransAddress)
	return icmpOf(k) != icmpNone && (source || dest)
}

// send sends a record of a flow.
func (p *pass) send(r *row) error {
	k := layoutKey{r.key.Shape, icmpOf(&r.key)}
	l := p.layouts[k]
	if l == nil {
		l = newLayout(k.shape, k.icmp, p.total, p.both)
		p.layouts[k] = l
		p.left = append(p.left, l.left...)
	}
	p.room = l.append(p.room[:0], r)
	p.totals.flows++
	return p.w.record(uint32(k.shape.RuleSet), 0, l.fields, l.key, p.room)
}

// End sends what was lost, in each domain, and in domain 0 what was sent.
func (p *pass) End(*record.Summary) error {
	for _, rs := range p.survey.ruleSets {
		if err := p.losses(uint32(rs)); err != nil {
			return err
		}
	}
	if err := p.w.flush(); err != nil {
		return err
	}
	if err := p.process(); err != nil {
		return err
	}
	return p.w.flush()
}

// errGone says that a collector has closed a connection.
var errGone = errors.New("the collector has closed the connection")

// templateKey tells templates from each other.
func templateKey(scope int, fields []ipfix.Field) string {
	return string(ipfix.AppendTemplate(nil, 0, scope, fields))
}

func isOrAre(n int) string {
	if n == 1 {
		return " is "
	}
	return " are "
}
