package ipfixsink

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"rtfm/reader/export"
	"rtfm/reader/flowfile"
	"rtfm/reader/record"
	"rtfm/reader/spool"
	"rtfm/ruleset/attr"
	"rtfm/ruleset/match"
)

// epoch is when the tests' meter began, 1e9 ns after a full minute.
const epoch = int64(1_795_252_441_000_000_000)

// part is a flow of a test and what it counted in the interval.
type part struct {
	flow    *match.Flow
	counted *record.Counters
}

// ends are the attributes of a 5-tuple of IPv4.
var ends = []attr.Attr{attr.SourcePeerAddress, attr.DestPeerAddress, attr.SourceTransType, attr.SourceTransAddress, attr.DestTransAddress}

// whole returns attributes that are saved whole, those of lengths that vary with 4 octets.
func whole(attributes ...attr.Attr) (saved []match.Saved) {
	for _, a := range attributes {
		n := a.Info().Size
		if a.Info().Variable {
			n = 4
		}
		saved = append(saved, match.Saved{Attr: a, Mask: attr.Ones(n)})
	}
	return saved
}

// flow returns a flow of a 5-tuple, whose dest has the last octet n.
func flow(shapes *match.Shapes, ruleSet int, n byte, proto uint8, source, dest [2]byte) *match.Flow {
	f := &match.Flow{
		FlowKey: match.FlowKey{Shape: shapes.Intern(ruleSet, 4, 0, whole(ends...))}, Index: uint32(n),
		FirstTime: epoch + 500_000_000, LastTime: epoch + 70_123_456_789,
		ToPDUs: 100, FromPDUs: 50, ToOctets: 60_000, FromOctets: 5_000,
	}
	copy(f.Key.Peer(attr.Source)[:], []byte{192, 0, 2, 1})
	copy(f.Key.Peer(attr.Dest)[:], []byte{198, 51, 100, n})
	f.Key.SetTransType(proto)
	copy(f.Key[attr.SourceTransAddress.Info().Offset:], source[:])
	copy(f.Key[attr.DestTransAddress.Info().Offset:], dest[:])
	return f
}

// spooled returns collections of those flows, an interval of a minute each.
func spooled(t *testing.T, sum record.Summary, collections ...[]part) []*export.Collection {
	t.Helper()
	s, err := spool.Open(filepath.Join(t.TempDir(), "s"), spool.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	take, err := s.Outlet("take", "take")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Outlet("keep", "keep"); err != nil {
		t.Fatal(err)
	}
	sink := &export.Sink{Spool: s, Header: flowfile.Header{Version: "5.3", Meter: "m", Start: time.Unix(0, epoch)}}
	for i, flows := range collections {
		at := epoch + int64(i)*60e9
		c := &record.Collection{Meter: "m", Boot: "b", Epoch: epoch, From: at, To: at + 60e9, First: i == 0}
		for _, err := range []error{sink.Begin(c), put(sink, flows), sink.End(&sum)} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	taken := &taker{want: len(collections), stop: stop}
	(&export.Runner{Outlet: take, Exporter: taken}).Run(ctx)
	return taken.collections
}

func put(sink record.Sink, flows []part) error {
	for _, p := range flows {
		if err := sink.Flow(p.flow, p.counted); err != nil {
			return err
		}
	}
	return nil
}

// taker is an export.Exporter that takes some collections.
type taker struct {
	want        int
	stop        func()
	collections []*export.Collection
}

func (k *taker) Send(_ context.Context, c *export.Collection) error {
	if k.collections = append(k.collections, c); len(k.collections) == k.want {
		k.stop()
	}
	return nil
}
func (k *taker) Gap(context.Context, *export.Gap) error { return nil }
func (k *taker) Check(context.Context) error            { return nil }
func (k *taker) Close() error                           { return nil }

// open returns an exporter to a URL, and the notes that it tells.
func open(t *testing.T, url string) (export.Exporter, *[]string) {
	t.Helper()
	target, s, err := export.Parse(url, []export.Scheme{
		{Name: "ipfix", Hosts: true, Paths: true, Port: "4739", Options: UDPOptions, New: New},
		{Name: "ipfix+tcp", Hosts: true, Port: "4739", Options: FileOptions, New: New},
		{Name: "ipfix+tls", Hosts: true, Port: "4740", Options: TLSOptions, New: New},
	})
	if err != nil {
		t.Fatal(err)
	}
	x, err := s.New(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	var notes []string
	x.(export.Noting).Notes(func(note string) { notes = append(notes, note) })
	return x, &notes
}

// send sends collections.
func send(t *testing.T, x export.Exporter, collections ...*export.Collection) {
	t.Helper()
	for _, c := range collections {
		if err := x.Send(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
}
