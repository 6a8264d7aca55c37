package anonymise

import (
	"errors"
	"io"
	"testing"

	"rtfm/traces"
)

// mapped is a source of one batch, in a file that becomes shorter if fault is set.
type mapped struct {
	packets []traces.Packet
	fault   error
	guarded int
}

func (m *mapped) ReadBatch(b *traces.Batch) error {
	if m.packets == nil {
		return io.EOF
	}
	b.Reset("file")
	b.Packets, b.Mapping, m.packets = append(b.Packets, m.packets...), m, nil
	return nil
}

func (m *mapped) Stats() traces.Stats { return traces.Stats{} }
func (m *mapped) Close() error        { return nil }

func (m *mapped) Guard(use func()) error {
	m.guarded++
	use()
	return m.fault
}

// TestSource wants packets of a mapped file to be others, outside of it, and the file as
// it was; and of one that fails none.
func TestSource(t *testing.T) {
	cfg := Config{Parts: func(p *traces.Packet, parts []Part) []Part {
		return append(parts, Part{Station, 0, 6}, Part{Rest, 12, 12})
	}}
	for _, fault := range []error{nil, errors.New("shorter")} {
		r, err := NewRewriter(&cfg)
		if err != nil {
			t.Fatal(err)
		}
		data := []byte("\x00\x01\x02\x03\x04\x05abcdef-- payload")
		was := string(data)
		src := &mapped{packets: []traces.Packet{{Data: data, Wire: 99}, {Data: data[:7], Wire: 99}, {Data: data[:5]}}, fault: fault}
		b := traces.NewBatch(8)
		err = Source(src, r).ReadBatch(b)
		if string(data) != was || src.guarded != 1 || b.Mapping != nil {
			t.Errorf("the file is %q, %d times guarded, mapping %v", data, src.guarded, b.Mapping)
		}
		if !errors.Is(err, fault) || fault != nil && len(b.Packets) != 0 {
			t.Errorf("%d packets, %v, want %v", len(b.Packets), err, fault)
		}
		if fault != nil {
			continue
		}
		first := string(b.Packets[0].Data)
		if len(first) != 12 || first[:3] != was[:3] || first[3:6] == was[3:6] || first[6:] != "abcdef" || b.Packets[0].Wire != 99 {
			t.Errorf("%q becomes %q", was, first)
		}
		if len(b.Packets[1].Data) != 7 || len(b.Packets[2].Data) != 0 {
			t.Errorf("what was cut short becomes %q and %q", b.Packets[1].Data, b.Packets[2].Data)
		}
		if c := r.Counts(); c != (Counts{Packets: 3, Cut: 1}) {
			t.Errorf("%+v", c)
		}
	}
}
