package format

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// TestInputGrowsWithItsData asks for far more than the stream has: the buffer
// must not grow beyond what was read, doubled.
func TestInputGrowsWithItsData(t *testing.T) {
	for _, have := range []int{0, 30, bufferSize, bufferSize + 1, 3 * bufferSize} {
		in := newInput(bytes.NewReader(make([]byte, have)))
		if err := in.fill(1 << 30); err != io.EOF {
			t.Errorf("%d octets: %v", have, err)
		}
		if len(in.window()) != have || len(in.buf) > max(bufferSize, 2*have) {
			t.Errorf("%d octets: %d in a buffer of %d", have, len(in.window()), len(in.buf))
		}
	}
}

// TestInputMoves checks the window through fills that move and enlarge it.
func TestInputMoves(t *testing.T) {
	all := make([]byte, 5*bufferSize)
	for i := range all {
		all[i] = byte(i / 7)
	}
	in := newInput(bytes.NewReader(all))
	at := 0
	for _, step := range []struct{ need, take int }{{1, 1}, {bufferSize, bufferSize - 1}, {2 * bufferSize, bufferSize}, {3, 3}, {1, 0}, {bufferSize, 100}} {
		if err := in.fill(step.need); err != nil {
			t.Fatal(err)
		}
		w := in.window()
		if in.off != int64(at) || len(w) < step.need || !bytes.Equal(w, all[at:at+len(w)]) {
			t.Fatalf("at %d: window of %d at %d", at, len(w), in.off)
		}
		in.discard(step.take)
		at += step.take
	}
}

// lazy is a reader that never gives anything.
type lazy struct{}

func (lazy) Read([]byte) (int, error) { return 0, nil }

func TestInputWithoutProgress(t *testing.T) {
	if err := newInput(lazy{}).fill(1); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("error %v", err)
	}
}
