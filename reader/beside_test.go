package reader

import (
	"os"
	"testing"

	"rtfm/reader/flowfile"
	"rtfm/reader/record"
	"rtfm/reader/spool"
)

// TestSettle starts after every kind of end that a process may have had between the end of
// a segment and its number: it gets the number if the flow data file has its collection,
// or nobody knows what that has.
func TestSettle(t *testing.T) {
	const boot, to = "0011223344556677", 1_000_000_000
	for name, c := range map[string]struct {
		known *State
		cut   int
		want  int
	}{
		"the file has it":          {&State{Boot: boot, ToNs: to}, 0, 1},
		"the file has it not":      {&State{Boot: boot, ToNs: to - 1}, 0, 0},
		"it is of another run":     {&State{Boot: "00", ToNs: to}, 0, 0},
		"the state is lost":        {nil, 0, 1},
		"it is not complete":       {&State{Boot: boot, ToNs: to}, 3, 0},
		"the state is lost, too":   {nil, 3, 0},
		"nothing was ever written": {nil, 1 << 20, 0},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := spool.Open(t.TempDir(), spool.Config{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if _, err := s.Outlet("a", "x"); err != nil {
				t.Fatal(err)
			}
			f, err := s.Create()
			if err != nil {
				t.Fatal(err)
			}
			sink := flowfile.NewSink(f, flowfile.Header{Meter: "m"}, nil, flowfile.Options{JSON: true})
			if err := sink.Begin(&record.Collection{Meter: "m", Boot: boot, From: 5, To: to}); err != nil {
				t.Fatal(err)
			}
			if err := sink.End(new(record.Summary)); err != nil {
				t.Fatal(err)
			}
			info, err := f.Stat()
			if err == nil {
				err = f.Truncate(max(0, info.Size()-int64(c.cut)))
			}
			f.Close()
			if err != nil {
				t.Fatal(err)
			}
			if err := Settle(s, c.known); err != nil {
				t.Fatal(err)
			}
			if n := s.Status().Segments; n != c.want {
				t.Errorf("%d segments, want %d", n, c.want)
			}
			if _, err := os.Stat(s.Current()); err == nil {
				t.Error("there is still one without a number")
			}
		})
	}
}
