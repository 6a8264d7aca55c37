package reader

import (
	"errors"
	"io"
	"strings"
	"testing"

	"rtfm/meter"
	"rtfm/meter/control"
	"rtfm/reader/record"
	"rtfm/ruleset/match"
	"rtfm/traces"
)

// wordy is a sink that writes too much.
type wordy struct{ io.Writer }

func (g wordy) Begin(*record.Collection) error           { return nil }
func (g wordy) Flow(*match.Flow, *record.Counters) error { return nil }
func (g wordy) End(*record.Summary) (err error) {
	for range 5001 {
		if _, err = g.Write(make([]byte, fileOctets)); err != nil {
			return err
		}
	}
	return nil
}

// TestMaxFlows collects more than is allowed: nothing is written, and it is
// collected when it is allowed.
func TestMaxFlows(t *testing.T) {
	rs := program(t, "all-flows")
	packets := mix(500, 100)
	src := &stepped{batches: make(chan []traces.Packet), stop: t.Context().Done()}
	c := metering(t, control.Config{Config: meter.Config{MaxFlows: 5000}}, rs, src, nil)
	src.batches <- packets
	waitFor(t, c, uint64(len(packets)))
	path := t.TempDir() + "/flows"
	f, known := open(t, path)
	defer f.Close()
	cfg := testConfig()
	cfg.JSON = true
	var warned []string
	cfg.Warn = func(err error) { warned = append(warned, err.Error()) }
	sets := []RuleSet{{Index: 2, Rules: rs}}
	for _, cfg.MaxFlows = range []int{1, 10} {
		k := New(cfg, f, known)
		for range 2 {
			if _, err := k.Collect(t.Context(), c, sets); !errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), "max-flows") {
				t.Errorf("the error is %v", err)
			}
		}
	}
	if len(warned) != 2 || !strings.Contains(warned[0], "room for 5000 flows, and collections of more than 1 are refused") {
		t.Errorf("warnings: %q", warned)
	}
	cfg.MaxFlows, cfg.Sink = 5000, func(w io.Writer) record.Sink { return wordy{w} }
	if _, err := New(cfg, f, known).Collect(t.Context(), c, sets); !errors.Is(err, ErrLimit) || !strings.Contains(err.Error(), "20480000 octets") {
		t.Errorf("the error is %v", err)
	}
	cfg.MaxFlows, cfg.Sink = 0, nil
	if r, err := New(cfg, f, known).Collect(t.Context(), c, sets); err != nil || r.Flows == 0 {
		t.Errorf("%v, %+v", err, r)
	}
	// Octets are counted too, whoever writes them.
	w := &limited{w: io.Discard, left: 10, most: 10}
	if _, err := w.Write(make([]byte, 10)); err != nil {
		t.Error(err)
	}
	if _, err := w.Write(make([]byte, 1)); !errors.Is(err, ErrLimit) {
		t.Errorf("the error is %v", err)
	}
}
