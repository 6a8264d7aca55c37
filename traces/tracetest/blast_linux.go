package tracetest

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A Blast is numbered UDP packets, by default of 64 octets with the frame check
// sequence, so 60 as they are captured. Packet i is from host i%Hosts, its port i/Hosts%Ports, to
// 192.0.2.1, port 53, without a checksum, and its payload begins with i, 8 octets. So all packets are of
// one flow if both are 1, and each is of a flow of its own up to Hosts*Ports.
type Blast struct {
	Hosts int // from 10.0.0.0 on, 65,536 or fewer
	Ports int // of each, from 1024 on, 60,000 or fewer
	Rate  int // packets/s, 0 for as many as possible
	// Octets is how long a packet is as it is captured, 60 to 1,514; 0 for 60.
	Octets int
}

// Send sends n packets from one end of a pair of interfaces, as Network makes them,
// to the other, and returns when all are there. It keeps a processor busy, which is
// the one that the kernel receives them with, and that of the calling goroutine.
//
// The kernel makes and redirects the frames, by a BPF program that is run again and
// again: an interval that is not over yet makes it drop one. So millions can be sent
// in a second, and fewer are sent evenly, 64 at a time at most. Those that are late
// are made up for.
//
// Where that is not permitted the test is skipped, or fails if RTFM_REQUIRE names
// bpf.
func (b Blast) Send(t testing.TB, from, to string, n int) {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// The other end polls for what it receives only then.
	Run(t, "ethtool -K "+to+" gro on")
	state, err := bpfMap(16)
	if err != nil {
		Missing(t, "bpf", err)
	}
	defer syscall.Close(state)
	shared, err := syscall.Mmap(state, 0, os.Getpagesize(), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		t.Fatal(os.NewSyscallError("mmap", err))
	}
	defer syscall.Munmap(shared)
	frame := b.Frame(0)
	program, report, err := bpfLoad(b.program(state, Index(t, from), n, frame))
	if err != nil {
		t.Fatalf("%v\n%s", err, report)
	}
	defer syscall.Close(program)
	sent := (*atomic.Uint64)(unsafe.Pointer(&shared[0]))
	for sent.Load() < uint64(n) {
		ended := interruptWhen(func() bool { return sent.Load() >= uint64(n) })
		err := bpfRun(program, frame)
		ended()
		switch err {
		case nil, syscall.EINTR:
		case syscall.EINVAL: // a kernel before 5.18
			Missing(t, "bpf", os.NewSyscallError("BPF_PROG_TEST_RUN", err))
		default:
			t.Fatal(os.NewSyscallError("BPF_PROG_TEST_RUN", err))
		}
	}
}

// interruptWhen interrupts the calling thread's system call once something is done,
// until what it returns is called.
func interruptWhen(done func() bool) (ended func()) {
	stop, stopped := make(chan struct{}), make(chan struct{})
	thread := syscall.Gettid()
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Millisecond):
			}
			if done() {
				// The runtime has a handler for this one, which expects it at any time.
				syscall.Tgkill(syscall.Getpid(), thread, syscall.SIGURG)
			}
		}
	}()
	return func() {
		close(stop)
		<-stopped
	}
}

// Frame returns packet i.
func (b Blast) Frame(i int) []byte {
	host, port := i%b.Hosts, 1024+i/b.Hosts%b.Ports
	f := Eth("02:00:00:00:00:01", "02:00:00:00:00:02").IPv4(fmt.Sprintf("10.0.%d.%d", host>>8, host&0xff), "192.0.2.1").
		UDP(port, 53).Raw(0, append(binary.BigEndian.AppendUint64(nil, uint64(i)), make([]byte, max(b.Octets, 60)-50)...)).Bytes()
	clear(f[portAt+6 : portAt+8])
	return f
}

// Where things are in a frame.
const (
	checksumAt = 14 + 10
	hostAt     = 14 + 14 // the lower half of the source address
	portAt     = 14 + 20
	numberAt   = 14 + 20 + 8
)

// toDrop is the offset of a jump to where frames are dropped, until it is known.
const toDrop = 0x7fff

// program returns the XDP program that makes the frames. What it keeps is how many it
// has sent and when it began, in ns, 8 octets each.
func (b Blast) program(state, index, n int, frame []byte) []instruction {
	rate := b.Rate
	if rate == 0 {
		rate = 1e9
	}
	// The sum of the header's other words: 0xffff less the checksum.
	others := 0xffff - int(binary.BigEndian.Uint16(frame[checksumAt:]))
	code := []instruction{
		by(opMov, 6, 1),
		{0x18, 7 | unix.BPF_PSEUDO_MAP_VALUE<<4, 0, int32(state)}, {},
		load(bits64, 8, 7, 0), // the number
		{jumpAtLeast, 8, toDrop, int32(n)},

		call(5), // bpf_ktime_get_ns
		load(bits64, 1, 7, 8),
		{jumpNotEqual, 1, 2, 0},
		by(opMov, 1, 0),
		store(bits64, 7, 1, 8),
		by(opMov, 2, 8), // it is due n/rate after the beginning
		with(opMul, 2, 1e9),
		with(opDiv, 2, rate),
		by(opAdd, 1, 2),
		{jumpAbove, 1 | 0<<4, toDrop, 0},

		load(bits32, 2, 6, 0), // data
		load(bits32, 3, 6, 4), // data_end
		by(opMov, 4, 2),
		with(opAdd, 4, len(frame)),
		{jumpAbove, 4 | 3<<4, toDrop, 0},

		by(opMov, 4, 8), // the host
		with(opMod, 4, b.Hosts),
		by(opMov, 5, 4), // and the header's checksum
		with(opAdd, 5, others),
		by(opMov, 1, 5),
		with(opRsh, 1, 16),
		with(opAnd, 5, 0xffff),
		by(opAdd, 5, 1),
		with(opXor, 5, 0xffff),
		bigEndian(4, 16),
		store(bits16, 2, 4, hostAt),
		bigEndian(5, 16),
		store(bits16, 2, 5, checksumAt),

		by(opMov, 4, 8), // the port
		with(opDiv, 4, b.Hosts),
		with(opMod, 4, b.Ports),
		with(opAdd, 4, 1024),
		bigEndian(4, 16),
		store(bits16, 2, 4, portAt),

		by(opMov, 4, 8),
		bigEndian(4, 64),
		store(bits64, 2, 4, numberAt),

		with(opAdd, 8, 1),
		store(bits64, 7, 8, 0),
		with(opMov, 1, index),
		with(opMov, 2, 0),
		call(23), // bpf_redirect
		exit,

		with(opMov, 0, 1), // XDP_DROP
		exit,
	}
	for i := range code {
		if code[i].offset == toDrop {
			code[i].offset = int16(len(code) - 2 - i - 1)
		}
	}
	return code
}
