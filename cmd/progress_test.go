package cmd

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"rtfm/traces"
	"rtfm/traces/tracetest"
)

// given gives packets, one batch each, and then ends.
type given struct {
	traces.Source
	packets []traces.Packet
}

func (g *given) ReadBatch(b *traces.Batch) error {
	b.Reset("")
	if len(g.packets) == 0 {
		return io.EOF
	}
	b.Packets, g.packets = append(b.Packets, g.packets[0]), g.packets[1:]
	return nil
}

func TestPipeProgress(t *testing.T) {
	var to strings.Builder
	p := &pipeProgress{Source: &given{packets: tracetest.Mix(3)}, to: &to, began: time.Now(), looked: time.Now()}
	var b traces.Batch
	read := func() string {
		to.Reset()
		if err := p.ReadBatch(&b); err != nil && !errors.Is(err, io.EOF) {
			t.Fatal(err)
		}
		return to.String()
	}
	p.looked = time.Now().Add(time.Hour) // not yet
	if got := read(); got != "" {
		t.Errorf("shown too often: %q", got)
	}
	p.looked = time.Time{}
	if got := read(); !strings.HasPrefix(got, clearLine+"2 packets, ") || !strings.HasSuffix(got, "\r") {
		t.Errorf("shown: %q", got)
	}
	p.looked = time.Now().Add(time.Hour)
	read()
	if got := read(); got != clearLine {
		t.Errorf("at the end: %q", got)
	}
	p.packets, p.octets = 1_234_567, 999_499
	if got, want := p.line(1_700_000_000e9, time.Second), "1.23M packets, 999 kB, 1.23M packets/s, up to 2023-11-14 22:13:20"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestPrefixed(t *testing.T) {
	for x, want := range map[float64]string{0: "0 ", 999: "999 ", 999.6: "1.00 k", 12_345: "12.3 k", 999_499: "999 k", 1e12: "1.00 T", 1e21: "1000 E"} {
		if got := prefixed(x, " "); got != want {
			t.Errorf("%v is %q, want %q", x, got, want)
		}
	}
}

func TestReadMemory(t *testing.T) {
	const status = "Name:\trtfm\nVmHWM:\t  9000 kB\nRssAnon:\t    1000 kB\nRssFile:\t    3000 kB\nRssShmem:\t       1 kB\nThreads:\t8\nHugetlbPages:\t    2048 kB\nRssAnon: many kB\n"
	if got, want := readMemory(status), (memoryUse{own: 3049 << 10, files: 3000 << 10}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if got := readMemory(""); got != (memoryUse{}) {
		t.Errorf("of nothing: %+v", got)
	}
}
