package huge

import (
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"rtfm/traces/tracetest"
)

// TestSlabAhead sees that the system has memory for what a Slab gives before it
// is given: the next huge page. It needs what "hugepages" stands for in RTFM_REQUIRE:
// huge pages, and a kernel that fills them when asked to (Linux 5.14).
func TestSlabAhead(t *testing.T) {
	own := make([]byte, 4096)
	if err := syscall.Madvise(pageOf(own), madvPopulateWrite); err == syscall.EINVAL {
		tracetest.Missing(t, "hugepages", fmt.Errorf("populating memory: %w", err))
	}
	var s Slab[[64 << 10]byte]
	for s.Len() < 4*most/(64<<10) {
		s.Take(1)
	}
	if len(s.later) == 0 {
		tracetest.Missing(t, "hugepages", errors.New("the kernel has none"))
	}
	next := unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(&s.later[0]), -page)), page)
	for deadline := time.Now().Add(20 * time.Second); resident(t, next) < page; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("of the next page %d octets are in memory", resident(t, next))
		}
	}
}

// pageOf returns a small page that has an octet of b in it, which is not empty.
func pageOf(b []byte) []byte {
	p := unsafe.Pointer(&b[0])
	return unsafe.Slice((*byte)(unsafe.Add(p, -int(uintptr(p)%4096))), 4096)
}

// resident returns how many octets of b, which are whole pages, are in memory.
func resident(t *testing.T, b []byte) (n int) {
	t.Helper()
	pages := make([]byte, len(b)/4096)
	_, _, errno := syscall.Syscall(syscall.SYS_MINCORE, uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)), uintptr(unsafe.Pointer(&pages[0])))
	if errno != 0 {
		t.Fatal(errno)
	}
	for _, p := range pages {
		n += int(p&1) * 4096
	}
	return n
}
